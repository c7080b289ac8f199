"""What a tree may ask about: neighbours, gradients, other planes, all integers.

Training gathers the very same columns from random pixels (training/contexts.py).
"""

from __future__ import annotations

import numpy as np

from isthmus.coding.contexts.scan import REACH, View

NEIGHBOURS = tuple(
    sorted(
        (
            (row, column)
            for row in range(-REACH, 1)
            for column in range(-REACH, REACH + 1)
            if row < 0 or column < 0
        ),
        key=lambda at: (at[0] ** 2 + at[1] ** 2, at),
    )
)
"""All pixels one may look at in one's own plane, nearest first."""
ACROSS = tuple(
    sorted(
        ((row, column) for row in range(-2, 3) for column in range(-2, 3)),
        key=lambda at: (at[0] ** 2 + at[1] ** 2, at),
    )
)[:13]
"""Those looked at in each plane before, nearest first: there, both sides are known."""


def surroundings(look: View, plane: int) -> np.ndarray:
    """What a pixel's value is predicted from: (neighbours, pixels), int64."""
    own = [look(*at, plane) for at in NEIGHBOURS]
    others = [look(*at, other) for other in range(plane) for at in ACROSS]
    return np.stack(own + others).astype(np.int64)


def columns(
    look: View, plane: int, predicted: np.ndarray, rows: np.ndarray, cols: np.ndarray
) -> list[np.ndarray]:
    """The features of every pixel looked at, a column each, in one fixed order.

    Args:
        look: gives the neighbours.
        plane: whose pixels they are.
        predicted: what the linear prediction says.
        rows, cols: where the pixels are.
    """
    near = {at: look(*at, plane) for at in NEIGHBOURS}
    west, north = near[0, -1], near[-1, 0]
    corner, far = near[-1, -1], near[-1, 1]
    plain = west + north - corner
    median = np.clip(plain, np.minimum(west, north), np.maximum(west, north))
    guesses = [
        median,
        plain,
        west + (far - corner) // 2,
        north + far - near[-2, 1],
        2 * west - near[0, -2],
        2 * north - near[-2, 0],
        (west + far) // 2,
    ]
    steps = [
        west - north,
        west - corner,
        north - corner,
        north - far,
        west - near[0, -2],
        north - near[-2, 0],
    ]
    size = np.abs
    sums = [
        size(steps[4]) + size(steps[2]) + size(steps[3]),
        size(steps[1]) + size(steps[5]) + size(far - near[-2, 1]),
        sum(near[-1, right] for right in range(-3, 4)) // 4,
        sum(near[-2, right] for right in range(-3, 4)) // 4,
        (near[0, -1] + near[0, -2] + near[0, -3]) // 2,
    ]
    place = [predicted, rows % 8, cols % 8, rows, cols]
    features = [value - predicted for value in [*near.values(), *guesses]] + steps + sums + place
    for other in range(plane):
        features += _across(look, other, near, median, predicted)
    return features


def _across(
    look: View, other: int, near: dict[tuple[int, int], np.ndarray], median: np.ndarray, predicted: np.ndarray
) -> list[np.ndarray]:
    """What an earlier plane tells: its own steps here, carried over to this plane."""
    here, west, north = look(0, 0, other), look(0, -1, other), look(-1, 0, other)
    east, south = look(0, 1, other), look(1, 0, other)
    from_west, from_north = here - west + near[0, -1], here - north + near[-1, 0]
    steps = [here - west, here - north, here - east, here - south]
    return [
        from_west - predicted,
        from_north - predicted,
        (from_west + from_north) // 2 - predicted,
        here - look(-1, -1, other) + near[-1, -1] - predicted,
        *steps,
        sum(np.abs(step) for step in steps),
        here - median,
    ]
