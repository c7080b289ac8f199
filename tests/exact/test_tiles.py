"""An image in tiles is the image as a whole, bit for bit, wherever it is cut."""

import math
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.bottlenecks.plain import Plain
from isthmus.config import NetConfig, PartConfig
from isthmus.exact import tiles
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.integers import to_integers
from isthmus.exact.numpy_runner import IntegerRunner
from isthmus.exact.ops import Op
from isthmus.exact.program import IntegerProgram, Program
from isthmus.exact.shapes import shapes_of
from isthmus.exact.tiles import TILE, Locality, locality_of, parts_of
from isthmus.exact.weights import to_integers as to_integer_weights
from isthmus.nets.autoencoder import Autoencoder
from isthmus.nets.lowering import ENCODER, encoder_ops
from isthmus.spec import DataSpec
from isthmus.testing.lowering import decoder_program
from isthmus.testing.lowering import integer_program as integer_net

CHANNELS = 2
FACTORS = st.sampled_from([1, 2, 3])


@st.composite
def chains(draw):
    """Operations on images and the shapes of their weights: layers, shortcuts, finer and coarser values."""
    ops, weights, depths = [], {}, [CHANNELS]

    def add(kind, *inputs, numbers=(), weight="", depth):
        ops.append(Op(kind, inputs, weight, numbers))
        depths.append(depth)

    for number in range(draw(st.integers(1, 6))):
        value, depth = len(ops), depths[-1]
        kind = draw(st.sampled_from(["conv", "conv", "shuffle", "unshuffle", "block", "relu", "silu"]))
        if kind == "conv":
            out = draw(st.sampled_from([1, 4, 9]))
            weights[f"w{number}.weight"] = (out, depth, *[draw(st.sampled_from([1, 3, 5]))] * 2)
            add("conv", value, weight=f"w{number}", numbers=(draw(FACTORS),), depth=out)
        elif kind == "block":
            weights[f"w{number}.weight"] = (depth, depth, 3, 3)
            add("conv", value, value, weight=f"w{number}", numbers=(1,), depth=depth)
            add("add", value, value + 1, depth=depth)
        elif kind == "shuffle" and depth % 4 == 0:
            add("shuffle", value, numbers=(2,), depth=depth // 4)
        elif kind == "unshuffle" and depth <= 4:
            factor = draw(st.sampled_from([2, 3]))
            add("pad", value, numbers=(factor,), depth=depth)
            add("unshuffle", value + 1, numbers=(factor,), depth=depth * factor**2)
        else:
            add("relu" if kind == "relu" else "silu", value, depth=depth)
    return tuple(ops), weights


def float_program(ops, shapes, sides, random) -> Program:
    tensors = {name: random.normal(size=shape).astype(np.float32) / 3 for name, shape in shapes.items()}
    for name, shape in shapes.items():
        tensors[name.replace("weight", "bias")] = random.normal(size=shape[0]).astype(np.float32)
    return Program((CHANNELS, *sides), ops, tensors)


def integer_program(ops, shapes, sides, random) -> IntegerProgram:
    later = tuple(Op(op.kind, tuple(n + 1 for n in op.inputs), op.weight, op.numbers) for op in ops)
    plain = float_program(ops, shapes, sides, random)
    stored = {name: to_integer_weights(tensor, bits=8) for name, tensor in plain.tensors.items()}
    ends = {"q.step": np.full(CHANNELS, 0.3, np.float32), "q.offset": np.zeros(CHANNELS, np.float32)}
    program = Program(plain.start, (Op("dequantise", (0,), "q"), *later), plain.tensors | ends)
    return to_integers(program, stored, [symbols_for((1, *program.start), random)], narrow=True)


def symbols_for(shape, random) -> np.ndarray:
    return random.integers(-9, 10, shape).astype(np.int32)


SIDES = st.tuples(st.integers(1, 40), st.integers(1, 40))
SEEDS = st.integers(0, 2**32 - 1)


@given(chains(), SIDES, SEEDS, st.integers(1, 3000), st.integers(1, 3))
@settings(deadline=None)
def test_tiles_are_together_the_whole_in_integers(chain, sides, seed, tile, count):
    random = np.random.default_rng(seed)
    program = integer_program(*chain, sides, random)
    symbols = symbols_for((count, *program.start), random)
    whole = IntegerRunner(program)(symbols)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "TILE", tile)
        assert np.array_equal(IntegerRunner(program)(symbols), whole)


@given(chains(), SIDES, SEEDS, st.integers(1, 3000))
@settings(deadline=None)
def test_tiles_are_together_the_whole_in_floats_but_for_the_last_digits(chain, sides, seed, tile):
    random = np.random.default_rng(seed)
    program = float_program(*chain, sides, random)
    values = random.normal(size=(2, *program.start)).astype(np.float32)
    run = FloatRunner(program).in_fixed_batches
    whole = run(values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "TILE", tile)
        cut = run(values)
        assert np.allclose(cut, whole, rtol=1e-4, atol=1e-4)
        assert np.array_equal(run(values[1:]), cut[1:])  # in any company


