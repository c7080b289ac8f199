"""What makes a row odd, seen from several sides: each view turns rows into one distance.

Views for tables in which odd rows hide look at how far a row is from where most lie, by a spread that odd
rows cannot widen. Views for tables of usual rows alone look for the nearest row that was ever seen.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from isthmus.data.tables.features import squashed
from isthmus.scoring.nearest import Nearest
from isthmus.scoring.spread import Spread

CLEAN_SHARE = 0.75
"""Of the rows of a contaminated table; the others may be odd."""
DIRECTIONS = 20
"""Along which what a member leaves unexplained is looked at."""
FAR_SHARE, FAR_AMONG = 0.02, 2000
"""A row's k-th neighbour, k this share of so many rows of a contaminated table: odd ones come in groups."""
NEAR, NEAR_AMONG = 6, 4000
"""Its sixth, as one may be the row itself, among so many: odd ones may hide between groups."""
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
    """The distance to a far neighbour among some rows."""

    nearest: Nearest
    name = "neighbours"

    @classmethod
    def learn(cls, rows: Rows) -> Neighbours:
        """See View."""
        some = rows.quartiles[:FAR_AMONG]
        return cls(Nearest(some, max(NEAR, int(FAR_SHARE * len(some)))))

    def distance(self, rows: Rows, *, among: bool = False, unknown: np.ndarray | None = None) -> np.ndarray:
        """See View."""
        return self.nearest.log_distance(rows.quartiles)


class NearNeighbours(Neighbours):
    """The distance to a near neighbour."""

    name = "near"

    @classmethod
    def learn(cls, rows: Rows) -> NearNeighbours:
        """See View."""
        return cls(Nearest(rows.quartiles[:NEAR_AMONG], NEAR))


@dataclass(frozen=True, eq=False)
class MembersNearest(View):
    """The nearest row that was seen, over code and unexplained rest together, of each member."""

    scales: list[tuple[np.ndarray, float]]
    nearest: list[Nearest]
    name = "members"

    @classmethod
    def learn(cls, rows: Rows) -> MembersNearest:
        """See View."""
        scales = [(code.std(axis=0) + 1e-6, float(rest.std()) + 1e-6) for code, rest in rows.codes]
        together = (_evenly(pair, scale) for pair, scale in zip(rows.codes, scales, strict=True))
        return cls(scales, [Nearest(one, 1) for one in together])

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
class LinearNearest(View):
    """The nearest row that was seen, by the code of a linear autoencoder that leaves nothing out."""

    spread: Spread
    nearest: Nearest
    name = "linear"

    @classmethod
    def learn(cls, rows: Rows) -> LinearNearest:
        """See View."""
        spread = Spread.of(rows.deviations, share=1.0)
        return cls(spread, Nearest(spread.whitened(rows.deviations).astype(np.float32), 1))

    def distance(self, rows: Rows, *, among: bool = False, unknown: np.ndarray | None = None) -> np.ndarray:
        """See View."""
        white = self.spread.whitened(rows.deviations).astype(np.float32)
        return self.nearest.log_distance(white, among=among)


@dataclass(frozen=True, eq=False)
class PlainNearest(View):
    """The nearest row that was seen, by the features as they are."""

    nearest: Nearest
    name = "plain"

    @classmethod
    def learn(cls, rows: Rows) -> PlainNearest:
        """See View."""
        return cls(Nearest(rows.deviations, 1))

    def distance(self, rows: Rows, *, among: bool = False, unknown: np.ndarray | None = None) -> np.ndarray:
        """See View."""
        return self.nearest.log_distance(rows.deviations, among=among)


VIEWS: Mapping[str, tuple[type[View], ...]] = {
    "contaminated": (MembersSpread, LinearSpread, Apart, Tails, Neighbours, NearNeighbours),
    "novelty": (MembersNearest, LinearNearest, PlainNearest, FullSpread, Tails),
}
"""By mode."""
COUNTED = 3
"""How many views decide: those by which a row is oddest. No view sees every kind of oddness."""


def together(away: Sequence[np.ndarray]) -> np.ndarray:
    """Each view's spreads from the middle → one score a row: the mean of the highest.

    Source: averages of maxima: Aggarwal & Sathe 2015, Theoretical foundations for outlier ensembles.
    """
    highest = np.sort(np.stack(away), axis=0)[-COUNTED:]
    score: np.ndarray = highest.mean(axis=0)
    return score
