"""`isthmus denoise`: noisy samples and model → samples without noise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from isthmus.cli.options import DenoisedArgument, Force, SkipBad, Threads, default_output
from isthmus.cli.progress import progress_bar
from isthmus.cli.voice import Voice, command
from isthmus.cli.wishes import DenoiseWishes

if TYPE_CHECKING:
    from isthmus.model import AnyModel, Denoiser, Detector, SeriesDenoiser, SoundDenoiser
    from isthmus.tasks.results import Result


@command("isthmus denoise noisy/ -m photos.ism -o clean/")
def denoise(
    voice: Voice,
    source: DenoisedArgument,
    model: Annotated[
        Path,
        Option(
            "--model",
            "-m",
            metavar="MODEL.ism",
            help="Made by `isthmus fit … --recipe denoise`; of tables by `isthmus fit`.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        Option(
            "--output",
            "-o",
            metavar="OUT",
            help="A folder, or of a single file a name such as better.csv.",
            show_default="a folder, SOURCE's name with -denoised",
        ),
    ] = None,
    level: Annotated[
        float | None,
        Option(
            metavar="SIGMA",
            help="Standard deviation of the noise, in the images' units; of tables in usual spreads; "
            "of series as a share of each channel's range.",
            show_default="seen in each sample",
        ),
    ] = None,
    mask: Annotated[
        str | None,
        Option(
            metavar="SOURCE",
            help="Not 0: that pixel is missing, fill it in. One for each, or one for all.",
        ),
    ] = None,
    clean: Annotated[
        str | None,
        Option(metavar="SOURCE", help="The same without noise: tell how far the others are off."),
    ] = None,
    report: Annotated[
        Path | None, Option(metavar="PAGE.html", help="Before and after, side by side.", show_default=False)
    ] = None,
    fill: Annotated[bool, Option("--fill", help="Of series: put what is likely into gaps.")] = False,
    skip_bad: SkipBad = False,
    force: Force = False,
    threads: Threads = None,
) -> None:
    """Take the noise from images, video, recordings, time series, or the numbers of a table."""
    from isthmus.model import load_model
    from isthmus.threads import limit_threads

    limit_threads(threads)
    asked = DenoiseWishes(
        source=source, output=output, level=level, mask=mask, clean=clean, report=report, fill=fill,
        skip_bad=skip_bad, force=force,
    )  # fmt: skip
    loaded = load_model(model)
    voice.result(_face_of(loaded, model, source)(voice, loaded, asked))


def _face_of(loaded: AnyModel, path: Path, source: str) -> Callable[[Voice, Any, DenoiseWishes], Result]:
    """What denoises SOURCE by the model."""
    from isthmus.data.video import is_video
    from isthmus.errors import UseError
    from isthmus.model import Denoiser, Detector, SeriesDenoiser, SoundDenoiser

    if isinstance(loaded, Denoiser):
        return _clips if is_video(source) else _images
    faces: dict[type, Any] = {SoundDenoiser: _recordings, SeriesDenoiser: _series, Detector: _table}
    found = next((face for kind, face in faces.items() if isinstance(loaded, kind)), None)
    if found is None:
        raise UseError(f"{path} is no denoiser. Make one: isthmus fit SOURCE --recipe denoise")
    return found


def _images(voice: Voice, denoiser: Denoiser, asked: DenoiseWishes) -> Result:
    from isthmus.data import open_source
    from isthmus.tasks.denoise import denoise as run

    asked.only("The denoising of images", "level", "mask", "clean", "report")
    opened = open_source(asked.source, skip_bad=asked.skip_bad)
    target = _target(asked)
    with progress_bar(voice, "denoising", opened.raw_bytes) as progress:
        result = run(
            opened, denoiser, target, level=asked.level, mask=asked.mask, clean=asked.clean,
            force=asked.force, strict=voice.strict, progress=progress,
        )  # fmt: skip
    if asked.report is not None:
        from isthmus.reports.denoising import write_denoising

        write_denoising(asked.report, opened, target, asked.clean, result, force=asked.force)
    return result


def _clips(voice: Voice, denoiser: Denoiser, asked: DenoiseWishes) -> Result:
    from isthmus.tasks.video.denoising import denoise_video

    asked.only("The denoising of video", "level", "clean")
    return denoise_video(
        asked.source, denoiser, _target(asked), level=asked.level, clean=asked.clean,
        skip_bad=asked.skip_bad, force=asked.force, strict=voice.strict,
    )  # fmt: skip


def _recordings(voice: Voice, denoiser: SoundDenoiser, asked: DenoiseWishes) -> Result:
    from isthmus.errors import UseError
    from isthmus.tasks.sound import denoise_sound

    asked.only("The denoising of recordings", "clean", "report")
    if asked.clean is not None and asked.report is None:
        raise UseError("The clean recordings are compared on the page: add --report PAGE.html.")
    target = _target(asked)
    result = denoise_sound(
        asked.source, denoiser, target, skip_bad=asked.skip_bad, force=asked.force, strict=voice.strict
    )
    if asked.report is not None:
        from isthmus.reports.sound import write_sound_page

        write_sound_page(asked.report, asked.source, target, asked.clean, result, force=asked.force)
    return result


def _series(voice: Voice, denoiser: SeriesDenoiser, asked: DenoiseWishes) -> Result:
    from isthmus.tasks.denoise_series import denoise_series

    asked.only("The denoising of series", "level", "report", "fill")
    result = denoise_series(
        asked.source, denoiser, _target(asked), level=asked.level, fill=asked.fill,
        skip_bad=asked.skip_bad, force=asked.force, strict=voice.strict,
    )  # fmt: skip
    if asked.report is not None:
        from isthmus.reports.series_denoising import write_series_page

        write_series_page(asked.report, result, force=asked.force)
    return result


def _table(voice: Voice, detector: Detector, asked: DenoiseWishes) -> Result:
    from isthmus.tasks.denoise_table import denoise_table

    asked.only("The denoising of tables", "level")
    return denoise_table(
        asked.source, detector, _target(asked), level=asked.level, skip_bad=asked.skip_bad,
        force=asked.force, strict=voice.strict,
    )  # fmt: skip


def _target(asked: DenoiseWishes) -> Path:
    """Where it goes: as asked, or into a folder beside."""
    return asked.output or default_output(asked.source, "-denoised")
