"""What floats carry is what whole numbers say: against Python's own integers, and at the limits."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from isthmus.exact import kernels
from isthmus.exact.integers import to_integers
from isthmus.exact.kernels import as_matrix, inward, multiply, outward
from isthmus.exact.limits import proven
from isthmus.exact.numpy_runner import IntegerRunner
from isthmus.exact.ops import MAX_INTEGER, Op, Scale
from isthmus.exact.program import IntegerProgram, Program
from isthmus.exact.torch_runner import TorchRunner
from isthmus.exact.weights import IntegerWeights
from isthmus.exact.weights import to_integers as to_integer_weights

WEIGHTS = {
    "stem.weight": (4, 3, 3, 3),
    "mix.weight": (4, 4, 1, 1),
    "half.weight": (2, 4, 3, 3),
    "end.weight": (5, 12),
}
OPS = (
    Op("dequantise", (0,), "q"),
    Op("conv", (1,), "stem", (1,)),
    Op("silu", (2,)),
    Op("conv", (3, 3), "mix", (1,)),
    Op("add", (4, 2)),
    Op("relu", (5,)),
    Op("conv", (6,), "half", (2,)),
    Op("flatten", (7,)),
    Op("linear", (8,), "end"),
)


@st.composite
def programs(draw):
    """A net with every kind of sum, random weights of very different sizes, and symbols for it."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bits, narrow = draw(st.sampled_from([4, 8, 16])), draw(st.booleans())
    spread = draw(st.floats(0, 3))
    floats = {}
    for name, shape in WEIGHTS.items():
        rows = np.exp(spread * random.normal(size=(shape[0], *[1] * (len(shape) - 1))))
        floats[name] = (random.normal(size=shape) * rows / 3).astype(np.float32)
        floats[name.replace("weight", "bias")] = random.normal(size=shape[0]).astype(np.float32)
    stored = {name: to_integer_weights(weight, bits=bits) for name, weight in floats.items()}
    symbols = random.integers(-20, 21, (3, 3, 5, 4)).astype(np.int32)
    floats |= {"q.step": np.float32([0.3, 1.0, 0.01]), "q.offset": np.float32([0.1, 0, -2])}
    program = to_integers(Program((3, 5, 4), OPS, floats), stored, [symbols], narrow=narrow)
    wilder = symbols * draw(st.sampled_from([1, 1000]))
    return program, wilder


def by_hand(program: IntegerProgram, symbols: np.ndarray) -> list:
    """One sample's result by exact fractions of Python's integers."""
    values = [symbols.astype(object)]
    for op, scale in zip(program.ops, program.scales[1:], strict=True):
        taken = [values[value] for value in op.inputs]
        given = [program.scales[value] for value in op.inputs]
        unit = Fraction(2) ** scale.exponent
        if op.kind == "relu":
            made = np.maximum(taken[0], 0)
        elif op.kind == "flatten":
            made = taken[0].reshape(-1)
        elif op.kind == "add":
            made = rounded(sum(value * worth(s) for value, s in zip(taken, given, strict=True)), unit, scale)
        elif op.kind == "dequantise":
            step, offset = (
                np.array([Fraction(float(one)) for one in ones]).reshape(-1, 1, 1)
                for ones in (program.step, program.offset)
            )
            made = rounded(taken[0] * step + offset, unit, scale)
        elif op.kind == "silu":
            made = np.vectorize(lambda x, s=given[0], t=scale: looked_up(x, s, t), otypes=[object])(taken[0])
        else:
            plus = taken[1] * worth(given[1]) if len(taken) > 1 else 0
            made = rounded(layer(op, program, taken[0], given[0]) + plus, unit, scale)
        values.append(made)
    return values[-1].tolist()


def worth(scale: Scale) -> Fraction:
    return Fraction(2) ** scale.exponent


def rounded(values, unit, scale):
    return np.vectorize(
        lambda x: min(max(floor(x / unit + Fraction(1, 2)), scale.low), scale.high), otypes=[object]
    )(values)


def looked_up(x, given, made):
    from isthmus.exact.activations import table

    return int(table("silu", given, made)[x - given.low])


def layer(op, program, values, given):
    weight, bias = program.weights[f"{op.weight}.weight"], program.weights[f"{op.weight}.bias"]
    rows = []
    for row, exponent, start in zip(weight.values, weight.exponents, bias.values, strict=True):
        unit = Fraction(2) ** (given.exponent + int(exponent))
        begin = floor(int(start) * Fraction(2) ** int(bias.exponents[0]) / unit + Fraction(1, 2))
        rows.append((windows(op, values, row.astype(object)) + begin) * unit)
    return np.array(rows, dtype=object)


