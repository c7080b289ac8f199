"""A patch of pixels ⇄ its cosine coefficients, as the weights of a 1×1 convolution.

The discrete cosine transform is what JPEG codes with. A net that starts as one is a usable codec
before its first step, and training has only to improve on it.
"""

from __future__ import annotations

import numpy as np
import torch

from isthmus.exact.cosines import smoothest_first


def cosine_basis(depth: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """All patterns of a patch of `depth` channels and `stride` × `stride` pixels, smoothest first.

    Returns:
        The patterns, float64 (patterns, depth · stride²), orthonormal, in the order of
        `nn.PixelUnshuffle`; and the frequency of each, 0 for the patch's mean.

    >>> basis, frequency = cosine_basis(1, 2)
    >>> np.allclose(basis @ basis.T, np.eye(4)), frequency.round(2).tolist()
    (True, [0.0, 1.0, 1.0, 1.41])
    """
    a, u, v, squares = smoothest_first(depth, stride)
    colours, sides = _cosines(depth), _cosines(stride)
    patterns = np.einsum("pc,pi,pj->pcij", colours[a], sides[u], sides[v])
    return patterns.reshape(len(a), -1), np.sqrt(squares) / 2


def _cosines(count: int) -> np.ndarray:
    """The orthonormal cosines on `count` points, one a row."""
    k, n = np.arange(count)[:, None], np.arange(count)
    rows = np.cos(np.pi * (n + 0.5) * k / count) * np.sqrt(2 / count)
    rows[0] /= np.sqrt(2)
    return rows


def gains(frequency: np.ndarray) -> np.ndarray:
    """What brings the coefficients of natural images, pixels 0..1, to about unit size."""
    return 1 + 2 * frequency


def _gains(frequency: np.ndarray, even: float | None) -> np.ndarray:
    return gains(frequency) if even is None else np.full_like(frequency, even)


MID_GREY = 0.5


@torch.no_grad()
def analyse_cosines(
    layer: torch.nn.Conv2d,
    depth: int,
    stride: int,
    *,
    outputs: int,
    even: float | None = None,
    level: float = MID_GREY,
) -> None:
    """Set a 1×1 convolution to give the smoothest coefficients of patches around a level.

    The first `outputs` of its channels are set, as far as there are patterns; the rest start at 0.
    Coefficients are brought to about unit size each, or all multiplied by `even`.
    """
    basis, frequency = cosine_basis(depth, stride)
    count = min(outputs, len(basis))
    rows = _gains(frequency[:count, None], even) * basis[:count]
    layer.weight.zero_()
    layer.bias.zero_()  # type: ignore[union-attr]
    layer.weight[:count, :, 0, 0] = torch.from_numpy(rows)
    layer.bias[:count] = torch.from_numpy(-rows.sum(axis=1) * level)  # type: ignore[index]


@torch.no_grad()
def synthesise_cosines(
    layer: torch.nn.Conv2d,
    depth: int,
    stride: int,
    *,
    inputs: int,
    fine: int = 1,
    even: float | None = None,
) -> None:
    """Set a 1×1 convolution to undo `analyse_cosines` with the same `even`, as far as `inputs` tell.

    Its outputs are in the order of `nn.PixelUnshuffle(fine)`, then of `nn.PixelUnshuffle(stride / fine)`:
    shuffled by stride / fine and then by `fine`, they are pixels.
    """
    basis, frequency = cosine_basis(depth, stride)
    split = basis.reshape(len(basis), depth, stride // fine, fine, stride // fine, fine)
    basis = split.transpose(0, 1, 3, 5, 2, 4).reshape(len(basis), -1)
    count = min(inputs, len(basis))
    columns = (basis[:count] / _gains(frequency[:count, None], even)).T
    layer.weight.zero_()
    layer.weight[: columns.shape[0], :count, 0, 0] = torch.from_numpy(columns)
    layer.bias.fill_(MID_GREY)  # type: ignore[union-attr]
