"""`isthmus detect`: a table or a series → how odd each row is, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from isthmus.cli.judging import follow_command, judge
from isthmus.cli.options import (
    As,
    Force,
    Header,
    Ignore,
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
from isthmus.cli.voice import Voice, command
from isthmus.cli.wishes import DetectWishes
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
    ignore: Ignore = None,
    header: Header = None,
    budget: Annotated[str | None, Option(metavar="TIME", help="Learn this long at most: 90s, 5m.")] = None,
    skip_bad: SkipBad = False,
    force: Force = False,
    seed: Seed = None,
    threads: Threads = None,
) -> None:
    """Find odd rows of TABLE, spans of a series or frames of video, by MODEL or by what is usual in it."""
    from isthmus.config import parse_duration
    from isthmus.files import refuse_existing
    from isthmus.model import load_model
    from isthmus.tasks.detect import Alarm
    from isthmus.threads import limit_threads

    limit_threads(threads)
    if report is not None:
        refuse_existing(report, force=force)
    if output == "-" and voice.json:
        raise UseError("With -o - the scores themselves go to standard output: leave out --json.")
    asked = DetectWishes(
        source=source, model=None if model is None else load_model(model), output=output, mode=mode,
        false_alarms=false_alarms, discoveries=discoveries, contamination=contamination, report=report,
        as_=as_, stamp=stamp, follow=follow, schema=read_schema(schema),
        ignore=tuple(ignore or ()), header=header, skip_bad=skip_bad, force=force,
        budget_s=None if budget is None else parse_duration(budget),
        seed=seed, alarm=Alarm(
            false_alarms=false_alarms, discoveries=discoveries, contamination=contamination
        ),
    )  # fmt: skip
    if follow:
        return follow_command(asked)
    return judge(voice, asked)
