"""What makes a row odd, seen from several sides: which views there are, and how they decide together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from isthmus.scoring.nearest_views import MembersNearest, NormalNearest, PlainNearest
from isthmus.scoring.spread_views import (
    Apart,
    FarNeighbours,
    FullSpread,
    LinearSpread,
    MembersSpread,
    NearNeighbours,
    Neighbours,
    Tails,
)
from isthmus.scoring.view import View

VIEWS: Mapping[str, tuple[type[View], ...]] = {
    "contaminated": (MembersSpread, LinearSpread, Apart, Tails, Neighbours, NearNeighbours, FarNeighbours),
    "novelty": (MembersNearest, PlainNearest, NormalNearest, FullSpread, Tails),
}
"""By mode."""
COUNTED: Mapping[str, int] = {"contaminated": 2, "novelty": 3}
"""How many views decide, by mode: those by which a row is oddest. No view sees every kind of oddness."""


def together(away: Sequence[np.ndarray], counted: int = 3) -> np.ndarray:
    """Each view's spreads from the middle → one score a row: the mean of the highest.

    Source: averages of maxima: Aggarwal & Sathe 2015, Theoretical foundations for outlier ensembles.
    """
    highest = np.sort(np.stack(away), axis=0)[-counted:]
    score: np.ndarray = highest.mean(axis=0)
    return score
