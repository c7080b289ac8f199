"""Every registered net keeps the laws of its family."""

import pytest
import torch

from isthmus.bottlenecks.variational import Variational
from isthmus.config import NetConfig, PartConfig
from isthmus.nets import NETS
from isthmus.nets.autoencoder import LINKS, Autoencoder
from isthmus.nets.base import option_names
from isthmus.nets.blocks import ACTIVATIONS
from isthmus.spec import DataSpec
from isthmus.testing import check_net
from isthmus.testing.lowering import check_lowering


@pytest.mark.parametrize("name", NETS)
def test_every_net_keeps_the_laws(name):
    check_net(name)


SPEC = DataSpec(modality="image", axes=("height", "width", "channel"), shape=(13, 10, 3), dtype="uint8")


def built(net: str, link: str = "identity", heads: int = 1, **options) -> Autoencoder:
    torch.manual_seed(3)
    known = option_names(NETS.find(net).encoder)
    encoder = PartConfig(net, {name: value for name, value in options.items() if name in known})
    config = NetConfig(latent=6, encoder=encoder, decoder=PartConfig(net, options), output=link)
    return Autoencoder.build(SPEC, config, heads=heads).eval()


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", NETS)
def test_every_net_runs_in_integers_with_every_activation(name, activation):
    check_lowering(built(name, activation=activation), torch.rand(5, 3, 13, 10))


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("name", NETS)
def test_every_net_runs_in_integers_with_every_link(name, link):
    check_lowering(built(name, link), torch.rand(5, 3, 13, 10))


def test_normalised_encoders_and_the_first_of_two_heads_run_as_operations():
    part, decoder = PartConfig("mlp", {"norm": True, "dropout": 0.2}), PartConfig("mlp", {"dropout": 0.2})
    net = Autoencoder.build(SPEC, NetConfig(latent=6, encoder=part, decoder=decoder), heads=2).eval()
    check_lowering(net, torch.rand(5, 3, 13, 10), Variational(6))
