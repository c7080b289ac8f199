"""How the texts of a column are usually written: which letters follow which, and of what shape they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from isthmus.data.tables.table import NO_CODE, Cells

CLASSES = 40
"""Letters, ten digits told apart from them, space, and what else there is."""
MOST_LETTERS = 200
"""Of a text; what stands behind is not looked at."""
OTHER, SPACE = CLASSES - 1, CLASSES - 2
LEAST_PAIRS = 20.0
"""Pairs that each letter is taken to have had beforehand, spread as all letters are."""


@dataclass(frozen=True, eq=False)
class Wording:
    """Bits of each pair of neighbouring letters, and the usual length."""

    pairs: np.ndarray
    """float32 (CLASSES, CLASSES): -log2 of how often the second follows the first.

    A space stands at both ends of a text."""
    usual: np.ndarray
    """float64 (2, 2): middle and spread of bits a letter, and of the length's logarithm."""

    names = ("wording", "length")

    @classmethod
    def learn(cls, labels: np.ndarray, counts: np.ndarray) -> Wording:
        """From different texts and how often each came."""
        seen = np.zeros((CLASSES, CLASSES))
        for label, count in zip(labels, counts, strict=True):
            letters = _letters(label)
            np.add.at(seen, (letters[:-1], letters[1:]), count)
        each = (seen.sum(axis=0) + 0.5) / (seen.sum() + 0.5 * CLASSES)
        pairs = (seen + LEAST_PAIRS * each) / (seen.sum(axis=1, keepdims=True) + LEAST_PAIRS)
        made = cls((-np.log2(pairs)).astype(np.float32), np.array([[0.0, 1.0], [0.0, 1.0]]))
        told = (
            np.repeat([made.of(label) for label in labels], counts, axis=0)
            if len(labels)
            else np.zeros((1, 2))
        )
        usual = np.stack([np.median(told, axis=0), np.maximum(told.std(axis=0), [0.1, 0.1])], axis=1)
        return cls(made.pairs, usual)

    def of(self, text: str) -> tuple[float, float]:
        """Bits a letter, and the logarithm of the length."""
        letters = _letters(text)
        return float(self.pairs[letters[:-1], letters[1:]].mean()), float(np.log1p(len(text)))

    def matrix(self, cells: Cells) -> np.ndarray:
        """float64 (rows, 2): both in spreads; 0 for missing cells."""
        assert cells.codes is not None
        told = np.array([self.of(label) for label in cells.labels]).reshape(-1, 2)
        away = np.concatenate([(told - self.usual[:, 0]) / self.usual[:, 1], np.zeros((1, 2))])
        return np.clip(away[np.where(cells.codes == NO_CODE, len(told), cells.codes)], -8, 8)

    def surprise(self, cells: Cells) -> np.ndarray:
        """float64 (rows,): bits by which a text is spelled more oddly than the usual one."""
        return np.maximum(self.matrix(cells)[:, 0], 0)

    def tensors(self) -> dict[str, np.ndarray]:
        """Arrays by name; `from_tensors` undoes it."""
        return {"pairs": self.pairs, "usual": self.usual}

    @classmethod
    def from_tensors(cls, named: Mapping[str, np.ndarray]) -> Wording:
        """Undo `tensors`; ValueError or KeyError for what it would not have given."""
        pairs, usual = named["pairs"].astype(np.float32), named["usual"].astype(np.float64)
        sound = pairs.shape == (CLASSES, CLASSES) and usual.shape == (2, 2)
        if (
            not sound
            or not np.isfinite(pairs).all()
            or not np.isfinite(usual).all()
            or (usual[:, 1] <= 0).any()
        ):
            raise ValueError("wording of a column")
        return cls(pairs, usual)


def _letters(text: str) -> np.ndarray:
    """int64: the class of each letter, a space before and behind."""
    codes = np.frombuffer(text[:MOST_LETTERS].lower().encode("utf-32-le", "replace"), np.uint32)
    found = np.full(len(codes) + 2, SPACE)
    inner = np.full(len(codes), OTHER)
    inner[codes == 32] = SPACE
    small, digit = (codes >= 97) & (codes <= 122), (codes >= 48) & (codes <= 57)
    inner[small] = codes[small] - 97
    inner[digit] = codes[digit] - 48 + 26
    found[1:-1] = inner
    return found
