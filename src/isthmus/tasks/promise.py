"""What an archive promises about its samples: close, within a bound, or equal. It stands in the header."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isthmus.coding.bound import Bound, finite_range
from isthmus.data import Source
from isthmus.data.grouping import archive_blocks
from isthmus.errors import DamagedFile, UseError

LOSSY, BOUNDED, LOSSLESS = "lossy", "bounded", "lossless"
MODES = (LOSSY, BOUNDED, LOSSLESS)
ERROR_MODES = ("abs", "rel", "pointwise")
PREVIEW, BOUND = "preview", "bound"
ROLES = (PREVIEW, BOUND, LOSSLESS)
"""The layers a block may have, coarsest first; the last is called like the mode it serves."""


@dataclass(frozen=True)
class Promise:
    """What was asked, and the bound that follows."""

    mode: str
    bound: Bound | None = None
    """Of the layer "bound"; also where a lossless layer follows."""
    asked: tuple[str, float] | None = None
    """The words in which the bound was asked for: ("rel", 0.001), ("psnr", 60.0)."""

    @property
    def targets(self) -> tuple[tuple[str, Bound | None], ...]:
        """The layers that every block must have, coarsest first, with what each must keep."""
        targets: list[tuple[str, Bound | None]] = []
        if self.bound is not None:
            targets.append((BOUND, self.bound))
        if self.mode == LOSSLESS:
            targets.append((LOSSLESS, None))
        return tuple(targets)

    def summary(self) -> str:
        """A few words for people: "every error at most 0.01 (rel 0.001)"."""
        if self.bound is None:
            return {LOSSY: "lossy", LOSSLESS: "lossless, bit for bit"}[self.mode]
        of = " times the value" if self.bound.pointwise else ""
        words = f"every error at most {self.bound.value:.6g}{of}"
        if self.asked is not None and self.asked[0] in ("rel", "psnr"):
            words += f" ({self.asked[0]} {self.asked[1]:g})"
        return f"lossless, with a layer of {words}" if self.mode == LOSSLESS else words

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, the fields of the header; `from_dict` undoes it."""
        values: dict[str, Any] = {"mode": self.mode}
        if self.bound is not None:
            values["bound"] = {"value": self.bound.value, "pointwise": self.bound.pointwise}
            values["bound"]["asked"] = list(self.asked or ())
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Promise:
        """Undo `to_dict`; DamagedFile for anything it would not have written."""
        try:
            mode, told = values["mode"], values.get("bound")
            if mode not in MODES or (mode == BOUNDED) > (told is not None) or (mode == LOSSY and told):
                raise ValueError(f"a mode {mode!r}")
            if told is None:
                return cls(mode)
            value, asked = float(told["value"]), tuple(told["asked"])
            if not math.isfinite(value) or value < 0 or not isinstance(told["pointwise"], bool):
                raise ValueError(f"a bound of {value}")
            return cls(mode, Bound(value, told["pointwise"]), asked or None)
        except (KeyError, TypeError, ValueError) as wrong:
            raise DamagedFile(f"The header lacks or misstates {wrong}.") from wrong


def choose_mode(mode: str | None, *, has_model: bool, bounded: bool) -> str:
    """The mode that was asked for; without a word, lossy with a model and lossless without.

    Raises:
        UseError: the wishes contradict each other.
    """
    if mode is not None and mode not in MODES:
        raise UseError(f"The mode must be one of {', '.join(MODES)}; got {mode!r}.")
    if mode == LOSSY and bounded:
        raise UseError("A lossy archive keeps no bound: leave out --lossy, or the bound.")
    if mode == LOSSY and not has_model:
        raise UseError(
            "A lossy archive needs a model: give one with -m MODEL.ism (isthmus fit makes it), or ask for "
            "a bound with --max-error, which needs none."
        )
    if mode == BOUNDED and not bounded:
        raise UseError("A bounded archive needs the bound: give --max-error or --target-psnr.")
    if mode is not None:
        return mode
    return BOUNDED if bounded else LOSSY if has_model else LOSSLESS


def make_bound(
    source: Source, max_error: float | None, error_mode: str, target_psnr: float | None
) -> tuple[Bound | None, tuple[str, float] | None]:
    """The bound that follows from what was asked, and what was asked.

    Raises:
        UseError: it is not possible, or two bounds were asked for.
    """
    if error_mode not in ERROR_MODES:
        raise UseError(f"--error-mode must be one of {', '.join(ERROR_MODES)}; got {error_mode!r}.")
    if max_error is not None and target_psnr is not None:
        raise UseError("Give --max-error or --target-psnr, not both.")
    if target_psnr is not None:
        if not 0 < target_psnr <= _MOST_PSNR:
            raise UseError(f"--target-psnr must be above 0 and at most {_MOST_PSNR:g} dB; got {target_psnr}.")
        return Bound.for_psnr(target_psnr, source.spec.low, source.spec.high), ("psnr", float(target_psnr))
    if max_error is None:
        return None, None
    if not (math.isfinite(max_error) and max_error >= 0):
        raise UseError(f"--max-error must be finite and at least 0; got {max_error}.")
    asked = (error_mode, float(max_error))
    if error_mode == "rel":
        return Bound.relative(max_error, *value_range(source)), asked
    return Bound(float(max_error), error_mode == "pointwise"), asked


_MOST_PSNR = 300.0


def value_range(source: Source) -> tuple[float, float]:
    """The least and the greatest finite value of the whole source, read block by block."""
    ranges = []
    for block in archive_blocks(source):
        stacks = [source.stack(block)] if source.spec.is_fixed else source.read(block)
        ranges += [finite_range(stack) for stack in stacks if stack.size and _any_finite(stack)]
    return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else (0.0, 0.0)


def _any_finite(values: np.ndarray) -> bool:
    return values.dtype.kind != "f" or bool(np.isfinite(values).any())
