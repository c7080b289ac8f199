"""Penalties on weights and codes: their values by hand, and what they leave alone."""

import math

import pytest
import torch
from torch import nn

from isthmus.losses.penalties import code_kl, code_l1, weights_l1, weights_l2


def net():
    layers = nn.Sequential(nn.Conv2d(1, 1, 2), nn.LayerNorm(3), nn.Linear(3, 1))
    for parameter in layers.parameters():
        nn.init.constant_(parameter, -2.0)
    return layers


def test_weights_of_all_layers_count_but_biases_and_normalisation_do_not():
    assert weights_l1(net()).item() == (4 + 3) * 2
    assert weights_l2(net()).item() == (4 + 3) * 4


def test_no_gradient_pulls_a_bias():
    layers = net()
    (weights_l1(layers) + weights_l2(layers)).backward()
    assert all((p.grad is None) == (p.ndim < 2) for p in layers.parameters())


def test_code_l1_does_not_depend_on_the_size_of_batch_or_image():
    code = torch.randn(2, 3, 4, 4)
    assert code_l1(code).item() == pytest.approx(code_l1(code.repeat(3, 1, 2, 2)).item())


def test_code_kl_is_the_formula():
    code = torch.tensor([[0.0, 2.0], [1.0, -1.0]])
    expected = 0.0
    for unit in range(2):
        active = torch.sigmoid(code[:, unit]).mean().item()
        expected += 0.05 * math.log(0.05 / active) + 0.95 * math.log(0.95 / (1 - active))
    assert code_kl(code, target=0.05).item() == pytest.approx(expected)


def test_code_kl_pulls_activations_towards_the_target_and_survives_saturation():
    code = torch.tensor([[400.0, 3.0, -9.0]], requires_grad=True)
    penalty = code_kl(code, target=0.05)
    penalty.backward()
    assert math.isfinite(penalty.item())
    assert code.grad[0, 1] > 0  # too active: descending lowers it
    assert code.grad[0, 2] < 0  # too quiet: descending raises it
