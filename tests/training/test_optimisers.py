"""The learning rate is a pure function of the step, and decay and clipping do what they say."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from isthmus.config import OPTIMISERS, SCHEDULES, TrainConfig
from isthmus.training.optimisers import build_optimiser, clip_gradients, learning_rate, set_learning_rate

steps = st.integers(1, 5000)
configs = st.builds(
    TrainConfig,
    schedule=st.sampled_from(SCHEDULES),
    warmup=st.floats(0, 0.99),
    learning_rate=st.floats(1e-6, 10),
)


@given(configs, steps, st.integers(0, 5))
def test_the_rate_is_above_0_and_never_above_the_highest(config, count, reductions):
    some = sorted({0, 1, count // 3, count // 2, count - 1} & set(range(count)))
    for step in some:
        rate = learning_rate(config, step=step, steps=count, reductions=reductions)
        assert 0 < rate <= config.learning_rate


@given(configs, st.integers(1, 300))
def test_it_climbs_and_then_never_rises_again(config, count):
    rates = [learning_rate(config, step=step, steps=count) for step in range(count)]
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)


@pytest.mark.parametrize("schedule", ["cosine", "one-cycle"])
@given(warmup=st.floats(0, 0.5), count=st.integers(100, 5000))
def test_it_ends_near_0(schedule, warmup, count):
    config = TrainConfig(schedule=schedule, warmup=warmup)
    assert learning_rate(config, step=count - 1, steps=count) < 0.01 * config.learning_rate


def test_one_cycle_climbs_for_a_third_of_the_run():
    config = TrainConfig(schedule="one-cycle", warmup=0.0)
    rates = [learning_rate(config, step=step, steps=100) for step in range(100)]
    assert rates.index(max(rates)) == 30


def test_plateau_halves_the_rate_at_each_reduction():
    config = TrainConfig(schedule="plateau", warmup=0.0, learning_rate=1.0)
    assert [learning_rate(config, step=5, steps=9, reductions=n) for n in range(3)] == [1.0, 0.5, 0.25]


@pytest.mark.parametrize("name", OPTIMISERS)
def test_decay_pulls_matrices_and_spares_vectors(name):
    module = nn.Linear(3, 2)
    with torch.no_grad():
        module.bias.fill_(1.0)
    before = module.weight.detach().clone()
    optimiser = build_optimiser(module, TrainConfig(optimiser=name, weight_decay=0.5, learning_rate=0.1))
    module(torch.zeros(1, 3)).sum().backward()
    module.bias.grad.zero_()
    optimiser.step()
    assert module.weight.norm() < before.norm()
    assert module.bias.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_every_parameter_is_optimised_once(name, weight_decay):
    module = nn.Sequential(nn.Linear(3, 4), nn.Conv2d(1, 2, 3))
    optimiser = build_optimiser(module, TrainConfig(optimiser=name, weight_decay=weight_decay))
    held = [id(p) for group in optimiser.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in module.parameters())
    set_learning_rate(optimiser, 0.125)
    assert {group["lr"] for group in optimiser.param_groups} == {0.125}


def gradients(*values):
    parameters = [nn.Parameter(torch.zeros(len(v))) for v in values]
    for parameter, value in zip(parameters, values, strict=True):
        parameter.grad = torch.tensor(value)
    return parameters


def test_clipping_by_norm_keeps_the_direction_and_tells_the_norm():
    parameters = gradients([3.0], [0.0, 4.0])
    assert clip_gradients(parameters, TrainConfig(clip_norm=1.0)) == pytest.approx(5.0)
    assert [p.grad.tolist() for p in parameters] == [pytest.approx([0.6]), pytest.approx([0.0, 0.8])]


def test_clipping_by_value_comes_first():
    parameters = gradients([3.0], [0.0, -4.0])
    assert clip_gradients(parameters, TrainConfig(clip_norm=10.0, clip_value=1.0)) == pytest.approx(2**0.5)
    assert [p.grad.tolist() for p in parameters] == [[1.0], [0.0, -1.0]]


def test_without_clipping_gradients_stay():
    parameters = gradients([3.0])
    assert clip_gradients(parameters, TrainConfig(clip_norm=None)) == 0.0
    assert parameters[0].grad.tolist() == [3.0]
