"""The samples of a plane ⇄ residuals: one walk over the fronts, which tells residuals or is told them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isthmus.coding.audio.telling import FINE, levels
from isthmus.coding.video.fitting import STILL, WEIGHT_BITS, Ways
from isthmus.coding.video.scan import Front, Fronts
from isthmus.coding.video.taps import BLOCK, Shifts, Sight
from isthmus.coding.video.telling import Contexts, Guess, Tables, Teller, alphabet_of

LEVELS, PARTS = 96, 4
"""Of the first table: quarter octaves of what is expected, and parts of a prediction's fraction."""
COARSE = 24
"""Levels of the others: octaves of that, beside a way; half octaves of what was missed near, and then."""
_FINE_BITS = 6
_MISS_BITS = 2  # of a prediction's, which what was missed leaves out
_MOST_MISS = (1 << 16) - 1
_NEAR = ((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0), (-1, 2), (-2, 1))
_THEN = ((0, 0), (0, 1), (1, 0), (0, -1))
_HEED_NEAR, _HEED_THEN = np.array([24, 22, 2, 7, 11, 9, 5, 3]), np.array([8, 2, 2, 1])
_HEED_GUIDE, _HEED_LAST_GUIDE = 3, 12
_HEED = 24.0
"""What heed to a miss of a 16th makes it a 64th: about a fourth of all."""
_MOST_TOP_32 = (1 << 12) - 1
"""Up to which weighted sums fit 32 bits: of at most 32 taps of weights below 2**13."""
assert 1 << _FINE_BITS == FINE


@dataclass(frozen=True)
class Plan:
    """How the samples of a plane are told.

    Args:
        sight: what they are predicted from.
        shifts: of blocks.
        ways: of blocks.
        lag: between frames.
        top: the largest value a sample may have.
        step: between values that can come back: 1, or 2 · error + 1.
    """

    sight: Sight
    shifts: Shifts
    ways: Ways
    lag: int
    top: int
    step: int

    def tables(self) -> Tables:
        """What residuals are told by."""
        fine, coarse, half = (
            np.arange(count) / steps for count, steps in ((LEVELS, 4), (COARSE, 1), (COARSE, 2))
        )
        kinds = (
            Guess(np.repeat(fine, PARTS), 1),
            Guess(np.tile(coarse, len(self.ways.weights)), 2),
            Guess(np.repeat(half, COARSE), 2),
        )
        return Tables(alphabet_of(self.top // self.step + 1), kinds)


def walk(
    plan: Plan, planes: np.ndarray, missed: np.ndarray, teller: Teller, truth: np.ndarray | None
) -> None:
    """Tell the samples of all fronts, or be told them.

    Args:
        planes: int32, flat and padded: the plane, to be filled, and its guides behind it.
        missed: uint16, as large: how far each sample was missed, in parts of 16; to be filled likewise.
        truth: the plane itself, where it is known.
    """
    fronts, state = Fronts(plan.sight.shape, plan.lag, BLOCK), _State(plan, planes, missed)
    for step in range(len(fronts)):
        front = fronts.front(step)
        moving = state.copy_still(front)
        if len(moving.places):
            state.tell(moving, teller, truth)
        fronts.close(step, planes)


class _State:
    def __init__(self, plan: Plan, planes: np.ndarray, missed: np.ndarray) -> None:
        sight = plan.sight
        self._plan, self._planes, self._missed = plan, planes, missed
        self._now, self._then, self._before = sight.now, sight.then, sight.before
        beside = [guide * sight.shape.places for guide in range(1, sight.guides + 1)]
        self._near = np.concatenate([sight.places(_NEAR), np.array(beside, np.int64)])
        self._past = sight.places(_THEN)
        guides = np.full(len(beside), _HEED_GUIDE)
        guides[1:] = _HEED_LAST_GUIDE  # of colours, the other colour tells more than brightness
        self._heed = np.concatenate([_HEED_NEAR, guides])
        self._ways = plan.ways.chosen.ravel()
        self._weights = plan.ways.weights.astype(np.int64 if plan.top > _MOST_TOP_32 else np.int32)
        self._tables = plan.tables()
        self._is_any_still = bool((self._ways == STILL).any())

    def copy_still(self, front: Front) -> Front:
        """Fill in the samples of blocks that stand still; the others."""
        if not self._is_any_still:
            return front
        still = self._ways[front.blocks] == STILL
        if still.any():
            here = front.places[still]
            self._planes[here] = self._planes[here + self._plan.shifts.then[front.blocks[still]]]
            front = Front(front.places[~still], front.blocks[~still])
        return front

    def tell(self, front: Front, teller: Teller, truth: np.ndarray | None) -> None:
        """Tell the samples of a front, or be told them."""
        plan, here = self._plan, front.places
        there = here + plan.shifts.then[front.blocks]
        ways = self._ways[front.blocks] - 1
        fine = self._expected(here, there, here + plan.shifts.before[front.blocks], ways)
        whole = (fine + FINE // 2) >> _FINE_BITS
        fraction = fine - (whole << _FINE_BITS)
        sign = np.where(fraction < 0, -1, 1)  # so that what is nearer has the same token
        contexts = self._contexts(here, there, fraction, ways)
        wanted = None if truth is None else self._steps((truth[here] - whole) * sign)
        values = whole + teller.numbers(self._tables, contexts, wanted) * sign * plan.step
        if plan.step > 1:
            values = np.clip(values, 0, plan.top)
        self._planes[here] = values
        self._missed[here] = np.minimum(np.abs((values << _FINE_BITS) - fine) >> _MISS_BITS, _MOST_MISS)

    def _expected(
        self, here: np.ndarray, there: np.ndarray, before: np.ndarray, ways: np.ndarray
    ) -> np.ndarray:
        """Predictions, in parts of FINE: int64."""
        looks = (here[:, None] + self._now, there[:, None] + self._then, before[:, None] + self._before)
        seen = self._planes[np.concatenate(looks, axis=1)]
        told = np.einsum("st,st->s", seen, self._weights[ways]).astype(np.int64)
        return np.clip(told >> (WEIGHT_BITS - _FINE_BITS), 0, self._plan.top * FINE)

    def _steps(self, away: np.ndarray) -> np.ndarray:
        step = self._plan.step
        return away if step == 1 else (away + step // 2) // step

    def _contexts(
        self, here: np.ndarray, there: np.ndarray, fraction: np.ndarray, ways: np.ndarray
    ) -> Contexts:
        near = self._missed[here[:, None] + self._near] @ self._heed
        past = self._missed[there[:, None] + self._past] @ _HEED_THEN
        level = levels((near + past + _HEED) / _HEED, 2)
        level = np.minimum(np.maximum(level, 0), LEVELS - 1)
        part = np.abs(fraction) * (2 * PARTS) // (FINE + 1)
        beside = np.minimum(levels((near + 21) / 21, 1), COARSE - 1)
        earlier = np.minimum(levels((past + 4) * 0.25, 1), COARSE - 1)
        coarse = np.minimum(level >> 2, COARSE - 1)
        return level * PARTS + part, ways * COARSE + coarse, beside * COARSE + earlier
