"""What the operations of a net must keep: they are the net in float32, and alike everywhere in integers."""

from __future__ import annotations

import numpy as np
import torch

from isthmus.bottlenecks.base import Bottleneck
from isthmus.bottlenecks.plain import Plain
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.integers import to_integers
from isthmus.exact.numpy_runner import IntegerRunner
from isthmus.exact.program import IntegerProgram, Program
from isthmus.exact.torch_runner import TorchRunner
from isthmus.exact.weights import to_integers as to_integer_weights
from isthmus.nets.autoencoder import LINKS, Autoencoder
from isthmus.nets.lowering import ENCODER, QUANTISER, decoder_ops, encoder_ops

CLOSE = 1e-5
"""How far float32 may be from PyTorch, against the largest number of the output."""
TRIED = ((1, 1), (7, 2), (64, 1))
"""Samples in a batch, and threads."""
BITS = 8


def check_lowering(net: Autoencoder, x: torch.Tensor, bottleneck: Bottleneck | None = None) -> None:
    """Raise AssertionError unless a net's operations do what the net does.

    Args:
        net: both halves.
        x: some samples, in tensor layout.
        bottleneck: what stands between them; the plain one without.
    """
    with torch.no_grad():
        code = net.encode(x)
        bottleneck = bottleneck or Plain(code.shape[1])
        latent = bottleneck.latent(code)
        made = LINKS[net.link](net.decoder(latent))
    tensors = {ENCODER + name: value.numpy() for name, value in net.encoder.state_dict().items()}
    encoder = Program(net.sample, encoder_ops(net, bottleneck), tensors)
    _close("encoder", FloatRunner(encoder)(x.numpy()), latent)
    symbols = np.rint(latent.numpy() / STEP).astype(np.int32)
    decoder = decoder_program(net, latent.shape[1])
    _close("decoder", FloatRunner(decoder.without_first())(latent.numpy()), made)
    check_integers(integer_program(net, decoder, symbols), FloatRunner(decoder)(symbols), symbols)


STEP = np.float32(1 / 64)
_WORST = 0.1


def decoder_program(net: Autoencoder, channels: int) -> Program:
    """Symbols in steps of STEP → what the decoder makes of them, in float32."""
    tensors = {name: value.numpy() for name, value in net.decoder.state_dict().items()}
    steps = {"step": np.full(channels, STEP), "offset": np.zeros(channels, np.float32)}
    tensors |= {f"{QUANTISER}.{name}": values for name, values in steps.items()}
    return Program(net.code_shape, decoder_ops(net), tensors)


def integer_program(net: Autoencoder, decoder: Program, symbols: np.ndarray) -> IntegerProgram:
    """The same in integers, its weights rounded to 8 bits."""
    state = net.decoder.state_dict()
    weights = {name: to_integer_weights(value.numpy(), bits=BITS) for name, value in state.items()}
    return to_integers(decoder, weights, [symbols], narrow=True)


def check_integers(program: IntegerProgram, near: np.ndarray, symbols: np.ndarray) -> None:
    """Both runners give the same bits, in batches of any size, on any number of threads."""
    run, with_torch = IntegerRunner(program), TorchRunner(program)
    whole = run(symbols)
    limits = program.result
    assert np.array_equal(whole, np.rint(whole)), "the integer program makes fractions"
    assert limits.low <= whole.min(), "the integer program leaves its limits"
    assert whole.max() <= limits.high, "the integer program leaves its limits"
    off = np.abs(whole * 2.0**limits.exponent - near).max() / max(np.abs(near).max(), 1e-9)
    assert off < _WORST, f"in integers the net is off by {off:.2g} of its largest output"
    before = torch.get_num_threads()
    try:
        for size, threads in TRIED:
            torch.set_num_threads(threads)
            many, expected = (np.resize(one, (size, *one.shape[1:])) for one in (symbols, whole))
            assert np.array_equal(run(many), expected), f"a batch of {size} gives other bits"
            assert np.array_equal(with_torch(many), expected), f"PyTorch gives other bits, {size} at a time"
    finally:
        torch.set_num_threads(before)


def _close(half: str, got: np.ndarray, wanted: torch.Tensor) -> None:
    expected = wanted.detach().numpy()
    assert got.shape == expected.shape, f"the {half}'s operations make {got.shape}, it makes {expected.shape}"
    off = np.abs(got - expected).max() / max(np.abs(expected).max(), 1e-9)
    assert off < CLOSE, f"the {half}'s operations are off by {off:.2g} of its largest output"
