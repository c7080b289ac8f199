"""Scores and labelled spans of a series → VUS-PR, the volume under the surface of precision and recall.

A span's edges are never exact, so labels are softened by buffers of every length up to one window, and
the areas under the curves of precision and recall are averaged over these.
"""

from __future__ import annotations

import numpy as np

THRESHOLDS = 250


def vus_pr(labels: np.ndarray, scores: np.ndarray, window: int, thresholds: int = THRESHOLDS) -> float:
    """How well scores tell labelled spans from the rest, between 0 and 1.

    Args:
        labels: bool or 0 and 1, (rows,); at least one span.
        scores: (rows,), finite; higher is odder.
        window: the longest buffer, in rows; half of it lies on either side of a span.
        thresholds: that are tried, spaced evenly in the order of the scores.
    Source: Paparrizos et al. 2022, Volume Under the Surface, VLDB 15(11); the same figures as
        RangeAUC_volume_opt of TSB-AD, commit 8763009, in rows × window instead of rows × window × thresholds.

    >>> labels = np.array([0, 0, 0, 1, 1, 0, 0, 0])
    >>> vus_pr(labels, labels * 1.0, window=0), round(vus_pr(labels, 1.0 - labels, window=2), 3)
    (1.0, 0.276)
    """
    starts, ends = _spans(labels)
    if not len(starts):
        raise ValueError("labels without a span")
    order = np.argsort(-scores, kind="stable")
    limits = scores[order][np.linspace(0, len(scores) - 1, thresholds).astype(int)]
    counts = np.searchsorted(-scores[order], -limits, side="right")  # rows reported at each threshold
    outside = np.asarray(labels) == 0
    areas = []
    for width in range(window + 1):
        soft = _softened(labels, starts, ends, width)
        found, beside = _reported(soft, order, counts), _reported(soft * outside, order, counts)
        seen = _share_seen(scores, limits, _merged(starts, ends, width, len(scores)))
        # positives: the mean of those labelled and those labelled or reported within a buffer
        recall = np.minimum(found / (len(scores) - outside.sum() + beside / 2), 1) * seen
        areas.append(float(np.diff(recall, prepend=0.0) @ (found / counts)))
    return float(np.mean(areas))


def _spans(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last rows."""
    edges = np.diff(np.asarray(labels).astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1


def _softened(labels: np.ndarray, starts: np.ndarray, ends: np.ndarray, width: int) -> np.ndarray:
    """float64 (rows,): 1 in spans, falling to about 0.7 at the far ends of their buffers."""
    soft = np.asarray(labels).astype(np.float64)
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        behind = np.arange(end + 1, min(end + width // 2 + 1, len(soft)))
        soft[behind] += np.sqrt(1 - (behind - end) / max(width, 1))
        before = np.arange(max(start - width // 2, 0), start)
        soft[before] += np.sqrt(1 - (start - before) / max(width, 1))
    return np.minimum(soft, 1.0)


def _merged(starts: np.ndarray, ends: np.ndarray, width: int, rows: int) -> list[tuple[int, int]]:
    """First and last rows of the spans with their buffers, those that touch taken for one."""
    half = width // 2
    apart = np.flatnonzero(ends[:-1] + half < starts[1:] - half)
    firsts = np.maximum(starts[np.append(0, apart + 1)] - half, 0)
    lasts = np.minimum(ends[np.append(apart, len(ends) - 1)] + half, rows - 1)
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _reported(weights: np.ndarray, order: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """float64 (thresholds,): the weight of the rows reported at each."""
    return np.append(0.0, np.cumsum(weights[order]))[counts]


def _share_seen(scores: np.ndarray, limits: np.ndarray, spans: list[tuple[int, int]]) -> np.ndarray:
    """float64 (thresholds,): the share of the spans in which at least one row is reported."""
    highest = np.array([scores[first : last + 1].max() for first, last in spans])
    share: np.ndarray = (highest[None] >= limits[:, None]).mean(axis=1)
    return share
