"""`isthmus fit`: data → model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from isthmus.cli.learning import learn
from isthmus.cli.options import (
    As,
    Device,
    Force,
    Header,
    Ignore,
    LearnsFrom,
    Mode,
    SchemaFile,
    Seed,
    SkipBad,
    StampColumn,
    Threads,
    default_output,
    read_schema,
)
from isthmus.cli.voice import Voice, command
from isthmus.cli.wishes import FitWishes
from isthmus.errors import UseError


@command("isthmus fit photos/ -o photos.ism --budget 5m")
def fit(
    voice: Voice,
    source: LearnsFrom,
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="MODEL.ism", help="Default: SOURCE's name.")
    ] = None,
    recipe: Annotated[
        str | None, Option(help="Settings to start from; default: what suits the data.")
    ] = None,
    set_: Annotated[
        list[str] | None, Option("--set", metavar="KEY=VALUE", help="Change a setting: train.epochs=5.")
    ] = None,
    budget: Annotated[str | None, Option(metavar="TIME", help="Train this long: 90s, 5m, 1h30m.")] = None,
    for_: Annotated[
        str | None,
        Option(
            "--for",
            metavar="PURPOSE",
            help="Spend the time on lossy, bounded or lossless coding; tables and series: detect.",
        ),
    ] = None,
    from_: Annotated[
        Path | None, Option("--from", metavar="OLD.ism", help="Begin with this model's weights.")
    ] = None,
    noise: Annotated[
        str | None,
        Option(
            metavar="KIND",
            help="With --recipe denoise: gaussian, poisson, salt_pepper, impulse, missing, blur or clipping; "
            "of recordings gaussian, or recordings of the noise.",
            show_default="gaussian",
        ),
    ] = None,
    levels: Annotated[
        str | None,
        Option(metavar="LOW:HIGH", help="How much, as a share of the range: 0:0.2.", show_default=False),
    ] = None,
    noisy: Annotated[
        bool, Option("--noisy", help="With --recipe denoise: SOURCE is noisy itself, nobody has it clean.")
    ] = False,
    mode: Mode = "contaminated",
    as_: As = None,
    stamp: StampColumn = None,
    schema: SchemaFile = None,
    ignore: Ignore = None,
    header: Header = None,
    resume: Annotated[bool, Option("--resume", help="Go on where an interrupted run stopped.")] = False,
    skip_bad: SkipBad = False,
    force: Force = False,
    seed: Seed = None,
    threads: Threads = None,
    device: Device = None,
) -> None:
    """Train an autoencoder on SOURCE; on a table or a series, a detector of what is odd; or a denoiser."""
    from isthmus.config import parse_duration

    asked = FitWishes(
        source=source, output=output or default_output(source, ".ism"), recipe=recipe, set_=set_,
        budget_s=None if budget is None else parse_duration(budget), for_=for_, from_=from_, noise=noise,
        levels=parse_levels(levels), noisy=noisy, mode=mode, as_=as_, stamp=stamp,
        schema=read_schema(schema), ignore=tuple(ignore or ()), header=header, resume=resume,
        skip_bad=skip_bad, force=force, seed=seed, threads=threads, device=device,
    )  # fmt: skip
    voice.result(learn(voice, asked))


def parse_levels(text: str | None) -> tuple[float, float] | None:
    """LOW:HIGH → two numbers.

    >>> parse_levels("0:0.2")
    (0.0, 0.2)
    """
    if text is None:
        return None
    low, _, high = text.partition(":")
    try:
        return float(low), float(high)
    except ValueError:
        raise UseError(f"--levels must be LOW:HIGH, like 0:0.2; got {text!r}.") from None
