"""What a number is predicted by: values of its row and of the rows before, by least squares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from isthmus.coding.columns.numbers import SUM_BITS, Numbers
from isthmus.coding.columns.plan import MOST_WEIGHT_BITS, Input

NEAR_COLUMNS = 24
MOST = 5
PROMISING = 6
LEAST_GAIN_BITS = 0.05
_MOST_SHIFT = 24
_PRODUCT_BITS = 30


class Chooser:
    """Chooses inputs.

    Args:
        numbers: all of them, filled.
        is_number: of each column; others are no inputs.
        spans: of each column's values, the largest less the smallest.
        at: the rows to look at.
        near: how many columns before a column may be its inputs, at most NEAR_COLUMNS.
    """

    def __init__(
        self, numbers: Numbers, is_number: Sequence[bool], spans: Sequence[int], at: np.ndarray, near: int
    ) -> None:
        self._numbers, self._is_number, self._spans, self._at = numbers, is_number, spans, at
        self._near = min(near, NEAR_COLUMNS)

    def choose(self, column: int) -> tuple[tuple[Input, ...], int]:
        """The inputs of a column, weighted, and by how many binary digits their sum is too long."""
        target = self._column(Input(column, 0))
        others = [i for i in range(max(0, column - self._near), column) if self._is_number[i]]
        candidates = [Input(column, 1), Input(column, 2)]
        candidates += [Input(other, back) for other in others for back in (0, 1)]
        chosen = self._greedy(target, candidates, [])
        beside = [each.column for each in chosen if each.back == 0][:3]
        products = [self._product(a, b) for place, a in enumerate(beside) for b in beside[place:]]
        if products:
            chosen = self._greedy(target, products, chosen)
        return self._weighted(target, chosen)

    def _product(self, a: int, b: int) -> Input:
        bits = self._spans[a].bit_length() + self._spans[b].bit_length()
        return Input(a, 0, b, 0, max(0, bits - _PRODUCT_BITS))

    def _column(self, each: Input) -> np.ndarray:
        return self._numbers.input(each, self._at).astype(np.float64)

    def _greedy(self, target: np.ndarray, candidates: Sequence[Input], chosen: list[Input]) -> list[Input]:
        """One more at a time, as long as errors become clearly shorter."""
        every = [*chosen, *candidates]
        matrix = np.stack([self._column(each) for each in every], axis=1)
        places = list(range(len(chosen)))
        errors = target - _fitted(matrix[:, places], target)
        best = _length(errors)
        while len(places) < MOST:
            tried = []
            for place in _promising(matrix, errors, places):
                left = target - _fitted(matrix[:, [*places, place]], target)
                tried.append((_length(left), place, left))
            if not tried or min(tried, key=lambda each: each[0])[0] > best - LEAST_GAIN_BITS:
                break
            best, place, errors = min(tried, key=lambda each: each[0])
            places.append(place)
        return [every[place] for place in places]

    def _weighted(self, target: np.ndarray, chosen: Sequence[Input]) -> tuple[tuple[Input, ...], int]:
        if not chosen:
            return (), 0
        matrix = np.stack([self._column(each) for each in chosen], axis=1)
        weights = _solve(matrix, target)
        largest = max(float(np.abs(weights).max()), 2.0**-_MOST_SHIFT)
        # Twice what is seen in the sample must pass.
        spare = min(MOST_WEIGHT_BITS, SUM_BITS - 2 - int(np.ceil(np.log2(1 + np.abs(matrix).max()))))
        shift = min(_MOST_SHIFT, spare - int(np.ceil(np.log2(largest))))
        if shift < 0:
            return (), 0
        rounded = np.round(weights * 2.0**shift).astype(np.int64).tolist()
        return tuple(replace(each, weight=w) for each, w in zip(chosen, rounded, strict=True)), shift


def _length(errors: np.ndarray) -> float:
    """About how many bits an error takes."""
    return float(np.log2(1 + 2 * np.abs(np.round(errors))).mean())


def _fitted(matrix: np.ndarray, target: np.ndarray) -> np.ndarray:
    return matrix @ _solve(matrix, target) if matrix.shape[1] else np.zeros_like(target)


def _solve(matrix: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least absolute errors, nearly: least squares again and again, each error weighed by its size."""
    scales = np.abs(matrix).max(axis=0) + 1e-9
    scaled, weights = matrix / scales, np.ones(len(target))
    ridge = 1e-9 * len(target) * np.eye(matrix.shape[1])
    found = np.zeros(matrix.shape[1])
    for _ in range(4):
        weighted = scaled * weights[:, None]
        found = np.linalg.solve(weighted.T @ scaled + ridge * weights.mean(), weighted.T @ target)
        errors = np.abs(target - scaled @ found)
        weights = 1 / np.maximum(errors, max(0.5, float(np.median(errors)) / 4))
    return found / scales


def _promising(matrix: np.ndarray, errors: np.ndarray, taken: Sequence[int]) -> list[int]:
    """Those that go most closely with the errors; by ranks, so that no outlier decides."""
    left = [place for place in range(matrix.shape[1]) if place not in taken and np.ptp(matrix[:, place]) > 0]
    wanted = _ranks(errors)
    closeness = {place: abs(float(np.mean(_ranks(matrix[:, place]) * wanted))) for place in left}
    return sorted(left, key=lambda place: -closeness[place])[:PROMISING]


def _ranks(values: np.ndarray) -> np.ndarray:
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(np.float64)
    return (ranks - ranks.mean()) / max(1.0, float(ranks.std()))
