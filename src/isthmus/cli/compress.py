"""`isthmus compress`: data and model → archive."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

from typer import Exit, Option

from isthmus.cli.options import Force, ModelOption, SkipBad, SourceArgument, Threads, default_output
from isthmus.cli.voice import Voice, command


@command("isthmus compress photos/ -m photos.ism -o photos.isz")
def compress(
    voice: Voice,
    source: SourceArgument,
    model: ModelOption = None,
    output: Annotated[
        str | None,
        Option("--output", "-o", metavar="OUT.isz", help="Default: SOURCE's name; - is standard output."),
    ] = None,
    lossy: Annotated[  # with a model it is so anyway, and the result says it
        bool, Option("--lossy", help="Samples come back close, not equal; so far the only mode.")
    ] = False,
    no_embed: Annotated[
        bool, Option("--no-embed", help="Only name the model; decompress then needs -m too.")
    ] = False,
    verify_after: Annotated[
        bool, Option("--verify-after", help="Check the archive against SOURCE once it is written.")
    ] = False,
    skip_bad: SkipBad = False,
    force: Force = False,
    threads: Threads = None,
) -> None:
    """Compress SOURCE with a model trained on data of its kind (lossy)."""
    from isthmus.threads import limit_threads

    limit_threads(threads)
    to_stdout = output == "-"
    _require_sense(voice, model, to_stdout=to_stdout, verify_after=verify_after)
    assert model is not None
    from isthmus.data import open_source
    from isthmus.model import Model
    from isthmus.tasks.compress import compress as run

    loaded = Model.load(model)
    target = Path(output) if output and not to_stdout else default_output(source, ".isz")
    opened = open_source(source, skip_bad=skip_bad)
    voice.left_out(f"{item.name}: {item.reason}" for item in opened.skipped)
    where: Any = sys.stdout.buffer if to_stdout else target
    result = run(opened, loaded, where, embed_model=not no_embed, force=force)
    if not verify_after:
        return voice.result(result, to_stderr=to_stdout)
    from isthmus.tasks.verify import verify

    checked = verify(target, model=loaded if no_embed else None, against=opened)
    if voice.json:
        voice.data(result.to_dict() | {"verify": checked.to_dict()})
    else:
        voice.result(result)
        voice.result(checked)
    if not checked.ok:
        raise Exit(1)
    return None


def _require_sense(voice: Voice, model: Path | None, *, to_stdout: bool, verify_after: bool) -> None:
    from isthmus.errors import UseError

    if model is None:
        raise UseError(
            "Compressing needs a model for now. Train one first, isthmus fit SOURCE -o MODEL.ism, "
            "and give it with -m MODEL.ism."
        )
    if to_stdout and (voice.json or verify_after):
        raise UseError(
            "With -o - the archive itself goes to standard output: leave out --json and --verify-after."
        )
