"""Rounding latents loses at most half a step, and the steps chosen keep to the tolerance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from isthmus.bottlenecks import Quantiser
from isthmus.bottlenecks.quantiser import choose_quantiser
from isthmus.errors import ConfigError


@st.composite
def rounded(draw):
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=4, max_side=5))
    step = draw(hnp.arrays(np.float32, shape[1], elements=st.floats(2**-10, 2**10, width=32)))
    offset = draw(hnp.arrays(np.float32, shape[1], elements=st.floats(-100, 100, width=32)))
    latent = draw(hnp.arrays(np.float32, shape, elements=st.floats(-500, 500, width=32)))
    return Quantiser(step, offset), latent


@given(rounded())
def test_a_latent_comes_back_within_half_a_step(pair):
    quantiser, latent = pair
    symbols = quantiser.quantise(latent)
    assert symbols.dtype == np.int32
    assert symbols.shape == latent.shape
    back = quantiser.dequantise(symbols)
    assert back.dtype == np.float32
    step = quantiser.step.reshape(1, -1, *[1] * (latent.ndim - 2))
    slack = 4e-7 * (np.abs(latent) + np.abs(quantiser.offset).max())  # of float32 itself
    assert (np.abs(back.astype(np.float64) - latent) <= step / 2 + slack + 1e-6 * step).all()


@given(rounded())
def test_symbols_survive_being_made_latents(pair):
    quantiser, latent = pair
    symbols = np.clip(quantiser.quantise(latent), -1000, 1000)
    coarse = Quantiser(np.maximum(quantiser.step, 2**-5), quantiser.offset)
    assert np.array_equal(coarse.quantise(coarse.dequantise(symbols)), symbols)


def test_even_infinite_latents_get_a_symbol():
    quantiser = Quantiser(np.float32([0.5]), np.float32([0]))
    assert abs(quantiser.quantise(np.float32([[np.inf], [-np.inf], [1e30]]))).max() < 2**31 - 1


@pytest.mark.parametrize("step", [0.0, -1.0, np.nan, np.inf])
def test_steps_must_be_above_0(step):
    with pytest.raises(ConfigError, match="steps and offsets"):
        Quantiser(np.float32([step]), np.float32([0]))


def linear(seed: int, channels: int, outputs: int = 12, spread: object = 1.0, gain: object = 1.0):
    """A linear decoder, latents, and targets that it misses by a little."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(channels, outputs)).astype(np.float32) * np.reshape(gain, (-1, 1))
    latents = (random.normal(size=(200, channels)) * np.reshape(spread, (1, -1))).astype(np.float32)
    target = latents @ matrix + random.normal(0, 0.05, (200, outputs)).astype(np.float32)
    return latents, target.astype(np.float32), lambda z: (z @ matrix).astype(np.float32)


@pytest.mark.parametrize("tolerance", [0.001, 0.05, 1.0])
@pytest.mark.parametrize(
    "case",
    [
        {"channels": 6},
        {"channels": 1},
        {"channels": 4, "spread": [1, 100, 0.01, 1], "gain": [1, 0.01, 100, 1]},
        {"channels": 4, "spread": [1, 0, 0, 0]},
        {"channels": 4, "gain": [1, 0, 0, 0]},
        {"channels": 3, "spread": 1e-5},
        {"channels": 3, "spread": 100},
    ],
)
def test_the_steps_chosen_keep_to_the_tolerance_and_waste_none_of_it(case, tolerance):
    latents, target, decode = linear(1, **case)
    quantiser = choose_quantiser(latents, decode, tolerance=tolerance, target=target)

    def growth(chosen):
        restored = decode(chosen.dequantise(chosen.quantise(latents)))
        return np.mean((restored - target) ** 2) / np.mean((decode(latents) - target) ** 2) - 1

    assert growth(quantiser) <= tolerance * 1.001
    pointless = np.var(decode(latents)) < np.mean((decode(latents) - target) ** 2)  # nothing worth keeping
    assert pointless or growth(Quantiser(8 * quantiser.step, quantiser.offset)) > tolerance


def test_a_channel_that_moves_the_output_more_gets_a_finer_step():
    latents, target, decode = linear(2, channels=2, gain=[10, 1])
    step = choose_quantiser(latents, decode, target=target).step
    assert 5 < step[1] / step[0] < 20


def test_latents_that_never_change_get_a_symbol_all_the_same():
    latents = np.full((20, 3), 2.5, np.float32)
    target = np.full((20, 4), 1.0, np.float32)
    quantiser = choose_quantiser(latents, lambda z: np.repeat(z[:, :1], 4, 1), target=target)
    assert not quantiser.quantise(latents).any()
    assert np.array_equal(quantiser.dequantise(quantiser.quantise(latents)), latents)
