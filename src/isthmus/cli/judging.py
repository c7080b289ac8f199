"""What `isthmus detect` does with each kind of data: rows of tables, spans of series, frames of video."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from isthmus.cli.series import takes_series
from isthmus.cli.voice import Voice, write_data
from isthmus.cli.wishes import DetectWishes
from isthmus.errors import UseError

if TYPE_CHECKING:
    from isthmus.tasks.detect import DetectResult
    from isthmus.tasks.series.detect import SeriesDetectResult
    from isthmus.tasks.video.detecting import VideoDetectResult

_KNOWN = (
    *("false_alarms", "discoveries", "contamination", "report"),
    *("model", "mode", "as_", "schema", "header", "ignore"),
)
"""What rows and spans have in common."""


def judge(voice: Voice, asked: DetectWishes) -> None:
    """What suits SOURCE, and what was asked."""
    from isthmus.data.video import is_video

    if is_video(asked.source):
        return _frames(voice, asked)
    opening = {"schema": asked.schema, "ignore": asked.ignore, "header": asked.header}
    if takes_series(asked.source, asked.as_, asked.model, **opening):
        return _series(voice, asked)
    return _rows(voice, asked)


def _rows(voice: Voice, asked: DetectWishes) -> None:
    from isthmus.model import Detector
    from isthmus.tasks.detect import detect, score_lines

    if asked.stamp is not None:
        raise UseError("--stamp is for series: add --as series, or leave it out.")
    asked.only("The search for odd rows", *_KNOWN, "budget_s")
    if not isinstance(asked.model, Detector | None):
        raise UseError("The model is no detector of tables. Make one: isthmus fit TABLE.csv -o NAME.ism")
    result = detect(
        asked.source, asked.model, asked.file, mode=asked.mode, alarm=asked.alarm, schema=asked.schema,
        ignore=asked.ignore, header=asked.header, budget_s=asked.budget_s, seed=asked.seed or 0,
        skip_bad=asked.skip_bad, force=asked.force, strict=voice.strict, say=voice.say,
    )  # fmt: skip

    def draw(page: Path) -> None:
        from isthmus.reports.detecting import write_detect_report

        write_detect_report(result, page, name=Path(asked.source).name, force=asked.force)

    _show(voice, asked, result, score_lines(result), draw, "the oddest rows and their reasons")


def _series(voice: Voice, asked: DetectWishes) -> None:
    from isthmus.model import SeriesDetector
    from isthmus.tasks.series.detect import detect_series, score_lines

    if asked.budget_s is not None:
        raise UseError("What is usual in a series is worked out, not trained: leave out --budget.")
    asked.only("The search for odd spans", *_KNOWN, "stamp")
    assert isinstance(asked.model, SeriesDetector | None)  # takes_series saw to it
    result = detect_series(
        asked.source, asked.model, asked.file, mode=asked.mode, alarm=asked.alarm, stamp=asked.stamp,
        schema=asked.schema, ignore=asked.ignore, header=asked.header, skip_bad=asked.skip_bad,
        force=asked.force, strict=voice.strict, say=voice.say,
    )  # fmt: skip

    def draw(page: Path) -> None:
        from isthmus.reports.series import write_series_report

        write_series_report(result, page, name=Path(asked.source).name, force=asked.force)

    _show(voice, asked, result, score_lines(result), draw, "the series with its alarms")


def _frames(voice: Voice, asked: DetectWishes) -> None:
    from isthmus.tasks.video.detecting import detect_frames, frame_lines

    asked.only("The search for odd frames", "contamination", "report")
    result = detect_frames(
        asked.source, asked.file, contamination=asked.contamination, skip_bad=asked.skip_bad,
        strict=voice.strict, force=asked.force,
    )  # fmt: skip

    def draw(page: Path) -> None:
        from isthmus.reports.frames import write_frames_report

        write_frames_report(result, asked.source, page, force=asked.force)

    _show(voice, asked, result, frame_lines(result.found), draw, "the oddest frames")


def _show(
    voice: Voice,
    asked: DetectWishes,
    result: DetectResult | SeriesDetectResult | VideoDetectResult,
    lines: Iterable[str],
    draw: Callable[[Path], None],
    drawn: str,
) -> None:
    """The scores and the page, where they were asked for; then the result."""
    if asked.to_stdout:
        write_data(lines)
    if asked.report is not None:
        draw(asked.report)
        voice.say(f"{drawn} in {asked.report}")
    voice.result(result, to_stderr=asked.to_stdout)


def follow_command(asked: DetectWishes) -> None:
    """Each line of standard input is answered before the next one is read."""
    from isthmus.model import SeriesDetector
    from isthmus.tasks.series.follow import follow, lines_of

    if asked.source != "-":
        raise UseError(f"--follow reads standard input: give - in place of {asked.source}.")
    if not isinstance(asked.model, SeriesDetector):
        raise UseError("--follow takes a model of a series: -m MODEL.ism, made by `isthmus fit SERIES.csv`.")
    for line in follow(lines_of(sys.stdin.buffer), asked.model, asked.alarm):
        write_data([line])
