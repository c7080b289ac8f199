"""How alike two images look: MS-SSIM in NumPy, with the window and the scales the losses use too."""

from __future__ import annotations

import numpy as np

WINDOW = 11
SIGMA = 1.5
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
STABILISERS = (0.01, 0.03)


def ms_ssim(originals: np.ndarray, restored: np.ndarray, *, peak: float = 255.0) -> np.ndarray:
    """Multi-scale structural similarity of each image: from 0 to 1 (equal), each colour counted the same.

    Scales whose images would be smaller than the window are left out, and the weights of the
    others are raised to sum to 1 again.

    Args:
        originals: shape (images, height, width, channels).
        restored: of the same shape.
        peak: the highest value minus the lowest that a value can have.
    Returns:
        float64, shape (images,).
    Raises:
        ValueError: other shapes.
    Source: Wang, Simoncelli and Bovik 2003, doi:10.1109/ACSSC.2003.1292216.

    >>> flat = np.full((1, 16, 16, 1), 200)
    >>> ms_ssim(flat, flat).tolist(), ms_ssim(flat, flat // 2).round(2).tolist()
    ([1.0], [0.8])
    """
    if originals.ndim != 4 or originals.shape != restored.shape:
        raise ValueError(
            "MS-SSIM compares two arrays of one shape (images, height, width, channels); "
            f"got {originals.shape} and {restored.shape}."
        )
    x, y = originals.astype(np.float64), restored.astype(np.float64)
    weights = scale_weights(min(x.shape[1:3]))
    similarity = np.ones((x.shape[0], x.shape[3]))  # (image, channel)
    for scale, weight in enumerate(weights):
        luminance, contrast = _similarity(x, y, peak)
        is_coarsest = scale == len(weights) - 1
        local = luminance * contrast if is_coarsest else contrast
        # Negative correlation has no fractional power.
        similarity *= np.maximum(local.mean(axis=(1, 2)), 1e-6) ** weight
        if not is_coarsest:
            x, y = _halved(x), _halved(y)
    return similarity.mean(axis=1)


def scale_weights(side: int) -> tuple[float, ...]:
    """The weights of the scales at which a `side` × `side` image still holds a whole window.

    >>> len(scale_weights(28)), len(scale_weights(176)), scale_weights(8)
    (2, 5, (1.0,))
    """
    scales = 1
    while scales < len(SCALE_WEIGHTS) and side >> scales >= WINDOW:
        scales += 1
    total = sum(SCALE_WEIGHTS[:scales])
    return tuple(weight / total for weight in SCALE_WEIGHTS[:scales])


def gaussian_window(side: int) -> np.ndarray:
    """Weights of a window for images whose smaller side is `side`: odd length, sum 1.

    >>> gaussian_window(28).shape, gaussian_window(8).shape
    ((11,), (7,))
    """
    length = min(WINDOW, side - 1 + side % 2)
    offset = np.arange(length, dtype=np.float64) - length // 2
    weights = np.exp(-(offset**2) / (2 * (SIGMA * length / WINDOW) ** 2))
    return weights / weights.sum()


def _similarity(x: np.ndarray, y: np.ndarray, peak: float) -> tuple[np.ndarray, np.ndarray]:
    """Luminance term and contrast-structure term at every window: (image, rows, columns, channel) each."""
    window = gaussian_window(min(x.shape[1:3]))
    c1, c2 = ((k * peak) ** 2 for k in STABILISERS)
    mean_x, mean_y = _blur(x, window), _blur(y, window)
    variances = _blur(x * x + y * y, window) - mean_x**2 - mean_y**2
    covariance = _blur(x * y, window) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return luminance, (2 * covariance + c2) / (variances + c2)


def _blur(images: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Weighted means over every window that lies inside: down the rows, then along the columns."""
    rows, columns = (side - len(window) + 1 for side in images.shape[1:3])
    down = np.zeros((images.shape[0], rows, *images.shape[2:]))
    for offset, weight in enumerate(window):
        down += weight * images[:, offset : offset + rows]
    along = np.zeros((*down.shape[:2], columns, images.shape[3]))
    for offset, weight in enumerate(window):
        along += weight * down[:, :, offset : offset + columns]
    return along


def _halved(images: np.ndarray) -> np.ndarray:
    """Means of 2 × 2 pixels; an odd last row or column is left out."""
    rows, columns = (side // 2 * 2 for side in images.shape[1:3])
    pairs = images[:, 0:rows:2] + images[:, 1:rows:2]
    return (pairs[:, :, 0:columns:2] + pairs[:, :, 1:columns:2]) / 4
