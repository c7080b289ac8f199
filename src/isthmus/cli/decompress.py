"""`isthmus decompress`: archive → files."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Exit, Option

from isthmus.cli.options import ArchiveArgument as Archive
from isthmus.cli.options import (
    ArchiveModelOption,
    Force,
    MaxOutputBytes,
    Threads,
    Workers,
    default_output,
)
from isthmus.cli.voice import Voice, command

if TYPE_CHECKING:
    from isthmus.limits import Limits


@command("isthmus decompress photos.isz -o restored/ --items 10:20")
def decompress(
    voice: Voice,
    archive: Archive,
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="DIR", help="Default: a folder of the archive's name.")
    ] = None,
    model: ArchiveModelOption = None,
    items: Annotated[
        str | None, Option(metavar="START:STOP", help="Only these samples, counted from 0, STOP left out.")
    ] = None,
    time: Annotated[
        str | None,
        Option(metavar="START:STOP", help="Of video: only what is shown then, in seconds from its start."),
    ] = None,
    layer: Annotated[
        str | None,
        Option(
            metavar="NAME",
            help="preview, bound or lossless: how fine; reads no further.",
            show_default="the finest",
        ),
    ] = None,
    variable: Annotated[
        list[str] | None,
        Option(
            metavar="NAME", help="Of gridded arrays, only this variable; may be repeated.", show_default=False
        ),
    ] = None,
    skip_damaged: Annotated[
        bool, Option("--skip-damaged", help="Restore what is whole, and name what is not.")
    ] = False,
    approximate: Annotated[
        bool, Option("--approximate", help="Compute lossy samples in floats: not the same on every machine.")
    ] = False,
    max_output_bytes: MaxOutputBytes = None,
    force: Force = False,
    workers: Workers = None,
    threads: Threads = None,
) -> None:
    """Give back the files of an archive (- reads it from standard input)."""
    from isthmus.threads import limit_threads

    limit_threads(threads)
    from isthmus.tasks.compress import decompress as run

    result = run(
        sys.stdin.buffer.read() if archive == "-" else archive,
        output or (Path("restored") if archive == "-" else default_output(archive, "")),
        model=model,
        items=None if items is None else parse_items(items),
        time=None if time is None else parse_time(time),
        layer=layer,
        variables=variable or None,
        workers=workers,
        skip_damaged=skip_damaged,
        approximate=approximate,
        force=force,
        limits=output_limits(max_output_bytes),
    )
    for fault in result.damage:
        voice.detail(fault)
    voice.left_out(result.missing)
    voice.result(result)
    if result.missing:
        raise Exit(1)


def output_limits(max_output_bytes: int | None) -> Limits:
    """The limits that --max-output-bytes asks for; without it, the defaults."""
    from isthmus.limits import DEFAULT_LIMITS

    return (
        DEFAULT_LIMITS if max_output_bytes is None else replace(DEFAULT_LIMITS, output_bytes=max_output_bytes)
    )


def parse_time(text: str) -> tuple[float, float]:
    """START:STOP → two numbers of seconds.

    >>> parse_time("2.5:4")
    (2.5, 4.0)
    """
    from isthmus.errors import UseError

    found = re.fullmatch(r"(\d+(?:\.\d*)?):(\d+(?:\.\d*)?)", text.strip())
    if found is None or not float(found[1]) < float(found[2]):
        raise UseError(f"--time must be START:STOP in seconds, like 2.5:4; got {text!r}.")
    return float(found[1]), float(found[2])


def parse_items(text: str) -> tuple[int, int]:
    """START:STOP → two numbers.

    >>> parse_items("10:20")
    (10, 20)
    """
    from isthmus.errors import UseError

    found = re.fullmatch(r"(\d+):(\d+)", text.strip())
    if found is None:
        raise UseError(f"--items must be START:STOP, like 10:20; got {text!r}.")
    return int(found[1]), int(found[2])
