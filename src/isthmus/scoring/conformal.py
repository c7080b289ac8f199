"""Scores → p-values: how often a usual row would look as odd as this one; and which rows to report."""

from __future__ import annotations

import numpy as np


def p_values(scores: np.ndarray, calibration: np.ndarray) -> np.ndarray:
    """float64 (rows,): (1 + how many calibration scores are as high or higher) / (1 + how many there are).

    Whatever the scores are, a usual row gets a p-value below α in at most a share α of cases, if the
    calibration rows are usual ones that the scorer did not learn from.

    Source: Bates et al. 2023, Testing for outliers with conformal p-values, arXiv:2104.08279.

    >>> p_values(np.array([0.0, 2.5, 9.0]), np.array([1.0, 2.0, 3.0])).tolist()
    [1.0, 0.5, 0.25]
    """
    ordered = np.sort(calibration)
    higher = len(ordered) - np.searchsorted(ordered, scores, side="left")
    return (1 + higher) / (1 + len(ordered))


def discoveries(p: np.ndarray, rate: float) -> np.ndarray:
    """bool (rows,): those to report so that at most a share `rate` of them are expected to be usual.

    Source: Benjamini & Hochberg 1995, Controlling the false discovery rate.

    >>> discoveries(np.array([0.001, 0.9, 0.02, 0.3]), 0.05).tolist()
    [True, False, True, False]
    """
    order = np.argsort(p, kind="stable")
    allowed = rate * (1 + np.arange(len(p))) / max(1, len(p))
    passing = np.flatnonzero(p[order] <= allowed)
    found = np.zeros(len(p), bool)
    if len(passing):
        found[order[: passing[-1] + 1]] = True
    return found
