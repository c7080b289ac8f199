"""The artefact: what training leaves and every task starts from. `Model` ⇄ .ism file."""

from __future__ import annotations

from pathlib import Path

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
    "load_model",
]

AnyModel = Model | Saved
"""A codec, or something else that was learned."""


def load_model(path: str | Path) -> AnyModel:
    """Read an .ism file of any kind.

    Raises:
        NoData, NotOurFile, NewerFormat, DamagedFile: see `Model.load`.
    """
    kind = read_document(Path(path))[0].get("kind")
    found: type[AnyModel] = next((each for each in _KINDS if each.kind == kind), Model)
    return found.load(path)


_KINDS: tuple[type[Saved], ...] = (
    Detector,
    SeriesDetector,
    Denoiser,
    SoundDenoiser,
    SeriesDenoiser,
    VideoModel,
)
