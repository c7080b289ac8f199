"""`isthmus denoise`: noisy samples and model → samples without noise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from isthmus.cli.options import DenoisedArgument, Force, SkipBad, Threads, default_output
from isthmus.cli.progress import progress_bar
from isthmus.cli.voice import Voice, command

if TYPE_CHECKING:
    from isthmus.model import Denoiser, SeriesDenoiser, SoundDenoiser


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
        Option("--output", "-o", metavar="DIR", help="Default: SOURCE's name; of tables a .csv."),
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
    from isthmus.data.video import is_video
    from isthmus.errors import UseError
    from isthmus.model import Denoiser, Detector, SeriesDenoiser, SoundDenoiser, load_model
    from isthmus.threads import limit_threads

    limit_threads(threads)
    loaded = load_model(model)
    if isinstance(loaded, SeriesDenoiser):
        if mask is not None or clean is not None:
            raise UseError(
                "--mask and --clean are not for series: leave them out; gaps are filled by --fill."
            )
        return _series(voice, loaded, source, output, level, report, fill, skip_bad, force)
    if fill:
        raise UseError("--fill is for time series: leave it out.")
    if is_video(source):
        return _clips(voice, loaded, source, output, level, mask, clean, report, skip_bad, force)
    if isinstance(loaded, Denoiser):
        return _images(voice, loaded, source, output, level, mask, clean, report, skip_bad, force)
    if mask is not None:
        raise UseError("--mask is for images: leave it out.")
    if isinstance(loaded, SoundDenoiser):
        return _recordings(voice, loaded, source, output, level, clean, report, skip_bad, force)
    for name, value in {"clean": clean, "report": report}.items():
        if value is not None:
            raise UseError(f"--{name} is for images and recordings: leave it out.")
    if not isinstance(loaded, Detector):
        raise UseError(f"{model} is no denoiser. Make one: isthmus fit SOURCE --recipe denoise")
    from isthmus.tasks.denoise_table import denoise_table

    target = output or default_output(source, "-denoised.csv")
    return voice.result(denoise_table(source, loaded, target, level=level, skip_bad=skip_bad, force=force))


def _images(
    voice: Voice,
    denoiser: Denoiser,
    source: str,
    output: Path | None,
    level: float | None,
    mask: str | None,
    clean: str | None,
    report: Path | None,
    skip_bad: bool,
    force: bool,
) -> None:
    from isthmus.data import open_source
    from isthmus.tasks.denoise import denoise as run

    opened = open_source(source, skip_bad=skip_bad)
    voice.left_out(f"{item.name}: {item.reason}" for item in opened.skipped)
    target = output or default_output(source, "-denoised")
    with progress_bar(voice, "denoising", opened.raw_bytes) as progress:
        result = run(
            opened, denoiser, target, level=level, mask=mask, clean=clean, force=force, progress=progress
        )
    if report is not None:
        from isthmus.reports.denoising import write_denoising

        write_denoising(report, opened, target, clean, result, force=force)
    voice.result(result)


def _clips(
    voice: Voice,
    loaded: object,
    source: str,
    output: Path | None,
    level: float | None,
    mask: str | None,
    clean: str | None,
    report: Path | None,
    skip_bad: bool,
    force: bool,
) -> None:
    from isthmus.errors import UseError
    from isthmus.model import Denoiser
    from isthmus.tasks.video.denoising import denoise_video

    if mask is not None or report is not None:
        raise UseError("--mask and --report are not for video: leave them out.")
    if not isinstance(loaded, Denoiser):
        raise UseError("Video is cleaned by a denoiser: isthmus fit CLIPS --recipe denoise.")
    target = output or default_output(source, "-denoised")
    voice.result(
        denoise_video(source, loaded, target, level=level, clean=clean, skip_bad=skip_bad, force=force)
    )


def _recordings(
    voice: Voice,
    denoiser: SoundDenoiser,
    source: str,
    output: Path | None,
    level: float | None,
    clean: str | None,
    report: Path | None,
    skip_bad: bool,
    force: bool,
) -> None:
    from isthmus.errors import UseError
    from isthmus.tasks.sound import denoise_sound

    if level is not None:
        raise UseError("--level is for images and tables: leave it out.")
    if clean is not None and report is None:
        raise UseError("The clean recordings are compared on the page: add --report PAGE.html.")
    target = output or default_output(source, "-denoised")
    result = denoise_sound(source, denoiser, target, skip_bad=skip_bad, force=force)
    if report is not None:
        from isthmus.reports.sound import write_sound_page

        write_sound_page(report, source, target, clean, result, force=force)
    voice.result(result)


def _series(
    voice: Voice,
    denoiser: SeriesDenoiser,
    source: str,
    output: Path | None,
    level: float | None,
    report: Path | None,
    fill: bool,
    skip_bad: bool,
    force: bool,
) -> None:
    from isthmus.tasks.denoise_series import denoise_series

    target = output or default_output(source, "-denoised")
    result = denoise_series(source, denoiser, target, level=level, fill=fill, skip_bad=skip_bad, force=force)
    if report is not None:
        from isthmus.reports.series_denoising import write_series_page

        write_series_page(report, result, force=force)
    voice.result(result)
