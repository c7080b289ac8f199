"""What small pictures of frames, one after the other, say of each: how odd it is, why, and where.

Three questions are asked of each frame. Is it unlike the frames before and unlike those behind (a frame from
elsewhere, a flash)? Are the frames from it on unlike those before (a cut, a stretch that is missing)? Does it
stand still where others move (frozen)? Each answer is measured in robust spreads from what is usual in the
clip, on a logarithmic scale; a frame's score is the largest.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

MADE_NORMAL = 1.4826
"""The median magnitude of a normal distribution, times this, is its deviation."""
SIDE, NEARBY = 3, 8
"""Frames before, and behind, that a frame is compared with; and of which it must be the oddest."""
_LEAST_CHANGE = 0.25
"""Of 255: below, changes of small pictures are all the same."""
_LEAST_MOTION = 0.02
_LEAST_SPREAD = 0.15
"""Of logarithms: clips that are more regular are judged as if they were so."""
_LEAST_FROZEN_SPREAD = 0.5


class Oddity(StrEnum):
    """What is odd about a frame."""

    UNLIKE = "unlike the frames around it"
    BRIGHTER = "brighter than the frames around it"
    DARKER = "darker than the frames around it"
    JUMP = "the clip jumps here"
    FROZEN = "stands still"


@dataclass(frozen=True)
class Judged:
    """What was found of each frame."""

    scores: np.ndarray
    """float64 (frame,): robust spreads from what is usual."""
    oddities: list[Oddity]
    """The weightiest reason."""
    places: np.ndarray
    """int64 (frame, 4): first and last row, first and last column of the part of the small picture that is
    odd, the last ones left out."""


def judge(pictures: np.ndarray, changes: np.ndarray) -> Judged:
    """Judge the frames of a clip.

    Args:
        pictures: float32 (frame, row, column), 0 to 255.
        changes: float64 (frame,): mean magnitude of the change since the frame before, at full size; of
            the first frame not looked at.

    >>> calm = np.tile(np.arange(16.0).reshape(4, 4), (40, 1, 1)) + np.arange(40)[:, None, None] % 3
    >>> calm[20] += 90
    >>> found = judge(calm.astype(np.float32), np.full(40, 1.0))
    >>> int(found.scores.argmax()), found.oddities[20].name
    (20, 'BRIGHTER')
    """
    count = len(pictures)
    before, behind = _middles(pictures)
    away = np.stack([pictures - before, pictures - behind])
    sizes = np.abs(away).mean(axis=(2, 3))
    unlike = sizes.min(axis=0)
    ahead = np.concatenate([pictures[:1], behind[:-1]])  # the frame itself and those behind it
    turned = np.abs(ahead - before)
    jumps = _peaks(turned.mean(axis=(1, 2)))
    jumps[0] = unlike[0] = 0.0
    unlike[-1] = min(unlike[-1], jumps[-1])
    scores = np.stack(
        [
            _risen(unlike, 0),
            _risen(jumps, SIDE),
            _frozen(changes),
        ]
    )
    weightiest = scores.argmax(axis=0)
    nearer = away[sizes.argmin(axis=0), np.arange(count)]
    oddities = [
        _light(nearer[frame]) if kind == 0 else (Oddity.JUMP if kind == 1 else Oddity.FROZEN)
        for frame, kind in enumerate(weightiest.tolist())
    ]
    parts = np.where((weightiest == 0)[:, None, None], np.abs(nearer), turned)
    return Judged(scores.max(axis=0), oddities, np.array([_place(part) for part in parts], np.int64))


def _middles(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each frame the median of those before, and of those behind; at the ends, of those there are."""
    count = len(pictures)
    before, behind = np.empty_like(pictures), np.empty_like(pictures)
    for frame in range(count):
        before[frame] = np.median(pictures[max(0, frame - SIDE) : max(1, frame)], axis=0)
        behind[frame] = np.median(pictures[min(frame + 1, count - 1) : frame + 1 + SIDE], axis=0)
    return before, behind


def _peaks(sizes: np.ndarray) -> np.ndarray:
    """A jump is seen by the frames beside it too: what is no maximum of its neighbours counts half."""
    padded = np.pad(sizes, SIDE)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * SIDE + 1).max(axis=1)
    return np.where(sizes >= highest, sizes, np.minimum(sizes, np.median(sizes)))


def _risen(sizes: np.ndarray, apart: int) -> np.ndarray:
    """Spreads above what is usual in the clip, or above the highest nearby, whichever is more.

    Args:
        apart: how many frames beside one are not its neighbours.
    """
    logarithms = np.log(sizes + _LEAST_CHANGE)
    reach = apart + NEARBY
    padded = np.pad(logarithms, reach, constant_values=-np.inf)
    views = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    nearby = np.maximum(views[:, :NEARBY].max(axis=1), views[:, -NEARBY:].max(axis=1))
    above = np.where(np.isfinite(nearby), logarithms - nearby, 0.0) / _LEAST_SPREAD
    return np.maximum(_spreads(logarithms, _LEAST_SPREAD), above)


def _spreads(values: np.ndarray, least: float) -> np.ndarray:
    middle = np.median(values)
    spread = max(MADE_NORMAL * float(np.median(np.abs(values - middle))), least)
    return (values - middle) / spread


def _frozen(changes: np.ndarray) -> np.ndarray:
    """Spreads below what is usual; the first frame has none before it."""
    if len(changes) < 2:
        return np.zeros(len(changes))
    found = -_spreads(np.log(changes[1:] + _LEAST_MOTION), _LEAST_FROZEN_SPREAD)
    return np.concatenate([[0.0], found])


def _light(away: np.ndarray) -> Oddity:
    mean, size = float(away.mean()), float(np.abs(away).mean())
    if abs(mean) < 0.9 * size:
        return Oddity.UNLIKE
    return Oddity.BRIGHTER if mean > 0 else Oddity.DARKER


def _place(part: np.ndarray) -> tuple[int, int, int, int]:
    odd = part >= max(float(part.max()) / 2, 1e-9)
    rows, columns = np.flatnonzero(odd.any(axis=1)), np.flatnonzero(odd.any(axis=0))
    if not len(rows):
        return 0, part.shape[0], 0, part.shape[1]
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
