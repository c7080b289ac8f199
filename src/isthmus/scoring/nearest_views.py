"""Views for tables of usual rows alone: how far a row is from the nearest that were ever seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from isthmus.scoring.nearest import Nearest
from isthmus.scoring.normal_scores import NormalScores
from isthmus.scoring.spread import Spread
from isthmus.scoring.view import Rows, View


class NearestView(View):
    """A view whose distance is the mean of those to the nearest rows."""

    neighbours: ClassVar[int] = 5
    """How many of them."""

    @classmethod
    def among(cls, rows: np.ndarray) -> Nearest:
        """What tells distances to these rows, float32 (rows, numbers)."""
        return Nearest(rows, cls.neighbours, mean=True)


@dataclass(frozen=True, eq=False)
class MembersNearest(NearestView):
    """The nearest rows over code and unexplained rest together, of each member."""

    scales: list[tuple[np.ndarray, float]]
    nearest: list[Nearest]
    name = "members"

    @classmethod
    def learn(cls, rows: Rows) -> MembersNearest:
        """See View."""
        scales = [(code.std(axis=0) + 1e-6, float(rest.std()) + 1e-6) for code, rest in rows.codes]
        together = (_evenly(pair, scale) for pair, scale in zip(rows.codes, scales, strict=True))
        return cls(scales, [cls.among(one) for one in together])

    def distance(self, rows: Rows, *, among: bool = False, unknown: np.ndarray | None = None) -> np.ndarray:
        """See View."""
        every = np.ones((len(self.nearest), len(rows)), bool) if unknown is None else unknown
        total = np.zeros(len(rows))
        for mine, nearest, scale, pair in zip(every, self.nearest, self.scales, rows.codes, strict=True):
            if mine.any():
                some = _evenly((pair[0][mine], pair[1][mine]), scale)
                total[mine] += nearest.log_distance(some, among=among)
        return total / np.maximum(every.sum(axis=0), 1)


def _evenly(pair: tuple[np.ndarray, np.ndarray], scale: tuple[np.ndarray, float]) -> np.ndarray:
    """Code and rest so that both weigh alike however many numbers they are."""
    code, rest = pair
    parts = (code / scale[0] / code.shape[1] ** 0.5, rest / scale[1] / rest.shape[1] ** 0.5)
    return np.concatenate(parts, axis=1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class LinearNearest(NearestView):
    """The nearest rows by the code of a linear autoencoder that leaves nothing out."""

    spread: Spread
    nearest: Nearest
    name = "linear"

    @classmethod
    def learn(cls, rows: Rows) -> LinearNearest:
        """See View."""
        spread = Spread.of(rows.deviations, share=1.0)
        white = spread.whitened(rows.deviations).astype(np.float32)
        return cls(spread, cls.among(white))

    def distance(self, rows: Rows, *, among: bool = False, unknown: np.ndarray | None = None) -> np.ndarray:
        """See View."""
        white = self.spread.whitened(rows.deviations).astype(np.float32)
        return self.nearest.log_distance(white, among=among)


@dataclass(frozen=True, eq=False)
class PlainNearest(NearestView):
    """The nearest rows by the features as they are."""

    nearest: Nearest
    name = "plain"

    @classmethod
    def learn(cls, rows: Rows) -> PlainNearest:
        """See View."""
        return cls(cls.among(rows.deviations))

    def distance(self, rows: Rows, *, among: bool = False, unknown: np.ndarray | None = None) -> np.ndarray:
        """See View."""
        return self.nearest.log_distance(rows.deviations, among=among)


@dataclass(frozen=True, eq=False)
class NormalNearest(NearestView):
    """The nearest rows by the features' normal scores: rare values are far from all others."""

    scores: NormalScores
    nearest: Nearest
    name = "normal"

    @classmethod
    def learn(cls, rows: Rows) -> NormalNearest:
        """See View."""
        scores = NormalScores.learn(rows.quartiles)
        return cls(scores, cls.among(scores.of(rows.quartiles)))

    def distance(self, rows: Rows, *, among: bool = False, unknown: np.ndarray | None = None) -> np.ndarray:
        """See View."""
        return self.nearest.log_distance(self.scores.of(rows.quartiles), among=among)
