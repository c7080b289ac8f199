"""`isthmus clean`: a table → its wrong cells, mended where that is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from isthmus.cli.options import Force, Header, SchemaFile, SkipBad, TableArgument, read_schema
from isthmus.cli.voice import Voice, command

SHOWN = 20


@command("isthmus clean customers.csv -o clean.csv --log changes.csv")
def clean(
    voice: Voice,
    source: TableArgument,
    output: Annotated[
        Path | None,
        Option("--output", "-o", metavar="CLEAN.csv", help="The mended table.", show_default=False),
    ] = None,
    log: Annotated[
        Path | None,
        Option(metavar="CHANGES.csv", help="Each change with its reason; default: beside the output."),
    ] = None,
    confidence: Annotated[
        float | None, Option(metavar="SHARE", help="Change nothing that is less sure; default: 0.6.")
    ] = None,
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
    """Find wrong, missing and repeated values in TABLE, and mend what is known."""
    from isthmus.tasks.clean import CONFIDENCE
    from isthmus.tasks.clean import clean as run

    result = run(
        source,
        output,
        log=log,
        confidence=CONFIDENCE if confidence is None else confidence,
        schema=read_schema(schema),
        header=header,
        skip_bad=skip_bad,
        impute=impute,
        odd_rows=odd_rows,
        dry_run=dry_run,
        force=force,
        say=voice.say,
    )
    for issue in result.issues[:SHOWN] if dry_run or voice.verbose else ():
        old = "(missing)" if issue.old is None else issue.old
        new = "?" if issue.new is None else issue.new
        voice.say(f"row {issue.row:,}, {issue.column}: {old} → {new} ({issue.reason})")
    voice.result(result)
