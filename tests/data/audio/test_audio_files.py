"""Files of audio are read as they are, written back alike, and refused where they are damaged."""

import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.data.audio import AudioSource, Kind, Recording, is_audio, open_audio, write_recordings
from isthmus.data.audio.kinds import restored_names
from isthmus.errors import BadItem, DamagedFile, NoData, OutputExists

sf = pytest.importorskip("soundfile", reason="soundfile is missing: pip install 'isthmus[audio]'")

FORMS = [
    ("a.wav", "WAV", "PCM_U8"),
    ("a.wav", "WAV", "PCM_16"),
    ("a.wav", "WAV", "PCM_24"),
    ("a.wav", "WAV", "PCM_32"),
    ("a.wav", "WAV", "FLOAT"),
    ("a.wav", "WAV", "DOUBLE"),
    ("a.wav", "WAVEX", "PCM_24"),
    ("a.flac", "FLAC", "PCM_S8"),
    ("a.flac", "FLAC", "PCM_16"),
    ("a.flac", "FLAC", "PCM_24"),
    ("a.aiff", "AIFF", "PCM_24"),
    ("a.au", "AU", "PCM_16"),
]


def samples_for(kind: Kind, frames: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    if kind.is_float:
        return random.normal(size=(frames, kind.channels)).astype(kind.read_as)
    top = 1 << (kind.bits - 1)
    return random.integers(-top, top, (frames, kind.channels)).astype(np.int32)


def read_all(source: AudioSource, number: int = 0) -> np.ndarray:
    return np.concatenate([*source.pieces(source.recordings[number], 7)])


@given(st.sampled_from(FORMS), st.integers(1, 6), st.integers(1, 60), st.sampled_from([8000, 44100, 96000]))
@settings(max_examples=40)
def test_what_is_written_is_read(tmp_path_factory, form, channels, frames, rate):
    folder = tmp_path_factory.mktemp("audio")
    name, container, subtype = form
    kind = Kind(container, subtype, rate, channels)
    samples = samples_for(kind, frames)
    (path,) = write_recordings([Recording(name, kind, frames)], [iter([samples[:3], samples[3:]])], folder)
    source = AudioSource(path)
    assert source.recordings == (Recording(name, kind, frames),)
    found = read_all(source)
    assert found.dtype == samples.dtype
    assert found.tobytes() == samples.tobytes()
    assert source.raw_bytes == frames * channels * kind.bits // 8


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_full_scale_is_neither_clipped_nor_scaled(tmp_path, subtype):
    dtype = {"PCM_16": "int16", "PCM_24": "int32", "FLOAT": "float32"}[subtype]
    highest = 3.5 if subtype == "FLOAT" else np.iinfo(dtype).max
    told = np.array([highest, -highest, 0], dtype)
    sf.write(tmp_path / "a.wav", told, 8000, subtype=subtype)
    found = read_all(AudioSource(tmp_path / "a.wav"))[:, 0]
    bits = {"PCM_16": 16, "PCM_24": 24}.get(subtype)
    assert found[0] == (3.5 if bits is None else (1 << (bits - 1)) - 1)


def test_folders_and_zips_are_sorted_by_kind_and_name(tmp_path):
    folder = tmp_path / "sounds"
    (folder / "b").mkdir(parents=True)
    for name, rate, channels in (
        ("z.wav", 8000, 1),
        ("b/a.wav", 8000, 1),
        ("s.wav", 8000, 2),
        ("a.wav", 16000, 1),
    ):
        sf.write(folder / name, np.zeros((5, channels), "int16"), rate)
    (folder / "notes.txt").write_text("no sound")
    (folder / ".hidden.wav").write_text("no sound")
    names = ["b/a.wav", "z.wav", "s.wav", "a.wav"]
    assert [each.name for each in AudioSource(folder).recordings] == names
    with zipfile.ZipFile(tmp_path / "sounds.zip", "w") as archive:
        for name in names:
            archive.write(folder / name, name)
    source = AudioSource(tmp_path / "sounds.zip")
    assert [each.name for each in source.recordings] == names
    assert (source.name, source.archive) == ("sounds", "sounds.zip")


def test_what_was_lossy_is_read_as_it_plays(tmp_path):
    tone = np.sin(np.arange(20_000) * 0.05)
    for name, told in (("a.ogg", "OGG"), ("a.mp3", "MP3")):
        if told not in sf.available_formats():
            pytest.skip(f"libsndfile has no {told}")
        sf.write(tmp_path / name, tone, 44100, format=told)
        source = AudioSource(tmp_path / name)
        (recording,) = source.recordings
        found = read_all(source)
        assert recording.kind.restored == Kind("WAV", "PCM_16", 44100, 1)
        assert found.shape == (recording.frames, 1)
        assert np.abs(found).max() > 20_000


def test_names_stay_apart():
    lossy, plain = Kind("OGG", "VORBIS", 8000, 1), Kind("WAV", "PCM_16", 8000, 1)
    names = {"a.ogg": lossy, "A.wav": plain, "a.mp3": lossy, "a.ogg.wav": plain, "b.opus": lossy}
    found = restored_names(names)
    assert len({name.casefold() for name in found}) == len(names)
    assert found[-1] == "b.wav"


def test_a_file_that_is_cut_short_is_refused_by_name(tmp_path):
    samples = np.random.default_rng(0).integers(-999, 999, 30_000).astype("int16")
    for name in ("cut.wav", "cut.flac", "cut.aiff", "cut.au", "cut.ogg"):
        sf.write(tmp_path / name, samples, 8000)
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2])
        with pytest.raises(BadItem, match=r"cut\.\w+ (is cut short|cannot be read)"):
            read_all(AudioSource(tmp_path / name))
    sf.write(tmp_path / "whole.wav", samples, 8000)
    source = AudioSource(tmp_path, skip_bad=True)
    kept = {each.name: each.frames for each in source.recordings}
    assert kept["whole.wav"] == len(samples)
    assert all(10_000 < kept[name] < 20_000 for name in ("cut.wav", "cut.aiff", "cut.au", "cut.flac"))
    assert sorted(each.name for each in source.skipped) == [
        "cut.aiff",
        "cut.au",
        "cut.flac",
        "cut.ogg",
        "cut.wav",
    ]
    for recording in source.recordings:
        found = np.concatenate([*source.pieces(recording)])[:, 0]
        if recording.kind.is_kept:
            assert (found == samples[: len(found)]).all()


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no sound at all", b"fLaC" + bytes(50)])
def test_a_file_of_something_else_is_refused(tmp_path, content):
    (tmp_path / "odd.wav").write_bytes(content)
    with pytest.raises(BadItem, match=r"odd\.wav cannot be read as audio"):
        AudioSource(tmp_path / "odd.wav")


