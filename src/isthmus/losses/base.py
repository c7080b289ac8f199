"""The contract of a loss: decoder output and clean target in, one number per sample out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch


class Loss(ABC):
    """A distortion; its options are the keyword-only arguments of the class.

    It is at least 0, and least where the output equals the target. Each sample's value is a
    mean over its own values, so that a loss weighs the same for small and large samples.
    """

    takes: ClassVar[str] = "values"
    """"values": the decoder's output through the link; "logits": as it is before the link."""
    link: ClassVar[str] = "identity"
    """The link that `net.output = "auto"` stands for: identity, sigmoid or softmax."""
    unit: ClassVar[str]
    """What one number means, for reports and axis labels."""

    def __call__(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """(batch, …) and (batch, …), of one shape → (batch,), float32 or better.

        Sums over many values lose too much in half precision, so mixed precision stops here.
        """
        assert output.shape == target.shape, f"{tuple(output.shape)} against {tuple(target.shape)}"
        with torch.autocast(output.device.type, enabled=False):
            return self.per_sample(_at_least_float32(output), _at_least_float32(target))

    @abstractmethod
    def per_sample(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The measure itself, in full precision: (batch,)."""


def mean_per_sample(values: torch.Tensor) -> torch.Tensor:
    """(batch, …) → (batch,): the mean over everything but the batch.

    >>> mean_per_sample(torch.tensor([[1.0, 3.0], [0.0, 0.0]]))
    tensor([2., 0.])
    """
    return values.flatten(1).mean(dim=1)


def _at_least_float32(values: torch.Tensor) -> torch.Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))
