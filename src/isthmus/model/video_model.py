"""Two autoencoders that together tell video ⇄ `.ism`: one of pictures, one of what was not expected.

Both see planes of 8 bits as grey images of any size. The second one's are differences to the frame before as
it came back, moved: 128 where nothing changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from isthmus.coding.canonical import content_hash
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.limits import DEFAULT_LIMITS
from isthmus.model.artefact import Model
from isthmus.model.decoder import Decoder
from isthmus.model.document import under
from isthmus.model.saved import Saved
from isthmus.spec import DataSpec

PLANE = DataSpec(modality="image", axes=("height", "width"), shape=(None, None), dtype="uint8")
"""What both halves code."""
NOTHING = 128
"""Stands for no difference."""
_FIRST, _LATER = "first.", "later."


@dataclass(frozen=True, eq=False)
class VideoDecoder:
    """The decode parts of both: what an archive embeds."""

    first: Decoder
    later: Decoder

    @cached_property
    def packed(self) -> bytes:
        """The compact form; `from_bytes` undoes it."""
        first = self.first.to_bytes()
        return write_varint(len(first)) + first + self.later.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes, *, max_bytes: int = DEFAULT_LIMITS.model_bytes) -> VideoDecoder:
        """Undo `packed`; DamagedFile where that is impossible."""
        fields = ByteReader(data, "The model of video")
        first = Decoder.from_bytes(fields.sized(), max_bytes=max_bytes)
        return cls(first, Decoder.from_bytes(fields.rest(), max_bytes=max_bytes))

    @cached_property
    def hash(self) -> str:
        """The model's identity."""
        return content_hash({"first": self.first.hash, "later": self.later.hash}, {})


@dataclass(frozen=True, kw_only=True, eq=False)
class VideoModel(Saved):
    """What codes video at every quality."""

    kind = "video model"
    made_by = "isthmus fit clip.mp4"

    first: Model
    """Of the planes of frames that stand alone."""
    later: Model
    """Of differences."""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def decoder(self) -> VideoDecoder:
        """The decode parts."""
        return VideoDecoder(self.first.decoder, self.later.decoder)

    @property
    def hash(self) -> str:
        """The model's identity: that of its decode parts."""
        return self.decoder.hash

    def told(self) -> dict[str, Any]:
        """All but tensors and provenance, JSON-ready."""
        return {"first": self.first.document(), "later": self.later.document()}

    def tensors(self) -> Mapping[str, np.ndarray]:
        """Of both."""
        pairs = ((_FIRST, self.first), (_LATER, self.later))
        return {prefix + name: each for prefix, model in pairs for name, each in model.tensors().items()}

    @classmethod
    def from_saved(cls, document: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> VideoModel:
        """Undo `told` and `tensors`."""
        first, later = (
            Model.from_document(document[name], under(f"{name}.", tensors), f"The {name} half")
            for name in ("first", "later")
        )
        if not first.spec.accepts(PLANE) or not later.spec.accepts(PLANE):
            raise ValueError("halves that code no planes")
        return cls(first=first, later=later, provenance=dict(document["provenance"]))

    def summary(self) -> str:
        """What it is for."""
        return "model of video"

    def facts(self) -> dict[str, str]:
        """What `info` tells."""
        return {
            "codes": "video of 8 bits, at qualities 1 to 100",
            "hash": self.hash,
            "embedded": f"{len(self.decoder.packed):,} bytes",
            "learned": ", ".join(f"{key} {value}" for key, value in self.provenance.items()),
        }
