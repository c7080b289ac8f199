"""Clips come back frame for frame, each at its time; bad input is refused in a sentence."""

import json
from fractions import Fraction

import numpy as np
import pytest
from typer.testing import CliRunner

from isthmus.coding.video import encode_block
from isthmus.data.video import Frame, Kind, VideoSource, write_clip
from isthmus.errors import BadItem, DamagedFile, MachineError, NoData, TooLarge, UseError
from isthmus.limits import Limits
from isthmus.tasks.compress import compress, decompress
from isthmus.tasks.info import info
from isthmus.tasks.verify import verify
from isthmus.tasks.video import blocks, cuts

av = pytest.importorskip("av", reason="PyAV is missing: pip install 'isthmus[video]'")

MILLI = Fraction(1, 1000)


def frames_of(kind: Kind, ticks, seed: int = 0) -> list[Frame]:
    """A bright square that moves over noise that stands still."""
    random = np.random.default_rng(seed)
    dtype = np.uint8 if kind.top < 256 else np.uint16
    still = [random.integers(0, kind.top // 8 + 1, shape).astype(dtype) for shape in kind.shapes]
    found = []
    for number, tick in enumerate(ticks):
        planes = [each.copy() for each in still]
        for plane in planes:
            plane[2:6, number % 5 : number % 5 + 4] = kind.top
        found.append(Frame(tick, tuple(planes)))
    return found


def made(path, layout="yuv420p", size=(21, 17), ticks=range(0, 400, 40), tick_s=MILLI, seed=0, **told):
    kind = Kind(layout, *size, tick_s, Fraction(25), **told)
    write_clip(path, kind, frames_of(kind, ticks, seed))
    return path


def told(path):
    """Everything that must come back: kind, times, samples."""
    video = VideoSource(path)
    return {
        clip.name: (
            video.kind(clip),
            [(frame.ticks, [each.tobytes() for each in frame.planes]) for frame in video.frames(clip)],
        )
        for clip in video.clips
    }


@pytest.fixture
def clip(tmp_path):
    return made(tmp_path / "clip.mkv")


@pytest.mark.parametrize(
    "layout", ["yuv420p", "yuv422p", "yuv444p", "gray", "bgr0", "bgra", "yuv420p10le", "gray16le", "yuva420p"]
)
def test_every_form_comes_back(tmp_path, layout):
    source = made(tmp_path / "clip.mkv", layout, range=2, space=1, primaries=1, transfer=1)
    result = compress(source, tmp_path / "a.isz", effort=1)
    assert (result.samples, result.items, result.mode) == (10, "frames", "lossless")
    assert result.archive_bytes == (tmp_path / "a.isz").stat().st_size
    (back,) = decompress(tmp_path / "a.isz", tmp_path / "back").files
    assert told(back) == told(source)
    checked = verify(tmp_path / "a.isz", against=source)
    assert checked.ok, checked.problems


def test_a_folder_comes_back_and_any_workers_write_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(cuts.frames_at_once, "__defaults__", (4,))
    folder = tmp_path / "clips"
    (folder / "deep").mkdir(parents=True)
    made(folder / "b.mkv")
    made(folder / "deep" / "a.mkv", "gray", (8, 9), range(0, 120, 40), seed=1)
    made(folder / "b.nut", size=(10, 6), ticks=range(0, 5), seed=2)
    for name, workers in (("a", 1), ("b", 2)):
        compress(folder, tmp_path / f"{name}.isz", workers=workers, effort=1)
    assert (tmp_path / "a.isz").read_bytes() == (tmp_path / "b.isz").read_bytes()
    done = decompress(tmp_path / "a.isz", tmp_path / "back")
    assert {path.name for path in done.files} == {"a.mkv", "b.mkv", "b.nut.mkv"}
    assert done.samples == 10 + 3 + 5
    facts = info(tmp_path / "a.isz").facts
    assert facts["files"].startswith("3 (b.mkv")
    assert verify(tmp_path / "a.isz", against=folder).ok


def test_unequal_steps_of_time_are_kept(tmp_path):
    ticks = [70, 110, 190, 200, 850]
    source = made(tmp_path / "clip.mkv", ticks=ticks)
    compress(source, tmp_path / "a.isz", effort=1)
    (back,) = decompress(tmp_path / "a.isz", tmp_path / "back").files
    assert [tick for tick, _ in told(back)["clip.mkv"][1]] == ticks


def test_frames_closer_than_a_millisecond_come_back_apart(tmp_path):
    tick_s = Fraction(1, 90000)
    source = made(tmp_path / "clip.nut", ticks=[0, 20, 3003, 3010], tick_s=tick_s)
    compress(source, tmp_path / "a.isz", effort=1)
    (back,) = decompress(tmp_path / "a.isz", tmp_path / "back").files
    assert back.suffix == ".nut"
    (kind, frames), (_, theirs) = told(back)["clip.nut"], told(source)["clip.nut"]
    assert [Fraction(tick) * kind.tick_s for tick, _ in frames] == [
        Fraction(tick) * told(source)["clip.nut"][0].tick_s for tick, _ in theirs
    ]


def test_frames_are_asked_for_by_number_and_by_time(clip, tmp_path, monkeypatch):
    monkeypatch.setattr(cuts.frames_at_once, "__defaults__", (4,))
    compress(clip, tmp_path / "a.isz", effort=1)
    everything = told(clip)["clip.mkv"][1]
    (back,) = decompress(tmp_path / "a.isz", tmp_path / "some", items=(3, 6)).files
    assert told(back)["clip.mkv"][1] == everything[3:6]
    (back,) = decompress(tmp_path / "a.isz", tmp_path / "then", time=(0.1, 0.2)).files
    assert told(back)["clip.mkv"][1] == everything[2:5]  # the frame of 80 ms is shown until 120
    for wish in ({"items": (3, 99)}, {"time": (5.0, 9.0)}, {"items": (0, 1), "time": (0, 1)}, {"layer": "x"}):
        with pytest.raises(UseError):
            decompress(tmp_path / "a.isz", tmp_path / "none", **wish)


def test_a_bound_is_kept(clip, tmp_path):
    whole = compress(clip, tmp_path / "a.isz").archive_bytes
    result = compress(clip, tmp_path / "b.isz", max_error=3)
    assert (result.mode, result.archive_bytes < whole) == ("bounded", True)
    assert result.psnr_db > 38
    (back,) = decompress(tmp_path / "b.isz", tmp_path / "back").files
    mine, theirs = (list(VideoSource(path).frames(VideoSource(path).clips[0])) for path in (back, clip))
    apart = [
        int(np.abs(a.astype(int) - b).max())
        for one, two in zip(mine, theirs, strict=True)
        for a, b in zip(one.planes, two.planes, strict=True)
    ]
    assert 0 < max(apart) <= 3
    assert verify(tmp_path / "b.isz", against=clip).ok


def test_a_bound_beyond_all_samples_is_kept(clip, tmp_path):
    compress(clip, tmp_path / "a.isz", max_error=300, effort=1)
    assert verify(tmp_path / "a.isz", against=clip).ok


@pytest.mark.parametrize("wish", [{}, {"max_error": 2}])
def test_what_does_not_come_back_as_promised_is_refused(clip, tmp_path, monkeypatch, wish):
    def spoilt(planes, top, **told):
        return encode_block([np.roll(each, 1, axis=2) for each in planes], top, **told)

    monkeypatch.setattr(blocks, "encode_block", spoilt)
    with pytest.raises(MachineError, match="do not come back as promised"):
        compress(clip, tmp_path / "a.isz", effort=1, **wish)
    assert not (tmp_path / "a.isz").exists()


def test_sound_travels_along(tmp_path):
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as target:
        picture, sound = (
            target.add_stream("ffv1", rate=25),
            target.add_stream("pcm_s16le", rate=8000, layout="mono"),
        )
        picture.width, picture.height, picture.pix_fmt = 16, 16, "yuv420p"
        for number in range(10):
            frame = av.VideoFrame(16, 16, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([number] * plane.buffer_size))
            frame.pts = number
            target.mux(picture.encode(frame))
        noise = np.random.default_rng(0).integers(-99, 99, (1, 3200)).astype(np.int16)
        heard = av.AudioFrame.from_ndarray(noise, "s16", "mono")
        heard.sample_rate, heard.pts = 8000, 0
        target.mux(sound.encode(heard))
        target.mux(picture.encode())
        target.mux(sound.encode())
    result = compress(path, tmp_path / "a.isz", effort=1)
    assert result.metadata_bytes > 6400
    (back,) = decompress(tmp_path / "a.isz", tmp_path / "back").files
    with av.open(str(back)) as source:
        found = np.concatenate([frame.to_ndarray() for frame in source.decode(audio=0)], axis=1)
    assert (found == noise).all()
    (part,) = decompress(tmp_path / "a.isz", tmp_path / "part", items=(2, 5)).files
    with av.open(str(part)) as source:
        assert not source.streams.audio


def test_rotation_is_kept(tmp_path):
    source = made(tmp_path / "clip.mkv", rotation=90)
    turned = told(source)["clip.mkv"][0].rotation
    assert turned % 180 == 90
    compress(source, tmp_path / "a.isz", effort=1)
    (back,) = decompress(tmp_path / "a.isz", tmp_path / "back").files
    assert told(back)["clip.mkv"][0].rotation == turned


def test_cut_clips_are_refused_or_kept_as_far_as_they_go(tmp_path):
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream("libx264", rate=25, options={"g": "5", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        random = np.random.default_rng(0)
        for _ in range(20):
            noise = random.integers(0, 255, (72, 64)).astype(np.uint8)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(noise, "yuv420p")))
        target.mux(stream.encode())
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(BadItem, match=r"clip\.mp4 (is cut short|is damaged|cannot be decoded)"):
        compress(path, tmp_path / "a.isz", effort=1)
    assert not (tmp_path / "a.isz").exists()
    video = VideoSource(path, skip_bad=True)
    assert "frames were kept" in video.skipped[0].reason
    result = compress(video, tmp_path / "a.isz", effort=1)
    assert 5 <= result.samples < 20
    assert verify(tmp_path / "a.isz").ok


def test_what_is_no_video_is_refused(clip, tmp_path):
    (tmp_path / "text.mp4").write_text("not a clip")
    with pytest.raises(BadItem, match=r"text\.mp4 cannot be decoded"):
        compress(tmp_path / "text.mp4", tmp_path / "a.isz")
    with pytest.raises(NoData):
        VideoSource(tmp_path / "text.mp4", skip_bad=True)
    with av.open(str(tmp_path / "song.mkv"), "w") as target:
        sound = target.add_stream("pcm_s16le", rate=8000)
        heard = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        heard.sample_rate = 8000
        target.mux(sound.encode(heard))
    with pytest.raises(BadItem, match="has no video"):
        compress(tmp_path / "song.mkv", tmp_path / "a.isz")
    with av.open(str(tmp_path / "none.mkv"), "w") as target:
        stream = target.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        target.start_encoding()
    with pytest.raises(BadItem, match=r"none\.mkv"):
        compress(tmp_path / "none.mkv", tmp_path / "a.isz")


def test_frames_that_change_size_are_refused(tmp_path):
    small, large = (made(tmp_path / f"{size}.mkv", size=(size, 16)) for size in (16, 32))
    parts = []
    for path in (small, large):
        with av.open(str(path)) as source:
            frames = [frame.reformat(format="yuv420p") for frame in source.decode(video=0)]
        memory = tmp_path / f"{path.stem}.m2v"
        with av.open(str(memory), "w", format="mpeg2video") as target:
            stream = target.add_stream("mpeg2video", rate=25)
            stream.width, stream.height, stream.pix_fmt = frames[0].width, 16, "yuv420p"
            for number, frame in enumerate(frames):
                frame.pts, frame.time_base = number, Fraction(1, 25)
                target.mux(stream.encode(frame))
            target.mux(stream.encode())
        parts.append(memory.read_bytes())
    (tmp_path / "both.mpg").write_bytes(b"".join(parts))
    with pytest.raises(BadItem, match="changes from 16×16"):
        compress(tmp_path / "both.mpg", tmp_path / "a.isz")
    assert compress(tmp_path / "both.mpg", tmp_path / "a.isz", skip_bad=True).samples >= 9


def test_verify_tells_what_differs(clip, tmp_path):
    compress(clip, tmp_path / "a.isz", effort=1)
    (tmp_path / "other").mkdir()
    made(tmp_path / "other" / "clip.mkv", seed=7)
    checked = verify(tmp_path / "a.isz", against=tmp_path / "other" / "clip.mkv")
    assert "clip.mkv is not as it was, first in frame 0" in checked.problems[0]


def test_damage_is_called_damage(clip, tmp_path):
    compress(clip, tmp_path / "a.isz", effort=1)
    data = bytearray((tmp_path / "a.isz").read_bytes())
    data[len(data) // 3] ^= 1
    (tmp_path / "a.isz").write_bytes(data)
    assert not verify(tmp_path / "a.isz").ok
    with pytest.raises(DamagedFile):
        decompress(tmp_path / "a.isz", tmp_path / "back")
    assert not list((tmp_path / "back").glob("*"))


@pytest.mark.parametrize(
    "wish",
    [
        {"mode": "lossy"},
        {"quality": 50},
        {"mode": "bounded"},
        {"mode": "lossless", "max_error": 2},
        {"max_error": -1},
        {"max_error": float("nan")},
        {"max_error": 1, "error_mode": "rel"},
        {"append": True},
        {"coder": "xz"},
    ],
)
def test_what_video_cannot_have_is_refused(clip, tmp_path, wish):
    with pytest.raises(UseError):
        compress(clip, tmp_path / "a.isz", **wish)


def test_limits_are_kept(clip, tmp_path):
    compress(clip, tmp_path / "a.isz", effort=1)
    with pytest.raises(TooLarge):
        decompress(tmp_path / "a.isz", tmp_path / "back", limits=Limits(output_bytes=1000))


def test_commands_take_video(clip, tmp_path):
    from isthmus.cli.app import app

    def run(*words):
        return CliRunner().invoke(app, [str(word) for word in words])

    done = run("compress", clip, "-o", tmp_path / "a.isz", "--effort", 1, "--verify-after")
    assert done.exit_code == 0, done.output
    assert "archive of 1 clip of video" in run("info", tmp_path / "a.isz").output
    done = run("decompress", tmp_path / "a.isz", "-o", tmp_path / "back", "--time", "0:0.2", "--json")
    assert json.loads(done.output)["samples"] == 5
    assert run("decompress", tmp_path / "a.isz", "-o", tmp_path / "x", "--time", "2:1").exit_code == 2


@pytest.mark.parametrize("change", ["times", "kind", "name", "more", "none"])
def test_an_archive_that_contradicts_itself_is_refused(clip, tmp_path, change):
    from isthmus.coding.container import ArchiveReader, ArchiveWriter

    compress(clip, tmp_path / "a.isz", effort=1)
    with ArchiveReader(tmp_path / "a.isz") as reader:
        block, (told,) = reader.read_block(0), reader.extras["video"]
        name, kind, times, sound = told
        wrong = {
            "times": [[name, kind, [0, [[40, 1 << 39]]], sound]],
            "kind": [[name, [*kind[:1], 1 << 20, *kind[2:]], times, sound]],
            "name": [["../out.mkv", kind, times, sound]],
            "more": [told, ["b.mkv", kind, times, sound]],
            "none": [],
        }[change]
        with ArchiveWriter(tmp_path / "b.isz", reader.header) as writer:
            writer.add_block(range(10), str(block.plan), block.layers)
            writer.finish(None, {"video": wrong})
    with pytest.raises((DamagedFile, TooLarge)):
        decompress(tmp_path / "b.isz", tmp_path / "back")
    assert not list(tmp_path.glob("back/*"))
