"""Recordings come back as they were, in their form and length; bad input is refused in a sentence."""

import json
import zipfile

import numpy as np
import pytest
from typer.testing import CliRunner

from isthmus.coding.audio import block as coding
from isthmus.data.audio import AudioSource
from isthmus.errors import BadItem, DamagedFile, MachineError, TooLarge, UseError
from isthmus.limits import Limits
from isthmus.tasks.audio import stretches
from isthmus.tasks.compress import compress, decompress
from isthmus.tasks.info import info
from isthmus.tasks.verify import verify

sf = pytest.importorskip("soundfile", reason="soundfile is missing: pip install 'isthmus[audio]'")


def tune(frames: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Tones and noise, float64 within ±1."""
    random, time = np.random.default_rng(seed), np.arange(frames)[:, None]
    tones = sum(np.sin(time * pitch + random.uniform(0, 6, channels)) for pitch in (0.02, 0.11, 0.4))
    return 0.25 * tones + random.normal(size=(frames, channels)) * 0.003


@pytest.fixture
def folder(tmp_path):
    """Mixed rates, channels, bits and lengths."""
    made = tmp_path / "sounds"
    (made / "deep").mkdir(parents=True)
    sf.write(made / "mono.wav", tune(1300), 8000, subtype="PCM_16")
    sf.write(made / "stereo.wav", tune(300, 2), 44100, subtype="PCM_24")
    sf.write(made / "deep" / "six.wav", tune(200, 6), 48000, subtype="PCM_16")
    sf.write(made / "byte.wav", tune(400), 11025, subtype="PCM_U8")
    sf.write(made / "free.flac", tune(300, 2), 22050, subtype="PCM_24")
    sf.write(made / "float.wav", tune(300), 16000, subtype="FLOAT")
    sf.write(made / "none.wav", np.zeros((0, 1)), 8000, subtype="PCM_16")
    sf.write(made / "one.wav", np.zeros((1, 1)), 8000, subtype="PCM_16")
    return made


def told(source) -> dict:
    audio = AudioSource(source)
    return {
        each.name: (each.kind, each.frames, b"".join(piece.tobytes() for piece in audio.pieces(each)))
        for each in audio.recordings
    }


def test_a_folder_comes_back(folder, tmp_path):
    result = compress(folder, tmp_path / "a.isz")
    assert (result.samples, result.items) == (8, "recordings")
    assert result.archive_bytes == (tmp_path / "a.isz").stat().st_size
    assert result.archive_bytes == result.payload_bytes + result.overhead_bytes
    made = decompress(tmp_path / "a.isz", tmp_path / "back")
    assert made.samples == 8
    assert told(tmp_path / "back") == told(folder)
    checked = verify(tmp_path / "a.isz", against=folder)
    assert checked.ok, checked.problems
    facts = info(tmp_path / "a.isz").facts
    assert "1 × FLAC, 24 bit, 22.05 kHz, stereo" in facts["kinds"]
    json.dumps(result.to_dict())


def test_recordings_go_on_in_the_next_block(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(stretches.blocks_of, "__defaults__", (500,))
    result = compress(folder, tmp_path / "a.isz", effort=1)
    assert sum(won.blocks for won in result.winners.values()) > 8
    decompress(tmp_path / "a.isz", tmp_path / "back")
    assert told(tmp_path / "back") == told(folder)
    assert verify(tmp_path / "a.isz", against=folder).ok
    everything = told(folder)
    names = [each.name for each in AudioSource(folder).recordings]
    for start in range(len(names)):
        decompress(tmp_path / "a.isz", tmp_path / f"part-{start}", items=(start, start + 1))
        assert told(tmp_path / f"part-{start}") == {names[start]: everything[names[start]]}


def test_the_same_bytes_again_and_by_more_workers(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(stretches.blocks_of, "__defaults__", (500,))
    for name, workers in (("a", 1), ("b", 1), ("c", 2)):
        compress(folder / "mono.wav", tmp_path / f"{name}.isz", workers=workers)
    first = (tmp_path / "a.isz").read_bytes()
    assert first == (tmp_path / "b.isz").read_bytes() == (tmp_path / "c.isz").read_bytes()


def test_a_zip_comes_back_as_a_zip(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "sounds.zip", "w") as archive:
        for name in ("mono.wav", "deep/six.wav", "free.flac"):
            archive.write(folder / name, name)
    compress(tmp_path / "sounds.zip", tmp_path / "a.isz")
    (made,) = decompress(tmp_path / "a.isz", tmp_path / "back").files
    assert made.name == "sounds.zip"
    assert told(made) == told(tmp_path / "sounds.zip")


def test_what_was_lossy_comes_back_as_wav_and_says_so(tmp_path):
    if "OGG" not in sf.available_formats():
        pytest.skip("libsndfile has no Ogg")
    sf.write(tmp_path / "a.ogg", tune(9000), 44100)
    result = compress(tmp_path / "a.ogg", tmp_path / "a.isz", effort=1)
    assert "16-bit WAV" in result.advice[0]
    (made,) = decompress(tmp_path / "a.isz", tmp_path / "back").files
    assert made.name == "a.wav"
    expected = sf.read(tmp_path / "a.ogg", dtype="int16")[0]
    assert (sf.read(made, dtype="int16")[0] == expected).all()
    assert verify(tmp_path / "a.isz", against=tmp_path / "a.ogg").ok


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.0, 7.5])
def test_odd_floats_come_back_bit_for_bit(tmp_path, value):
    samples = tune(500).astype(np.float32)
    samples[100:110] = value
    sf.write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    compress(tmp_path / "a.wav", tmp_path / "a.isz")
    decompress(tmp_path / "a.isz", tmp_path / "back")
    assert sf.read(tmp_path / "back" / "a.wav", dtype="float32")[0].tobytes() == samples.tobytes()


def test_clipped_audio_comes_back(tmp_path):
    samples = np.clip(tune(1500) * 9, -1, 1)
    sf.write(tmp_path / "a.wav", samples, 8000, subtype="PCM_16")
    compress(tmp_path / "a.wav", tmp_path / "a.isz")
    decompress(tmp_path / "a.isz", tmp_path / "back")
    assert told(tmp_path / "back") == told(tmp_path / "a.wav")


def test_bad_files_are_refused_or_left_out(folder, tmp_path):
    data = (folder / "stereo.wav").read_bytes()
    (folder / "cut.wav").write_bytes(data[: len(data) // 2])
    with pytest.raises(BadItem, match=r"cut\.wav is cut short"):
        compress(folder, tmp_path / "a.isz")
    assert not (tmp_path / "a.isz").exists()
    (folder / "text.wav").write_text("no sound")
    result = compress(folder, tmp_path / "a.isz", skip_bad=True, effort=1)
    assert result.samples == 9
    assert "frames were kept" in result.notices[0]
    assert "text.wav" in result.notices[1]
    assert verify(tmp_path / "a.isz", against=folder).ok


def test_verify_tells_what_differs(folder, tmp_path):
    compress(folder / "mono.wav", tmp_path / "a.isz")
    samples = sf.read(folder / "mono.wav", dtype="int16")[0]
    samples[1234] += 1
    (tmp_path / "other").mkdir()
    sf.write(tmp_path / "other" / "mono.wav", samples, 8000)
    checked = verify(tmp_path / "a.isz", against=tmp_path / "other" / "mono.wav")
    assert checked.problems == ("mono.wav is not as it was, first in frame 1,234 (counted from 0)",)
    assert not verify(tmp_path / "a.isz", against=folder).ok


def test_damage_is_called_damage(folder, tmp_path):
    compress(folder / "mono.wav", tmp_path / "a.isz")
    data = bytearray((tmp_path / "a.isz").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "a.isz").write_bytes(data)
    assert not verify(tmp_path / "a.isz").ok
    with pytest.raises(DamagedFile):
        decompress(tmp_path / "a.isz", tmp_path / "back")


def test_what_does_not_come_back_is_coded_otherwise_or_refused(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(coding.walk, "encode", lambda *told: b"not what the decoder expects")
    assert compress(folder / "mono.wav", tmp_path / "a.isz").winners.keys() == {coding.STORED}
    assert verify(tmp_path / "a.isz", against=folder / "mono.wav").ok
    monkeypatch.setattr(coding.stored, "encode", lambda *told: b"nor this")
    with pytest.raises(MachineError, match="do not come back"):
        compress(folder / "mono.wav", tmp_path / "b.isz")
    assert not (tmp_path / "b.isz").exists()


def test_what_audio_cannot_have_is_refused(folder, tmp_path):
    for wish in ({"max_error": 0.1}, {"bounds": {"a": 1}}, {"append": True}, {"coder": "xz"}, {"effort": 10}):
        with pytest.raises(UseError):
            compress(folder, tmp_path / "a.isz", **wish)
    compress(folder, tmp_path / "a.isz", effort=1)
    with pytest.raises(UseError):
        decompress(tmp_path / "a.isz", tmp_path / "back", items=(0, 9))
    with pytest.raises(TooLarge):
        decompress(tmp_path / "a.isz", tmp_path / "back", limits=Limits(output_bytes=1000))


def test_a_block_holds_no_more_than_it_may():
    assert stretches.blocks_of.__defaults__ == (coding.BLOCK_SAMPLES,)


def test_commands_take_audio(folder, tmp_path):
    from isthmus.cli.app import app

    def run(*words):
        return CliRunner().invoke(app, [str(word) for word in words])

    done = run("compress", folder, "-o", tmp_path / "a.isz", "--effort", 1, "--verify-after")
    assert done.exit_code == 0, done.output
    assert run("info", tmp_path / "a.isz").output.count("recordings") == 1
    assert run("verify", tmp_path / "a.isz").exit_code == 0
    done = run("decompress", tmp_path / "a.isz", "-o", tmp_path / "back")
    assert "Restored 8 recordings" in done.output


@pytest.mark.parametrize("quality", [20, 50, 90])
def test_lossy_archives_keep_form_and_length(folder, tmp_path, quality):
    result = compress(folder, tmp_path / "a.isz", mode="lossy", quality=quality)
    assert (result.mode, result.quality) == ("lossy", quality)
    assert "dB below the signal" in result.promise
    decompress(tmp_path / "a.isz", tmp_path / "back")
    mine, theirs = told(tmp_path / "back"), told(folder)
    assert {name: each[:2] for name, each in mine.items()} == {
        name: each[:2] for name, each in theirs.items()
    }
    assert verify(tmp_path / "a.isz", against=folder).ok
    assert info(tmp_path / "a.isz").facts["mode"] == f"lossy, quality {quality}"


def test_quality_costs_bytes_and_brings_closeness(folder, tmp_path):
    sizes, errors = [], []
    original = sf.read(folder / "mono.wav")[0]
    for quality in (20, 50, 80):
        compress(folder / "mono.wav", tmp_path / "a.isz", quality=quality, force=True)
        sizes.append((tmp_path / "a.isz").stat().st_size)
        (back,) = decompress(tmp_path / "a.isz", tmp_path / "back", force=True).files
        errors.append(np.square(sf.read(back)[0] - original).mean())
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("value", [np.nan, np.inf, 5.0])
def test_floats_that_no_quality_can_tell_are_refused_by_name(tmp_path, value):
    samples = tune(300).astype(np.float32)
    samples[100] = value
    sf.write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    with pytest.raises(BadItem, match=r"a\.wav holds NaN"):
        compress(tmp_path / "a.wav", tmp_path / "a.isz", mode="lossy")
    assert not (tmp_path / "a.isz").exists()


@pytest.mark.parametrize(
    "wish", [{"mode": "lossless", "quality": 3}, {"mode": "bounded"}, {"quality": 0}, {"quality": 101}]
)
def test_wishes_that_contradict_are_refused(folder, tmp_path, wish):
    with pytest.raises(UseError):
        compress(folder, tmp_path / "a.isz", **wish)


@pytest.mark.needs_data
def test_real_speech_is_smaller_than_by_flac(data_root, tmp_path):
    with zipfile.ZipFile(data_root / "fsdd" / "fsdd_theo.zip") as archive:
        names = [name for name in archive.namelist() if name.startswith("3_theo_1")]
        archive.extractall(tmp_path / "theo", names)
    parts = [sf.read(tmp_path / "theo" / name, dtype="int16")[0] for name in sorted(names)]
    sf.write(tmp_path / "all.flac", np.concatenate(parts), 8000, compression_level=1.0)
    result = compress(tmp_path / "theo", tmp_path / "a.isz")
    assert result.archive_bytes < 0.98 * (tmp_path / "all.flac").stat().st_size
