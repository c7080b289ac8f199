"""The artefact: what training leaves and every task starts from. `Model` ⇄ .ism file."""

from __future__ import annotations

from pathlib import Path

from isthmus.model.artefact import Model
from isthmus.model.decoder import Decoder
from isthmus.model.detector import KIND, Detector
from isthmus.model.document import read_document

__all__ = ["Decoder", "Detector", "Model", "load_model"]


def load_model(path: str | Path) -> Model | Detector:
    """Read an .ism file of either kind.

    Raises:
        NoData, NotOurFile, NewerFormat, DamagedFile: see `Model.load`.
    """
    is_detector = read_document(Path(path))[0].get("kind") == KIND
    return Detector.load(path) if is_detector else Model.load(path)
