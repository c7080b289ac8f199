"""Float weights ⇄ integers with a power-of-two scale per row.

Stored integers are what the model's hash covers and what the archive embeds; the float weights
that the decoder runs with are exactly `values × 2**exponent`, the same on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from isthmus.errors import DamagedFile


@dataclass(frozen=True, eq=False)
class IntegerWeights:
    """One weight tensor as integers."""

    values: np.ndarray
    """int8 or int16, the tensor's own shape."""
    exponents: np.ndarray
    """int8, shape (rows,): row i stands for values[i] × 2**exponents[i]; one row if 1-D."""

    def to_float(self) -> np.ndarray:
        """The float32 tensor these integers stand for, without rounding."""
        if self.values.ndim < 2:
            return np.ldexp(self.values.astype(np.float32), int(self.exponents[0]))
        rows = self.exponents.reshape(-1, *[1] * (self.values.ndim - 1))
        return np.ldexp(self.values.astype(np.float32), rows.astype(np.int32))


def to_integers(weights: np.ndarray, *, bits: int) -> IntegerWeights:
    """Round each row of `weights` to `bits`-bit integers times a power of two.

    Vectors (biases) always keep 16 bits: they are few, and every output feels them.

    >>> stored = to_integers(np.float32([[0.5, -1.0], [4.0, 1.0]]), bits=8)
    >>> stored.values.tolist(), stored.exponents.tolist()
    ([[32, -64], [64, 16]], [-6, -4])
    >>> stored.to_float().tolist()
    [[0.5, -1.0], [4.0, 1.0]]
    """
    bits = 16 if weights.ndim < 2 else bits
    rows = weights.reshape(len(weights) if weights.ndim > 1 else 1, -1).astype(np.float64)
    peak = np.maximum(np.abs(rows).max(axis=1, initial=0.0), 2.0**-60)
    limit = 2 ** (bits - 1)
    exponents = np.ceil(np.log2(peak / (limit - 0.5))).astype(np.int8)
    # A row whose peak is exactly +2**k would need +limit: the clip costs it half a step at most.
    integers = np.clip(np.rint(np.ldexp(rows, -exponents[:, None].astype(np.int32))), -limit, limit - 1)
    kind = np.int8 if bits <= 8 else np.int16
    return IntegerWeights(integers.astype(kind).reshape(weights.shape), exponents)


def coarsened(stored: IntegerWeights, least: int) -> IntegerWeights:
    """Round the rows whose exponent is below `least` to it: units too fine to be felt cost carriers room.

    >>> stored = coarsened(to_integers(np.float32([[0.5, -1.0], [4.0, 1.0]]), bits=8), -5)
    >>> stored.values.tolist(), stored.exponents.tolist()
    ([[16, -32], [64, 16]], [-5, -4])
    """
    drop = np.maximum(0, least - stored.exponents.astype(np.intc))
    each = drop.reshape(-1, *[1] * (stored.values.ndim - 1)) if stored.values.ndim > 1 else drop
    values = np.rint(np.ldexp(stored.values.astype(np.float64), -each)).astype(stored.values.dtype)
    return IntegerWeights(values, (stored.exponents + drop).astype(np.int8))


def to_tensors(weights: Mapping[str, IntegerWeights]) -> dict[str, np.ndarray]:
    """Flatten to integer arrays by name; `from_tensors` undoes it."""
    tensors = {}
    for name, stored in weights.items():
        tensors[name] = stored.values
        tensors[f"{name}{_SUFFIX}"] = stored.exponents
    return tensors


def from_tensors(tensors: Mapping[str, np.ndarray]) -> dict[str, IntegerWeights]:
    """Undo `to_tensors`; raise DamagedFile where a pair does not fit together."""
    return {
        name: IntegerWeights(values, _exponents_of(name, values, tensors))
        for name, values in tensors.items()
        if not name.endswith(_SUFFIX)
    }


_SUFFIX = ".exponents"


def _exponents_of(name: str, values: np.ndarray, tensors: Mapping[str, np.ndarray]) -> np.ndarray:
    exponents = tensors.get(name + _SUFFIX)
    rows = len(values) if values.ndim > 1 else 1
    if values.dtype not in (np.int8, np.int16):
        raise DamagedFile(f"The model's tensor {name} is {values.dtype}, not int8 or int16; fetch it again.")
    if exponents is None or exponents.shape != (rows,) or exponents.dtype != np.int8:
        raise DamagedFile(f"The model's tensor {name} lacks its {rows} row exponents; fetch the file again.")
    return exponents
