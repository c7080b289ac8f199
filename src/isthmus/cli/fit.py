"""`isthmus fit`: data → model."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from isthmus.cli.faults import Stopped
from isthmus.cli.options import (
    As,
    Device,
    Force,
    Header,
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
from isthmus.cli.progress import learning_bar
from isthmus.cli.series import takes_series
from isthmus.cli.voice import Voice, command
from isthmus.errors import UseError

if TYPE_CHECKING:
    from isthmus.tasks.results import Result

DENOISE, DETECT = "denoise", "detect"


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
    header: Header = None,
    resume: Annotated[bool, Option("--resume", help="Go on where an interrupted run stopped.")] = False,
    skip_bad: SkipBad = False,
    force: Force = False,
    seed: Seed = None,
    threads: Threads = None,
    device: Device = None,
) -> None:
    """Train an autoencoder on SOURCE; on a table, small ones that detect odd rows; or a denoiser."""
    from isthmus.config import parse_duration
    from isthmus.data.tables import is_table
    from isthmus.data.video import is_video
    from isthmus.model import Model
    from isthmus.tasks.detect import fit_detector
    from isthmus.tasks.fit import fit as run
    from isthmus.tasks.series.detect import fit_series_detector
    from isthmus.tasks.video.learning import fit_video
    from isthmus.threads import limit_threads

    output = output or default_output(source, ".ism")
    budget_s = None if budget is None else parse_duration(budget)
    foreign = {"set": set_, "resume": resume or None, "device": device, "for": for_, "from": from_}
    if is_table(source) or recipe == DENOISE:
        limit_threads(threads)
    if for_ == DETECT:
        foreign["for"] = None
    known, tabular = read_schema(schema), is_table(source)
    if recipe != DENOISE and (as_ or tabular) and takes_series(source, as_, schema=known, header=header):
        refuse("A detector of series", recipe=recipe, noise=noise, levels=levels, budget=budget, **foreign)
        learned = fit_series_detector(
            source,
            output,
            mode=mode,
            stamp=stamp,
            schema=known,
            header=header,
            skip_bad=skip_bad,
            force=force,
            say=voice.say,
        )
        voice.result(learned)
        return
    if stamp is not None:
        raise UseError("--stamp is for detectors of series: add --as series, or leave it out.")
    if tabular and recipe != DENOISE:
        refuse("A detector of tables", recipe=recipe, noise=noise, levels=levels, **foreign)
        made = fit_detector(
            source,
            output,
            mode=mode,
            schema=known,
            header=header,
            budget_s=budget_s,
            seed=seed or 0,
            skip_bad=skip_bad,
            force=force,
            say=voice.say,
        )
        voice.result(made)
        return
    if recipe == DENOISE:
        refuse("A denoiser", **foreign)
        common: dict[str, Any] = {
            "budget_s": budget_s,
            "seed": seed or 0,
            "skip_bad": skip_bad,
            "force": force,
        }
        with learning_bar(voice, "learning") as progress:
            common |= {"say": voice.say, "progress": progress}
            result: Result = _denoiser(source, output, noise, levels, noisy, **common)
        voice.result(result)
        return
    if noise is not None or levels is not None or noisy:
        raise UseError("--noise, --levels and --noisy are for denoisers: add --recipe denoise.")
    settings = [*(set_ or []), *train_settings(seed=seed, threads=threads, device=device)]
    if is_video(source):
        refuse("A model of video", recipe=recipe, resume=resume or None, **{"for": for_, "from": from_})
        voice.result(
            fit_video(
                source,
                output,
                budget_s=budget_s,
                settings=settings,
                skip_bad=skip_bad,
                force=force,
                quiet=voice.quiet,
                say=voice.say,
            )
        )
        return
    try:
        fitted = run(
            source,
            output,
            recipe=recipe,
            settings=settings,
            budget_s=budget_s,
            purpose=for_,
            start=None if from_ is None else Model.load(from_),
            resume=resume,
            skip_bad=skip_bad,
            force=force,
            quiet=voice.quiet,
            say=voice.say,
        )
    except KeyboardInterrupt as stop:
        raise Stopped(how_to_resume(output)) from stop
    voice.detail(f"history, settings and checkpoint in {fitted.run}")
    voice.detail(f"stopped after {fitted.steps:,} steps ({fitted.stopped}); best after {fitted.best_step:,}")
    voice.left_out(fitted.skipped)
    voice.result(fitted)


def _denoiser(
    source: str, output: Path, noise: str | None, levels: str | None, noisy: bool, **common: Any
) -> Result:
    """One of recordings, of video, of a series or of images, as SOURCE is."""
    from isthmus.data.audio import is_audio
    from isthmus.data.series import is_series
    from isthmus.data.tables import is_table
    from isthmus.data.video import is_video
    from isthmus.tasks.denoise import fit_denoiser
    from isthmus.tasks.sound import WHITE, fit_sound_denoiser

    kind = noise or "gaussian"
    if is_video(source):
        from isthmus.tasks.video.denoising import fit_video_denoiser

        return fit_video_denoiser(
            source, output, noise=kind, levels=parse_levels(levels), from_noisy=noisy, **common
        )
    if is_table(source) or is_series(source):
        from isthmus.tasks.denoise_series import fit_series_denoiser

        return fit_series_denoiser(
            source, output, noise=kind, levels=parse_levels(levels), from_noisy=noisy, **common
        )
    if not is_audio(source):
        return fit_denoiser(
            source, output, noise=kind, levels=parse_levels(levels), from_noisy=noisy, **common
        )
    if levels is not None or noisy:
        raise UseError("--levels and --noisy are for images: leave them out.")
    return fit_sound_denoiser(source, output, noise=None if noise in (None, WHITE) else noise, **common)


def refuse(what: str, **given: object) -> None:
    """Raise UseError for options that mean nothing to what is made."""
    named = [f"--{name}" for name, value in given.items() if value is not None]
    if named:
        raise UseError(f"{what} is not changed by {', '.join(named)}. Leave it out.")


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


def train_settings(**values: object) -> list[str]:
    """Options that are settings of `train` → "train.key=value", those not given left out.

    >>> train_settings(seed=7, device=None)
    ['train.seed=7']
    """
    return [f"train.{key}={value}" for key, value in values.items() if value is not None]


def how_to_resume(output: Path) -> str:
    """What to type after Ctrl-C; a run that had taken no step has nothing to resume."""
    from isthmus.tasks.fit import checkpoint_of

    if not checkpoint_of(output).is_file():
        return "Training had not begun, so there is nothing to resume."
    given = [word for word in sys.argv[1:] if word not in ("--resume", "--force", "-f")]
    return f"Resume with: {shlex.join(['isthmus', *given, '--resume'])}"
