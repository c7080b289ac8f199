"""`isthmus embed`: data and model → features."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from typer import Option

from isthmus.cli.options import Force, SourceArgument, Threads
from isthmus.cli.voice import Voice, command


@command("isthmus embed photos/ -m photos.ism -o features.csv")
def embed(
    voice: Voice,
    source: SourceArgument,
    model: Annotated[
        Path, Option("--model", "-m", metavar="MODEL.ism", help="Made by `isthmus fit`.", show_default=False)
    ],
    output: Annotated[
        str,
        Option(
            "--output",
            "-o",
            metavar="Z.npy|Z.csv",
            help="One row a sample; - is CSV on standard output.",
            show_default=False,
        ),
    ],
    pool: Annotated[bool, Option("--pool", help="One feature a channel: the mean over positions.")] = False,
    force: Force = False,
    threads: Threads = None,
) -> None:
    """Write the code of every sample as a row of numbers."""
    from isthmus.errors import UseError
    from isthmus.threads import limit_threads

    limit_threads(threads)
    to_stdout = output == "-"
    if to_stdout and voice.json:
        raise UseError("With -o - the features themselves go to standard output: leave out --json.")
    from isthmus.tasks.features import as_file
    from isthmus.tasks.features import embed as run

    result = run(source, model, None if to_stdout else output, pool=pool, force=force)
    if to_stdout:
        sys.stdout.buffer.write(as_file(result.latents, ".csv"))
    voice.result(result, to_stderr=to_stdout)
