"""`isthmus info`: what a model or an archive holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument

from isthmus.cli.voice import Voice, command


@command("isthmus info photos.isz")
def info(
    voice: Voice,
    file: Annotated[Path, Argument(help="A model (.ism) or an archive (.isz).", show_default=False)],
) -> None:
    """Describe a model or an archive."""
    from isthmus.tasks.info import info as run

    voice.result(run(file))
