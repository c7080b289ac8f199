"""Clips whose times stand still or go back, that are transparent, cut short, or hold more than frames."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from terminal import call

from reports import member

SIDES = (32, 16)
MILLI = Fraction(1, 1000)


def picture(number: int, form: str = "yuv420p") -> av.VideoFrame:
    """Waves that move."""
    y, x = np.mgrid[: SIDES[1], : SIDES[0]]
    grey = (np.sin((x + 2 * number) / 6) + np.cos((y - number) / 5) + 2) / 4 * 230
    across = np.linspace(0, 255, SIDES[0])[None].repeat(SIDES[1], 0)
    drawn = np.stack([grey, grey, 255 - grey, across], -1).astype(np.uint8)
    return av.VideoFrame.from_ndarray(drawn, format="rgba").reformat(format=form)


def written(
    path: str,
    ticks: Iterable[int] = range(8),
    tick_s: Fraction = Fraction(1, 25),
    codec: str = "ffv1",
    form: str = "yuv420p",
    *,
    container: str | None = None,
    options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
    **set_: Any,
) -> Path:
    """A clip; each frame at its time, unless the container forbids it."""
    with av.open(path, "w", format=container, options=options or {}) as target:
        stream = target.add_stream(codec, rate=25, options=codec_options or {})
        stream.width, stream.height, stream.pix_fmt = *SIDES, form
        stream.time_base = stream.codec_context.time_base = tick_s
        for name, value in set_.items():
            setattr(stream.codec_context, name, value)
        for number, tick in enumerate(ticks):
            frame = picture(number, form)
            frame.pts, frame.time_base = tick, tick_s
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    return Path(path)


def times_of(path: Path) -> list[Fraction]:
    """When each frame is shown, in seconds."""
    with av.open(str(path)) as source:
        return [frame.pts * frame.time_base for frame in source.decode(video=0)]


def planes_of(path: Path, decoder: str | None = None) -> tuple[str, list[bytes]]:
    """The form of frames, and their samples, by a decoder of one's choice."""
    found, form = [], ""
    with av.open(str(path)) as source:
        stream = source.streams.video[0]
        context = stream.codec_context if decoder is None else av.CodecContext.create(decoder, "r")
        for packet in source.demux(stream):
            for frame in context.decode(packet if packet.size else None):
                form = frame.format.name
                for plane in frame.planes:
                    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
                    wide = plane.width * (2 if "1" in form.rpartition("p")[2] else 1)
                    wide *= 4 if form in ("rgba", "bgra", "argb") else 1
                    found.append(rows[: plane.height, :wide].tobytes())
    return form, found


def restored(path: Path, *options: object) -> tuple[Path, str]:
    """What comes back of a clip, and what was said when it was compressed."""
    made = call("compress", path, "-o", f"{path}.isz", "--effort", 1, "--force", *options)
    assert made.exit_code == 0, made.output
    assert call("verify", f"{path}.isz", "--against", path).exit_code == 0
    done = call("decompress", f"{path}.isz", "-o", f"{path}-back", "--force")
    assert done.exit_code == 0, done.output
    (back,) = Path(f"{path}-back").iterdir()
    return back, made.stderr


@member("K20", everyday=True)
def transparency_of_vp9_comes_back(folder: Path) -> None:
    path = written("alpha.webm", codec="libvpx-vp9", form="yuva420p")
    back, _ = restored(path)
    form, samples = planes_of(path, "libvpx-vp9")
    assert planes_of(back) == (form, samples) == ("yuva420p", samples)
    assert len(set(samples[3])) > 20


