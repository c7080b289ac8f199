"""`isthmus repack`: archive → archive, without the originals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Exit, Option

from isthmus.cli.options import ArchiveArgument as Archive
from isthmus.cli.options import Force, ModelOption
from isthmus.cli.voice import Voice, command


@command("isthmus repack photos.isz -o small.isz --keep preview")
def repack(
    voice: Voice,
    archive: Archive,
    output: Annotated[Path, Option("--output", "-o", metavar="NEW.isz", help="The new archive.")],
    model: ModelOption = None,
    embed: Annotated[
        bool | None,
        Option("--embed/--no-embed", help="Hold the model inside, or only name it.", show_default=False),
    ] = None,
    keep: Annotated[
        str | None,
        Option(metavar="LAYER", help="Drop layers finer than this: preview, bound.", show_default=False),
    ] = None,
    metadata: Annotated[
        str, Option(metavar="LEVEL", help="Keep no more of the files' metadata: embedded, display or none.")
    ] = "all",
    skip_damaged: Annotated[
        bool, Option("--skip-damaged", help="Leave damaged blocks out, and name what is lost.")
    ] = False,
    recover: Annotated[
        bool, Option("--recover", help="Back to the state before an appending that was cut off.")
    ] = False,
    force: Force = False,
) -> None:
    """Embed or remove the model, drop layers, merge appended parts, save what is whole."""
    from isthmus.tasks.repack import repack as run

    result = run(
        archive,
        output,
        model=model,
        embed=embed,
        keep=keep,
        metadata=metadata,
        skip_damaged=skip_damaged,
        recover=recover,
        force=force,
    )
    for fault in result.damage:
        voice.detail(fault)
    voice.left_out(result.missing)
    voice.result(result)
    if result.missing:
        raise Exit(1)
