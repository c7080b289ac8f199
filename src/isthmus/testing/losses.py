"""What every loss must keep, whatever it measures."""

from __future__ import annotations

from typing import Any

import torch

from isthmus.errors import ConfigError
from isthmus.losses import LOSSES
from isthmus.losses.base import Loss

SHAPES = ((6, 3, 16, 13), (6, 1, 40, 28), (6, 10))
"""Batches a loss is tried with: small and larger images, then rows of numbers."""


def check_loss(loss: str | type[Loss], **options: Any) -> None:
    """Raise AssertionError unless a loss keeps every law below.

    A loss may refuse a kind of sample with ConfigError, but not all of them.

    Args:
        loss: a registered name, or the class.
        options: given to the class.

    >>> check_loss("huber", delta=0.5)
    """
    family: type[Loss] = LOSSES.find(loss) if isinstance(loss, str) else loss
    measure = family(**options)
    check_description(measure)
    taken = [shape for shape in SHAPES if _takes(measure, shape)]
    assert taken, f"{family.__name__} refuses every kind of sample: {SHAPES}"
    for shape in taken:
        check_one_value_per_sample(measure, shape)
        check_equality_is_best(measure, shape)
        check_samples_do_not_mix(measure, shape)
        check_gradient(measure, shape)
        check_half_precision(measure, shape)


def check_description(measure: Loss) -> None:
    """It says what it takes, which link it wants, and what its numbers mean."""
    assert measure.takes in ("values", "logits"), f"takes is {measure.takes!r}"
    assert measure.link in ("identity", "sigmoid", "softmax"), f"link is {measure.link!r}"
    assert measure.unit.strip(), "unit is empty"


def check_one_value_per_sample(measure: Loss, shape: tuple[int, ...]) -> None:
    """(batch, …) gives (batch,), finite and not negative."""
    values = measure(*_pair(measure, shape))
    assert values.shape == shape[:1], f"{shape} gives {tuple(values.shape)}, not one value per sample"
    assert torch.isfinite(values).all(), f"{shape}: NaN or infinity"
    assert (values >= -1e-6).all(), f"{shape}: a distance below 0: {values.min()}"


def check_equality_is_best(measure: Loss, shape: tuple[int, ...]) -> None:
    """Nothing is nearer to a target than the target; where `takes` is "values", that is 0."""
    output, target = _pair(measure, shape)
    best = measure(_perfect(measure, target), target)
    assert (best <= measure(output, target) + 1e-6).all(), f"{shape}: another output beats the target"
    if measure.takes == "values":
        torch.testing.assert_close(best, torch.zeros_like(best), atol=1e-5, rtol=0)


def check_samples_do_not_mix(measure: Loss, shape: tuple[int, ...]) -> None:
    """Reordering the batch reorders the values; a sample alone has the same value."""
    output, target = _pair(measure, shape)
    values = measure(output, target)
    torch.testing.assert_close(measure(output.flip(0), target.flip(0)), values.flip(0))
    torch.testing.assert_close(measure(output[:1], target[:1]), values[:1])


def check_gradient(measure: Loss, shape: tuple[int, ...]) -> None:
    """The slope is the one that finite differences find, and it is finite at equality too."""
    output, target = (tensor.double() for tensor in _pair(measure, shape))
    towards = torch.randn(shape, generator=_generator(), dtype=torch.float64)

    def along(step: float) -> torch.Tensor:
        return measure(output + step * towards, target).sum()

    slope = _gradient(measure, output, target).mul(towards).sum()
    torch.testing.assert_close(slope, (along(1e-6) - along(-1e-6)) / 2e-6, rtol=1e-3, atol=1e-5)
    at_equality = _gradient(measure, _perfect(measure, target), target)
    assert torch.isfinite(at_equality).all(), f"{shape}: NaN or infinity in the gradient at equality"


def check_half_precision(measure: Loss, shape: tuple[int, ...]) -> None:
    """Under mixed precision the measuring itself still happens in float32."""
    output, target = _pair(measure, shape)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = measure(output, target)
    assert torch.equal(mixed, measure(output, target)), f"{shape}: autocast changes the value"
    assert measure(output.bfloat16(), target).dtype == torch.float32, f"{shape}: summed in bfloat16"


def _takes(measure: Loss, shape: tuple[int, ...]) -> bool:
    try:
        measure(*_pair(measure, shape))
    except ConfigError:
        return False
    return True


def _pair(measure: Loss, shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """An output and a target of the kind the loss is made for."""
    output = torch.rand(shape, generator=_generator())
    target = torch.rand(shape, generator=_generator(1))
    return output, target.softmax(dim=1) if measure.link == "softmax" else target


def _perfect(measure: Loss, target: torch.Tensor) -> torch.Tensor:
    """The output that says the target exactly, before the link if the loss takes logits."""
    if measure.takes == "values":
        return target
    return target.log() if measure.link == "softmax" else target.logit()


def _gradient(measure: Loss, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    output = output.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(measure(output, target).sum(), output)
    return gradient


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
