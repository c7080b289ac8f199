"""What each bottleneck does to a code while the net learns, against its definition."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from isthmus.bottlenecks.plain import Plain
from isthmus.bottlenecks.rate import PACE, Rate
from isthmus.bottlenecks.variational import Variational
from isthmus.errors import ConfigError


def codes(seed=0, shape=(5, 3, 2, 2), scale=3.0):
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_plain_passes_the_code_on_and_asks_no_price():
    coded = Plain(3)(codes(), values=10, progress=0.5)
    assert torch.equal(coded.latent, codes())
    assert coded.penalty.tolist() == [0.0] * 5
    assert coded.rate_bits is None


def test_plain_noise_has_the_deviation_asked_for():
    torch.manual_seed(0)
    encoded = torch.zeros(100, 3, 10)
    assert abs(Plain(3, noise=0.5)(encoded, values=1, progress=0).latent.std() - 0.5) < 0.02


def test_variational_divergence_is_the_one_of_torch_distributions():
    mean, log_variance = codes(1), codes(2, scale=1.0)
    coded = Variational(3, beta=0.5)(torch.cat([mean, log_variance], 1), values=7, progress=0)
    normal = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    standard = torch.distributions.Normal(torch.zeros(()), torch.ones(()))
    nats = torch.distributions.kl_divergence(normal, standard).flatten(1).sum(1)
    torch.testing.assert_close(coded.penalty, 0.5 * nats / 7)
    torch.testing.assert_close(coded.rate_bits, nats / math.log(2))


def test_variational_samples_follow_mean_and_variance_and_storing_takes_the_mean():
    torch.manual_seed(0)
    mean, log_variance = torch.full((20_000, 1), 2.0), torch.full((20_000, 1), math.log(0.25))
    encoded = torch.cat([mean, log_variance], 1)
    bottleneck = Variational(1)
    sample = bottleneck(encoded, values=1, progress=0).latent
    assert abs(sample.mean() - 2) < 0.02
    assert abs(sample.std() - 0.5) < 0.02
    assert torch.equal(bottleneck.latent(encoded), mean)


def test_variational_stays_finite_whatever_the_encoder_says():
    coded = Variational(3)(1e4 * codes(shape=(5, 6)), values=1, progress=0)
    assert torch.isfinite(coded.latent).all()
    assert torch.isfinite(coded.penalty).all()


def some_rate(seed=0, **options):
    """A Rate whose distributions are not the initial ones."""
    torch.manual_seed(seed)
    bottleneck = Rate(3, **options)
    with torch.no_grad():
        for parameter in bottleneck.parameters():
            parameter += torch.randn_like(parameter) / PACE
    return bottleneck


def mass(bottleneck: Rate, values: np.ndarray) -> np.ndarray:
    """The share of each channel's distribution within half of each value, in float64."""
    means, log_scales, weights = (
        PACE * p.detach().double().numpy()[:, None]
        for p in (bottleneck.means, bottleneck.log_scales, bottleneck.weights)
    )
    share = np.exp(weights) / np.exp(weights).sum(-1, keepdims=True)
    scale = np.exp(log_scales)
    distance = values[..., None] - means
    # Mirrored where both ends lie above the mean, so that nothing cancels.
    distance = -np.abs(distance)
    upper, lower = (1 / (1 + np.exp(-(distance + half) / scale)) for half in (0.5, -0.5))
    return ((upper - lower) * share).sum(-1)