def windows(op, values, row):
    if op.kind == "linear":
        return int((row * values).sum())
    side, stride, (_, height, width) = row.shape[-1], op.numbers[0], values.shape
    framed = np.pad(values, ((0, 0), (side // 2,) * 2, (side // 2,) * 2), constant_values=0)
    return np.array(
        [
            [int((framed[:, y : y + side, x : x + side] * row).sum()) for x in range(0, width, stride)]
            for y in range(0, height, stride)
        ],
        dtype=object,
    )


@given(programs())
def test_both_runners_compute_what_whole_numbers_say(made):
    program, symbols = made
    exact = [by_hand(program, sample) for sample in symbols]
    assert IntegerRunner(program)(symbols).astype(int).tolist() == exact
    assert TorchRunner(program)(symbols).astype(int).tolist() == exact


@st.composite
def layers(draw):
    """A linear layer, scales, and inputs at the limits with the worst signs for one of its rows."""
    bits, inputs = draw(st.sampled_from([4, 8, 16])), draw(st.integers(1, 400))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = np.int8 if bits <= 8 else np.int16
    limit = 2 ** (bits - 1)
    values = random.integers(-limit, limit, (3, inputs)).astype(kind)
    weight = IntegerWeights(values, random.integers(-9, -3, 3).astype(np.int8))
    bias = IntegerWeights(random.integers(-(2**15), 2**15, 3).astype(np.int16), np.int8([-12]))
    given_scale = Scale(draw(st.integers(-8, 0)), -draw(st.integers(0, 4000)), draw(st.integers(1, 4000)))
    made = Scale(draw(st.integers(-12, 4)), -MAX_INTEGER, MAX_INTEGER)
    row = values[draw(st.integers(0, 2))].astype(int) * draw(st.sampled_from([-1, 1]))
    return weight, bias, given_scale, made, np.where(row > 0, given_scale.high, given_scale.low)


@given(layers(), st.randoms(use_true_random=False))
def test_a_proven_sum_is_exact_in_its_carrier_in_any_order(layer_and_input, random):
    weight, bias, given_scale, made, worst = layer_and_input
    product = proven(weight, bias, given_scale, made)
    order = list(range(len(worst)))
    random.shuffle(order)
    for row in range(3):
        terms = [product.weight[row, i] * product.carrier.type(worst[i]) for i in order]
        total = product.carrier.type(0)
        exact = Fraction(0)
        for term in terms:
            total = total + term
            exact += Fraction(float(term))
            assert Fraction(float(total)) == exact
        assert Fraction(float(total + product.bias[row])) == exact + Fraction(float(product.bias[row]))


def test_the_carrier_is_no_larger_than_it_must_be_and_no_smaller():
    bias = IntegerWeights(np.int16([0]), np.int8([0]))
    row = IntegerWeights(np.full((1, 64), 127, np.int8), np.int8([-8]))
    assert proven(row, bias, Scale(0, 0, 2000), Scale(0, 0, 9)).carrier == np.float32
    assert proven(row, bias, Scale(0, 0, 3000), Scale(0, 0, 9)).carrier == np.float64
    with pytest.raises(ValueError, match="outgrow"):
        proven(row, bias, Scale(0, 0, 3000), Scale(60, 0, 9))


@pytest.mark.parametrize("strip", [1, 300, 2000, 10**6])
@pytest.mark.parametrize("side_and_stride", [(1, 1), (3, 1), (3, 2), (5, 3)])
def test_strips_are_together_the_whole_convolution(strip, side_and_stride, monkeypatch):
    side, stride = side_and_stride
    random = np.random.default_rng(0)
    values = torch.from_numpy(random.integers(-9, 10, (3, 8, 11, 10)).astype(np.float32))
    weight = torch.from_numpy(random.integers(-9, 10, (4, 8, side, side)).astype(np.float32))
    wanted = torch.nn.functional.conv2d(values, weight, stride=stride, padding=side // 2)
    monkeypatch.setattr("isthmus.exact.kernels.STRIP", strip)
    assert np.array_equal(outward(strips(inward(values.numpy()), weight.numpy(), side, stride)), wanted)


@pytest.mark.parametrize("strip", [1, 300, 10**6])
def test_strips_are_together_the_whole_product(strip, monkeypatch):
    values = np.random.default_rng(0).integers(-9, 10, (50, 8)).astype(np.float32)
    weight = np.random.default_rng(1).integers(-9, 10, (4, 8)).astype(np.float32)
    monkeypatch.setattr("isthmus.exact.kernels.STRIP", strip)
    assert np.array_equal(strips(values, weight, 1, 1), values @ weight.T)


def strips(values: np.ndarray, weight: np.ndarray, side: int, stride: int) -> np.ndarray:
    """The product; each of its rows was finished once, and no strip was larger than allowed."""
    matrix, rows = as_matrix(weight), []
    made = multiply(values, matrix, side, stride, lambda sums, at: rows.append((at.start, at.stop)))
    assert [start for start, _ in rows] == [0, *(stop for _, stop in rows[:-1])]
    assert rows[-1][1] == made[..., 0].size
    least = made.shape[2] if made.ndim == 4 else 1  # one line of an image is never cut
    assert all(
        (stop - start) * len(matrix) <= max(kernels.STRIP, least * len(matrix)) for start, stop in rows
    )
    return made


def test_weights_of_16_bits_stay_fine_while_those_of_8_bits_are_kept_narrow():
    random = np.random.default_rng(0)
    floats = {"a.weight": random.normal(size=(24, 24, 1, 1)), "b.weight": random.normal(size=(4, 24, 3, 3))}
    floats |= {"a.bias": np.zeros(24), "b.bias": np.zeros(4), "z.step": np.ones(24), "z.offset": np.zeros(24)}
    floats = {name: array.astype(np.float32) for name, array in floats.items()}
    bits = {"a.weight": 16, "b.weight": 8, "a.bias": 16, "b.bias": 16}
    stored = {name: to_integer_weights(floats[name], bits=each) for name, each in bits.items()}
    ops = (Op("dequantise", (0,), "z"), Op("conv", (1,), "a", (1,)), Op("conv", (2,), "b", (1,)))
    symbols = random.integers(-300, 300, (2, 24, 6, 6)).astype(np.int32)
    made = to_integers(Program((24, 6, 6), ops, floats), stored, [symbols], narrow=True)
    assert made.products[2].carrier == np.float32
    assert made.ops[0].scale.high >= 300 << 4  # what goes into the fine layer is not rounded for its sake
