"""The moving average is the sum it says it is, and leaves the trained weights alone."""

import pytest
import torch
from torch import nn

from isthmus.training.average import WeightAverage


def weights(step):
    return torch.full((2, 3), float(step**2))


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.999])
def test_each_step_moves_the_average_towards_the_weights(decay):
    module = nn.Linear(3, 2, bias=False)
    average = WeightAverage(module, decay)
    expected = module.weight.detach().double().clone()
    for step in range(30):
        module.weight.data.copy_(weights(step))
        average.update(step)
        kept = min(decay, (1 + step) / (10 + step))
        expected = kept * expected + (1 - kept) * weights(step).double()
    torch.testing.assert_close(average.values[0].double(), expected, rtol=1e-5, atol=1e-5)
    assert torch.equal(module.weight, weights(29))


def test_inside_the_module_computes_with_the_average_and_afterwards_with_its_own():
    module = nn.Linear(3, 2)
    average = WeightAverage(module, 0.9)
    before = {n: p.detach().clone() for n, p in module.named_parameters()}
    module.weight.data += 1
    live = module.weight.detach().clone()
    with average.in_place():
        assert torch.equal(module.weight, before["weight"])
    assert torch.equal(module.weight, live)
    with pytest.raises(RuntimeError), average.in_place():
        raise RuntimeError
    assert torch.equal(module.weight, live), "an error inside must not leave them swapped"


def test_without_a_decay_the_average_is_the_weights():
    module = nn.Linear(3, 2)
    average = WeightAverage(module, None)
    module.weight.data += 1
    average.update(0)
    with average.in_place():
        assert torch.equal(average.values[0], module.weight)
