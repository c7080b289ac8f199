"""The decode part of a model: all that an archive needs to give its samples back.

It is what an archive embeds, what the model's hash covers, and nothing else: no encoder, no
provenance. Decoding is exact: the same bits on every machine (docs/decisions/0009). `to_bytes` and
`from_bytes` are inverses.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from isthmus.bottlenecks import Quantiser
from isthmus.coding.canonical import content_hash, pack_tensors, unpack_tensors
from isthmus.coding.latents import DEFAULT_QUALITY, TOLD_STEP, Grades, told, told_latents
from isthmus.coding.tables import Table, tables_from_bytes, tables_to_bytes
from isthmus.coding.version import FORMAT_VERSION, GRADED_VERSION, require_known_format
from isthmus.data.transforms import Transform
from isthmus.errors import ConfigError, DamagedFile, UnknownName
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.numpy_runner import IntegerRunner
from isthmus.exact.ops import ops_from_json
from isthmus.exact.program import IntegerProgram
from isthmus.exact.shapes import shapes_of
from isthmus.exact.weights import from_tensors, to_tensors
from isthmus.limits import DEFAULT_LIMITS
from isthmus.model.golden import SIDE, golden_crc, require_exact
from isthmus.model.shorthand import Patches, lengthened, shortened
from isthmus.spec import DataSpec

MAX_STRIDE = 1 << 12
MAX_CODE = 1 << 20
"""Numbers in a code, where its sides do not vary; the golden one is drawn number by number."""


_GRADES = "grades."


@dataclass(frozen=True, kw_only=True, eq=False)
class Decoder:
    """Symbols → samples."""

    transform: Transform
    program: IntegerProgram
    """Symbols → tensors, in integers."""
    stride: int
    """Pixels per position of the code."""
    tables: tuple[Table, ...]
    """One for each latent channel; for models without grades."""
    grades: Grades | None = None
    """How the symbols are coded, and rounded, at every quality."""

    @property
    def spec(self) -> DataSpec:
        """The kind of sample that comes out."""
        return self.transform.spec

    @property
    def code(self) -> tuple[int | None, ...]:
        """Shape of one code (channel, *position); None where it follows the image's size."""
        if self.grades is None:
            return self.program.start
        return (self.grades.neighbours.channels, *self.program.start[1:])

    @cached_property
    def quantiser(self) -> Quantiser:
        """Latents ⇄ symbols, as the encoder does it at the default quality."""
        return self.quantiser_at(None)

    def quantiser_at(self, quality: int | None) -> Quantiser:
        """Latents ⇄ symbols at a quality; without grades there is but one."""
        if self.grades is None:
            return Quantiser(self.program.step, self.program.offset)
        steps = self.grades.levels.steps(quality or DEFAULT_QUALITY)
        return Quantiser(steps, 0 * steps)

    @cached_property
    def hash(self) -> str:
        """SHA-256, hexadecimal, over the canonical document and the integer tensors."""
        return content_hash(self.document(), self.tensors())

    @cached_property
    def golden(self) -> int:
        """The CRC-32 of what this decoder makes of a few symbols; a machine that makes another is refused."""
        return golden_crc(self)

    def document(self) -> dict[str, Any]:
        """Everything that is not a tensor, JSON-ready."""
        transform = self.transform.to_dict()
        return {
            "format": FORMAT_VERSION if self.grades is None else GRADED_VERSION,
            "spec": transform.pop("spec"),
            "transform": transform,
            "ops": [op.to_json() for op in self.program.ops],
            "code": list(self.program.start),
            "stride": self.stride,
            "golden": self.golden,
        }

    def tensors(self) -> dict[str, np.ndarray]:
        """Everything else, as integer arrays by name."""
        return {
            **to_tensors(self.program.weights),
            **{f"{_GRADES}{name}": array for name, array in self._grade_tensors().items()},
            "quantiser.step": self.program.step.view(np.int32),
            "quantiser.offset": self.program.offset.view(np.int32),
            "tables": np.frombuffer(tables_to_bytes(list(self.tables)), np.uint8),
        }

    def _grade_tensors(self) -> dict[str, np.ndarray]:
        return {} if self.grades is None else self.grades.tensors()

    @classmethod
    def from_parts(cls, document: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Decoder:
        """Undo `document` and `tensors`.

        Raises:
            NewerFormat, DamagedFile: they are of a later version, or do not make a decoder.
            MachineError: this machine does not decode exactly.
        """
        try:
            require_known_format(document["format"], "The model")
            made = cls._from_parts(document, dict(tensors))
            golden = operator.index(document["golden"])
        except (KeyError, TypeError, ValueError, AttributeError, ConfigError, UnknownName) as wrong:
            raise DamagedFile(
                f"The model's decode part lacks or misstates {wrong}; fetch it again."
            ) from wrong
        require_exact(made, golden)
        return made

    @classmethod
    def _from_parts(cls, document: Mapping[str, Any], tensors: dict[str, np.ndarray]) -> Decoder:
        transform = Transform.from_dict({**document["transform"], "spec": document["spec"]})
        start, stride = _code(document["code"]), operator.index(document["stride"])
        coded = (start[0] or 0) - (document["format"] == GRADED_VERSION)
        tensors = lengthened(tensors, Patches(transform.spec.channels, stride, coded))
        step, offset = tensors.pop("quantiser.step"), tensors.pop("quantiser.offset")
        tables = tuple(tables_from_bytes(tensors.pop("tables").tobytes()))
        named = [name for name in tensors if name.startswith(_GRADES)]
        graded = {name.removeprefix(_GRADES): tensors.pop(name) for name in named}
        if bool(graded) != (document["format"] == GRADED_VERSION):
            raise ValueError("its grades")
        made = cls(
            transform=transform,
            program=IntegerProgram(
                start=start,
                ops=ops_from_json(document["ops"]),
                weights=from_tensors(tensors),
                step=step.view(np.float32),
                offset=offset.view(np.float32),
            ),
            stride=stride,
            tables=tables,
            grades=Grades.from_tensors(graded) if graded else None,
        )
        made._require_sense()
        return made

    def _require_sense(self) -> None:
        """Raise ValueError where the parts, each possible by itself, do not belong together."""
        sides = self.spec.modality == "image" and len(self.code) == 3
        parts = {
            "its scale": all(math.isfinite(number) and number for number in self.transform.scale),
            "its offset": all(map(math.isfinite, self.transform.offset)),
            "its stride": 0 < self.stride <= MAX_STRIDE,
            "the sides of its code": sides or None not in self.code,
            "its steps": self.program.step.shape == self.program.start[:1],
            "its tables": len(self.tables) == self.code[0],
            "its grades": self.grades is None or self.program.start[0] == self.grades.neighbours.channels + 1,
            "what it makes": self._makes_samples(),
        }
        for part, makes_sense in parts.items():
            if not makes_sense:
                raise ValueError(part)

    def _makes_samples(self) -> bool:
        """Whether tensors come out as large as the samples, before they are cropped."""
        weights = {name: stored.values.shape for name, stored in self.program.weights.items()}
        weights |= {f"quantiser.{name}": self.program.step.shape for name in ("step", "offset")}
        start = tuple(SIDE if side is None else side for side in self.program.start)
        made = shapes_of(self.program.ops, start, weights)[-1]
        wanted = self.spec.tensor_shape
        if None in wanted:
            return made == (wanted[0], *(side and side * self.stride for side in start[1:]))
        if self.spec.modality != "image":
            return made == wanted
        rows = zip(made[1:], wanted[1:], strict=True)
        return made[:1] == wanted[:1] and all((have or 0) >= (want or 0) for have, want in rows)

    def to_bytes(self) -> bytes:
        """The compact form that archives embed."""
        return self._packed

    @cached_property
    def _packed(self) -> bytes:
        patches = Patches(self.spec.channels, self.stride, self.code[0] or 0)
        return pack_tensors(self.document(), shortened(self.tensors(), patches))

    @classmethod
    def from_bytes(cls, data: bytes, *, max_bytes: int = DEFAULT_LIMITS.model_bytes) -> Decoder:
        """Undo `to_bytes`; refuse to unpack more than `max_bytes`."""
        return cls.from_parts(*unpack_tensors(data, max_bytes=max_bytes))

    def code_shape(self, size: tuple[int, ...] = ()) -> tuple[int, ...]:
        """The shape of one sample's code; `size` is its height and width, for images."""
        sides = (-(-side // self.stride) for side in size)
        return tuple(next(sides) if length is None else length for length in self.code)

    def decode(
        self,
        symbols: np.ndarray,
        size: tuple[int, ...] | None = None,
        *,
        quality: int | None = None,
        approximate: bool = False,
    ) -> np.ndarray:
        """int32 symbols (batch, channel, *position) → samples in their own type and layout.

        Args:
            symbols: as the entropy coder gives them.
            size: height and width to crop to, for images of mixed sizes.
            quality: at which they were rounded, where the model has grades; None is the default one.
            approximate: compute in float32 instead: without integers' rounding, and the last bits
                may differ from machine to machine.
        """
        samples = np.empty((len(symbols), *self._sample_shape(symbols, size)), self.spec.dtype)
        into = self.transform.arranged(samples)
        symbols = self._told(symbols, quality)
        if approximate:
            run = FloatRunner(self._program_at(quality).approximate()).in_fixed_batches
            run(symbols, after=self.transform.unscaled, into=into)
        else:
            self._runner_at(quality)(symbols, self._exact_samples, into)
        return samples

    def exact_tensors(self, symbols: np.ndarray) -> np.ndarray:
        """int32 symbols → whole numbers in units of `program.result`: tensors, not cropped."""
        return self._runner_at(None)(self._told(symbols, None))

    def reconstruct(self, latents: np.ndarray, size: tuple[int, ...] | None = None) -> np.ndarray:
        """float32 latents (batch, channel, *position) → tensors in the samples' tensor layout, in float32.

        Args:
            latents: as the encoder or `Quantiser.dequantise` gives them.
            size: height and width to crop to, for images of mixed sizes.
        """
        if self.grades is not None:
            latents = told_latents(latents, DEFAULT_QUALITY)
        tensors = self._from_latents.in_fixed_batches(latents)
        if self.spec.modality != "image":
            return tensors
        height, width = size or self.spec.tensor_shape[1:]
        return tensors[..., :height, :width]  # a side of None crops nothing

    def _exact_samples(self, made: np.ndarray) -> np.ndarray:
        # A power of two times a whole number of 16 bits: exact. So is what `unscaled` does: single
        # operations of IEEE 754, one after the other, on each value by itself.
        tensors = made * np.float32(2.0**self.program.result.exponent)
        with np.errstate(over="ignore", invalid="ignore"):  # a scale from a hostile file may lead beyond
            return self.transform.unscaled(tensors)

    def _sample_shape(self, symbols: np.ndarray, size: tuple[int, ...] | None) -> tuple[int, ...]:
        """Of one sample that these symbols give; None in the spec crops nothing."""
        if self.spec.modality != "image":
            return tuple(side or 0 for side in self.spec.shape)
        uncropped = (side * self.stride for side in symbols.shape[2:])
        sides = (next(uncropped) if side is None else side for side in size or self.spec.shape[:2])
        return (*sides, *(side or 0 for side in self.spec.shape[2:]))

    def _told(self, symbols: np.ndarray, quality: int | None) -> np.ndarray:
        return symbols if self.grades is None else told(symbols, quality or DEFAULT_QUALITY)

    def _program_at(self, quality: int | None) -> IntegerProgram:
        if quality is None or self.grades is None:
            return self.program
        return replace(self.program, step=np.append(self.grades.levels.steps(quality), TOLD_STEP))

    def _runner_at(self, quality: int | None) -> IntegerRunner:
        """The runner of the quality asked for last: blocks of one archive hardly ever differ in it."""
        if self._ready.get("quality") != (quality,):
            self._ready.update(quality=(quality,), runner=IntegerRunner(self._program_at(quality)))
        runner: IntegerRunner = self._ready["runner"]
        return runner

    @cached_property
    def _ready(self) -> dict[str, Any]:
        return {}

    @cached_property
    def _from_latents(self) -> FloatRunner:
        return FloatRunner(self.program.approximate().without_first())


def _code(lengths: list[int | None]) -> tuple[int | None, ...]:
    whole = all(length is None or 0 < operator.index(length) < 1 << 20 for length in lengths)
    known = math.prod(SIDE if length is None else length for length in lengths)
    if not lengths or lengths[0] is None or not whole or known > MAX_CODE:
        raise ValueError(f"its code shape {lengths}")
    return tuple(lengths)
