"""A fixed transform gives every pixel back, and only the filter behind it learns."""

from __future__ import annotations

import pytest
import torch

from isthmus.errors import ConfigError
from isthmus.nets.filtered import STRIDES, Filtered


def halves(depth: int, stride: int, *, told: int = 0, level: float = 0.5):
    sample, latent = (depth, None, None), depth * stride**2
    options = {"stride": stride, "level": level}
    decoder = Filtered.decoder(sample, latent, told=told, channels=4, blocks=1, **options)
    return Filtered.encoder(sample, latent, **options), decoder


def silenced(decoder: torch.nn.Module) -> torch.nn.Module:
    with torch.no_grad():
        decoder.mended.deep.repair.weight.zero_()
    return decoder


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("depth", [1, 3])
def test_without_its_filter_a_whole_code_gives_every_pixel_back(stride, depth):
    encoder, decoder = halves(depth, stride, level=0.25)
    images = torch.rand(2, depth, 32, 64)
    with torch.no_grad():
        assert torch.allclose(silenced(decoder)(encoder(images)), images, atol=1e-5)


def test_what_is_told_is_seen_by_the_filter_alone():
    encoder, decoder = halves(1, 8, told=1)
    code = encoder(torch.rand(2, 1, 16, 16))
    with torch.no_grad():
        low, high = (decoder(torch.cat([code, torch.full((2, 1, 2, 2), told)], 1)) for told in (-0.5, 0.5))
        assert not torch.equal(low, high)
        silenced(decoder)
        low, high = (decoder(torch.cat([code, torch.full((2, 1, 2, 2), told)], 1)) for told in (-0.5, 0.5))
    assert torch.equal(low, high)


def test_the_transform_does_not_learn():
    encoder, decoder = halves(3, 4)
    assert not any(weights.requires_grad for weights in encoder.parameters())
    learns = {name.split(".")[1] for name, weights in decoder.named_parameters() if weights.requires_grad}
    assert learns == {"deep"}


def test_bfloat16_does_not_touch_the_straight_way():
    encoder, decoder = halves(1, 8)
    images = torch.rand(1, 1, 32, 32)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert torch.allclose(silenced(decoder)(encoder(images)), images, atol=1e-5)


def test_other_strides_are_refused_in_a_sentence():
    with pytest.raises(ConfigError, match="2, 4, 8, 16 or 32"):
        Filtered.code_shape((1, 30, 30), 4, stride=0)
