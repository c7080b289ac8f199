"""A model with grades and an archive made with it, from arithmetic alone.

The net is built like `filtered`, with square waves in place of cosines. As in road.py, every number is
a small multiple of a power of two.
"""

import tempfile
from pathlib import Path

import numpy as np
import road
from PIL import Image

from isthmus.bottlenecks import Quantiser
from isthmus.coding.latents import DEFAULT_QUALITY, TOLD_OFFSET, TOLD_STEP, Grades, Levels, Neighbours
from isthmus.coding.latents.grades import fit_tables
from isthmus.coding.latents.neighbours import Group
from isthmus.coding.tables import Table
from isthmus.config import Config, NetConfig, PartConfig
from isthmus.data.transforms import Unit
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.ops import Op, Scale
from isthmus.exact.program import IntegerProgram, Program
from isthmus.exact.weights import IntegerWeights
from isthmus.model import Decoder, Model
from isthmus.spec import DataSpec
from isthmus.tasks.compress import compress

QUALITY = 70
SIZES = ((16, 16), (13, 18), (16, 16), (13, 18), (16, 16))
STRIDE, LATENT, CHANNELS, FINE = 4, 6, 4, 4
PATTERNS = ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0))
"""Sign changes down and across, of the pattern of each latent channel."""
GROUPS = (1, 2, 3)
SPEC = DataSpec(modality="image", axes=("height", "width"), shape=(None, None), dtype="uint8")
NET = NetConfig(
    latent=LATENT,
    encoder=PartConfig("filtered", {"stride": STRIDE}),
    decoder=PartConfig("filtered", {"stride": STRIDE, "channels": CHANNELS, "blocks": 1}),
    output="identity",
    weight_bits=8,
)
DEEP, BLOCK = "mended.deep.", "mended.deep.fine_block_1.branch."
ENCODE = (
    Op("pad", (0,), "", (STRIDE,)),
    Op("unshuffle", (1,), "", (STRIDE,)),
    Op("conv", (2,), "net.encoder.code", (1,)),
)
DECODE = (
    Op("dequantise", (0,), "quantiser", (), Scale(-9, -20000, 20000)),
    Op("conv", (1,), "patches", (1,), Scale(-10, -3000, 3000)),
    Op("shuffle", (2,), "", (2,)),
    Op("conv", (3,), "mended.linear", (1,), Scale(-12, -20000, 20000)),
    Op("conv", (3,), f"{DEEP}stem", (1,), Scale(-8, -4000, 4000)),
    Op("relu", (5,)),
    Op("conv", (6,), f"{BLOCK}look", (1,), Scale(-7, -4000, 4000)),
    Op("relu", (7,)),
    Op("conv", (8, 6), f"{BLOCK}mix", (1,), Scale(-9, -9000, 9000)),
    Op("relu", (9,)),
    Op("conv", (10, 4), f"{DEEP}repair", (1,), Scale(-11, -20000, 20000)),
    Op("shuffle", (11,), "", (2,)),
)


def samples() -> list[np.ndarray]:
    """Slopes with an edge and a little noise: uint8, of two sizes."""
    made = []
    for number, (height, width) in enumerate(SIZES):
        down, across, rise = road.numbers(3, number + 1, 6)
        row, column = np.mgrid[:height, :width]
        edge = 90 * (row * 2 + column * (number % 3) > height + number)
        noise = road.numbers(height * width, number + 9, 5).reshape(height, width)
        pixels = 100 + 4 * rise + down * (row - 8) + across * (column - 8) + edge + noise
        made.append(np.clip(pixels, 0, 255).astype(np.uint8))
    return made


def _patterns() -> np.ndarray:
    """Plus and minus one, (latent, 4, 4)."""
    waves = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, -1, 1]])
    return np.stack([np.outer(waves[down], waves[across]) for down, across in PATTERNS])


def _integers(values: np.ndarray, exponent: int) -> IntegerWeights:
    """Rows of weights, or a bias, in units of 2**exponent."""
    rows = len(values) if values.ndim > 1 else 1
    kind = np.int8 if values.ndim > 1 else np.int16
    return IntegerWeights(values.astype(kind), np.full(rows, exponent, np.int8))


