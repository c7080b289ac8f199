"""The same bits with PyTorch, for callers that want them there: on the CPU or a graphics card.

Every convolution is a plain matrix product of unfolded windows: no Winograd, no FFT, no TF32, whose
sums are not the ones that were proven exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from isthmus.exact.activations import decay_table, table
from isthmus.exact.numpy_runner import MAX_SYMBOL, SOFTMAX_BITS
from isthmus.exact.ops import TABLES, Op, Scale
from isthmus.exact.program import IntegerProgram


class TorchRunner:
    """Carries a program out in integers, as `numpy_runner.IntegerRunner` does.

    Args:
        program: symbols → whole numbers.
        device: where; it must compute in float64, as CPUs and CUDA devices do.
    """

    def __init__(self, program: IntegerProgram, device: str = "cpu") -> None:
        self._program, self._device = program, torch.device(device)
        self._steps = [self._step(op, position) for position, op in enumerate(program.ops)]

    @torch.inference_mode()
    def __call__(self, symbols: np.ndarray) -> np.ndarray:
        """int32 (batch, *code) → float32 (batch, *sample), whole numbers of the scale `program.result`."""
        values = [torch.from_numpy(np.ascontiguousarray(symbols)).to(self._device)]
        with _plain_float32():
            for op, step in zip(self._program.ops, self._steps, strict=True):
                values.append(step(*(values[value] for value in op.inputs)))
        return values[-1].cpu().numpy()

    def _step(self, op: Op, position: int) -> Callable[..., Tensor]:
        given, made = self._program.scales[op.inputs[0]], self._program.scales[position + 1]
        if op.kind == "dequantise":
            unit = 2.0**-made.exponent
            step, offset = (
                self._tensor(one.astype(np.float64) * unit)
                for one in (self._program.step, self._program.offset)
            )
            return partial(_dequantise, step, offset, made)
        if op.kind in ("linear", "conv"):
            product = self._program.products[position]
            weight, bias = self._tensor(product.weight), self._tensor(product.bias)
            stride = op.numbers[0] if op.kind == "conv" else 1
            return partial(_product, weight, bias, product.plus, stride, made)
        if op.kind in TABLES:
            return partial(_look_up, self._tensor(table(op.kind, given, made)), given.low)
        if op.kind == "softmax":
            return partial(_softmax, self._tensor(decay_table(given, SOFTMAX_BITS)), made)
        if op.kind == "add":
            units = [2.0 ** (self._program.scales[value].exponent - made.exponent) for value in op.inputs]
            return partial(_add, units, made)
        return partial(_MOVES[op.kind], op.numbers)

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array.copy()).to(self._device)


@contextmanager
def _plain_float32() -> Iterator[None]:
    """No shortened mantissas in matrix products while this runs."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _rounded(values: Tensor, made: Scale) -> Tensor:
    return torch.floor(values + 0.5).clamp(made.low, made.high).float()


def _dequantise(step: Tensor, offset: Tensor, made: Scale, symbols: Tensor) -> Tensor:
    shape = (1, -1, *[1] * (symbols.ndim - 2))
    values = symbols.clamp(-MAX_SYMBOL, MAX_SYMBOL).double() * step.view(shape)
    return _rounded(values + offset.view(shape), made)


def _product(
    weight: Tensor,
    bias: Tensor,
    unit: float,
    stride: int,
    made: Scale,
    values: Tensor,
    plus: Tensor | None = None,
) -> Tensor:
    values = values.to(weight.dtype)
    if weight.ndim == 2:
        sums = values @ weight.T + bias
    else:
        side = weight.shape[-1]
        windows = F.unfold(values, side, padding=side // 2, stride=stride)  # (batch, in · side², pixels)
        sums = torch.matmul(weight.flatten(1), windows) + bias[:, None]
        height, width = (-(-length // stride) for length in values.shape[-2:])
        sums = sums.unflatten(2, (height, width))
    if plus is not None:
        sums = sums + plus * unit
    return torch.floor(sums).clamp(made.low, made.high).float()


def _look_up(entries: Tensor, low: int, values: Tensor) -> Tensor:
    return entries[(values - low).long()]


def _softmax(decay: Tensor, made: Scale, values: Tensor) -> Tensor:
    powers = decay[(values.amax(dim=1, keepdim=True) - values).long()]
    return _rounded(powers * 2.0**-made.exponent / powers.sum(dim=1, keepdim=True), made)


def _add(units: list[float], made: Scale, one: Tensor, other: Tensor) -> Tensor:
    return _rounded(one.double() * units[0] + other.double() * units[1], made)


_MOVES: dict[str, Callable[[tuple[int, ...], Tensor], Tensor]] = {
    "relu": lambda numbers, x: x.clamp(min=0),
    "flatten": lambda numbers, x: x.flatten(1),
    "reshape": lambda numbers, x: x.reshape(len(x), *numbers),
    "shuffle": lambda numbers, x: F.pixel_shuffle(x, numbers[0]),
    "unshuffle": lambda numbers, x: F.pixel_unshuffle(x, numbers[0]),
    "crop": lambda numbers, x: x[..., : numbers[0], : numbers[1]],
    "pad": lambda numbers, x: F.pad(
        x, (0, -x.shape[-1] % numbers[0], 0, -x.shape[-2] % numbers[0]), mode="replicate"
    ),
    "take": lambda numbers, x: x[:, : numbers[0]],
}
