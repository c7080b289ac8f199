"""The artefact: what training leaves and every task starts from. `Model` ⇄ .ism file."""

from __future__ import annotations

from pathlib import Path

from isthmus.model import denoiser, detector
from isthmus.model.artefact import Model
from isthmus.model.decoder import Decoder
from isthmus.model.denoiser import Denoiser
from isthmus.model.detector import Detector
from isthmus.model.document import read_document

__all__ = ["Decoder", "Denoiser", "Detector", "Model", "load_model"]

AnyModel = Model | Detector | Denoiser


def load_model(path: str | Path) -> AnyModel:
    """Read an .ism file of any kind.

    Raises:
        NoData, NotOurFile, NewerFormat, DamagedFile: see `Model.load`.
    """
    kind = read_document(Path(path))[0].get("kind")
    if kind == detector.KIND:
        return Detector.load(path)
    return Denoiser.load(path) if kind == denoiser.KIND else Model.load(path)
