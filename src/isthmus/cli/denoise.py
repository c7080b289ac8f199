"""`isthmus denoise`: noisy samples and model → samples without noise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from isthmus.cli.options import Force, SkipBad, SourceArgument, Threads, default_output
from isthmus.cli.progress import progress_bar
from isthmus.cli.voice import Voice, command


@command("isthmus denoise noisy/ -m photos.ism -o clean/")
def denoise(
    voice: Voice,
    source: SourceArgument,
    model: Annotated[
        Path,
        Option(
            "--model",
            "-m",
            metavar="MODEL.ism",
            help="Made by `isthmus fit … --recipe denoise`.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="DIR", help="Default: a folder of SOURCE's name.")
    ] = None,
    level: Annotated[
        float | None,
        Option(
            metavar="SIGMA",
            help="Standard deviation of the noise, in the samples' units.",
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
    skip_bad: SkipBad = False,
    force: Force = False,
    threads: Threads = None,
) -> None:
    """Take the noise from samples."""
    from isthmus.threads import limit_threads

    limit_threads(threads)
    from isthmus.data import open_source
    from isthmus.model.denoiser import Denoiser
    from isthmus.tasks.denoise import denoise as run

    opened = open_source(source, skip_bad=skip_bad)
    voice.left_out(f"{item.name}: {item.reason}" for item in opened.skipped)
    target = output or default_output(source, "-denoised")
    with progress_bar(voice, "denoising", opened.raw_bytes) as progress:
        result = run(
            opened,
            Denoiser.load(model),
            target,
            level=level,
            mask=mask,
            clean=clean,
            force=force,
            progress=progress,
        )
    if report is not None:
        from isthmus.reports.denoising import write_denoising

        write_denoising(report, opened, target, clean, result, force=force)
    voice.result(result)
