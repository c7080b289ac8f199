"""The artefact: what training leaves and every task starts from. `Model` ⇄ .ism file."""

from isthmus.model.artefact import Model
from isthmus.model.decoder import Decoder

__all__ = ["Decoder", "Model"]
