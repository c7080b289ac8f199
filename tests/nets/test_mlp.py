"""The dense net: its layers, its options, and what it refuses."""

import pytest
import torch
from torch import nn

from isthmus.errors import ConfigError
from isthmus.nets.mlp import MLP


def dense_sizes(net):
    return [
        (layer.in_features, layer.out_features) for layer in net.modules() if isinstance(layer, nn.Linear)
    ]


def test_hidden_layers_are_listed_from_the_sample_and_reversed_in_the_decoder():
    assert dense_sizes(MLP.encoder((1, 28, 28), 64, hidden=[128, 96])) == [(784, 128), (128, 96), (96, 64)]
    assert dense_sizes(MLP.decoder((1, 28, 28), 64, hidden=[128, 96])) == [(64, 96), (96, 128), (128, 784)]


def test_without_hidden_layers_both_halves_are_linear():
    encoder, decoder = MLP.encoder((10,), 3, hidden=()), MLP.decoder((10,), 3, hidden=())
    assert dense_sizes(encoder) == [(10, 3)]
    assert dense_sizes(decoder) == [(3, 10)]


def test_one_number_stands_for_one_hidden_layer():
    assert dense_sizes(MLP.encoder((4,), 2, hidden=64)) == [(4, 64), (64, 2)]


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid"])
def test_a_deep_net_passes_the_signal_on_whatever_its_activation(activation):
    torch.manual_seed(0)
    encoder = MLP.encoder((100,), 50, hidden=[200] * 6, activation=activation)
    spread = encoder(torch.randn(400, 100)).std(dim=0).mean()
    # A sigmoid's outputs are all positive, so more of the signal is a constant.
    assert (0.01 if activation == "sigmoid" else 0.1) < spread < 5


def test_dropout_acts_in_training_only():
    encoder = MLP.encoder((20,), 5, hidden=(64,), dropout=0.5)
    x = torch.rand(3, 20)
    assert not torch.equal(encoder.train()(x), encoder(x))
    assert torch.equal(encoder.eval()(x), encoder(x))


def test_norm_adds_one_layer_norm_for_each_hidden_layer_of_the_encoder():
    encoder = MLP.encoder((20,), 5, hidden=(16, 8), norm=True)
    assert [n.normalized_shape for n in encoder.modules() if isinstance(n, nn.LayerNorm)] == [(16,), (8,)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden": [64, 0]}, "each of hidden must be a whole number, at least 1; got 0"),
        ({"hidden": "64"}, "each of hidden must be a whole number, at least 1; got '64'"),
        ({"activation": "rellu"}, "activation must be one of relu, "),
        ({"dropout": "0.5"}, "dropout must be at least 0 and below 1; got '0.5'"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1"),
    ],
)
def test_a_wrong_option_is_one_sentence(options, message):
    with pytest.raises(ConfigError, match=message):
        MLP.encoder((4,), 2, **options)


def test_samples_of_varying_size_are_refused_with_a_way_out():
    with pytest.raises(ConfigError, match="Use the net 'residual'"):
        MLP.code_shape((3, None, None), 16)
