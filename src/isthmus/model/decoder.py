"""The decode part of a model: all that an archive needs to give its samples back.

It is what an archive embeds, what the model's hash covers, and nothing else: no encoder, no
provenance. `to_bytes` and `from_bytes` are inverses.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from isthmus.bottlenecks import Quantiser
from isthmus.coding.canonical import content_hash, pack_tensors, unpack_tensors
from isthmus.coding.tables import Table, tables_from_bytes, tables_to_bytes
from isthmus.config import NetConfig, PartConfig
from isthmus.data.transforms import Transform
from isthmus.errors import ConfigError, DamagedFile, NewerFormat, UnknownName
from isthmus.model.weights import IntegerWeights, from_tensors, to_tensors
from isthmus.spec import DataSpec

FORMAT_VERSION = 0
MAX_STRIDE = 1 << 12


@dataclass(frozen=True, kw_only=True, eq=False)
class Decoder:
    """Symbols → samples."""

    transform: Transform
    net: NetConfig
    code: tuple[int | None, ...]
    """Shape of one code (channel, *position); None where it follows the image's size."""
    stride: int
    """Pixels per position of the code."""
    quantiser: Quantiser
    tables: tuple[Table, ...]
    """One for each latent channel."""
    weights: Mapping[str, IntegerWeights]

    @property
    def spec(self) -> DataSpec:
        """The kind of sample that comes out."""
        return self.transform.spec

    @cached_property
    def hash(self) -> str:
        """SHA-256, hexadecimal, over the canonical document and the integer tensors."""
        return content_hash(self.document(), self.tensors())

    def document(self) -> dict[str, Any]:
        """Everything that is not a tensor, JSON-ready."""
        transform = self.transform.to_dict()
        return {
            "format": FORMAT_VERSION,
            "spec": transform.pop("spec"),
            "transform": transform,
            "latent": self.net.latent,
            "decoder": {"name": self.net.decoder.name, **self.net.decoder.options},
            "output": self.net.output,
            "code": list(self.code),
            "stride": self.stride,
        }

    def tensors(self) -> dict[str, np.ndarray]:
        """Everything else, as integer arrays by name."""
        return {
            **to_tensors(self.weights),
            "quantiser.step": self.quantiser.step.view(np.int32),
            "quantiser.offset": self.quantiser.offset.view(np.int32),
            "tables": np.frombuffer(tables_to_bytes(list(self.tables)), np.uint8),
        }

    @classmethod
    def from_parts(cls, document: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Decoder:
        """Undo `document` and `tensors`."""
        try:
            if document["format"] > FORMAT_VERSION:
                raise NewerFormat(
                    f"The model has format {document['format']}; this version reads 0 to {FORMAT_VERSION}. "
                    "Update with `pip install -U isthmus`."
                )
            return cls._from_parts(document, dict(tensors))
        except (KeyError, TypeError, ValueError, AttributeError, ConfigError, UnknownName) as wrong:
            raise DamagedFile(
                f"The model's decode part lacks or misstates {wrong}; fetch it again."
            ) from wrong

    @classmethod
    def _from_parts(cls, document: Mapping[str, Any], tensors: dict[str, np.ndarray]) -> Decoder:
        decoder = dict(document["decoder"])
        step, offset = tensors.pop("quantiser.step"), tensors.pop("quantiser.offset")
        transform = Transform.from_dict({**document["transform"], "spec": document["spec"]})
        made = cls(
            transform=transform,
            net=NetConfig(
                latent=document["latent"],
                decoder=PartConfig(decoder.pop("name"), decoder),
                output=document["output"],
            ),
            code=_code(document["code"], document["latent"]),
            stride=operator.index(document["stride"]),
            quantiser=Quantiser(step.view(np.float32), offset.view(np.float32)),
            tables=tuple(tables_from_bytes(tensors.pop("tables").tobytes())),
            weights=from_tensors(tensors),
        )
        made._require_sense()
        return made

    def _require_sense(self) -> None:
        """Raise ValueError where the parts, each possible by itself, do not belong together."""
        sides = self.spec.modality == "image" and len(self.code) == 3
        parts = {
            "its scale": all(math.isfinite(number) and number for number in self.transform.scale),
            "its stride": 0 < self.stride <= MAX_STRIDE,
            "the sides of its code": sides or None not in self.code,
            "its steps": self.quantiser.step.shape == self.quantiser.offset.shape == self.code[:1],
            "its tables": len(self.tables) == self.code[0],
        }
        for part, makes_sense in parts.items():
            if not makes_sense:
                raise ValueError(part)

    def to_bytes(self) -> bytes:
        """The compact form that archives embed."""
        return pack_tensors(self.document(), self.tensors())

    @classmethod
    def from_bytes(cls, data: bytes, *, max_bytes: int = 1 << 30) -> Decoder:
        """Undo `to_bytes`; refuse to unpack more than `max_bytes`."""
        return cls.from_parts(*unpack_tensors(data, max_bytes=max_bytes))

    @cached_property
    def _run(self) -> Any:
        from isthmus.nets.runtime import DecoderRuntime

        weights = {name: stored.to_float() for name, stored in self.weights.items()}
        return DecoderRuntime(self.spec, self.net, weights)

    def code_shape(self, size: tuple[int, ...] = ()) -> tuple[int, ...]:
        """The shape of one sample's code; `size` is its height and width, for images."""
        sides = (-(-side // self.stride) for side in size)
        return tuple(next(sides) if length is None else length for length in self.code)

    def reconstruct(self, latents: np.ndarray, size: tuple[int, ...] | None = None) -> np.ndarray:
        """float32 latents (batch, channel, *position) → tensors in the samples' tensor layout.

        Args:
            latents: as `Quantiser.dequantise` gives them.
            size: height and width to crop to, for images of mixed sizes.
        """
        return self._run(latents, size)

    def decode(self, symbols: np.ndarray, size: tuple[int, ...] | None = None) -> np.ndarray:
        """int32 symbols → samples in their own type and layout."""
        return self.transform.inverse(self.reconstruct(self.quantiser.dequantise(symbols), size))


def _code(lengths: list[int | None], latent: int) -> tuple[int | None, ...]:
    whole = all(length is None or 0 < operator.index(length) < 1 << 20 for length in lengths)
    if not lengths or lengths[0] != latent or not whole:
        raise ValueError(f"its code shape {lengths}")
    return tuple(lengths)