@member("K20")
def transparency_of_vp8_comes_back_in_every_mode(folder: Path) -> None:
    path = written("alpha.webm", codec="libvpx", form="yuva420p", codec_options={"auto-alt-ref": "0"})
    back, _ = restored(path)
    assert planes_of(back) == planes_of(path, "libvpx")
    back, _ = restored(path, "--max-error", 2)
    form, samples = planes_of(back)
    apart = zip(samples, planes_of(path, "libvpx")[1], strict=True)
    assert form == "yuva420p"
    assert max(np.abs(np.frombuffer(a, "i1") - np.frombuffer(b, "i1")).max() for a, b in apart) <= 2
    assert call("detect", path, "-o", "scores.csv").exit_code == 0


@member("K20")
def transparency_of_other_codecs_comes_back(folder: Path) -> None:
    for name, codec, form in (
        ("four.mov", "prores_ks", "yuva444p10le"),
        ("a.mkv", "ffv1", "yuva420p"),
        ("b.mkv", "ffv1", "yuva444p12le"),
        ("c.mkv", "ffv1", "yuva422p16le"),
        ("png.mov", "png", "rgba"),
        ("tree.mov", "qtrle", "argb"),
    ):
        path = written(name, range(4), codec=codec, form=form)
        back, _ = restored(path)
        (mine, theirs), (other, wanted) = planes_of(back), planes_of(path)
        if form in ("rgba", "argb"):
            order = [[mine.index(each) for each in "rgba"], [other.index(each) for each in "rgba"]]
            theirs, wanted = (
                [np.frombuffer(frame, np.uint8).reshape(-1, 4)[:, place].tobytes() for frame in part]
                for part, place in zip((theirs, wanted), order, strict=True)
            )
        assert theirs == wanted, name


@member("K21", everyday=True)
def equal_times_come_back(folder: Path) -> None:
    path = written("vfr.mkv", [0, 3000, 3001, 9000, 12000, 15000], Fraction(1, 90000))
    assert len(set(times_of(path))) < 6
    back, said = restored(path)
    assert times_of(back) == times_of(path)
    assert "vfr.mkv has 1 of 6 frames that are not shown later than the one before" in said
    assert call("compress", path, "-o", "strict.isz", "--strict").exit_code == 2
    assert not Path("strict.isz").exists()


def _backward(path: str, ticks: Sequence[int], tick_s: Fraction = MILLI) -> Path:
    """A clip of Matroska with times in any order: its packets are decoded before any later one is shown."""
    with av.open(path, "w", format="matroska", options={"avoid_negative_ts": "disabled"}) as target:
        stream = target.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIDES, "yuv420p"
        stream.time_base = stream.codec_context.time_base = tick_s
        for number in range(len(ticks)):
            frame = picture(number)
            frame.pts, frame.time_base = number, tick_s
            for packet in stream.encode(frame):
                packet.pts, packet.dts = ticks[number], min(ticks[number:])
                target.mux(packet)
        target.mux(stream.encode())
    return Path(path)


@member("K21")
def times_that_go_back_come_back(folder: Path) -> None:
    for number, ticks in enumerate(([0, 40, 80, 20, 120], [5, 5, 5, 5], [0, 3_600_000, 40, 80, 80])):
        path = _backward(f"back{number}.mkv", ticks)
        assert times_of(path) == [tick * MILLI for tick in ticks]
        back, said = restored(path)
        assert times_of(back) == times_of(path)
        assert path.name in said
    for span in ("0:0.05", "0.02:9999"):
        done = call("decompress", "back0.mkv.isz", "-o", "part", "--force", "--time", span)
        assert done.exit_code == 0, done.output


@member("K21")
def times_of_a_millionth_or_further_apart_come_back(folder: Path) -> None:
    million = Fraction(1, 1_000_000)
    for number, (ticks, tick_s) in enumerate(
        (
            ([0, 1, 2, 1_000_000], million),
            ([0, 5, 10], Fraction(1, 10**9)),
            ([1, 2, 3], Fraction(1, 2000)),
            ([7], Fraction(1, 25)),
            ([1 << 52, (1 << 52) + 1], MILLI),
            ([1 << 60, (1 << 60) + 4], Fraction(1, 10**9)),
            ([0, 1, 1 << 40], MILLI),
            ([0, 1001, 2002], Fraction(1, 30000)),
            ([0, 7, 9, 100], Fraction(7, 3)),
        )
    ):
        path = written(f"t{number}.nut", ticks, tick_s)
        back, _ = restored(path)
        apart = [abs(a - b) for a, b in zip(times_of(back), times_of(path), strict=True)]
        assert max(apart) <= (MILLI / 2 if back.suffix == ".mkv" else 0), (number, apart)