def test_no_audio_is_refused(tmp_path):
    with pytest.raises(NoData):
        open_audio(tmp_path / "none.wav")
    with pytest.raises(NoData):
        AudioSource(tmp_path)
    (tmp_path / "bad.zip").write_bytes(b"PK no zip")
    assert not is_audio(tmp_path / "bad.zip")


def test_folders_with_images_are_left_to_others(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"")
    assert is_audio(tmp_path)
    (tmp_path / "a.png").write_bytes(b"")
    assert not is_audio(tmp_path)
    assert not is_audio(np.zeros(3))


def test_nothing_is_replaced_unasked(tmp_path):
    kind = Kind("WAV", "PCM_16", 8000, 1)
    recording = Recording("a.wav", kind, 3)
    samples = samples_for(kind, 3)
    write_recordings([recording], [iter([samples])], tmp_path)
    with pytest.raises(OutputExists):
        write_recordings([recording], [iter([samples])], tmp_path)
    with pytest.raises(BadItem):
        write_recordings([Recording("../a.wav", kind, 3)], [iter([samples])], tmp_path)


@pytest.mark.parametrize(
    "values",
    [[], ["WAV", "PCM_16", 0, 1], ["WAV", "PCM_16", 8000, 65], ["OGG", "VORBIS", 8000, 1], [1, 2, 3, 4], 5],
)
def test_kinds_that_cannot_be_are_called_damage(values):
    with pytest.raises(DamagedFile):
        Kind.from_list(values)
