"""What every bottleneck must keep, whatever it does to a code."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from isthmus.bottlenecks import BOTTLENECKS
from isthmus.bottlenecks.base import Bottleneck, Coded
from isthmus.exact.builder import Lowering
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.program import Program

CHANNELS = 3
SHAPES: tuple[tuple[int, ...], ...] = ((5, CHANNELS), (5, CHANNELS, 4, 3))
"""Codes a bottleneck is tried with: one for a whole sample, then one for each position."""
STAGES = (0.0, 0.35, 0.7, 1.0)
"""How far training has come."""


def check_bottleneck(bottleneck: str | type[Bottleneck], **options: Any) -> None:
    """Raise AssertionError unless a bottleneck keeps every law below.

    Args:
        bottleneck: a registered name, or the class.
        options: given to the class.

    >>> check_bottleneck("plain", noise=0.1)
    """
    family: type[Bottleneck] = BOTTLENECKS.find(bottleneck) if isinstance(bottleneck, str) else bottleneck
    made = family(CHANNELS, **options)
    for shape in SHAPES:
        for progress in STAGES:
            check_shapes(made, shape, progress)
            check_seed_decides_noise(made, shape, progress)
            check_gradient_passes(made, shape, progress)
        check_latent_is_settled(made, shape)
        check_samples_do_not_mix(made, shape)
        check_price_is_per_value(made, shape)
        check_operations(made, shape)
    check_extremes(made)
    check_rounding_is_the_trained_one(made)
    check_weights_are_float32(made)


def check_shapes(made: Bottleneck, shape: tuple[int, ...], progress: float) -> None:
    """A latent for the decoder, and one price a sample, neither NaN nor below 0."""
    coded = _coded(made, _encoded(made, shape), progress)
    wanted = (shape[0], shape[1] + made.told, *shape[2:])
    assert coded.latent.shape == wanted, f"{shape} came through as {tuple(coded.latent.shape)}"
    assert torch.isfinite(coded.latent).all(), f"{shape}: NaN or infinity in the latent"
    for name, price in (("penalty", coded.penalty), ("rate_bits", coded.rate_bits)):
        if price is None:
            continue
        assert price.shape == shape[:1], f"{name} is {tuple(price.shape)}, not one number per sample"
        assert torch.isfinite(price).all(), f"{name} is NaN or infinite"
        assert (price >= 0).all(), f"{name} is below 0: {price.min()}"


def check_seed_decides_noise(made: Bottleneck, shape: tuple[int, ...], progress: float) -> None:
    """What is random follows torch's generator alone, so that a resumed run repeats it."""
    encoded = _encoded(made, shape)
    first, again = (_coded(made, encoded, progress) for _ in range(2))
    assert torch.equal(first.latent, again.latent), "one seed, two latents"
    assert torch.equal(first.penalty, again.penalty), "one seed, two penalties"


def check_gradient_passes(made: Bottleneck, shape: tuple[int, ...], progress: float) -> None:
    """Every latent value teaches the encoder, at every stage of the training."""
    encoded = _encoded(made, shape).requires_grad_()
    _coded(made, encoded, progress).latent.sum().backward()
    gradient = encoded.grad
    assert gradient is not None, "no gradient reaches the encoder"
    assert torch.isfinite(gradient).all(), "NaN or infinity in the gradient"
    assert gradient[:, :CHANNELS].ne(0).all(), f"at {progress} some values of the code learn nothing"


def check_latent_is_settled(made: Bottleneck, shape: tuple[int, ...]) -> None:
    """What is stored has the latent's shape and no noise."""
    encoded = _encoded(made, shape)
    first, again = made.latent(encoded), made.latent(encoded)
    assert first.shape == shape, f"latent() of {tuple(encoded.shape)} is {tuple(first.shape)}"
    assert torch.equal(first, again), "latent() differs from call to call"


def check_samples_do_not_mix(made: Bottleneck, shape: tuple[int, ...]) -> None:
    """A sample's stored latent does not depend on its neighbours in the batch."""
    encoded = _encoded(made, shape)
    alone = torch.cat([made.latent(row[None]) for row in encoded])
    torch.testing.assert_close(made.latent(encoded), alone)


