"""What `isthmus fit` does with each kind of data: one function a kind of model."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isthmus.cli.faults import Stopped
from isthmus.cli.progress import learning_bar
from isthmus.cli.series import takes_series
from isthmus.cli.voice import Voice
from isthmus.cli.wishes import FitWishes
from isthmus.errors import UseError

if TYPE_CHECKING:
    from isthmus.tasks.results import Result

DENOISE, DETECT = "denoise", "detect"


def learn(voice: Voice, asked: FitWishes) -> Result:
    """What suits SOURCE, and what was asked."""
    from isthmus.data.tables import is_table
    from isthmus.data.video import is_video
    from isthmus.threads import limit_threads

    if asked.recipe == DENOISE:
        limit_threads(asked.threads)
        with learning_bar(voice, "learning") as progress:
            return _denoiser(asked, strict=voice.strict, say=voice.say, progress=progress)
    if asked.as_ or is_table(asked.source):
        limit_threads(asked.threads)
        asked = replace(asked, for_=None) if asked.for_ == DETECT else asked
        if takes_series(
            asked.source, asked.as_, schema=asked.schema, ignore=asked.ignore, header=asked.header
        ):
            return _series_detector(voice, asked)
        return _table_detector(voice, asked)
    if asked.noise is not None or asked.levels is not None or asked.noisy:
        raise UseError("--noise, --levels and --noisy are for denoisers: add --recipe denoise.")
    return _video_codec(voice, asked) if is_video(asked.source) else _codec(voice, asked)


def _series_detector(voice: Voice, asked: FitWishes) -> Result:
    from isthmus.tasks.series.detect import fit_series_detector

    asked.only("A detector of series", "mode", "as_", "stamp", "schema", "header", "ignore")
    return fit_series_detector(
        asked.source, asked.output, mode=asked.mode, stamp=asked.stamp, schema=asked.schema,
        ignore=asked.ignore, header=asked.header, skip_bad=asked.skip_bad, force=asked.force,
        strict=voice.strict, say=voice.say,
    )  # fmt: skip


def _table_detector(voice: Voice, asked: FitWishes) -> Result:
    from isthmus.tasks.detect import fit_detector

    if asked.stamp is not None:
        raise UseError("--stamp is for detectors of series: add --as series, or leave it out.")
    asked.only("A detector of tables", "mode", "as_", "schema", "header", "ignore", "budget_s")
    return fit_detector(
        asked.source, asked.output, mode=asked.mode, schema=asked.schema, ignore=asked.ignore,
        header=asked.header, budget_s=asked.budget_s, seed=asked.seed or 0, skip_bad=asked.skip_bad,
        force=asked.force, strict=voice.strict, say=voice.say,
    )  # fmt: skip


def _denoiser(asked: FitWishes, **heard: Any) -> Result:
    """One of recordings, of video, of a series or of images, as SOURCE is."""
    from isthmus.data.audio import is_audio
    from isthmus.data.series import is_series
    from isthmus.data.tables import is_table
    from isthmus.data.video import is_video
    from isthmus.tasks.denoise import fit_denoiser
    from isthmus.tasks.denoise_series import fit_series_denoiser
    from isthmus.tasks.sound import WHITE, fit_sound_denoiser
    from isthmus.tasks.video.denoising import fit_video_denoiser

    common = heard | {
        "budget_s": asked.budget_s, "seed": asked.seed or 0, "skip_bad": asked.skip_bad, "force": asked.force,
    }  # fmt: skip
    if is_audio(asked.source):
        asked.only("A denoiser of recordings", "recipe", "budget_s", "noise")
        noise = None if asked.noise in (None, WHITE) else asked.noise
        return fit_sound_denoiser(asked.source, asked.output, noise=noise, **common)
    asked.only("A denoiser", "recipe", "budget_s", "noise", "levels", "noisy")
    common |= {"noise": asked.noise or "gaussian", "levels": asked.levels, "from_noisy": asked.noisy}
    if is_video(asked.source):
        return fit_video_denoiser(asked.source, asked.output, **common)
    if is_table(asked.source) or is_series(asked.source):
        return fit_series_denoiser(asked.source, asked.output, **common)
    return fit_denoiser(asked.source, asked.output, **common)


def _video_codec(voice: Voice, asked: FitWishes) -> Result:
    from isthmus.tasks.video.learning import fit_video

    asked.only("A model of video", "set_", "budget_s", "device")
    return fit_video(
        asked.source, asked.output, budget_s=asked.budget_s, settings=_settings(asked),
        skip_bad=asked.skip_bad, strict=voice.strict, force=asked.force, quiet=voice.quiet, say=voice.say,
    )  # fmt: skip


def _codec(voice: Voice, asked: FitWishes) -> Result:
    """An autoencoder of images or arrays."""
    from isthmus.model import Model
    from isthmus.tasks.fit import fit

    asked.only("A codec", "recipe", "set_", "budget_s", "for_", "from_", "resume", "device")
    try:
        result = fit(
            asked.source, asked.output, recipe=asked.recipe, settings=_settings(asked),
            budget_s=asked.budget_s, purpose=asked.for_,
            start=None if asked.from_ is None else Model.load(asked.from_), resume=asked.resume,
            skip_bad=asked.skip_bad, force=asked.force, quiet=voice.quiet, say=voice.say,
        )  # fmt: skip
    except KeyboardInterrupt as stop:
        raise Stopped(how_to_resume(asked.output)) from stop
    voice.detail(f"history, settings and checkpoint in {result.run}")
    voice.detail(f"stopped after {result.steps:,} steps ({result.stopped}); best after {result.best_step:,}")
    return result


def _settings(asked: FitWishes) -> list[str]:
    return [
        *(asked.set_ or []),
        *train_settings(seed=asked.seed, threads=asked.threads, device=asked.device),
    ]


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
