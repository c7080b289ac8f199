"""A check that cannot fail proves nothing: each law is broken once on purpose."""

import numpy as np
import pytest
import torch
from torch import nn

from isthmus.bottlenecks import Quantiser
from isthmus.bottlenecks.base import Bottleneck, Coded
from isthmus.bottlenecks.plain import Plain
from isthmus.errors import ConfigError
from isthmus.losses.pointwise import MeanSquaredError as Squared
from isthmus.nets.mlp import MLP
from isthmus.testing import check_bottleneck, check_loss, check_net


class Unused(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2, 2))

    def forward(self, x):
        return x


class MinusBatchMean(nn.Module):
    def forward(self, x):
        return x - x.mean(dim=0)


class ForgetsWeights(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("scale", torch.rand(()), persistent=False)

    def forward(self, x):
        return x * self.scale


def ending_in(last):
    class Family(MLP):
        @classmethod
        def decoder(cls, sample, latent):
            return MLP.decoder(sample, latent, hidden=(8,)).append(last())

    return Family


class WrongShape(MLP):
    @classmethod
    def code_shape(cls, sample, latent, **options):
        return (latent + 1,)


class OneHead(MLP):
    @classmethod
    def encoder(cls, sample, latent, *, heads=1):
        return MLP.encoder(sample, latent, hidden=(8,))


class BatchNorm(MLP):
    @classmethod
    def encoder(cls, sample, latent, *, heads=1):
        return MLP.encoder(sample, latent, heads=heads, hidden=()).append(nn.BatchNorm1d(heads * latent))


class RefusesAll(MLP):
    @classmethod
    def code_shape(cls, sample, latent, **options):
        raise ConfigError("no")


@pytest.mark.parametrize(
    ("family", "fault"),
    [
        (WrongShape, "a code of"),
        (OneHead, "two heads give"),
        (BatchNorm, "a model stores float32 weights"),
        (RefusesAll, "refuses every kind of sample"),
        (ending_in(lambda: nn.Flatten()), "came back as"),
        (ending_in(Unused), "no gradient reaches decoder"),
        (ending_in(MinusBatchMean), "not close"),
        (ending_in(ForgetsWeights), "state_dict does not hold"),
    ],
)
def test_a_net_that_breaks_a_law_is_found(family, fault):
    with pytest.raises(AssertionError, match=fault):
        check_net(family)


class BatchMean(Squared):
    def per_sample(self, output, target):
        return super().per_sample(output, target).mean()


class SignedError(Squared):
    def per_sample(self, output, target):
        return (output - target).flatten(1).mean(dim=1)


class OffCentre(Squared):
    def per_sample(self, output, target):
        return super().per_sample(output + 0.1, target)


class RelativeToBatch(Squared):
    def per_sample(self, output, target):
        values = super().per_sample(output, target)
        return values / values.amax().clamp(min=1e-9)


class RootOfError(Squared):
    def per_sample(self, output, target):
        return super().per_sample(output, target).sqrt()


class Unitless(Squared):
    unit = " "


@pytest.mark.parametrize(
    ("loss", "fault"),
    [
        (BatchMean, "not one value per sample"),
        (SignedError, "a distance below 0"),
        (OffCentre, "not close"),
        (RelativeToBatch, "not close"),
        (RootOfError, "gradient at equality"),
        (Unitless, "unit is empty"),
    ],
)
def test_a_loss_that_breaks_a_law_is_found(loss, fault):
    with pytest.raises(AssertionError, match=fault):
        check_loss(loss)


class PlainLike(Bottleneck):
    """Passes the code on; what follows breaks one thing each."""

    def forward(self, encoded, *, values, progress):
        return Coded(encoded, self.price(encoded) / values)

    def price(self, encoded):
        return encoded.square().flatten(1).sum(1)


class HardRounding(PlainLike):
    def forward(self, encoded, *, values, progress):
        return Coded(encoded.round() + 0 * encoded, self.price(encoded) / values)


class NegativePrice(PlainLike):
    def price(self, encoded):
        return encoded.flatten(1).sum(1) - 1000


class OnePrice(PlainLike):
    def price(self, encoded):
        return encoded.square().sum()


class TotalPrice(PlainLike):
    def forward(self, encoded, *, values, progress):
        return Coded(encoded, self.price(encoded))


class NoisyLatent(PlainLike):
    def latent(self, encoded):
        return encoded + torch.rand_like(encoded)


class CentredLatent(PlainLike):
    def latent(self, encoded):
        return encoded - encoded.mean(0)


class PrivateNoise(PlainLike):
    def forward(self, encoded, *, values, progress):
        noise = torch.rand(encoded.shape, generator=torch.Generator().manual_seed(torch.seed() % 2**31))
        return Coded(encoded + noise, self.price(encoded) / values)


class Exploding(PlainLike):
    def price(self, encoded):
        return encoded.exp().flatten(1).sum(1)


class OtherSteps(PlainLike):
    def quantiser(self):
        return Quantiser(np.ones(3, np.float32), np.zeros(3, np.float32))


class StepForAll(PlainLike):
    def quantiser(self):
        return Quantiser(np.ones(1, np.float32), np.zeros(1, np.float32))


class TwoHeads(PlainLike):
    heads = 2


@pytest.mark.parametrize(
    ("bottleneck", "fault"),
    [
        (HardRounding, "some values of the code learn nothing"),
        (NegativePrice, "penalty is below 0"),
        (OnePrice, "not one number per sample"),
        (TotalPrice, "not close"),
        (NoisyLatent, r"latent\(\) differs"),
        (CentredLatent, "not close"),
        (PrivateNoise, "one seed, two latents"),
        (Exploding, "an extreme code gives"),
        (OtherSteps, "not close"),
        (StepForAll, r"step is \(1,\), not \(3,\)"),
        (TwoHeads, "came through as"),
    ],
)
def test_a_bottleneck_that_breaks_a_law_is_found(bottleneck, fault):
    with pytest.raises(AssertionError, match=fault):
        check_bottleneck(bottleneck)


def test_a_bottleneck_that_keeps_them_passes():
    check_bottleneck(PlainLike)
    check_bottleneck(Plain, noise=0.3)
