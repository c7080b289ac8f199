"""Stored samples → pairs of tensors (disturbed, clean), the same ones for the same step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from isthmus.config import Config
from isthmus.data.augment import Augment
from isthmus.data.batches import Batches
from isthmus.data.corruption import make_corruption
from isthmus.data.grouping import by_shape, some
from isthmus.data.source import Source
from isthmus.data.transforms import Transform

Batch = tuple[torch.Tensor, torch.Tensor]


class Feed:
    """Endless training batches, addressable by step.

    Args:
        source: where samples are read.
        indices: those to train on.
        transform: samples → tensor layout, float32.
        config: of the run.
        device: where the tensors go.
        share: (rank, of) when several processes share the work; each takes every of-th sample.
    """

    def __init__(
        self,
        source: Source,
        indices: np.ndarray,
        transform: Transform,
        config: Config,
        *,
        device: torch.device | str = "cpu",
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self._batches = Batches(
            source, indices, config.train.batch_size, data=config.data, seed=config.train.seed
        )
        self._transform, self._device, self._share = transform, device, share
        self._seed = config.train.seed
        self._augment, self._augment_until = Augment(config.data), config.data.augment_until
        part = config.data.corruption
        self._corrupt = None if part.name == "none" else make_corruption(part)
        self._is_plain = self._augment.is_idle and self._corrupt is None

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one pass over the training samples."""
        return self._batches.steps_per_epoch

    @property
    def batch_size(self) -> int:
        """Samples in one step, over all processes."""
        return self._batches.batch_size

    def from_step(self, step: int, *, steps: int | None = None) -> Iterator[Batch]:
        """The batches of steps `step`, `step` + 1, … without end.

        Args:
            step: counted from 0.
            steps: of the whole run; augmentation ends at its share `data.augment_until`.
        """
        last_augmented = float("inf") if steps is None else self._augment_until * steps
        while True:
            epoch, start = divmod(step, self.steps_per_epoch)
            for samples in self._batches.epoch(epoch, start=start):
                yield self._pair(samples, step, augment=step < last_augmented)
                step += 1

    def _pair(self, samples: np.ndarray, step: int, *, augment: bool) -> Batch:
        rank, of = self._share
        clean = self._transform.forward(samples[rank::of])
        if self._is_plain:
            tensor = self._to_device(clean)
            return tensor, tensor
        random = np.random.default_rng((self._seed, step, rank))
        clean = self._augment(clean, random) if augment else clean
        disturbed = clean if self._corrupt is None else self._corrupt(clean, random)
        tensor = self._to_device(clean)
        return (tensor if disturbed is clean else self._to_device(disturbed)), tensor

    def _to_device(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device, non_blocking=True)


def held_out_tensors(
    source: Source,
    indices: Sequence[int] | np.ndarray,
    transform: Transform,
    *,
    device: torch.device | str = "cpu",
) -> list[torch.Tensor]:
    """Undisturbed, whole held-out samples in batches of one shape: enough for a steady figure."""
    kept = some(indices, source, values=_LOOK_AT)
    return [
        torch.from_numpy(np.ascontiguousarray(transform.forward(samples))).to(device)
        for _, samples in (by_shape(source, kept) if kept else ())
    ]


_LOOK_AT = 4_000_000  # values; more would only slow every evaluation