@member("K21")
def fine_times_of_which_two_are_equal_come_back_to_a_millisecond(folder: Path) -> None:
    from isthmus.data.video import Frame, Kind, Times, write_clip
    from isthmus.data.video.placing import Placing

    kind = Kind("gray", 16, 16, Fraction(1, 90000), Fraction(25))
    planes = (np.zeros((16, 16), np.uint8),)
    for ticks in ([0, 0, 3000, 3001], [9000, 0, 1], [-9000, -6000, 0], [-1, -1, 0]):
        placing = Placing.of(Times.of(ticks), kind)
        path = Path(f"a{placing.ending}")
        write_clip(path, kind, [Frame(tick, planes) for tick in ticks], force=True)
        wanted = [(tick - min(0, *ticks)) * kind.tick_s for tick in ticks]
        apart = [abs(a - b) for a, b in zip(times_of(path), wanted, strict=True)]
        assert max(apart) <= MILLI / 2
        assert placing.notices()


@member("K21")
def frames_without_times_come_back_at_the_rate(folder: Path) -> None:
    written("a.avi", range(25), codec="mpeg4", container="avi")
    written("b.m2v", range(25), codec="mpeg2video", container="mpeg2video").rename("b.mpg")
    for name in ("a.avi", "b.mpg"):
        back, _ = restored(Path(name))
        steps = np.diff([float(each) for each in times_of(back)])
        assert np.abs(steps - 0.04).max() < 0.001


@member("K21")
def tracks_without_frames_are_refused(folder: Path) -> None:
    with av.open("none.mkv", "w") as target:
        stream = target.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIDES, "yuv420p"
        target.start_encoding()
    for command in (("compress", "none.mkv", "-o", "a.isz"), ("detect", "none.mkv", "-o", "a.csv")):
        made = call(*command)
        assert made.exit_code == 2
        assert "none.mkv" in made.stderr
        assert "bug" not in made.stderr


def rich(path: str) -> Path:
    """A clip with nearly all that Matroska can hold."""
    Path("words.srt").write_text("1\n00:00:00,000 --> 00:00:00,300\nhello\n\n")
    with av.open(path, "w") as target, av.open("words.srt") as words:
        pictures = [target.add_stream("ffv1", rate=25) for _ in range(2)]
        sounds = [target.add_stream(codec, rate=8000, layout="mono") for codec in ("pcm_s16le", "flac")]
        subtitles = target.add_stream_from_template(words.streams[0])
        sounds[0].metadata["language"], sounds[1].metadata["language"] = "fre", "ger"
        target.metadata["title"], target.metadata["artist"] = "A clip", "Somebody"
        target.add_attachment("font.ttf", "application/x-truetype-font", b"abc")
        target.set_chapters([{"id": 1, "start": 0, "end": 100, "time_base": MILLI, "metadata": {}}])
        for stream in pictures:
            stream.width, stream.height, stream.pix_fmt = *SIDES, "yuv420p"
        for number in range(10):
            for stream in pictures:
                frame = picture(number)
                frame.pts, frame.time_base = number, Fraction(1, 25)
                target.mux(stream.encode(frame))
        for packet in words.demux():
            if packet.size:
                packet.stream = subtitles
                target.mux(packet)
        for stream in sounds:
            noise = np.random.default_rng(0).integers(-999, 999, (1, 3200)).astype(np.int16)
            heard = av.AudioFrame.from_ndarray(noise, "s16", "mono")
            heard.sample_rate, heard.pts = 8000, 0
            target.mux(stream.encode(heard))
        for stream in (*pictures, *sounds):
            target.mux(stream.encode())
    return Path(path)


