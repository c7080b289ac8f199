"""What `detect` found in clips → one self-contained HTML page: scores over time, the oddest frames."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from isthmus.data.video import VideoSource, open_video
from isthmus.files import refuse_existing
from isthmus.reports.figures import FAINT, HELD, OURS, drawing, new_figure, to_svg
from isthmus.reports.html import Picture, Section, TableRow, sides, table
from isthmus.reports.page import framed, write_page
from isthmus.reports.pictures import data_uri
from isthmus.tasks.video.detecting import REPORTED, OddFrame, VideoDetectResult

SHOWN, LISTED, CLIPS_SHOWN = 12, 100, 10
WIDTH = 480
"""Of a picture on the page."""


def write_frames_report(
    result: VideoDetectResult, source: str | Path | VideoSource, path: str | Path, *, force: bool = False
) -> Path:
    """Write the page of a result; reads the shown frames once more.

    Raises:
        MissingExtra: matplotlib is not installed.
        OutputExists: nothing was written.
    """
    path, video = Path(path), open_video(source, skip_bad=True)  # what was bad is named already
    refuse_existing(path, force=force)
    with drawing():
        sections = [*_curves(result), _pictures(result, video), _list(result)]
    clips, are = len(video.clips), " is" if result.anomalies == 1 else "s are"
    page = framed(
        name=video.name,
        about=f"{result.frames:,} frames of {clips:,} clip{'s' * (clips != 1)}, each judged by its clip",
        verdict=f"{result.anomalies:,} frame{are} reported: {result.told}.",
        measured="Scores: usual spreads from the middle, of logarithms of change.",
        sections="\n".join(section.to_html() for section in sections),
        notices=result.notices,
    )
    write_page(path, page, force=force)
    return path


def _curves(result: VideoDetectResult) -> Iterator[Section]:
    clips = [(name, list(group)) for name, group in groupby(result.found, key=lambda each: each.clip)]
    for number, (name, frames) in enumerate(clips[:CLIPS_SHOWN]):
        figure, (axes,) = new_figure(2.0, 1)
        axes.plot([each.time_s for each in frames], [each.score for each in frames], color=OURS, lw=0.8)
        odd = [each for each in frames if each.is_anomaly]
        axes.plot([each.time_s for each in odd], [each.score for each in odd], "o", color=HELD, ms=3)
        axes.axhline(REPORTED, color=FAINT, lw=1)
        axes.set_xlabel("seconds")
        axes.set_ylabel("score")
        alt = f"Scores of {len(frames):,} frames over time, {len(odd)} of them reported"
        lead = "How odd each frame is; dots are reported."
        yield Section(f"clip-{number}", name, lead, to_svg(figure, f"clip-{number}", alt))


def _pictures(result: VideoDetectResult, video: VideoSource) -> Section:
    wanted = {(each.clip, each.frame): each for each in result.oddest[:SHOWN]}
    shown: dict[tuple[str, int], Picture] = {}
    for clip in video.clips:
        theirs = {frame for name, frame in wanted if name == clip.name}
        for number, frame in enumerate(video.frames(clip)):
            if number in theirs:
                odd = wanted[clip.name, number]
                shown[clip.name, number] = _picture(frame.planes[0], odd, video.kind(clip).top)
            if not theirs or number >= max(theirs):
                break
    groups = {
        f"{name}, frame {frame:,}": [shown[name, frame]] for name, frame in wanted if (name, frame) in shown
    }
    body = sides(groups, kind="small") if groups else "<p>No frame was reported.</p>"
    lead = "The oddest frames, the oddest first, in grey; a box is drawn around the odd part."
    return Section("oddest", "The oddest frames", lead, body)


def _picture(plane: np.ndarray, odd: OddFrame, top: int) -> Picture:
    picture = Image.fromarray(np.rint(plane * (255 / top)).astype(np.uint8)).convert("RGB")
    left, upper, width, height = odd.region
    box = (left, upper, left + width - 1, upper + height - 1)
    ImageDraw.Draw(picture).rectangle(box, outline=(230, 60, 40), width=max(1, picture.width // 150))
    picture.thumbnail((WIDTH, WIDTH))
    caption = f"at {odd.time_s:.2f} s: {odd.reason} ({odd.score:.1f})"
    return Picture(data_uri(np.asarray(picture)), caption, picture.width, picture.height)


def _list(result: VideoDetectResult) -> Section:
    rows = [
        TableRow([each.clip, f"{each.frame:,}", f"{each.time_s:.2f}", f"{each.score:.1f}", each.reason])
        for each in result.oddest[:LISTED]
    ]
    lead = f"The {len(rows)} oddest reported frames, counted from 0."
    return Section(
        "list", "All of them", lead, table(["clip", "frame", "s", "score", "because"], rows, words=[4])
    )