def check_price_is_per_value(made: Bottleneck, shape: tuple[int, ...]) -> None:
    """Ten times as many values in a sample share the price of one code; its bits stay the same."""
    encoded = _encoded(made, shape)
    few, many = (_coded(made, encoded, 1.0, values=values) for values in (7, 70))
    torch.testing.assert_close(few.penalty, 10 * many.penalty)
    if few.rate_bits is not None and many.rate_bits is not None:
        torch.testing.assert_close(few.rate_bits, many.rate_bits)


def check_operations(made: Bottleneck, shape: tuple[int, ...]) -> None:
    """The operations that `lower` names give the stored latent, without PyTorch."""
    encoded, net = _encoded(made, shape), Lowering()
    start = net.add("take", 0, numbers=(encoded.shape[1],))  # a program has at least one operation
    made.lower(net, start)
    run = FloatRunner(Program(tuple(encoded.shape[1:]), tuple(net.ops), {}))
    torch.testing.assert_close(torch.from_numpy(run(encoded.numpy())), made.latent(encoded))


def check_extremes(made: Bottleneck) -> None:
    """Codes far larger than any in training give finite prices and gradients."""
    encoded = (1e4 * _encoded(made, SHAPES[0])).requires_grad_()
    coded = _coded(made, encoded, 1.0)
    (coded.latent.sum() + coded.penalty.sum()).backward()
    assert torch.isfinite(coded.penalty).all(), "an extreme code gives a penalty of NaN or infinity"
    gradient = encoded.grad
    assert gradient is not None, "an extreme code gives no gradient"
    assert torch.isfinite(gradient).all(), "an extreme code gives a gradient of NaN or infinity"


def check_rounding_is_the_trained_one(made: Bottleneck) -> None:
    """Where steps were learned, the decoder saw in the end what it will see of a file."""
    quantiser = made.quantiser()
    if quantiser is None:
        return
    if made.levels() is not None:
        _check_levels(made)
        return
    for name, values in (("step", quantiser.step), ("offset", quantiser.offset)):
        assert values.shape == (CHANNELS,), f"the quantiser's {name} is {values.shape}, not ({CHANNELS},)"
    for shape in SHAPES:
        encoded = _encoded(made, shape)
        stored = quantiser.quantise(made.latent(encoded).detach().numpy())
        restored = torch.from_numpy(quantiser.dequantise(stored))
        torch.testing.assert_close(_coded(made, encoded, 1.0).latent, restored, atol=1e-4, rtol=1e-4)


def _check_levels(made: Bottleneck) -> None:
    """What came through is a whole number of steps, within half a step of what went in."""
    levels, neighbours = made.levels(), made.neighbours()
    assert neighbours is not None, "levels without neighbours"
    assert levels is not None
    for part, count in (("levels", levels.parts.shape[1]), ("neighbours", neighbours.channels)):
        assert count == CHANNELS, f"its {part} are of {count} channels, not {CHANNELS}"
    made.eval()
    for shape in SHAPES:
        encoded = _encoded(made, shape)
        came = _coded(made, encoded, 1.0).latent[:, :CHANNELS]
        places = (np.arange(len(came)) + 0.5) / len(came)
        for sample, place in enumerate(places):
            steps = levels.steps(round(1 + 99 * place))
            far = (came - made.latent(encoded))[sample].detach().abs().reshape(CHANNELS, -1).amax(1).numpy()
            assert (far <= 0.51 * steps * _NEIGHBOURING).all(), "latents further off than half a step"


_NEIGHBOURING = 1.1  # qualities are whole numbers, and places between them have steps of their own


def check_weights_are_float32(made: Bottleneck) -> None:
    """A model stores float32 weights."""
    for name, value in made.state_dict().items():
        assert value.dtype == torch.float32, f"{name} is {value.dtype}; a model stores float32 weights"


def _encoded(made: Bottleneck, shape: tuple[int, ...]) -> torch.Tensor:
    """What an encoder might give: (batch, heads × channel, …), no value of it 0."""
    batch, channels, *position = shape
    generator = torch.Generator().manual_seed(7)
    values = torch.rand(batch, made.heads * channels, *position, generator=generator)
    return 4 * values - 1.987


def _coded(made: Bottleneck, encoded: torch.Tensor, progress: float, *, values: int = 50) -> Coded:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        coded: Coded = made(encoded, values=values, progress=progress)
    return coded
