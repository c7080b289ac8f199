"""What is learned in floats of neighbours is what the coder goes by in whole numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from isthmus.bottlenecks.graded import Graded, symbol_bits
from isthmus.bottlenecks.neighbourhood import Neighbourhood, group_sizes, spread_of, sum_of
from isthmus.coding.latents.grades import Grades, fit_tables
from isthmus.coding.latents.neighbours import QUARTERS, SIZE, UNIT_BITS, VALUE, Walk


def learned(channels: int, seed: int = 0) -> Neighbourhood:
    torch.manual_seed(seed)
    made = Neighbourhood(channels)
    with torch.no_grad():
        for weights in made.parameters():
            weights.add_(0.05 * torch.randn_like(weights))
    return made


def test_calm_takes_a_share_off_magnitudes_alone():
    made, was = learned(24), learned(24)
    made.calm(0.25)
    assert torch.equal(made.bias, was.bias)
    for now, before in zip((*made.earlier, *made.own), (*was.earlier, *was.own), strict=True):
        assert torch.equal(now[VALUE], before[VALUE])
        assert torch.allclose(now[SIZE], 0.75 * before[SIZE])


@pytest.mark.parametrize("channels", [1, 3, 40])
@pytest.mark.parametrize("quality", [1, 25, 100])
def test_whole_numbers_expect_what_floats_do(channels, quality):
    made = learned(channels)
    neighbours = made.to_neighbours()
    symbols = np.random.default_rng(1).integers(-4, 5, (2, channels, 5, 4)).astype(np.int32)
    place = torch.full((2,), (quality - 1) / 99)
    with torch.no_grad():
        value, spread = made(torch.from_numpy(symbols).float(), place)
    walk = Walk(neighbours, symbols.shape, quality)
    classes = np.sort(neighbours.thresholds) / (1 << UNIT_BITS)
    for step in walk.steps():
        numbers, whole = walk.expected(step)
        place_of = (step.positions[0], step.channels, *step.positions[1:])
        walk.fill(step, symbols[place_of].transpose(0, 2, 3, 1))
        expected = value.numpy()[place_of].transpose(0, 2, 3, 1)
        quarters = (numbers.astype(np.int32) % QUARTERS - 2) / QUARTERS
        assert np.abs(whole + quarters - expected).max() <= 0.5 / QUARTERS + 0.1  # weights are rounded too
        sums = np.vectorize(sum_of)(np.maximum(spread.numpy()[place_of].transpose(0, 2, 3, 1), 0.0501))
        near = np.searchsorted(classes, [sums - 0.1, sums + 0.1])
        assert ((near[0] <= numbers // QUARTERS) & (numbers // QUARTERS <= near[1])).all()


def test_spreads_and_sums_undo_each_other():
    spreads = torch.tensor([0.06, 0.3, 5.0])
    assert torch.allclose(spread_of(torch.tensor([sum_of(s) for s in spreads.tolist()])), spreads)


def test_the_bits_of_all_symbols_are_those_of_a_distribution():
    symbols = torch.arange(-200.0, 201.0)
    share = 2 ** -symbol_bits(symbols, torch.tensor(0.3), torch.tensor(1.7))
    assert share.sum().item() == pytest.approx(1.0, abs=1e-4)


def test_groups_hold_every_channel_once():
    for channels in (1, 2, 5, 32, 192):
        assert sum(group_sizes(channels)) == channels


def test_alone_the_net_learns_nothing_of_rates_and_the_code_says_its_quality():
    made = Graded(3, joint=False)
    assert not any(weights.requires_grad for weights in made.parameters())
    coded = made(torch.randn(8, 3, 4, 4), values=16, progress=0.5)
    assert coded.latent.shape == (8, 4, 4, 4)
    assert coded.rate_bits is None
    assert coded.penalty.abs().sum() == 0
    told = coded.latent[:, 3]
    assert (told == told[:, :1, :1]).all()
    assert told.abs().max() <= 0.5
    order = torch.argsort(told[:, 0, 0])
    assert (coded.weight[order].diff() >= 0).all()  # an error counts more at a high quality


def test_symbols_that_neighbours_foretell_cost_less():
    """A bottleneck that has learned pays: smooth grids take fewer bytes than the same symbols shuffled."""
    torch.manual_seed(0)
    made = Graded(1)
    random = np.random.default_rng(0)
    rows = np.cumsum(random.normal(0, 0.5, (16, 1, 24, 24)), axis=3)
    latents = torch.from_numpy((rows - rows.mean()).astype(np.float32))
    optimiser = torch.optim.Adam(made.neighbourhood.parameters(), lr=0.02)
    for _ in range(150):
        coded = made(latents, values=576, progress=1.0)
        optimiser.zero_grad()
        (coded.rate_bits.mean() / 576).backward()
        optimiser.step()
    steps, neighbours = made.levels().steps(80), made.neighbours()
    symbols = np.rint(latents.numpy() / steps[:, None, None]).astype(np.int32)
    shuffled = random.permuted(symbols.ravel()).reshape(symbols.shape)
    sizes = [
        len(Grades(made.levels(), neighbours, fit_tables(neighbours, [(one, 80)])).encode([one], 80))
        for one in (symbols, shuffled)
    ]
    assert sizes[0] < 0.8 * sizes[1]
