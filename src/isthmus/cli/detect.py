"""`isthmus detect`: a table or a series → how odd each row is, and why."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from typer import Option

from isthmus.cli.fit import refuse
from isthmus.cli.options import (
    As,
    Force,
    Header,
    JudgedArgument,
    Mode,
    ModelOption,
    SchemaFile,
    Seed,
    SkipBad,
    StampColumn,
    Threads,
    read_schema,
)
from isthmus.cli.series import detect_series_command, follow_command, takes_series
from isthmus.cli.voice import Voice, command
from isthmus.errors import UseError


@command("isthmus detect payments.csv -o scores.csv")
def detect(
    voice: Voice,
    source: JudgedArgument,
    model: ModelOption = None,
    output: Annotated[
        str | None,
        Option(
            "--output",
            "-o",
            metavar="SCORES.csv",
            help="One line a row: anomaly_score, p_value, is_anomaly, reason; - is standard output.",
            show_default=False,
        ),
    ] = None,
    mode: Mode = "contaminated",
    false_alarms: Annotated[
        float | None,
        Option(
            "--false-alarms", metavar="SHARE", help="Report this share of usual rows.", show_default="0.01"
        ),
    ] = None,
    discoveries: Annotated[
        float | None,
        Option("--discoveries", metavar="SHARE", help="This share of the reported rows may be usual."),
    ] = None,
    contamination: Annotated[
        float | None, Option("--contamination", metavar="SHARE", help="Report this share of all rows.")
    ] = None,
    report: Annotated[
        Path | None,
        Option(
            metavar="PAGE.html", help="A page with the oddest rows and their reasons.", show_default=False
        ),
    ] = None,
    as_: As = None,
    stamp: StampColumn = None,
    follow: Annotated[
        bool,
        Option("--follow", help="Read lines of a series from standard input, and answer each at once."),
    ] = False,
    schema: SchemaFile = None,
    header: Header = None,
    budget: Annotated[str | None, Option(metavar="TIME", help="Learn this long at most: 90s, 5m.")] = None,
    skip_bad: SkipBad = False,
    force: Force = False,
    seed: Seed = None,
    threads: Threads = None,
) -> None:
    """Find odd rows of TABLE, spans of a series or frames of video, by MODEL or by what is usual in it."""
    from isthmus.config import parse_duration
    from isthmus.data.video import is_video
    from isthmus.files import refuse_existing
    from isthmus.model import load_model
    from isthmus.model.detector import Detector
    from isthmus.tasks.detect import Alarm, score_lines
    from isthmus.tasks.detect import detect as run
    from isthmus.threads import limit_threads

    limit_threads(threads)
    if is_video(source):
        others = {"false-alarms": false_alarms, "discoveries": discoveries, "as": as_}
        refuse(
            "The search for odd frames", model=model, budget=budget, schema=schema, header=header,
            seed=seed, mode=None if mode == "contaminated" else mode, stamp=stamp,
            follow=follow or None, **others,
        )  # fmt: skip
        _frames(voice, source, output, contamination, report, skip_bad=skip_bad, force=force)
        return
    if report is not None:
        refuse_existing(report, force=force)
    to_stdout = output == "-"
    if to_stdout and voice.json:
        raise UseError("With -o - the scores themselves go to standard output: leave out --json.")
    alarm = Alarm(false_alarms=false_alarms, discoveries=discoveries, contamination=contamination)
    made = None if model is None else load_model(model)
    if follow:
        follow_command(source, made, alarm)
        return
    known = read_schema(schema)
    if takes_series(source, as_, made, schema=known, header=header):
        if budget is not None:
            raise UseError("What is usual in a series is worked out, not trained: leave out --budget.")
        detect_series_command(
            voice,
            source,
            made,
            output,
            report,
            alarm=alarm,
            mode=mode,
            stamp=stamp,
            schema=known,
            header=header,
            skip_bad=skip_bad,
            force=force,
        )
        return
    if stamp is not None:
        raise UseError("--stamp is for series: add --as series, or leave it out.")
    result = run(
        source,
        None if model is None else Detector.load(model),
        None if to_stdout else output,
        mode=mode,
        alarm=alarm,
        schema=known,
        header=header,
        budget_s=None if budget is None else parse_duration(budget),
        seed=seed or 0,
        skip_bad=skip_bad,
        force=force,
        say=voice.say,
    )
    if to_stdout:
        sys.stdout.writelines(score_lines(result))
    if report is not None:
        from isthmus.reports.detecting import write_detect_report

        write_detect_report(result, report, name=Path(source).name, force=force)
        voice.say(f"the oddest rows and their reasons in {report}")
    voice.left_out(result.skipped)
    voice.result(result, to_stderr=to_stdout)


def _frames(
    voice: Voice,
    source: str,
    output: str | None,
    contamination: float | None,
    report: Path | None,
    *,
    skip_bad: bool,
    force: bool,
) -> None:
    """Odd frames of clips."""
    from isthmus.files import refuse_existing
    from isthmus.tasks.video.detecting import detect_frames, frame_lines

    if report is not None:
        refuse_existing(report, force=force)
    to_stdout = output == "-"
    found = detect_frames(
        source, None if to_stdout else output, contamination=contamination, skip_bad=skip_bad, force=force
    )
    if to_stdout:
        sys.stdout.writelines(frame_lines(found.found))
    if report is not None:
        from isthmus.reports.frames import write_frames_report

        write_frames_report(found, source, report, force=force)
        voice.say(f"the oddest frames in {report}")
    voice.left_out(found.skipped)
    voice.result(found, to_stderr=to_stdout)