def _weights() -> dict[str, IntegerWeights]:
    """Of the decoder."""
    places = _patterns().reshape(LATENT, 2, 2, 2, 2).transpose(2, 4, 1, 3, 0).reshape(16, LATENT)
    patches = np.zeros((20, LATENT + 1, 1, 1), int)
    patches[:16, :LATENT, 0, 0] = places * 2
    patches[16:, LATENT] = 64  # what is told, to every place
    made = {
        "patches.weight": _integers(patches, -6),
        "patches.bias": _integers(np.zeros(20, int), 0),
        "mended.linear.weight": _integers(np.eye(FINE, FINE + 1, dtype=int)[..., None, None], 0),
        "mended.linear.bias": _integers(np.full(FINE, 64), -7),
    }
    filters = {
        f"{DEEP}stem": ((CHANNELS, FINE + 1, 3, 3), -5),
        f"{BLOCK}look": ((CHANNELS, CHANNELS, 3, 3), -6),
        f"{BLOCK}mix": ((CHANNELS, CHANNELS, 1, 1), -5),
        f"{DEEP}repair": ((FINE, CHANNELS, 3, 3), -11),
    }
    for start, (name, (shape, exponent)) in enumerate(filters.items(), start=3):
        made[f"{name}.weight"] = _integers(
            road.numbers(int(np.prod(shape)), start, 8).reshape(shape), exponent
        )
        made[f"{name}.bias"] = _integers(road.numbers(shape[0], start + 20, 9), -9)
    return made


def _levels() -> Levels:
    channel = np.arange(LATENT)
    return Levels(np.stack([40 + 7 * channel, -80 - 9 * channel, -290 + 11 * channel]).astype(np.int16))


def _neighbours() -> Neighbours:
    """One group that looks at itself alone, several scales, sums that few symbols outgrow."""
    groups, before = [], 0
    for number, size in enumerate(GROUPS):
        side, scales, alone = (9, 9, 1)[number], (3, 2, 1)[number], number == 2
        earlier = road.numbers(2 * side * before * size, number + 30, 90).reshape(2, side, before, size)
        shape = (2, scales, 3, 9, size) + (() if alone else (size,))
        own = road.numbers(int(np.prod(shape)), number + 40, 60).reshape(shape)
        own[0, :, :, 1::2] += 200 // size  # the mean of what lies beside and above
        own[1] += 60
        groups.append(Group(earlier.astype(np.int16), own.astype(np.int16)))
        before += size
    # Of places that are never known in this phase: they count in what sums may become, and nowhere else.
    groups[1].own[0, :, 0, [1, 3, 4, 5, 7]] = 16000
    groups[1].own[1, :, 0, [1, 3, 4, 5, 7]] = 26546  # with those of `earlier`, just too large for 63
    bias = road.numbers(2 * 4 * before, 50, 400).reshape(2, 4, before)
    bias[1] += 700
    thresholds = np.array([-300, 200, 900, 2500, 7000], np.int32)
    return Neighbours(tuple(groups), bias.astype(np.int32), thresholds)


def model() -> Model:
    """The model in graded.ism."""
    transform = Unit(SPEC, (0.0,), (256.0,))
    levels, neighbours = _levels(), _neighbours()
    patterns = _patterns().reshape(LATENT, 16, 1, 1)
    encoder = {
        "net.encoder.code.weight": (patterns * 2).astype(np.float32),
        "net.encoder.code.bias": (-patterns.sum(axis=(1, 2, 3))).astype(np.float32),
    }
    encode = FloatRunner(Program(SPEC.tensor_shape, ENCODE, encoder)).in_fixed_batches
    latents = [encode(transform.forward(sample[None])) for sample in samples()[:3]]

    def symbols(latent: np.ndarray, quality: int) -> np.ndarray:
        steps = levels.steps(quality)
        return Quantiser(steps, 0 * steps).quantise(latent)

    # At a low quality, so that at a higher one some symbols escape.
    counted = [(symbols(latent, quality), quality) for latent in latents for quality in (20, 40)]
    coarse = np.concatenate([symbols(latent, 40).reshape(LATENT, -1) for latent in latents], axis=1)
    decoder = Decoder(
        transform=transform,
        program=IntegerProgram(
            start=(LATENT + 1, None, None),
            ops=DECODE,
            weights=_weights(),
            step=np.append(levels.steps(DEFAULT_QUALITY), TOLD_STEP),
            offset=np.append(np.zeros(LATENT, np.float32), TOLD_OFFSET),
        ),
        stride=STRIDE,
        tables=tuple(Table.fit(column) for column in coarse),
        grades=Grades(levels, neighbours, fit_tables(neighbours, counted)),
    )
    config = Config(net=NET, bottleneck=PartConfig("graded", {"joint": False}))
    return Model(
        decoder=decoder, encoder=encoder, encode_ops=ENCODE, config=config, provenance=road.PROVENANCE
    )


def model_bytes() -> bytes:
    """The content of graded.ism."""
    with tempfile.TemporaryDirectory() as folder:
        return model().save(Path(folder) / "graded.ism").read_bytes()


def archive_bytes() -> bytes:
    """The content of graded.isz."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "slopes").mkdir()
        for number, sample in enumerate(samples()):
            Image.fromarray(sample).save(folder / "slopes" / f"{number}.png")
        compress(folder / "slopes", folder / "graded.isz", model=model(), quality=QUALITY)
        return (folder / "graded.isz").read_bytes()