@member("K19", everyday=True)
def what_stands_beside_frames_is_named_in_one_line(folder: Path) -> None:
    path = rich("rich.mkv")
    made = call("compress", path, "-o", "rich.isz", "--effort", 1, "--json")
    assert made.exit_code == 0, made.output
    (notice,) = json.loads(made.stdout)["notices"]
    wanted = ("rich.mkv", "1 video track", "1 subtitle track", "1 attachment", "1 chapter", "title", "artist")
    assert all(each in notice.lower() for each in wanted), notice
    assert call("compress", path, "-o", "strict.isz", "--strict").exit_code == 2
    assert not Path("strict.isz").exists()
    assert call("compress", written("plain.mkv"), "-o", "plain.isz", "--strict").exit_code == 0


@member("K19")
def every_audio_track_comes_back_with_its_language(folder: Path) -> None:
    back, _ = restored(rich("rich.mkv"))
    with av.open(str(back)) as mine, av.open("rich.mkv") as theirs:
        assert [each.metadata.get("language") for each in mine.streams.audio] == ["fre", "ger"]
        for one, other in zip(mine.streams.audio, theirs.streams.audio, strict=True):
            assert one.codec_context.name == other.codec_context.name
    for track in range(2):
        heard = []
        for each in (back, Path("rich.mkv")):
            with av.open(str(each)) as source:
                heard.append([frame.to_ndarray().tobytes() for frame in source.decode(audio=track)])
        assert heard[0] == heard[1]


@member("K19")
def audio_stays_beside_its_frames(folder: Path) -> None:
    with av.open("a.mp4", "w") as target:
        stream = target.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIDES, "yuv420p"
        sound = target.add_stream("aac", rate=48000, layout="mono")
        for number in range(25):
            frame = picture(number)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
        tone = np.sin(np.arange(48000) / 17).astype(np.float32)[None]
        heard = av.AudioFrame.from_ndarray(tone, "fltp", "mono")
        heard.sample_rate, heard.pts = 48000, 0
        target.mux(sound.encode(heard))
        target.mux(sound.encode())
    back, _ = restored(Path("a.mp4"))
    found = []
    for each in (Path("a.mp4"), back):
        with av.open(str(each)) as source:
            found.append([packet.pts * packet.time_base for packet in source.demux(audio=0) if packet.size])
    assert len(found[0]) == len(found[1])
    assert max(abs(a - b) for a, b in zip(*found, strict=True)) <= MILLI


@member("K19")
def shape_of_samples_rotation_and_fields_come_back_or_are_named(folder: Path) -> None:
    with av.open("wide.mp4", "w") as target:
        stream = target.add_stream("libx264", rate=25, options={"x264-params": "sar=16/11"})
        stream.width, stream.height, stream.pix_fmt = *SIDES, "yuv420p"
        stream.set_display_rotation(90)
        for number in range(5):
            target.mux(stream.encode(picture(number)))
        target.mux(stream.encode())
    back, said = restored(Path("wide.mp4"))
    with av.open(str(back)) as source:
        assert next(source.decode(video=0)).rotation % 180 == 90
    assert "16/11" in said
    written("fields.mkv", codec="mpeg2video", options={}, flags=1 << 18 | 1 << 29)
    with av.open("fields.mkv") as source:
        is_interlaced = next(source.decode(video=0)).interlaced_frame
    assert is_interlaced
    assert "fields" in restored(Path("fields.mkv"))[1]


