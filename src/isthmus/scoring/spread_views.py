"""Views for tables in which odd rows hide: how far a row is from where most of them lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from isthmus.data.tables.features import squashed
from isthmus.scoring.nearest import Nearest
from isthmus.scoring.spread import Spread
from isthmus.scoring.view import Rows, View

CLEAN_SHARE = 0.75
"""Of the rows of a contaminated table; the others may be odd."""
DIRECTIONS = 20
"""Along which what a member leaves unexplained is looked at."""
NEAR = 6
"""The nearest neighbour that is looked at, as one may be the row itself."""


@dataclass(frozen=True, eq=False)
class MembersSpread(View):
    """The robust distance over code and unexplained rest together, of each member."""

    spreads: list[Spread]
    directions: list[np.ndarray]

    name = "members"

    @classmethod
    def learn(cls, rows: Rows) -> MembersSpread:
        """See View."""
        directions = [_directions(rest) for _, rest in rows.codes]
        together = [_together(pair, along) for pair, along in zip(rows.codes, directions, strict=True)]
        return cls([Spread.of(one, share=CLEAN_SHARE) for one in together], directions)

    def distance(self, rows: Rows, *, among: bool = False, unknown: np.ndarray | None = None) -> np.ndarray:
        """See View."""
        each = [
            spread.log_distance(_together(pair, along))
            for spread, along, pair in zip(self.spreads, self.directions, rows.codes, strict=True)
        ]
        return np.mean(each, axis=0)


def _directions(rest: np.ndarray) -> np.ndarray:
    """(features, up to DIRECTIONS): along which the calmer nine tenths of the rest vary most."""
    energy = np.square(rest).sum(axis=1)
    calm = rest[energy <= np.quantile(energy, 0.9)].astype(np.float64)
    if len(calm) < calm.shape[1]:
        return np.linalg.svd(calm, full_matrices=False)[2][:DIRECTIONS].T
    _, vectors = np.linalg.eigh(calm.T @ calm)
    return np.ascontiguousarray(vectors[:, ::-1][:, :DIRECTIONS])


def _together(pair: tuple[np.ndarray, np.ndarray], along: np.ndarray) -> np.ndarray:
    code, rest = pair
    return np.concatenate([code, rest @ along], axis=1)


@dataclass(frozen=True, eq=False)
class LinearSpread(View):
    """The robust distance over all features: that of a linear autoencoder, code and rest together."""

    spread: Spread
    name = "linear"

    @classmethod
    def learn(cls, rows: Rows) -> LinearSpread:
        """See View."""
        return cls(Spread.of(rows.deviations, share=CLEAN_SHARE))

    def distance(self, rows: Rows, *, among: bool = False, unknown: np.ndarray | None = None) -> np.ndarray:
        """See View."""
        return self.spread.log_distance(rows.deviations)


class FullSpread(LinearSpread):
    """The same where all rows are usual: none is left out, and far ones are squashed."""

    @classmethod
    def learn(cls, rows: Rows) -> FullSpread:
        """See View."""
        return cls(Spread.of(squashed(rows.deviations), share=1.0))

    def distance(self, rows: Rows, *, among: bool = False, unknown: np.ndarray | None = None) -> np.ndarray:
        """See View."""
        return self.spread.log_distance(squashed(rows.deviations))


@dataclass(frozen=True, eq=False)
class Apart(View):
    """Each feature by itself: how far from the middle, squared and summed."""

    name = "apart"

    @classmethod
    def learn(cls, rows: Rows) -> Apart:
        """See View."""
        return cls()

    def distance(self, rows: Rows, *, among: bool = False, unknown: np.ndarray | None = None) -> np.ndarray:
        """See View."""
        return np.log(np.square(rows.quartiles, dtype=np.float64).sum(axis=1) + 1e-9)


@dataclass(frozen=True, eq=False)
class Tails(View):
    """Bits: how rarely a feature is as low or as high as here, summed."""

    ordered: np.ndarray
    """float32 (features, rows): each feature's values, ascending."""
    name = "tails"

    @classmethod
    def learn(cls, rows: Rows) -> Tails:
        """See View."""
        return cls(np.ascontiguousarray(np.sort(rows.quartiles, axis=0).T))

    def distance(self, rows: Rows, *, among: bool = False, unknown: np.ndarray | None = None) -> np.ndarray:
        """See View."""
        bits = np.zeros(len(rows))
        count = self.ordered.shape[1]
        for ordered, values in zip(self.ordered, rows.quartiles.T, strict=True):
            low = np.searchsorted(ordered, values, side="right")
            high = count - np.searchsorted(ordered, values, side="left")
            bits -= np.log2(np.maximum(np.minimum(low, high), 0.5) / count)
        return np.log(bits + 1e-9)


@dataclass(frozen=True, eq=False)
class Neighbours(View):
    """The distance to the k-th neighbour among some rows: odd ones come in groups."""

    nearest: Nearest
    name = "neighbours"
    share: ClassVar[float] = 0.02
    """k, as a share of the rows."""
    rows: ClassVar[int] = 2000
    """Among which the neighbour is."""

    @classmethod
    def learn(cls, rows: Rows) -> Neighbours:
        """See View."""
        some = rows.quartiles[: cls.rows]
        return cls(Nearest(some, max(NEAR, int(cls.share * len(some)))))

    def distance(self, rows: Rows, *, among: bool = False, unknown: np.ndarray | None = None) -> np.ndarray:
        """See View."""
        return self.nearest.log_distance(rows.quartiles)


class NearNeighbours(Neighbours):
    """The same of a near neighbour: odd rows may hide between groups."""

    name = "near"
    share, rows = 0.0, 4000


class FarNeighbours(Neighbours):
    """The same of a far one: there may be many odd rows in a group."""

    name = "far"
    share, rows = 0.1, 500
