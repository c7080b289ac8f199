"""Both halves together: built from a config, padded, cropped, linked."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.config import NetConfig, PartConfig
from isthmus.errors import ConfigError, UnknownName
from isthmus.nets.autoencoder import Autoencoder, pad_to_multiple, tensor_shape
from isthmus.spec import DataSpec


def image_spec(*shape):
    axes = ("height", "width", "channel")[: len(shape)]
    return DataSpec(modality="image", axes=axes, shape=shape, dtype="uint8")


ROW = DataSpec(modality="array", axes=("feature",), shape=(12,), dtype="float32")
DIGIT = image_spec(28, 28)
RESIDUAL = PartConfig("residual", {"channels": 8, "blocks": 1, "stride": 4})


def test_tensors_of_images_are_channel_first_and_arrays_stay():
    assert tensor_shape(image_spec(20, 30, 3)) == (3, 20, 30)
    assert tensor_shape(image_spec(None, None)) == (1, None, None)
    assert tensor_shape(ROW) == (12,)


@settings(max_examples=25, deadline=None)
@given(height=st.integers(1, 40), width=st.integers(1, 40), colours=st.sampled_from([1, 3]))
def test_any_image_comes_back_in_its_own_size(height, width, colours):
    spec = image_spec(None, None, colours)
    net = Autoencoder.build(spec, NetConfig(latent=3, encoder=RESIDUAL, decoder=RESIDUAL))
    images = torch.rand(2, colours, height, width)
    assert net(images).shape == images.shape
    assert net.decode(net.encode(images), (height, width)).shape == images.shape


def test_padding_repeats_the_border_and_cropping_removes_it():
    images = torch.rand(1, 1, 5, 7)
    padded = pad_to_multiple(images, 4)
    assert padded.shape == (1, 1, 8, 8)
    assert torch.equal(padded[..., :5, :7], images)
    assert torch.equal(padded[..., 7, :7], images[..., 4, :])
    assert pad_to_multiple(padded, 4) is padded


def test_without_a_size_fixed_samples_get_their_own_and_varying_ones_all_there_is():
    config = NetConfig(latent=3, encoder=RESIDUAL, decoder=RESIDUAL)
    code = torch.zeros(1, 3, 3, 3)
    assert Autoencoder.build(image_spec(10, 11), config).decode(code).shape == (1, 1, 10, 11)
    assert Autoencoder.build(image_spec(None, None), config).decode(code).shape == (1, 1, 12, 12)


@pytest.mark.parametrize(("encoder", "decoder"), [("conv", "mlp"), ("mlp", "conv")])
def test_families_that_agree_on_the_code_can_be_mixed(encoder, decoder):
    config = NetConfig(latent=7, encoder=PartConfig(encoder), decoder=PartConfig(decoder))
    images = torch.rand(2, 1, 28, 28)
    assert Autoencoder.build(DIGIT, config)(images).shape == images.shape


@pytest.mark.parametrize(
    ("spec", "decoder"),
    [
        (DIGIT, PartConfig("mlp")),
        (DIGIT, PartConfig("residual", {"stride": 8})),
        (image_spec(None, None), PartConfig("residual", {"stride": 8})),
    ],
)
def test_halves_that_disagree_on_the_code_are_refused(spec, decoder):
    with pytest.raises(ConfigError, match="must agree on the code"):
        Autoencoder.build(spec, NetConfig(encoder=RESIDUAL, decoder=decoder))


@pytest.mark.parametrize("link", ["sigmoid", "softmax"])
def test_the_link_stands_between_decode_raw_and_decode(link):
    net = Autoencoder.build(ROW, NetConfig(latent=3, output=link))
    code = torch.randn(5, 3)
    expected = net.decode_raw(code).sigmoid() if link == "sigmoid" else net.decode_raw(code).softmax(dim=1)
    assert torch.equal(net.decode(code), expected)


def test_auto_takes_the_link_it_is_given_and_a_named_output_overrides_it():
    assert Autoencoder.build(ROW, NetConfig()).link == "identity"
    assert Autoencoder.build(ROW, NetConfig(), link="sigmoid").link == "sigmoid"
    assert Autoencoder.build(ROW, NetConfig(output="identity"), link="sigmoid").link == "identity"


def test_of_two_heads_the_first_is_decoded():
    net = Autoencoder.build(ROW, NetConfig(latent=3), heads=2)
    rows = torch.rand(4, 12)
    assert torch.equal(net(rows), net.decode(net.encode(rows)[:, :3]))


def test_arrays_of_several_axes_come_back_whatever_size_is_asked_for():
    spec = DataSpec(modality="array", axes=("axis_0", "axis_1"), shape=(4, 6), dtype="float32")
    net = Autoencoder.build(spec, NetConfig(latent=3))
    rows = torch.rand(2, 4, 6)
    assert net.decode(net.encode(rows), tuple(rows.shape[2:])).shape == rows.shape


@pytest.mark.parametrize("half", ["encoder", "decoder"])
def test_an_unknown_option_names_the_setting_and_what_it_could_be(half):
    config = NetConfig(**{half: PartConfig("mlp", {"hiden": [4]})})
    with pytest.raises(ConfigError, match=f"An option of net.{half} must be one of hidden, .*; got 'hiden'"):
        Autoencoder.build(ROW, config)


def test_an_unknown_net_is_one_sentence():
    with pytest.raises(UnknownName, match="Did you mean 'conv'"):
        Autoencoder.build(DIGIT, NetConfig(encoder=PartConfig("cnov")))
