"""What every net family must keep, whatever it is made of."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from isthmus.errors import ConfigError
from isthmus.nets import NETS
from isthmus.nets.autoencoder import Autoencoder
from isthmus.nets.base import Net, Shape
from isthmus.testing.lowering import check_lowering

SAMPLES: tuple[Shape, ...] = ((1, 28, 28), (3, 21, 34), (3, None, None), (1, 5, 3), (7,), (4, 6))
"""Shapes a family is tried with: even, odd, varying, tiny; images and arrays."""
VARYING_SIDE = 27
LATENT = 6
BATCH = 5


def check_net(net: str | type[Net], **options: Any) -> None:
    """Raise AssertionError unless a net family keeps every law below.

    A family may refuse a kind of sample with ConfigError, but not all of them.

    Args:
        net: a registered name, or the family's class.
        options: given to both halves.

    >>> check_net("mlp", hidden=(16,))
    """
    family: type[Net] = NETS.find(net) if isinstance(net, str) else net
    taken = [sample for sample in SAMPLES if _takes(family, sample, options)]
    assert taken, f"{family.__name__} refuses every kind of sample: {SAMPLES}"
    for sample in taken:
        check_shapes(family, sample, options)
        check_second_head(family, sample, options)
        check_seed_decides_weights(family, sample, options)
        check_every_weight_learns(family, sample, options)
        check_samples_do_not_mix(family, sample, options)
        check_weights_can_be_stored(family, sample, options)
        check_lowering(_built(family, sample, options), _samples(sample))


def check_shapes(family: type[Net], sample: Shape, options: dict[str, Any]) -> None:
    """Codes have the promised shape, and what comes back has exactly the sample's."""
    net, x = _built(family, sample, options), _samples(sample)
    code = net.encode(x)
    promised = family.code_shape(tuple(x.shape[1:]), LATENT, **options)
    assert tuple(code.shape[1:]) == promised, f"{sample}: a code of {tuple(code.shape[1:])}, not {promised}"
    for known, length in zip(net.code_shape, promised, strict=True):
        assert known in (None, length), f"{sample}: code_shape says {net.code_shape}, this one is {promised}"
    back = net.decode(code, tuple(x.shape[2:]))
    assert back.shape == x.shape, f"{sample}: {tuple(x.shape)} came back as {tuple(back.shape)}"
    assert torch.isfinite(back).all(), f"{sample}: the untrained net gives NaN or infinity"


def check_second_head(family: type[Net], sample: Shape, options: dict[str, Any]) -> None:
    """Two heads double axis 1 of the code and nothing else."""
    x = _samples(sample)
    one = _built(family, sample, options).encode(x)
    two = _built(family, sample, options, heads=2).encode(x)
    assert two.shape == (BATCH, 2 * LATENT, *one.shape[2:]), f"{sample}: two heads give {tuple(two.shape)}"


def check_seed_decides_weights(family: type[Net], sample: Shape, options: dict[str, Any]) -> None:
    """The same seed gives the same net; another seed another one."""
    first, again, other = (_built(family, sample, options, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first), "one seed, two nets"
    assert any(not torch.equal(first[name], other[name]) for name in first), "the seed changes nothing"


def check_every_weight_learns(family: type[Net], sample: Shape, options: dict[str, Any]) -> None:
    """A gradient reaches every parameter that is to learn, of both halves, from the first step on."""
    net, x = _built(family, sample, options), _samples(sample)
    (net(x) - x).square().mean().backward()
    for name, parameter in net.named_parameters():
        if not parameter.requires_grad:
            continue
        gradient = parameter.grad
        assert gradient is not None, f"{sample}: no gradient reaches {name}"
        assert torch.isfinite(gradient).all(), f"{sample}: NaN or infinity in the gradient of {name}"
        assert gradient.any(), f"{sample}: the gradient of {name} is 0"


def check_samples_do_not_mix(family: type[Net], sample: Shape, options: dict[str, Any]) -> None:
    """A sample's code and reconstruction do not depend on its neighbours in the batch."""
    net, x = _built(family, sample, options), _samples(sample)
    alone = torch.cat([net(row[None]) for row in x])
    torch.testing.assert_close(net(x), alone, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(net.encode(x.flip(0)), net.encode(x).flip(0), rtol=1e-4, atol=1e-5)


def check_weights_can_be_stored(family: type[Net], sample: Shape, options: dict[str, Any]) -> None:
    """Another net with the stored weights computes the same; all its state is floats."""
    net, copy, x = _built(family, sample, options), _built(family, sample, options, seed=2), _samples(sample)
    copy.load_state_dict(net.state_dict())
    assert torch.equal(net(x), copy(x)), f"{sample}: state_dict does not hold all that decides the output"
    for name, value in net.state_dict().items():
        assert value.dtype == torch.float32, f"{name} is {value.dtype}; a model stores float32 weights"
    kinds = [type(module).__name__ for module in net.modules() if isinstance(module, _BATCH_STATISTICS)]
    assert not kinds, f"{', '.join(kinds)}: batch statistics cannot be carried out in integers"


_BATCH_STATISTICS = nn.modules.batchnorm._BatchNorm


def _takes(family: type[Net], sample: Shape, options: dict[str, Any]) -> bool:
    try:
        family.code_shape(sample, LATENT, **options)
    except ConfigError:
        return False
    return True


def _built(
    family: type[Net], sample: Shape, options: dict[str, Any], *, heads: int = 1, seed: int = 1
) -> Autoencoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = family.encoder(sample, LATENT, heads=heads, **options)
        decoder = family.decoder(sample, LATENT, **options)
    net = Autoencoder(
        encoder,
        decoder,
        sample=sample,
        code_shape=family.code_shape(sample, LATENT, **options),
        stride=family.stride(**options),
        heads=heads,
    )
    return net.eval()  # dropout is meant to differ from run to run


def _samples(sample: Shape) -> torch.Tensor:
    shape = [VARYING_SIDE if length is None else length for length in sample]
    return torch.rand(BATCH, *shape, generator=torch.Generator().manual_seed(7))
