"""The convolutional net for images of one size."""

import pytest
import torch

from isthmus.errors import ConfigError
from isthmus.nets.conv import Conv


@pytest.mark.parametrize("sides", [(28, 28), (1, 1), (5, 3), (17, 64), (33, 31)])
@pytest.mark.parametrize("depth", [1, 3])
def test_every_size_comes_back_exactly(sides, depth):
    sample = (depth, *sides)
    encoder, decoder = (
        Conv.encoder(sample, 9, channels=(4, 8, 8)),
        Conv.decoder(sample, 9, channels=(4, 8, 8)),
    )
    code = encoder(torch.rand(2, *sample))
    assert code.shape == (2, 9)
    assert decoder(code).shape == (2, *sample)


def test_sides_are_halved_and_rounded_up_at_each_level():
    encoder = Conv.encoder((1, 28, 28), 30)
    assert encoder.code.in_features == 64 * 4 * 4  # 28 → 14 → 7 → 4


def test_blocks_are_added_to_every_level_of_both_halves():
    for half in (Conv.encoder, Conv.decoder):
        names = [name for name, _ in half((1, 28, 28), 30, blocks=2).named_children() if "block" in name]
        assert sorted(names) == [f"level_{level}_block_{block}" for level in (1, 2, 3) for block in (1, 2)]


@pytest.mark.parametrize(
    ("sample", "way_out"), [((3, None, None), "'residual'"), ((50,), "'mlp'"), ((6, 50), "'mlp'")]
)
def test_other_samples_are_refused_with_a_way_out(sample, way_out):
    with pytest.raises(ConfigError, match=f"Use the net {way_out}"):
        Conv.code_shape(sample, 16)


@pytest.mark.parametrize("blocks", [-1, 1.5, "2", True])
def test_a_wrong_number_of_blocks_is_refused(blocks):
    with pytest.raises(ConfigError, match="blocks must be a whole number, at least 0"):
        Conv.encoder((1, 8, 8), 4, blocks=blocks)
