"""Modules are written as the operations they are, or refused in words; outsiders may add theirs."""

import numpy as np
import pytest
import torch
from torch import nn

from isthmus.errors import ConfigError
from isthmus.exact.builder import Lowering
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.ops import Op, Scale
from isthmus.exact.program import Program, scales_of
from isthmus.nets.blocks import ResidualBlock, Sum
from isthmus.nets.lowering import lower
from isthmus.nets.sound import TimeBlock


@pytest.mark.parametrize(
    "module",
    [
        nn.BatchNorm1d(4),
        nn.Softplus(),
        nn.Linear(4, 4, bias=False),
        nn.Conv2d(4, 4, 3),
        nn.Conv2d(4, 4, 3, padding=1, groups=2),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(4, 4, (3, 1), padding=(1, 0)),
        nn.Conv2d(4, 4, 4, padding=2),
        nn.LeakyReLU(0.2),
        nn.GELU(approximate="tanh"),
        nn.Conv1d(4, 4, 3),
        nn.Conv1d(4, 4, 3, padding=1, groups=2),
        nn.Conv1d(4, 4, 3, padding=1, stride=2),
        nn.LayerNorm((4, 4)),
        nn.LayerNorm(4, eps=1e-3),
        nn.Flatten(2),
        nn.Unflatten(2, (2, 2)),
    ],
    ids=str,
)
def test_what_no_operation_does_is_refused_in_words(module):
    with pytest.raises(ConfigError, match=r"register how|usual form"):
        lower(nn.Sequential(module), Lowering(), 0, "")


class Doubled(nn.Module):
    def forward(self, x):
        return x + x


@lower.register
def _(module: Doubled, net: Lowering, value: int, name: str) -> int:
    return net.add("add", value, value)


@pytest.mark.parametrize(
    "module",
    [
        Doubled(),
        Sum(nn.Conv2d(4, 4, 1), nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), Doubled())),
        Sum(nn.Identity(), nn.Identity()),
        Sum(Doubled(), nn.Conv2d(4, 4, 5, padding=2)),
        nn.Sequential(ResidualBlock(4), ResidualBlock(4, "silu"), nn.PixelShuffle(2), nn.PixelUnshuffle(2)),
        nn.Sequential(
            nn.Conv2d(4, 6, 3, stride=3, padding=1), nn.Dropout(0.5), nn.Flatten(), nn.Unflatten(1, (2, 3))
        ),
    ],
    ids=["own", "sum-of-deep", "sum-of-nothing", "sum-of-own", "blocks", "reshaped"],
)
def test_operations_do_what_the_module_does(module):
    torch.manual_seed(1)
    x, net = torch.randn(3, 4, 3, 2), Lowering()
    value = lower(module.eval(), net, 0, "")
    assert value == len(net.ops)
    tensors = {name: one.numpy() for name, one in module.state_dict().items()}
    made = FloatRunner(Program((4, 3, 2), tuple(net.ops), tensors))(x.numpy())
    with torch.no_grad():
        np.testing.assert_allclose(made, module(x).numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("apart", [1, 3, 9])
@pytest.mark.parametrize("length", [1, 4, 20])
def test_a_line_looks_at_neighbours_so_far_apart(apart, length):
    torch.manual_seed(1)
    wide = nn.Conv1d(4, 4, 5, padding=2 * apart, dilation=apart)
    module = nn.Sequential(nn.Conv1d(3, 4, 1), Sum(nn.Identity(), wide), TimeBlock(4, apart))
    x, net = torch.randn(2, 3, length), Lowering()
    lower(module, net, 0, "")
    tensors = {name: one.numpy() for name, one in module.state_dict().items()}
    made = FloatRunner(Program((3, None), tuple(net.ops), tensors))(x.numpy())
    with torch.no_grad():
        np.testing.assert_allclose(made, module(x).numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(4, 3, 2), (4, 2, 3), (4, 3), (4, 3, 3, 3)])
def test_a_line_of_other_shapes_is_refused(shape):
    tensors = {"w.weight": np.zeros(shape, np.float32), "w.bias": np.zeros(4, np.float32)}
    with pytest.raises(ValueError, match="line"):
        Program((3, None), (Op("line", (0,), "w", (1,)),), tensors)


def test_a_line_is_not_carried_out_in_integers():
    ops = [Op("dequantise", (0,), "q", scale=Scale(-4, 0, 9)), Op("line", (1,), "w", (1,))]
    with pytest.raises(ValueError, match="in integers"):
        scales_of(ops)


def test_a_layer_takes_the_short_way_in_before_it_rounds():
    net = Lowering()
    lower(ResidualBlock(4), net, 0, "")
    assert [op.kind for op in net.ops] == ["conv", "relu", "conv"]
    assert net.ops[-1].inputs == (2, 0)
