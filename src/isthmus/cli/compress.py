"""`isthmus compress`: data → archive, with a model or without."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

from typer import Exit, Option

from isthmus.cli.options import (
    CompressedArgument,
    Force,
    Header,
    ModelOption,
    SkipBad,
    Threads,
    Workers,
    default_output,
)
from isthmus.cli.progress import progress_bar
from isthmus.cli.voice import Voice, command

PROMISE, CONTEST = "What comes back", "How it is coded"


@command("isthmus compress fields.npy -o fields.isz --max-error 1e-3 --error-mode rel")
def compress(
    voice: Voice,
    source: CompressedArgument,
    model: ModelOption = None,
    output: Annotated[
        str | None,
        Option("--output", "-o", metavar="OUT.isz", help="Default: SOURCE's name; - is standard output."),
    ] = None,
    lossy: Annotated[
        bool,
        Option("--lossy", help="Close to the originals; the default with a model.", rich_help_panel=PROMISE),
    ] = False,
    lossless: Annotated[
        bool,
        Option(
            "--lossless", help="The very same samples; the default without a model.", rich_help_panel=PROMISE
        ),
    ] = False,
    max_error: Annotated[
        float | None,
        Option(metavar="E", help="No value further than E from its original.", rich_help_panel=PROMISE),
    ] = None,
    error_mode: Annotated[
        str | None,
        Option(
            metavar="MODE",
            help="E as it is (abs), times max - min of all values (rel), or times each value (pointwise).",
            show_default="abs",
            rich_help_panel=PROMISE,
        ),
    ] = None,
    bound: Annotated[
        list[str] | None,
        Option(
            metavar="NAME=E",
            help="Of a table or gridded arrays: no number of the column or variable NAME further than E "
            "from its original; 0 keeps it as it is.",
            show_default=False,
            rich_help_panel=PROMISE,
        ),
    ] = None,
    target_psnr: Annotated[
        float | None,
        Option(
            metavar="DB",
            help="The least quality, or without a model the widest bound, that reaches this PSNR.",
            rich_help_panel=PROMISE,
        ),
    ] = None,
    quality: Annotated[
        int | None,
        Option(
            min=1,
            max=100,
            help="Of a lossy archive: 1 is smallest, 100 is closest.",
            show_default="50",
            rich_help_panel=PROMISE,
        ),
    ] = None,
    max_bytes: Annotated[
        str | None,
        Option(
            metavar="SIZE",
            help="The best quality whose whole archive fits: 500kB, 20MB.",
            show_default=False,
            rich_help_panel=PROMISE,
        ),
    ] = None,
    preview: Annotated[
        bool,
        Option("--preview", help="Keep the model's quick view in every block.", rich_help_panel=PROMISE),
    ] = False,
    effort: Annotated[
        int,
        Option(
            min=1,
            max=9,
            rich_help_panel=CONTEST,
            help="1 to 8: a sample chooses the coders that run on each block; 9: all run. Lossy images: "
            "1 and 2 round each code to the nearest; 3 to 9, all alike, save bits where little is lost, and "
            "tell drawings as rounded pixels.",
        ),
    ] = 5,
    coder: Annotated[
        str | None,
        Option(
            metavar="NAME", help="Force one coder, such as xz.", show_default=False, rich_help_panel=CONTEST
        ),
    ] = None,
    no_embed: Annotated[
        bool, Option("--no-embed", help="Only name the model; decompress then needs -m too.")
    ] = False,
    append: Annotated[
        Path | None, Option(metavar="OLD.isz", help="Add to this archive, in its mode.", show_default=False)
    ] = None,
    metadata: Annotated[
        str,
        Option(
            metavar="LEVEL",
            help="What image files say beside their pixels: all, embedded (all but file times), "
            "display (orientation, colour profile) or none.",
        ),
    ] = "embedded",
    verify_after: Annotated[
        bool, Option("--verify-after", help="Check the archive against SOURCE once it is written.")
    ] = False,
    skip_bad: SkipBad = False,
    header: Header = None,
    force: Force = False,
    workers: Workers = None,
    threads: Threads = None,
) -> None:
    """Compress SOURCE: lossless, within a bound, or, with a model for its kind of data, lossy."""
    from isthmus.threads import limit_threads

    limit_threads(threads)
    to_stdout = output == "-"
    _require_sense(
        voice, to_stdout=to_stdout, verify_after=verify_after, lossy=lossy, lossless=lossless,
        no_embed=no_embed, model=model, append=append, output=output,
        error_mode=error_mode, max_error=max_error,
    )  # fmt: skip
    from isthmus.config import parse_size
    from isthmus.data import open_source
    from isthmus.tasks.compress import compress as run
    from isthmus.tasks.modalities import modality_for

    mode = "lossy" if lossy else "lossless" if lossless else None
    target = append or (Path(output) if output and not to_stdout else default_output(source, ".isz"))
    modality = modality_for(source)
    if modality is not None:
        opened = modality.open(source, header, skip_bad)
    else:
        plain = model is not None and not lossless and max_error is None and target_psnr is None
        opened = open_source(source, skip_bad=skip_bad, trainable=lossy or plain)
    where: Any = sys.stdout.buffer if to_stdout else target
    with progress_bar(voice, "compressing", opened.raw_bytes) as progress:
        result = run(
            opened, where, model=model, mode=mode, max_error=max_error, error_mode=error_mode or "abs",
            bounds=parse_bounds(bound), target_psnr=target_psnr, quality=quality,
            max_bytes=parse_size(max_bytes) if max_bytes else None,
            effort=effort, coder=coder, embed_model=not no_embed, preview=preview,
            append=append is not None, metadata=metadata, workers=workers, strict=voice.strict, force=force,
            progress=progress,
        )  # fmt: skip
    if not verify_after:
        return voice.result(result, to_stderr=to_stdout)
    from isthmus.tasks.verify import verify

    checked = verify(target, model=model if no_embed else None, against=opened)
    if voice.json:
        voice.data(result.to_dict() | {"verify": checked.to_dict()})
    else:
        voice.result(result)
        voice.result(checked)
    if not checked.ok:
        raise Exit(checked.exit_code)
    return None


def parse_bounds(told: list[str] | None) -> dict[str, float] | None:
    """COLUMN=E … → by column.

    >>> parse_bounds(["price=0.5", "a=b=0"])
    {'price': 0.5, 'a=b': 0.0}
    """
    from isthmus.errors import UseError

    bounds = {}
    for each in told or ():
        name, _, number = each.rpartition("=")
        try:
            bounds[name] = float(number)
        except ValueError:
            raise UseError(f"--bound must be NAME=NUMBER, like price=0.5; got {each!r}.") from None
    return bounds or None


def _require_sense(
    voice: Voice,
    *,
    to_stdout: bool,
    verify_after: bool,
    lossy: bool,
    lossless: bool,
    no_embed: bool,
    model: Path | None,
    append: Path | None,
    output: str | None,
    error_mode: str | None,
    max_error: float | None,
) -> None:
    """Refuse what cannot be meant, each with the sentence that helps."""
    from isthmus.errors import UseError

    wrong = {
        "With -o - the archive itself goes to standard output: "
        "leave out --json and --verify-after.": to_stdout and (voice.json or verify_after),
        "Give --lossy or --lossless, not both.": lossy and lossless,
        "There is no model to leave out: give -m MODEL.ism with --no-embed, or neither.": no_embed
        and model is None,
        "With --append the archive to write is the old one: leave out -o.": append is not None
        and output is not None,
        "--verify-after compares the whole archive with SOURCE: leave it out with --append.": append
        is not None
        and verify_after,
        "--error-mode says how --max-error is meant: give --max-error too.": error_mode is not None
        and max_error is None,
    }
    for sentence, holds in wrong.items():
        if holds:
            raise UseError(sentence)
