"""Archives of every mode and every coder, of arrays from arithmetic alone."""

from collections.abc import Callable
from functools import partial

import numpy as np
import road

from isthmus.tasks.compress import compress_bytes


def numbers(count: int, start: int = 1) -> np.ndarray:
    """Integers of 0 … 255 from a linear congruential sequence."""
    state, values = start, []
    for _ in range(count):
        state = (state * 1103515245 + 12345) % 2**31
        values.append(state >> 16 & 255)
    return np.array(values)


def pictures() -> np.ndarray:
    """Slopes in three colours with a little noise: uint8, shape (12, 9, 7, 3)."""
    slopes = np.add.outer(np.arange(12) * 3, np.add.outer(np.arange(9) * 5, np.arange(7) * 2))
    return (slopes[..., None] + numbers(12 * 9 * 7 * 3).reshape(12, 9, 7, 3) // 32 + [0, 9, 20]).astype(
        np.uint8
    )


def field() -> np.ndarray:
    """A paraboloid in eighths, and odd values: float32, shape (6, 10, 8)."""
    time, row, column = np.mgrid[:6, :10, :8]
    values = ((row - 4) ** 2 + (column - 3) ** 2 * 2 + time * 5 + numbers(480).reshape(6, 10, 8) / 64) / 8
    values = values.astype(np.float32)
    values[0, 0, :5] = [np.nan, np.inf, -np.inf, -0.0, 1e-45]
    return values


def counts() -> np.ndarray:
    """A slow walk: big-endian int32, shape (300,)."""
    return np.cumsum(numbers(300, start=5) - 127).astype(">i4")


def _archive(values: Callable[[], np.ndarray], **options: object) -> bytes:
    return compress_bytes(values(), **options)[0]


def _of_road(**options: object) -> bytes:
    return compress_bytes(road.samples(), road.model(), coder="autoencoder", **options)[0]


BOUND = 0.25
ARCHIVES: dict[str, tuple[Callable[[], bytes], Callable[[], np.ndarray]]] = {
    **{
        f"mode-{coder}.isz": (partial(_archive, values, coder=coder), values)
        for coder, values in {
            "stored": counts, "zstd": field, "xz": field, "pcodec": counts, "shuffled": counts,
            "predictors": pictures,
        }.items()
    },
    "mode-layers.isz": (partial(_archive, field, max_error=BOUND, mode="lossless", effort=9), field),
    "mode-single.isz": (partial(_archive, partial(np.array, 1.5), effort=9), partial(np.array, 1.5)),
    "mode-none.isz": (
        partial(_archive, partial(np.zeros, (0, 3)), effort=9), partial(np.zeros, (0, 3))
    ),
    "mode-residual.isz": (partial(_of_road, mode="lossless"), road.samples),
    "mode-bounded.isz": (partial(_of_road, max_error=2), road.samples),
}  # fmt: skip
"""What writes each, and what went in."""
EXACT = [name for name in ARCHIVES if name != "mode-bounded.isz"]
