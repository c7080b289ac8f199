"""A model and an archive made by the whole road, from arithmetic alone.

Every number in this net is a small multiple of a power of two, so float sums are exact in any
order, and each machine makes the same bytes.
"""

import tempfile
from pathlib import Path

import numpy as np

from isthmus.bottlenecks import Quantiser
from isthmus.coding.tables import Table
from isthmus.config import Config, NetConfig, PartConfig
from isthmus.data import open_source
from isthmus.data.transforms import Unit
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.ops import Op, Scale
from isthmus.exact.program import IntegerProgram, Program
from isthmus.exact.weights import IntegerWeights
from isthmus.model import Decoder, Model
from isthmus.tasks.compress import compress

SAMPLES, SIDE, HIDDEN, LATENT = 300, 8, 6, 4
PART = PartConfig("mlp", {"hidden": [HIDDEN], "activation": "relu"})
NET = NetConfig(latent=LATENT, encoder=PART, decoder=PART, output="identity", weight_bits=8)
PROVENANCE = {
    "isthmus": "golden",
    "torch": "none",
    "numpy": "none",
    "python": "none",
    "trained_on": {"name": "arithmetic", "samples": SAMPLES, "raw_bytes": SAMPLES * SIDE * SIDE},
    "plan": {"steps": 0},
    "best_step": 0,
    "stopped": "never begun",
    "held_out": {"samples": 0, "kind": "training", "mse": 0.0, "psnr_db": 0.0, "bits_per_value": 0.0},
}


def numbers(count: int, start: int, spread: int) -> np.ndarray:
    """Integers -spread … spread from a linear congruential sequence."""
    state, values = start, []
    for _ in range(count):
        state = (state * 1103515245 + 12345) % 2**31
        values.append((state >> 16) % (2 * spread + 1) - spread)
    return np.array(values)


def samples() -> np.ndarray:
    """Slopes in several directions: uint8, shape (300, 8, 8)."""
    rows, columns, rise = numbers(3 * SAMPLES, 1, 12).reshape(3, SAMPLES, 1, 1)
    ramp = np.arange(SIDE) - SIDE // 2
    return np.clip(128 + rise * 4 + rows * ramp[:, None] + columns * ramp, 0, 255).astype(np.uint8)


def _weights(shape: tuple[int, ...], start: int) -> np.ndarray:
    return numbers(int(np.prod(shape)), start, 8).reshape(shape)


ENCODE = (
    Op("flatten", (0,)),
    Op("linear", (1,), "net.encoder.dense_1"),
    Op("relu", (2,)),
    Op("linear", (3,), "net.encoder.code"),
)
DECODE = (
    Op("dequantise", (0,), "quantiser", (), Scale(-6, -2000, 2000)),
    Op("linear", (1,), "dense_1", (), Scale(-6, 0, 3000)),
    Op("relu", (2,)),
    Op("linear", (3,), "sample", (), Scale(-12, -32767, 32767)),
    Op("reshape", (4,), "", (1, SIDE, SIDE)),
)


def model() -> Model:
    """The model in road.ism."""
    source = open_source(samples())
    transform = Unit(source.spec, (0.0,), (256.0,))
    halves = {"dense_1.weight": (HIDDEN, SIDE * SIDE), "dense_1.bias": (HIDDEN,)}
    halves |= {"code.weight": (LATENT, HIDDEN), "code.bias": (LATENT,)}
    encoder = {
        f"net.encoder.{name}": (_weights(shape, start) / 16).astype(np.float32)
        for start, (name, shape) in enumerate(halves.items(), start=2)
    }
    shapes = {"dense_1.weight": (HIDDEN, LATENT), "dense_1.bias": (HIDDEN,)}
    shapes |= {"sample.weight": (SIDE * SIDE, HIDDEN), "sample.bias": (SIDE * SIDE,)}
    stored = {
        name: IntegerWeights(
            _weights(shape, start).astype(np.int8 if len(shape) > 1 else np.int16),
            np.full(shape[0] if len(shape) > 1 else 1, -6, np.int8),
        )
        for start, (name, shape) in enumerate(shapes.items(), start=7)
    }
    program = IntegerProgram(
        start=(LATENT,),
        ops=DECODE,
        weights=stored,
        step=np.full(LATENT, 0.5, np.float32),
        offset=np.zeros(LATENT, np.float32),
    )
    encode = FloatRunner(Program(source.spec.tensor_shape, ENCODE, encoder))
    quantiser = Quantiser(program.step, program.offset)
    symbols = quantiser.quantise(encode.in_fixed_batches(transform.forward(samples())))
    decoder = Decoder(
        transform=transform,
        program=program,
        stride=1,
        tables=tuple(Table.fit(symbols[:, channel]) for channel in range(LATENT)),
    )
    return Model(
        decoder=decoder, encoder=encoder, encode_ops=ENCODE, config=Config(net=NET), provenance=PROVENANCE
    )


def model_bytes() -> bytes:
    """The content of road.ism."""
    with tempfile.TemporaryDirectory() as folder:
        return model().save(Path(folder) / "road.ism").read_bytes()


def archive_bytes() -> bytes:
    """The content of road.isz."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "slopes.npy", samples())
        compress(folder / "slopes.npy", folder / "road.isz", model=model())
        return (folder / "road.isz").read_bytes()


def restored_bytes() -> bytes:
    """The content of road.npy: what road.isz restores."""
    import io

    file = io.BytesIO()
    made = model()
    np.save(file, made.decoder.decode(made.quantise(samples())))
    return file.getvalue()
