"""Whether a source is a series, and what the commands do with one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isthmus.cli.voice import Voice
from isthmus.errors import UseError

if TYPE_CHECKING:
    from isthmus.model import AnyModel
    from isthmus.tasks.detect import Alarm

KINDS = ("series", "table")


def takes_series(source: str, asked: str | None, model: AnyModel | None = None, **opening: Any) -> bool:
    """Whether SOURCE is treated as a series: as asked, as the model knows it, or as it looks.

    Raises:
        UseError: the model is one for the other kind.
    """
    from isthmus.data.series import is_series
    from isthmus.model import SeriesDetector

    if asked is not None and asked not in KINDS:
        raise UseError(f"--as must be series or table; got {asked!r}.")
    if model is None:
        return is_series(source, **opening) if asked is None else asked == "series"
    known = isinstance(model, SeriesDetector)
    if asked is not None and known != (asked == "series"):
        raise UseError(f"The model was made for a {KINDS[not known]}: leave out --as {asked}.")
    return known


def detect_series_command(
    voice: Voice,
    source: str,
    model: Any,
    output: str | None,
    report: Path | None,
    *,
    alarm: Alarm,
    force: bool,
    **options: Any,
) -> None:
    """`isthmus detect` on a series."""
    from isthmus.tasks.series.detect import detect_series, score_lines

    to_stdout = output == "-"
    result = detect_series(
        source, model, None if to_stdout else output, alarm=alarm, force=force, say=voice.say, **options
    )
    if to_stdout:
        sys.stdout.writelines(score_lines(result))
    if report is not None:
        from isthmus.reports.series import write_series_report

        write_series_report(result, report, name=Path(source).name, force=force)
        voice.say(f"the series with its alarms in {report}")
    voice.left_out(result.skipped)
    voice.result(result, to_stderr=to_stdout)


def follow_command(source: str, model: AnyModel | None, alarm: Alarm) -> None:
    """`isthmus detect - --follow`: each line is answered before the next one is read."""
    from isthmus.model import SeriesDetector
    from isthmus.tasks.series.follow import follow

    if source != "-":
        raise UseError(f"--follow reads standard input: give - in place of {source}.")
    if not isinstance(model, SeriesDetector):
        raise UseError("--follow takes a model of a series: -m MODEL.ism, made by `isthmus fit SERIES.csv`.")
    for line in follow(iter(sys.stdin.readline, ""), model, alarm):
        sys.stdout.write(line)
        sys.stdout.flush()
