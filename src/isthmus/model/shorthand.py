"""A decode part's tensors ⇄ the fewer bytes that archives embed: what a rule can tell is left out.

Nets of the image codec begin with the cosines of a patch. They are most of a model of large patches, and
the same in all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from isthmus.exact.cosines import FINE, cosine_weights

LESS = "less cosines: "
"""Begins the name of a tensor that is told as its difference from cosines."""
MOST = 64
"""Pixels across a patch, and channels of a pixel: to make more would take long."""


@dataclass(frozen=True)
class Patches:
    """What a decode part makes of one position of its code."""

    depth: int
    """Channels of a pixel."""
    stride: int
    """Pixels down and across."""
    channels: int
    """Of the code."""

    @property
    def values(self) -> int:
        """In a patch, and as many patterns."""
        return self.depth * self.stride**2

    @property
    def told(self) -> int:
        """How many of the patterns the code tells."""
        return min(self.values, self.channels)

    def may_be_told_by(self, name: str, tensor: np.ndarray) -> bool:
        """Whether a tensor is of the kind that can hold all its cosines."""
        weights = name.endswith(".weight") and tensor.dtype == np.int16 and tensor.shape[2:] == (1, 1)
        possible = 0 < self.stride <= MOST and self.stride % FINE == 0 and 0 < self.depth <= MOST
        return weights and possible and len(tensor) >= self.values and tensor.shape[1] >= self.told > 0


def shortened(tensors: Mapping[str, np.ndarray], patches: Patches) -> dict[str, np.ndarray]:
    """The tensors, but of one that holds cosines of patches only the difference from them.

    Args:
        tensors: of a decode part.
        patches: what it makes of a code.
    """
    short = {}
    for name, tensor in tensors.items():
        rest = _less(name, tensors, patches) if patches.may_be_told_by(name, tensor) else None
        # What is no patch of cosines would be as large as before.
        if rest is not None and 2 * np.count_nonzero(rest) < rest.size:
            short[LESS + name] = rest
        else:
            short[name] = tensor
    return short


def lengthened(tensors: Mapping[str, np.ndarray], patches: Patches) -> dict[str, np.ndarray]:
    """Undo `shortened`.

    Raises:
        ValueError, KeyError: a tensor that holds no cosines is told as one that does.
    """
    whole = dict(tensors)
    for name in [name for name in tensors if name.startswith(LESS)]:
        rest, name = whole.pop(name), name.removeprefix(LESS)
        if name in tensors or not patches.may_be_told_by(name, rest):
            raise ValueError(f"the cosines of {name}")
        whole[name] = _changed(name, rest, tensors, patches, sign=1)
    return whole


def _less(name: str, tensors: Mapping[str, np.ndarray], patches: Patches) -> np.ndarray | None:
    try:
        return _changed(name, tensors[name], tensors, patches, sign=-1)
    except ValueError:  # units that no cosines are told in, or too large a difference
        return None


def _changed(
    name: str,
    tensor: np.ndarray,
    tensors: Mapping[str, np.ndarray],
    patches: Patches,
    *,
    sign: int,
) -> np.ndarray:
    """A tensor and its cosines, added up or taken apart."""
    exponents = tensors[f"{name}.exponents"][: patches.values]
    cosines = cosine_weights(patches.depth, patches.stride, patches.told, exponents).astype(np.int32)
    changed = tensor.astype(np.int32)
    changed[: len(cosines), : patches.told, 0, 0] += sign * cosines
    narrow = changed.astype(np.int16)
    if not np.array_equal(narrow, changed):
        raise ValueError(f"{name} beyond 16 bits")
    return narrow
