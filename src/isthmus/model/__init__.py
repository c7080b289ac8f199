"""The artefact: what training leaves and every task starts from. `Model` ⇄ .ism file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from isthmus.errors import UseError
from isthmus.model.artefact import Model
from isthmus.model.decoder import Decoder
from isthmus.model.denoiser import Denoiser
from isthmus.model.detector import Detector
from isthmus.model.document import read_document
from isthmus.model.saved import Saved
from isthmus.model.series_denoiser import SeriesDenoiser
from isthmus.model.series_detector import SeriesDetector
from isthmus.model.sound_denoiser import SoundDenoiser
from isthmus.model.video_model import VideoModel

__all__ = [
    "Decoder",
    "Denoiser",
    "Detector",
    "Model",
    "Saved",
    "SeriesDenoiser",
    "SeriesDetector",
    "SoundDenoiser",
    "VideoModel",
    "as_kind",
    "as_model",
    "load_model",
]

AnyModel = Model | Saved
"""A codec, or something else that was learned."""
AnyKind = TypeVar("AnyKind", bound=AnyModel)


def as_model(given: Any) -> AnyModel | None:
    """The model that a caller means: a model or None as it is, the path of one, or a fitted estimator's.

    Raises:
        UseError: it is nothing of these.
        NoData, NotOurFile, NewerFormat, DamagedFile: see `load_model`.
    """
    if given is None or isinstance(given, AnyModel):
        return given
    if isinstance(given, (str, Path)):
        return load_model(given)
    fitted = (getattr(given, name, None) for name in _FITTED)
    found = next((model for model in fitted if isinstance(model, AnyModel)), None)
    if found is None:
        raise UseError(
            "A model must be the path of an .ism file, what `fit` or `load` returned, or a fitted estimator; "
            f"got {type(given).__name__}."
        )
    return found


def as_kind(given: Any, kind: type[AnyKind]) -> AnyKind:
    """As `as_model`, where a task needs a model of one kind.

    Raises:
        UseError: there is none, or it is a model of another kind.
    """
    model = as_model(given)
    if not isinstance(model, kind):
        what = "None" if model is None else f"a {model.kind}"
        raise UseError(f"This needs a model that is a {kind.kind}; got {what}. Make one: {kind.made_by}")
    return model


def load_model(path: str | Path) -> AnyModel:
    """Read an .ism file of any kind.

    Raises:
        NoData, NotOurFile, NewerFormat, DamagedFile: see `Model.load`.
    """
    kind = read_document(Path(path))[0].get("kind")
    found: type[AnyModel] = next((each for each in _KINDS if each.kind == kind), Model)
    return found.load(path)


_FITTED = ("model", "detector", "denoiser", "model_", "detector_")
"""What results of fitting, and fitted estimators, call their model."""
_KINDS: tuple[type[Saved], ...] = (
    Detector,
    SeriesDetector,
    Denoiser,
    SoundDenoiser,
    SeriesDenoiser,
    VideoModel,
)
