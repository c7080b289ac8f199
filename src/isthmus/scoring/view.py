"""One way to see how odd a row is: what it looks at, and what it makes of that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

Codes = Sequence[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows in all the forms that views look at."""

    quartiles: np.ndarray
    """float32 (rows, features), in spreads told by quartiles."""
    deviations: np.ndarray
    """float32 (rows, features), in standard deviations."""
    codes: Codes = field(repr=False)
    """Each member's code of them, and what it leaves unexplained."""

    def __len__(self) -> int:
        return len(self.quartiles)

    def take(self, places: np.ndarray) -> Rows:
        """Some of them."""
        codes = [(code[places], rest[places]) for code, rest in self.codes]
        return Rows(self.quartiles[places], self.deviations[places], codes)


class View(ABC):
    """One distance."""

    name: ClassVar[str]

    @classmethod
    @abstractmethod
    def learn(cls, rows: Rows) -> View:
        """What is usual, from many rows."""

    @abstractmethod
    def distance(self, rows: Rows, *, among: bool = False, unknown: np.ndarray | None = None) -> np.ndarray:
        """float64 (rows,): a logarithm; the higher the odder.

        Args:
            rows: to be judged.
            among: whether they are the very rows that were learned from, in their order.
            unknown: bool (member, rows): which member has not learned from which row, and may judge it.
        """
