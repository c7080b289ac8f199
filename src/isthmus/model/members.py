"""Several small autoencoders for rows, side by side: matrix → codes and what they leave unexplained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

LAYERS = ("in", "code", "out", "back")
"""features → hidden → code → hidden → features; a relu behind the first and the third."""


@dataclass(frozen=True, eq=False)
class Members:
    """Weights of members: codes are relu(x·in + bias)·code + bias, rows relu(z·out + bias)·back + bias."""

    weights: Mapping[str, np.ndarray]
    """float32 by layer: (member, inputs, outputs)."""
    biases: Mapping[str, np.ndarray]
    """float32 by layer: (member, outputs)."""
    latents: np.ndarray
    """int64 (member,): how many of the code's numbers each one has; the rest are 0."""
    folds: int
    """Member m has not learned from the rows whose fold is m % folds; with 1, each knows all rows."""

    def __len__(self) -> int:
        return len(self.latents)

    @property
    def features(self) -> int:
        """Of a row."""
        return int(self.weights["in"].shape[1])

    def encode(self, member: int, rows: np.ndarray) -> np.ndarray:
        """(rows, features) → float64 (rows, latents of the member)."""
        hidden = np.maximum(self._apply("in", member, rows), 0)
        return self._apply("code", member, hidden)[:, : self.latents[member]]

    def decode(self, member: int, codes: np.ndarray) -> np.ndarray:
        """(rows, latents of the member) → float64 (rows, features)."""
        known = self._exact["out"][member, : self.latents[member]]
        hidden = np.maximum(codes @ known + self.biases["out"][member], 0)
        return self._apply("back", member, hidden)

    def restore(self, rows: np.ndarray) -> np.ndarray:
        """float64 (rows, features): what the members make of rows, on average."""
        made = [self.decode(member, self.encode(member, rows)) for member in range(len(self))]
        mean: np.ndarray = np.mean(np.stack(made), axis=0)
        return mean

    def codes(self, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Each member's code of the rows, and what it leaves unexplained of them."""
        for member in range(len(self)):
            code = self.encode(member, rows)
            yield code, rows - self.decode(member, code)

    def _apply(self, layer: str, member: int, rows: np.ndarray) -> np.ndarray:
        made: np.ndarray = rows @ self._exact[layer][member] + self.biases[layer][member]
        return made

    @cached_property
    def _exact(self) -> Mapping[str, np.ndarray]:
        """The weights in float64: a row's code may not depend on the rows beside it."""
        return {layer: weights.astype(np.float64) for layer, weights in self.weights.items()}

    def to_parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """JSON-ready, and arrays by name; `from_parts` undoes it."""
        arrays = {f"{layer}.weight": self.weights[layer] for layer in LAYERS}
        arrays |= {f"{layer}.bias": self.biases[layer] for layer in LAYERS}
        return {"latents": self.latents.tolist(), "folds": self.folds}, arrays

    @classmethod
    def from_parts(cls, told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Members:
        """Undo `to_parts`; ValueError or KeyError for what it would not have given."""
        weights = {layer: _floats(arrays[f"{layer}.weight"], 3) for layer in LAYERS}
        biases = {layer: _floats(arrays[f"{layer}.bias"], 2) for layer in LAYERS}
        latents, folds = np.array(told["latents"], np.int64), int(told["folds"])
        members, features, hidden = weights["in"].shape
        most = weights["code"].shape[2]
        shapes = [(features, hidden), (hidden, most), (most, hidden), (hidden, features)]
        fitting = all(
            weights[layer].shape == (members, *shape) and biases[layer].shape == (members, shape[1])
            for layer, shape in zip(LAYERS, shapes, strict=True)
        )
        if not fitting or latents.shape != (members,) or not ((latents > 0) & (latents <= most)).all():
            raise ValueError("members whose weights do not fit one another")
        if not 1 <= folds <= members:
            raise ValueError("folds of members")
        return cls(weights, biases, latents, folds)


def _floats(array: np.ndarray, axes: int) -> np.ndarray:
    if array.ndim != axes or array.dtype != np.float32 or not np.isfinite(array).all():
        raise ValueError("weights of a member")
    return array
