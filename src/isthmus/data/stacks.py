"""Samples in their order, one by one or many at once: what readers write files from.

An array of millions of numbers is millions of samples. Handing them over one at a time would take
longer than decoding them, so what is decoded together stays together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np


class Stacks:
    """Samples that come in stacks; give them out one by one, or as stacks of a wanted total.

    Args:
        stacks: arrays whose first axis counts samples, or lists of samples of several shapes.

    >>> samples = Stacks([np.zeros((3, 2)), np.ones((2, 2))])
    >>> next(samples).tolist(), [len(stack) for stack in samples.take(3)], len(list(samples))
    ([0.0, 0.0], [2, 1], 1)
    """

    def __init__(self, stacks: Iterable[np.ndarray | Sequence[np.ndarray]]) -> None:
        self._stacks = iter(stacks)
        self._held: np.ndarray | Sequence[np.ndarray] = ()

    @classmethod
    def of(cls, samples: Iterable[np.ndarray]) -> Stacks:
        """Samples of any kind as Stacks; Stacks stay what they are."""
        return samples if isinstance(samples, Stacks) else cls(sample[None] for sample in samples)

    def take(self, count: int) -> Iterator[np.ndarray]:
        """Stacks of samples of one shape that hold the next `count` samples together.

        Raises:
            ValueError: there are fewer.
        """
        while count:
            if not len(self._held) and not self._fill():
                raise ValueError("There are fewer samples than the layout counts.")
            taken, self._held = self._held[:count], self._held[count:]
            count -= len(taken)
            yield taken if isinstance(taken, np.ndarray) else np.stack(taken)

    def _fill(self) -> bool:
        for stack in self._stacks:
            self._held = stack
            if len(stack):
                return True
        return False

    def __iter__(self) -> Stacks:
        return self

    def __next__(self) -> np.ndarray:
        if not len(self._held) and not self._fill():
            raise StopIteration
        first, self._held = self._held[0], self._held[1:]
        return np.asarray(first)
