"""What the columns of a block are made of: words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Words:
    """A column of words: the list of them, and each row's place in it.

    >>> Words.of(["b", "a", "b"]).texts()
    ['b', 'a', 'b']
    """

    words: tuple[str, ...]
    places: np.ndarray
    """int64 (rows,)."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> Words:
        """Words in the order of the alphabet, so that neighbours in the list are alike."""
        words = tuple(sorted(set(texts)))
        number = {word: place for place, word in enumerate(words)}
        return cls(words, np.fromiter(map(number.__getitem__, texts), np.int64, len(texts)))

    def texts(self) -> list[str]:
        """Each row's word."""
        return [self.words[place] for place in self.places.tolist()]

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True, eq=False)
class Whole:
    """A column of whole numbers: int64 (rows,)."""

    values: np.ndarray

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, eq=False)
class Floats:
    """A column of floats, every bit of which counts: float32 or float64 (rows,)."""

    values: np.ndarray

    def __len__(self) -> int:
        return len(self.values)


Part = Words | Whole | Floats
