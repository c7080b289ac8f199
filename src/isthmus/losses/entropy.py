"""Cross-entropies: the nats it costs to say the target when the output is believed."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F

from isthmus.losses.base import Loss, mean_per_sample


class BinaryCrossEntropy(Loss):
    """−t·log p − (1−t)·log(1−p), with p = sigmoid(output) and a target t from 0 to 1.

    A target strictly between 0 and 1 is read as a probability; its own entropy is then the
    least value that can be reached.

    >>> BinaryCrossEntropy()(torch.zeros(1, 2), torch.tensor([[0.0, 1.0]]))  # log 2
    tensor([0.6931])
    """

    takes: ClassVar[str] = "logits"
    link: ClassVar[str] = "sigmoid"
    unit: ClassVar[str] = "nats per value"

    def per_sample(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """(batch, …) → (batch,)."""
        return mean_per_sample(F.binary_cross_entropy_with_logits(output, target, reduction="none"))


class CategoricalCrossEntropy(Loss):
    """−Σ t·log p over axis 1, with p = softmax(output); the mean over what other axes there are.

    The target gives one category (a single 1 among zeros) or a probability for each.

    >>> CategoricalCrossEntropy()(torch.zeros(1, 4), torch.tensor([[0.0, 1.0, 0.0, 0.0]]))  # log 4
    tensor([1.3863])
    """

    takes: ClassVar[str] = "logits"
    link: ClassVar[str] = "softmax"
    unit: ClassVar[str] = "nats per position"

    def per_sample(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """(batch, category, …) → (batch,)."""
        return mean_per_sample(-(target * F.log_softmax(output, dim=1)).sum(dim=1, keepdim=True))
