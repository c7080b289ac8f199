"""Which samples train the model, and which are held out to judge it."""

from __future__ import annotations

import numpy as np

from isthmus.config import require


def split(count: int, held_out: float, seed: int, last: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Divide `count` samples in two.

    Args:
        count: samples in all.
        held_out: share to hold out, at least 0 and below 1. A share above 0 holds out one sample
            at least, if there are two; one sample at least is left for training.
        seed: the same seed gives the same split.
        last: hold out the last samples instead of random ones, for data whose order is time.
    Returns:
        Indices to train on and indices held out, each int64 and ascending.
    Raises:
        ConfigError: `held_out` is outside its range.

    >>> train, held = split(10, 0.2, seed=0, last=True)
    >>> held.tolist()
    [8, 9]
    """
    require(0 <= held_out < 1, "data.held_out", "at least 0 and below 1", held_out)
    wanted = max(round(count * held_out), 1) if held_out > 0 else 0
    held = min(wanted, max(count - 1, 0))
    order = np.arange(count) if last else np.random.default_rng(seed).permutation(count)
    return np.sort(order[: count - held]), np.sort(order[count - held :])
