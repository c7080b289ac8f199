"""`isthmus clean`: a table → its wrong cells, mended where that is known; images → those that are no use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option, echo

from isthmus.cli.options import TABLES, Force, Header, SchemaFile, SkipBad, read_schema
from isthmus.cli.voice import Voice, command

if TYPE_CHECKING:
    from isthmus.tasks.items import ItemIssue

SHOWN = 20


@command("isthmus clean customers.csv -o clean.csv --log changes.csv")
def clean(
    voice: Voice,
    source: Annotated[
        str,
        Argument(
            metavar="SOURCE",
            help=f"{TABLES} Or images: a folder, a .zip, a stack in a .npy.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        Option(
            "--output",
            "-o",
            metavar="CLEAN",
            help="The mended table, a .csv; of images a folder, for those that are sound.",
            show_default=False,
        ),
    ] = None,
    log: Annotated[
        Path | None,
        Option(
            metavar="LOG.csv",
            help="Each change, or each image left out, with its reason; default: beside the output.",
        ),
    ] = None,
    confidence: Annotated[
        float | None, Option(metavar="SHARE", help="Change nothing that is less sure; default: 0.9.")
    ] = None,
    suggest: Annotated[
        bool,
        Option("--suggest", help="Change nothing; list what could be changed, or write it into the log."),
    ] = False,
    impute: Annotated[
        bool, Option("--impute", help="Fill missing cells by small autoencoders too, where they can tell.")
    ] = False,
    odd_rows: Annotated[
        bool, Option("--odd-rows", help="List rows that are odd as a whole too, as `detect` finds them.")
    ] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Tell what would be changed, write nothing.")] = False,
    schema: SchemaFile = None,
    header: Header = None,
    skip_bad: SkipBad = False,
    force: Force = False,
) -> None:
    """Find wrong, missing and repeated values in a table, and mend what is known; or bad images."""
    from isthmus.tasks.clean import clean as run
    from isthmus.tasks.clean_result import shown
    from isthmus.tasks.items import ItemsResult

    result = run(
        source,
        output,
        log=log,
        confidence=confidence,
        suggest=suggest,
        schema=read_schema(schema),
        header=header,
        skip_bad=skip_bad,
        impute=impute,
        odd_rows=odd_rows,
        dry_run=dry_run,
        strict=voice.strict,
        force=force,
        say=voice.say,
    )
    most = SHOWN if dry_run or voice.verbose else 0
    if isinstance(result, ItemsResult):
        for item in result.issues[:most]:
            voice.say(_told(item))
        voice.result(result)
        return
    for line in shown(result.issues[:most]):
        voice.say(line)
    voice.result(result)
    if suggest and result.log is None and not voice.json:
        for line in shown(result.suggestions):
            echo(line)


def _told(issue: ItemIssue) -> str:
    return f"{issue.item}: {issue.issue} ({issue.reason})"