@given(st.integers(0, 50))
def test_rate_bits_are_the_logarithm_of_the_mass(seed):
    bottleneck = some_rate(seed)
    values = np.linspace(-12, 12, 49)[None].repeat(3, 0)
    bits = bottleneck.bits(torch.tensor(values, dtype=torch.float32).T[..., None])[..., 0].T
    expected = -np.log2(mass(bottleneck, values))
    np.testing.assert_allclose(bits.detach().numpy(), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("value", [3.0, 30.0, 100.0, 250.0, 3000.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_rate_pulls_inwards_however_far_out_a_value_is(value, sign):
    bottleneck = Rate(1)
    encoded = torch.full((1, 1), sign * value, requires_grad=True)
    bottleneck.bits(encoded).sum().backward()
    assert encoded.grad.item() * sign > 0.5
    assert torch.isfinite(bottleneck.log_scales.grad).all()
    assert bottleneck.log_scales.grad.sum() < 0, "a wider distribution would cost less, and must be sought"


def test_rate_is_the_cost_of_whole_numbers_when_the_distribution_fits():
    """A learned distribution prices rounded values near their entropy."""
    torch.manual_seed(0)
    values = 2.0 * torch.randn(20_000, 1)
    bottleneck = Rate(1)
    optimiser = torch.optim.Adam(bottleneck.parameters(), lr=0.05)
    for _ in range(60):
        optimiser.zero_grad()
        bottleneck.bits(values[:2000]).mean().backward()
        optimiser.step()
    entropy = 0.5 * math.log2(2 * math.pi * math.e * 4)  # of a normal with deviation 2, step 1
    assert abs(bottleneck.bits(torch.round(values)).mean().item() - entropy) < 0.08


def test_rate_shows_noise_first_and_rounded_values_last():
    bottleneck, encoded = some_rate(switch=0.6), codes()
    early = bottleneck(encoded, values=1, progress=0.5).latent - encoded
    quantiser = bottleneck.quantiser()
    step, centre = (torch.from_numpy(one).view(1, -1, 1, 1) for one in (quantiser.step, quantiser.offset))
    assert (early / step).abs().max() <= 0.5 + 1e-4
    assert (early / step).std() > 0.2
    late = bottleneck(encoded, values=1, progress=0.6).latent
    symbols = (late - centre) / step
    torch.testing.assert_close(symbols, symbols.round(), atol=1e-3, rtol=0)
    assert ((late - encoded) / step).abs().max() <= 0.5 + 1e-3


@pytest.mark.parametrize("progress", [0.0, 0.3, 0.69, 0.7, 1.0])
def test_rate_lets_the_gradient_through_unchanged(progress):
    bottleneck = some_rate()
    encoded = codes().requires_grad_()
    bottleneck(encoded, values=1, progress=progress).latent.sum().backward()
    torch.testing.assert_close(encoded.grad, torch.ones_like(encoded))


def test_rate_penalty_is_bits_per_value_times_the_price_after_its_warm_up():
    bottleneck = some_rate(rate_weight=0.5, warm_up=0.2)
    for progress, share in [(0.0, 0.0), (0.1, 0.5), (0.2, 1.0), (1.0, 1.0)]:
        coded = bottleneck(codes(), values=20, progress=progress)
        torch.testing.assert_close(coded.penalty, share * 0.5 * coded.rate_bits / 20)
        assert coded.rate_bits.shape == (5,)


def test_rate_teaches_every_parameter_it_has():
    bottleneck = some_rate()
    coded = bottleneck(codes(), values=1, progress=1.0)
    (coded.penalty.sum() + coded.latent.sum()).backward()
    for name, parameter in bottleneck.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Plain(2, noise=-1), "bottleneck.noise must be at least 0"),
        (lambda: Plain(2, tolerance=0), "bottleneck.tolerance must be above 0"),
        (lambda: Variational(2, beta=-1), "bottleneck.beta must be at least 0"),
        (lambda: Rate(2, rate_weight=0), "bottleneck.rate_weight must be above 0"),
        (lambda: Rate(2, switch=2), "bottleneck.switch must be 0 to 1"),
        (lambda: Rate(2, warm_up=1), "bottleneck.warm_up must be"),
        (lambda: Rate(2, components=0), "bottleneck.components must be"),
    ],
)
def test_options_outside_their_range_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
