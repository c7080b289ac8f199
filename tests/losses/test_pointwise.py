"""Values known by hand for the losses that look at each value by itself, and for cross-entropies."""

import math

import numpy as np
import pytest
import torch

from isthmus.errors import ConfigError
from isthmus.losses.entropy import BinaryCrossEntropy, CategoricalCrossEntropy
from isthmus.losses.pointwise import Huber, MeanAbsoluteError, MeanSquaredError

OUTPUT = torch.tensor([[0.0, 1.0, 3.0], [1.0, 1.0, 1.0]])
TARGET = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (MeanSquaredError(), 10 / 3),
        (MeanAbsoluteError(), 4 / 3),
        (Huber(delta=2.0), (0.5 + 2 * (3 - 1)) / 3),
    ],
)
def test_values_by_hand(loss, expected):
    assert loss(OUTPUT, TARGET).tolist() == pytest.approx([expected, 0.0])


def test_huber_joins_its_two_pieces_smoothly():
    error = torch.tensor([[1.999], [2.001]], requires_grad=True)
    Huber(delta=2.0)(error, torch.zeros(2, 1)).sum().backward()
    assert error.grad.flatten().tolist() == pytest.approx([2.0, 2.0], abs=2e-3)


def test_huber_refuses_a_delta_of_zero():
    with pytest.raises(ConfigError, match="delta must be above 0; got 0"):
        Huber(delta=0)


def test_binary_cross_entropy_is_the_formula_and_survives_certainty():
    logits, target = torch.tensor([[0.3, -2.0, 90.0, -90.0]]), torch.tensor([[0.2, 1.0, 1.0, 0.0]])
    p = [1 / (1 + math.exp(-x)) for x in (0.3, -2.0)]
    by_hand = -(0.2 * math.log(p[0]) + 0.8 * math.log(1 - p[0])) - math.log(p[1])
    assert BinaryCrossEntropy()(logits, target).item() == pytest.approx(by_hand / 4)


def test_categorical_cross_entropy_sums_over_axis_1_and_averages_over_the_rest():
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(2, 5, 3, 4))
    labels = generator.integers(0, 5, size=(2, 3, 4))
    target = np.moveaxis(np.eye(5)[labels], -1, 1)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    by_hand = -np.log((p * target).sum(axis=1)).mean(axis=(1, 2))
    loss = CategoricalCrossEntropy()(torch.from_numpy(logits), torch.from_numpy(target))
    assert loss.tolist() == pytest.approx(by_hand.tolist())


def test_shapes_that_would_broadcast_are_our_own_mistake():
    with pytest.raises(AssertionError, match=r"\(2, 3\) against \(2, 1\)"):
        MeanSquaredError()(OUTPUT, TARGET[:, :1])
