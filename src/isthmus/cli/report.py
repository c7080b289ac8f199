"""`isthmus report`: a run or a model → one self-contained HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from isthmus.cli.options import Force, Threads
from isthmus.cli.voice import Voice, command


@command("isthmus report photos.run -o photos.html")
def report(
    voice: Voice,
    run: Annotated[
        Path, Argument(metavar="RUN|MODEL.ism", help="What `isthmus fit` left.", show_default=False)
    ],
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="PAGE.html", help="Default: beside the run.")
    ] = None,
    source: Annotated[
        str | None, Option(help="Data to measure on; default: the run's held-out samples.")
    ] = None,
    force: Force = False,
    threads: Threads = None,
) -> None:
    """Write the page of a training run: curves, pictures, sizes, settings."""
    from isthmus.threads import limit_threads

    limit_threads(threads)
    from isthmus.reports import write_report

    voice.result(write_report(run, source=source, output=output, force=force))