@member("K22", everyday=True)
def a_cut_clip_is_refused_or_kept_as_far_as_it_goes(folder: Path) -> None:
    data = written("full.mkv", range(30)).read_bytes()
    Path("cut.mkv").write_bytes(data[: len(data) * 2 // 3])
    made = call("compress", "cut.mkv", "-o", "cut.isz", "--effort", 1)
    assert made.exit_code == 2
    assert "cut.mkv is cut short" in made.stderr
    assert not Path("cut.isz").exists()
    made = call("compress", "cut.mkv", "-o", "cut.isz", "--effort", 1, "--skip-bad", "--json")
    (notice,) = json.loads(made.stdout)["notices"]
    assert "cut.mkv" in notice
    assert "19 frames were kept" in notice
    assert call("verify", "cut.isz", "--against", "cut.mkv").exit_code == 0
    assert call("detect", "cut.mkv", "-o", "a.csv").exit_code == 2


CUT = (
    ("a.webm", "libvpx-vp9", None, {}),
    ("a.mp4", "libx264", None, {}),
    ("f.mp4", "libx264", None, {"movflags": "frag_keyframe+empty_moov"}),
    ("a.mov", "mjpeg", None, {}),
    ("a.avi", "mpeg4", None, {}),
    ("a.ts", "libx264", "mpegts", {}),
    ("a.mpg", "mpeg2video", "mpeg", {}),
    ("a.flv", "libx264", None, {}),
    ("a.wmv", "wmv2", "asf", {}),
    ("a.nut", "ffv1", None, {}),
    ("a.y4m", "wrapped_avframe", "yuv4mpegpipe", {}),
)


@member("K22")
def cut_clips_of_every_container_are_refused_or_named(folder: Path) -> None:
    for name, codec, container, options in CUT:
        form = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        path = written(name, range(20), codec=codec, container=container, options=options, form=form)
        data = path.read_bytes()
        assert call("compress", path, "-o", "a.isz", "--effort", 1, "--force").exit_code == 0, name
        for share in (0.4, 0.7, 0.97):
            path.write_bytes(data[: int(len(data) * share) | 1])
            made = call("compress", path, "-o", "a.isz", "--effort", 1, "--force")
            assert made.exit_code == 2, (name, share)
            assert name in made.stderr
            made = call("compress", path, "-o", "a.isz", "--effort", 1, "--force", "--skip-bad", "--json")
            if made.exit_code == 0:
                assert name in json.loads(made.stdout)["notices"][0]
                assert call("verify", "a.isz", "--against", path).exit_code == 0
            else:
                assert name in made.stderr


@member("K22")
def damaged_clips_end_in_a_sentence(folder: Path) -> None:
    random = np.random.default_rng(0)
    for name, codec, container, options in CUT:
        form = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        path = written(name, range(5), codec=codec, container=container, options=options, form=form)
        data = path.read_bytes()
        for number in range(8):
            made = bytearray(data)
            for place in random.integers(0, len(made) if number % 2 else 600, 4):
                made[min(place, len(made) - 1)] = random.integers(256)
            path.write_bytes(made)
            said = call("compress", path, "-o", "a.isz", "--effort", 1, "--force")
            assert said.exit_code in (0, 2), (name, said.output)
            assert "bug" not in said.stderr
            if said.exit_code == 0:
                done = call("decompress", "a.isz", "-o", "back", "--force")
                assert done.exit_code == 0, (name, done.output)


@member("K32")
def tags_that_are_no_utf8_and_names_with_colons_are_read(folder: Path) -> None:
    with av.open("m.avi", "w") as target:
        target.metadata["title"] = "abcdefgh"
        stream = target.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIDES, "yuv420p"
        target.mux(stream.encode(picture(0)))
        target.mux(stream.encode())
    Path("m.avi").write_bytes(Path("m.avi").read_bytes().replace(b"abcdefgh", b"caf\xe9\xff\x80\xfe!"))
    assert "title" in restored(Path("m.avi"))[1]
    for name in ("2024-01-01T10:00:00.mkv", "http:clip.mkv"):
        written("plain.mkv").replace(name)
        restored(Path(name))