@given(chains(), SIDES, st.integers(1, 3000))
@settings(deadline=None)
def test_every_position_of_the_result_is_made_once(chain, sides, tile):
    ops, weights = chain
    weights = weights | {name.replace("weight", "bias"): shape[:1] for name, shape in weights.items()}
    shapes = shapes_of(ops, (CHANNELS, *sides), weights)
    visits = np.zeros(shapes[-1][1:], int)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "TILE", tile)
        for part in parts_of(1, 1, shapes, locality_of(ops, weights)):
            visits[part.placed[1:]] += 1
    assert (visits == 1).all()


@given(chains())
def test_a_result_depends_on_nothing_beyond_the_halo(chain):
    """Told by the numbers themselves: a change just outside of it changes nothing."""
    locality = locality_of(*chain)
    random = np.random.default_rng(0)
    around = locality.halo
    program = float_program(*chain, (2 * around + locality.grid,) * 2, random)
    values = random.normal(size=(1, *program.start)).astype(np.float32)
    inside = slice(int(around * locality.growth), int((around + locality.grid) * locality.growth))
    wider = np.pad(values, ((0, 0), (0, 0), *[(locality.grid,) * 2] * 2), constant_values=7)
    moved = slice(inside.start + int(locality.grid * locality.growth), None)
    moved = slice(moved.start, moved.start + inside.stop - inside.start)
    other = FloatRunner(program)(wider)[..., moved, moved]
    assert np.allclose(FloatRunner(program)(values)[..., inside, inside], other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["filtered", "residual"])
@given(sides=st.tuples(st.integers(1, 90), st.integers(1, 90)), seed=SEEDS, tile=st.integers(1, 100_000))
@settings(deadline=None, max_examples=20)
def test_nets_for_images_of_any_size_are_cut(name, sides, seed, tile):
    encoder, decoder, symbols = halves(name)
    random = np.random.default_rng(seed)
    code = (symbols.shape[1], *(-(-side // 8) for side in sides))
    symbols = symbols_for((1, *code), random)
    whole = IntegerRunner(decoder)(symbols)
    images = random.random((1, 3, *sides), np.float32)
    latents = FloatRunner(encoder).in_fixed_batches(images)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "TILE", tile)
        assert np.array_equal(IntegerRunner(decoder)(symbols), whole)
        assert np.allclose(FloatRunner(encoder).in_fixed_batches(images), latents, rtol=1e-4, atol=1e-4)


@cache
def halves(name: str) -> tuple[Program, IntegerProgram, np.ndarray]:
    torch.manual_seed(0)
    spec = DataSpec(
        modality="image", axes=("height", "width", "channel"), shape=(None, None, 3), dtype="uint8"
    )
    decoder = PartConfig(name, {"channels": 8})
    encoder = PartConfig(name, {} if name == "filtered" else {"channels": 8})
    net = Autoencoder.build(spec, NetConfig(latent=6, encoder=encoder, decoder=decoder)).eval()
    tensors = {ENCODER + key: value.numpy() for key, value in net.encoder.state_dict().items()}
    encode = Program(net.sample, encoder_ops(net, Plain(6)), tensors)
    symbols = symbols_for((1, 6, 9, 9), np.random.default_rng(0))
    return encode, integer_net(net, decoder_program(net, 6), symbols), symbols


def test_a_halo_is_no_wider_than_the_filters_look():
    weights = {"far.weight": (4, 4, 5, 5), "near.weight": (4, 4, 3, 3), "down.weight": (4, 4, 3, 3)}
    near, far = Op("conv", (0,), "near", (1,)), Op("conv", (1,), "far", (1,))
    assert locality_of([near, far], weights) == Locality(halo=3, grid=1, growth=1)
    finer = [Op("shuffle", (0,), numbers=(4,)), *[Op("conv", (n,), "near", (1,)) for n in range(1, 6)]]
    assert locality_of(finer, weights) == Locality(halo=2, grid=1, growth=4)
    coarser = [Op("conv", (0,), "down", (2,)), Op("conv", (1,), "near", (1,))]
    assert locality_of(coarser, weights).halo == 4  # 2 · 1 + 1, up to a multiple of 2


@pytest.mark.parametrize("kind", ["flatten", "reshape", "crop", "norm", "linear"])
def test_what_sees_all_of_an_image_is_not_cut(kind):
    numbers = {"reshape": (8,), "crop": (2, 2)}.get(kind, ())
    weight = "w" if kind in ("norm", "linear") else ""
    assert locality_of([Op(kind, (0,), weight, numbers)], {"w.weight": (8, 8)}) is None


def test_an_image_without_sides_or_too_small_is_not_cut():
    shapes = [(3, 8, 8), (3, 8, 8)]
    assert len(parts_of(5, 2, shapes, Locality(1, 1, 1))) == 3
    assert len(parts_of(0, 2, shapes, Locality(1, 1, 1))) == 1
    side = math.isqrt(TILE)
    large = [(4, side, side), (4, side, side)]
    assert len(parts_of(2, 1, large, None)) == 2
    assert len(parts_of(2, 1, large, Locality(1, 1, 1))) > 4
