"""The artefact: what training leaves and every task starts from. `Model` ⇄ .ism file."""

from __future__ import annotations

from pathlib import Path

from isthmus.model import denoiser, detector, sound_denoiser
from isthmus.model.artefact import Model
from isthmus.model.decoder import Decoder
from isthmus.model.denoiser import Denoiser
from isthmus.model.detector import Detector
from isthmus.model.document import read_document
from isthmus.model.sound_denoiser import SoundDenoiser

__all__ = ["Decoder", "Denoiser", "Detector", "Model", "SoundDenoiser", "load_model"]

AnyModel = Model | Detector | Denoiser | SoundDenoiser


def load_model(path: str | Path) -> AnyModel:
    """Read an .ism file of any kind.

    Raises:
        NoData, NotOurFile, NewerFormat, DamagedFile: see `Model.load`.
    """
    kind = read_document(Path(path))[0].get("kind")
    return _KINDS.get(kind, Model).load(path)


_KINDS: dict[str | None, type[Detector | Denoiser | SoundDenoiser]] = {
    detector.KIND: Detector,
    denoiser.KIND: Denoiser,
    sound_denoiser.KIND: SoundDenoiser,
}
