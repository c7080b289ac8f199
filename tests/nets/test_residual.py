"""The fully convolutional net for images of any height and width."""

import pytest
import torch

from isthmus.errors import ConfigError
from isthmus.nets.residual import Residual

SMALL = {"channels": 8, "blocks": 1}


@pytest.mark.parametrize("stride", [4, 8, 16])
def test_one_net_takes_every_multiple_of_its_stride(stride):
    sample = (3, None, None)
    encoder = Residual.encoder(sample, 5, stride=stride, **SMALL)
    decoder = Residual.decoder(sample, 5, stride=stride, **SMALL)
    for rows, columns in [(1, 1), (2, 5), (3, 2)]:
        image = torch.rand(2, 3, rows * stride, columns * stride)
        code = encoder(image)
        assert code.shape == (2, 5, rows, columns)
        assert decoder(code).shape == image.shape


def test_code_shape_rounds_up_and_leaves_varying_sides_open():
    assert Residual.code_shape((3, 100, 64), 24, stride=16) == (24, 7, 4)
    assert Residual.code_shape((1, None, 20), 24) == (24, None, 3)


@pytest.mark.parametrize("stride", [0, 3, 32, "8"])
def test_another_stride_is_refused(stride):
    for ask in (Residual.encoder, Residual.decoder, Residual.code_shape):
        with pytest.raises(ConfigError, match="stride must be 4, 8 or 16"):
            ask((1, 32, 32), 4, stride=stride)


def test_far_pixels_of_the_code_do_not_see_a_change():
    torch.manual_seed(0)
    encoder = Residual.encoder((1, None, None), 4, channels=8, blocks=1, stride=4).eval()
    image = torch.rand(1, 1, 64, 64)
    changed = image.clone()
    changed[..., :4, :4] += 1
    moved = (encoder(image) != encoder(changed)).any(dim=1)[0]
    assert moved[:2, :2].any()
    assert not moved[4:, :].any()  # stem, block and code convolution each reach one code pixel


def test_arrays_are_refused_with_a_way_out():
    with pytest.raises(ConfigError, match="Use the net 'mlp'"):
        Residual.code_shape((50,), 16)
