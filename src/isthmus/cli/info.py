"""`isthmus info`: what a model, an archive or a table holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from isthmus.cli.options import Force
from isthmus.cli.voice import Voice, command


@command("isthmus info photos.isz")
def info(
    voice: Voice,
    file: Annotated[Path, Argument(help="A model (.ism), an archive (.isz) or a table.", show_default=False)],
    schema: Annotated[
        Path | None,
        Option(metavar="SCHEMA.toml", help="Write a table's columns, to be edited.", show_default=False),
    ] = None,
    force: Force = False,
) -> None:
    """Describe a model, an archive or a table."""
    from isthmus.tasks.info import info as run
    from isthmus.tasks.info import write_schema

    result = run(file)
    if schema is not None:
        write_schema(file, schema, force=force)
    voice.result(result)
