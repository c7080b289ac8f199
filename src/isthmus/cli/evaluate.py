"""`isthmus evaluate`: distortion, rate and honest sizes beside other coders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option, echo

from isthmus.cli.options import SkipBad, SourceArgument, Threads
from isthmus.cli.voice import Voice, command


@command("isthmus evaluate new-photos/ -m photos.ism")
def evaluate(
    voice: Voice,
    source: SourceArgument,
    model: Annotated[
        Path, Option("--model", "-m", metavar="MODEL.ism", help="Made by `isthmus fit`.", show_default=False)
    ],
    rd: Annotated[
        bool,
        Option("--rd", help="Curves over all qualities of images, beside AVIF, JPEG XL, WebP …: minutes."),
    ] = False,
    skip_bad: SkipBad = False,
    threads: Threads = None,
) -> None:
    """Compare a model with classical coders on SOURCE, best on data it never saw."""
    from isthmus.threads import limit_threads

    limit_threads(threads)
    from isthmus.cli.tables import show_rates, show_sizes
    from isthmus.data import open_source
    from isthmus.tasks.evaluate import evaluate as run

    opened = open_source(source, skip_bad=skip_bad)
    result = run(opened, model, rd=rd)

    def show() -> None:
        show_sizes(result)
        if result.rates is not None:
            show_rates(result.rates)
        echo(result.summary())

    voice.result(result, show=show)
