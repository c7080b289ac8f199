"""Recordings whose headers say too little or too much, and what stands beside their samples."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile as sf
from terminal import call

from reports import member

FRAMES = 6000
TONE = (np.sin(np.arange(FRAMES) / 5) * 9000).astype("<i2")
HEAD = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)


def chunk(name: bytes, data: bytes, size: int | None = None) -> bytes:
    """A chunk of a RIFF file; `size` is what it says of itself."""
    return name + struct.pack("<I", len(data) if size is None else size) + data + b"\0" * (len(data) % 2)


def wav(*chunks: bytes, size: int | None = None) -> bytes:
    """A file of chunks behind its format."""
    body = b"WAVE" + chunk(b"fmt ", HEAD) + b"".join(chunks)
    return chunk(b"RIFF", body, size)


def written(form: str, subtype: str | None = None, samples: np.ndarray = TONE, rate: int = 8000) -> bytes:
    """A file by libsndfile."""
    made = io.BytesIO()
    sf.write(made, samples, rate, format=form, subtype=subtype)
    return made.getvalue()


def patched(data: bytes, place: int, form: str, value: int) -> bytes:
    """The same bytes with another number somewhere."""
    made = bytearray(data)
    struct.pack_into(form, made, place, value)
    return bytes(made)


def read_or_refused(name: str, data: bytes, frames: int = FRAMES) -> str:
    """Compress and restore a file: all frames come back, or none and a sentence names the file."""
    Path(name).write_bytes(data)
    archive = f"{name}.isz"
    made = call("compress", name, "-o", archive, "--effort", 1)
    if made.exit_code == 2:
        assert name in made.stderr, made.stderr
        assert "bug" not in made.stderr
        assert not Path(archive).exists()
        return made.stderr
    assert made.exit_code == 0, made.output
    assert call("verify", archive, "--against", name).exit_code == 0
    assert call("decompress", archive, "-o", f"{name}-back").exit_code == 0
    (back,) = Path(f"{name}-back").iterdir()
    assert len(sf.read(back)[0]) == frames, name
    return made.stderr


@member("K18", everyday=True)
def a_header_that_counts_no_bytes_is_mended_and_named(folder: Path) -> None:
    data = TONE.tobytes()
    for size in (36, 0, 0xFFFFFFFF):
        said = read_or_refused("crashed.wav", wav(chunk(b"data", data, 0), size=size))
        assert "0 bytes of samples" in said
        assert "12,000" in said
        assert sf.read("crashed.wav-back/crashed.wav", dtype="int16")[0].tobytes() == data
        for name in ("crashed.wav.isz", "crashed.wav-back/crashed.wav"):
            Path(name).unlink()
    made = call("compress", "crashed.wav", "-o", "strict.isz", "--strict")
    assert made.exit_code == 2
    assert not Path("strict.isz").exists()


@member("K18")
def a_header_that_counts_too_few_bytes_is_refused(folder: Path) -> None:
    data = TONE.tobytes()
    said = read_or_refused("few.wav", wav(chunk(b"data", data, 4000)))
    assert "4,000 bytes" in said
    assert "8,000" in said
    made = call("compress", "few.wav", "-o", "kept.isz", "--skip-bad", "--json")
    assert made.exit_code == 0, made.output
    assert "few.wav" in json.loads(made.stdout)["notices"][0]


@member("K18")
def a_pipe_that_does_not_know_its_length_is_read(folder: Path) -> None:
    data = TONE.tobytes()
    for number, count in enumerate((0xFFFFFFFF, 0x7FFFF000, 0x80000000, 0x7FFFFFFF - 36)):
        said = read_or_refused(f"pipe{number}.wav", wav(chunk(b"data", data, count), size=0xFFFFFFFF))
        assert not said, said


@member("K18")
def rf64_that_was_not_finished_is_read_or_refused(folder: Path) -> None:
    data = written("RF64")
    place = data.index(b"ds64") + 16
    for number, count in enumerate((0, 4000, (1 << 64) - 1)):
        said = read_or_refused(f"long{number}.wav", patched(data, place, "<Q", count))
        assert said or count > 1 << 60


@member("K18")
def aiff_that_was_not_finished_is_read_or_refused(folder: Path) -> None:
    data = written("AIFF")
    frames, sound = data.index(b"COMM") + 10, data.index(b"SSND") + 4
    for number, (counted, size) in enumerate(((0, 0), (0, 8), (2000, 4008), (2000, 12008), (0, 12008))):
        made = patched(patched(data, frames, ">I", counted), sound, ">I", size)
        read_or_refused(f"a{number}.aiff", made)


@member("K18")
def au_that_was_not_finished_is_read_or_refused(folder: Path) -> None:
    data = written("AU")
    for number, count in enumerate((0, 4000)):
        assert read_or_refused(f"a{number}.au", patched(data, 8, ">I", count))
    assert not read_or_refused("pipe.au", patched(data, 8, ">I", 0xFFFFFFFF))


@member("K18")
def flac_that_counts_other_frames_is_read_or_refused(folder: Path) -> None:
    data = written("FLAC", samples=np.tile(TONE, 5))
    told = int.from_bytes(data[18:26], "big")
    for number, count in enumerate((0, 3000, 29_999, 40_000)):
        changed = data[:18] + ((told >> 36 << 36) | count).to_bytes(8, "big") + data[26:]
        said = read_or_refused(f"a{number}.flac", changed, 5 * FRAMES)
        assert said or not count


@member("K18")
def recordings_one_behind_the_other_are_read_whole_or_refused(folder: Path) -> None:
    for form, name in (("OGG", "two.ogg"), ("MP3", "two.mp3")):
        data = written(form, samples=np.tile(TONE, 5), rate=44100)
        assert read_or_refused(name, data + data, 10 * FRAMES)


@member("K18")
def what_follows_the_samples_is_named_or_refused(folder: Path) -> None:
    whole = wav(chunk(b"data", TONE.tobytes()))
    for number, more in enumerate((b"TAG" + bytes(125), bytes(4000), b"\x01\x02\x03" * 99, b"\n")):
        assert read_or_refused(f"more{number}.wav", whole + more)


@member("K18")
def a_recording_in_a_zip_is_looked_at_like_any_other(folder: Path) -> None:
    with zipfile.ZipFile("takes.zip", "w") as archive:
        archive.writestr("a.wav", wav(chunk(b"data", TONE.tobytes(), 0)))
        archive.writestr("b.wav", wav(chunk(b"data", TONE.tobytes())))
    made = call("compress", "takes.zip", "-o", "takes.isz", "--effort", 1)
    assert made.exit_code == 0, made.output
    assert "a.wav" in made.stderr
    assert "b.wav" not in made.stderr
    assert call("decompress", "takes.isz", "-o", "back").exit_code == 0
    with zipfile.ZipFile("back/takes.zip") as back:
        assert [len(sf.read(io.BytesIO(back.read(name)))[0]) for name in ("a.wav", "b.wav")] == [6000] * 2


def info(**titles: bytes) -> bytes:
    """A LIST chunk of titles."""
    return chunk(b"LIST", b"INFO" + b"".join(chunk(name.encode(), text) for name, text in titles.items()))


@member("K19", everyday=True)
def chunks_of_wav_are_named_in_one_line(folder: Path) -> None:
    cue = chunk(b"cue ", struct.pack("<I", 1) + struct.pack("<II4sIII", 1, 100, b"data", 0, 0, 100))
    bext = chunk(b"bext", b"take 3".ljust(602, b"\0"))
    Path("meta.wav").write_bytes(wav(bext, info(INAM=b"A title\0"), chunk(b"data", TONE.tobytes()), cue))
    Path("plain.wav").write_bytes(wav(chunk(b"data", TONE.tobytes())))
    made = call("compress", "meta.wav", "-o", "meta.isz", "--effort", 1, "--json")
    assert made.exit_code == 0, made.output
    (notice,) = json.loads(made.stdout)["notices"]
    assert "meta.wav" in notice
    assert all(each in notice for each in ("bext", "cue", "LIST"))
    assert call("compress", "meta.wav", "-o", "strict.isz", "--effort", 1, "--strict").exit_code == 2
    assert not Path("strict.isz").exists()
    assert call("compress", "plain.wav", "-o", "plain.isz", "--effort", 1, "--strict").exit_code == 0


@member("K19")
def further_chunks_of_wav_are_named(folder: Path) -> None:
    sound = chunk(b"data", TONE.tobytes())
    for name in (b"smpl", b"inst", b"iXML", b"id3 ", b"axml", b"cart", b"LGWV"):
        Path("a.wav").write_bytes(wav(chunk(name, bytes(60)), sound))
        made = call("compress", "a.wav", "-o", "a.isz", "--effort", 1, "--force")
        assert name.decode().strip() in made.stderr
    pcm = bytes.fromhex("0100000000001000800000aa00389b71")
    layout = struct.pack("<HHIIHHHHI16s", 0xFFFE, 2, 8000, 32000, 4, 16, 22, 16, 0x600, pcm)
    body = b"WAVE" + chunk(b"fmt ", layout) + sound
    Path("rear.wav").write_bytes(chunk(b"RIFF", body))
    assert "speakers" in call("compress", "rear.wav", "-o", "a.isz", "--effort", 1, "--force").stderr


@member("K19")
def tags_of_compressed_recordings_are_named(folder: Path) -> None:
    for form, name in (("FLAC", "a.flac"), ("OGG", "a.ogg"), ("AIFF", "a.aiff"), ("MP3", "a.mp3")):
        with sf.SoundFile(name, "w", 44100, 1, format=form) as made:
            made.title = "A title"
            made.write(np.tile(TONE, 5))
        said = call("compress", name, "-o", "a.isz", "--effort", 1, "--force", "--strict")
        assert said.exit_code == 2, name
        assert name in said.stderr
        sf.write(name, np.tile(TONE, 5), 44100, format=form)
    plain = written("MP3", samples=np.tile(TONE, 5), rate=44100)
    Path("b.mp3").write_bytes(b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + plain + b"TAG" + bytes(125))
    assert "ID3" in call("compress", "b.mp3", "-o", "b.isz", "--effort", 1).stderr
    assert call("compress", "a.flac", "-o", "a.isz", "--effort", 1, "--force", "--strict").exit_code == 0


@member("K19")
def denoising_names_what_it_leaves_out(folder: Path) -> None:
    from isthmus.tasks.sound import denoise_sound, fit_sound_denoiser

    Path("meta.wav").write_bytes(wav(info(INAM=b"A title\0"), chunk(b"data", TONE.tobytes())))
    denoiser = fit_sound_denoiser("meta.wav", steps=1).denoiser
    assert "LIST" in denoise_sound("meta.wav", denoiser, "out").notices[0]


@member("K22")
def cut_recordings_are_refused_or_kept_as_far_as_they_go(folder: Path) -> None:
    for form, name, rate in (
        ("WAV", "a.wav", 8000),
        ("AIFF", "a.aiff", 8000),
        ("AU", "a.au", 8000),
        ("RF64", "r.wav", 8000),
        ("FLAC", "a.flac", 8000),
        ("OGG", "a.ogg", 44100),
        ("MP3", "a.mp3", 44100),
    ):
        data = written(form, samples=np.tile(TONE, 20), rate=rate)
        for share in (0.5, 0.9, 0.999):
            _cut_is_told(name, data[: int(len(data) * share)], least=0 if form == "OGG" else 1)


def _cut_is_told(name: str, data: bytes, least: int) -> None:
    Path(name).write_bytes(data)
    made = call("compress", name, "-o", "cut.isz", "--effort", 1, "--force")
    assert made.exit_code == 2, (name, len(data), made.output)
    assert name in made.stderr
    made = call("compress", name, "-o", "cut.isz", "--effort", 1, "--skip-bad", "--force", "--json")
    if made.exit_code == 0:
        assert name in json.loads(made.stdout)["notices"][0]
        assert call("verify", "cut.isz", "--against", name).exit_code == 0
    else:
        assert not least, (name, len(data), made.output)
        assert name in made.stderr


def each_container(check: Callable[[str, bytes], None]) -> None:
    """Hand on a whole file of every container."""
    for form, name in (("WAV", "a.wav"), ("AIFF", "a.aiff"), ("AU", "a.au"), ("FLAC", "a.flac"),
                       ("OGG", "a.ogg"), ("MP3", "a.mp3"), ("RF64", "r.wav")):  # fmt: skip
        check(name, written(form, rate=44100))


@member("K22")
def damaged_recordings_end_in_a_sentence(folder: Path) -> None:
    random = np.random.default_rng(0)

    def check(name: str, data: bytes) -> None:
        for _ in range(12):
            made = bytearray(data)
            for place in random.integers(0, min(len(made), 300), 3):
                made[place] = random.integers(256)
            Path(name).write_bytes(made)
            said = call("compress", name, "-o", "a.isz", "--effort", 1, "--force")
            assert said.exit_code in (0, 2), (name, said.output)
            assert "bug" not in said.stderr

    each_container(check)
