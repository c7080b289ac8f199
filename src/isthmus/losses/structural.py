"""Losses that compare images as the eye does: by local brightness, contrast and structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F

from isthmus.config import require
from isthmus.data.similarity import STABILISERS, gaussian_window, scale_weights
from isthmus.errors import ConfigError
from isthmus.losses.base import Loss, mean_per_sample


@dataclass(frozen=True, kw_only=True)
class SSIM(Loss):
    """1 − SSIM, from 0 (equal) to 2: the mean over a Gaussian window of 11 × 11 pixels.

    Images smaller than the window get the largest odd one that fits, with sigma in proportion.

    Args:
        data_range: the highest value minus the lowest, after scaling; 1 under the transform `unit`.

    Source: Wang, Bovik, Sheikh and Simoncelli 2004, doi:10.1109/TIP.2003.819861.
    """

    data_range: float = 1.0
    unit: ClassVar[str] = "1 − SSIM"

    def __post_init__(self) -> None:
        require(self.data_range > 0, "data_range", "above 0", self.data_range)

    def per_sample(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """(batch, channel, height, width) → (batch,)."""
        luminance, contrast = _similarity(output, target, self.data_range)
        return 1 - mean_per_sample(luminance * contrast)


@dataclass(frozen=True, kw_only=True)
class MSSSIM(Loss):
    """1 − MS-SSIM, from 0 (equal) to 1: contrast at up to five scales, brightness at the coarsest.

    Each scale halves both sides. Scales whose images would be smaller than the window are left
    out, and the weights of the others are raised to sum to 1 again.

    Args:
        data_range: as for SSIM.

    Source: Wang, Simoncelli and Bovik 2003, doi:10.1109/ACSSC.2003.1292216.
    """

    data_range: float = 1.0
    unit: ClassVar[str] = "1 − MS-SSIM"

    def __post_init__(self) -> None:
        require(self.data_range > 0, "data_range", "above 0", self.data_range)

    def per_sample(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """(batch, channel, height, width) → (batch,)."""
        _require_images(output)
        weights = scale_weights(min(output.shape[-2:]))
        similarity = torch.ones_like(output[:, :, 0, 0])  # (batch, channel)
        for scale, weight in enumerate(weights):
            luminance, contrast = _similarity(output, target, self.data_range)
            is_coarsest = scale == len(weights) - 1
            local = luminance * contrast if is_coarsest else contrast
            # Negative correlation has no fractional power, and at 0 the power has no gradient.
            similarity = similarity * local.mean(dim=(2, 3)).clamp(min=1e-6) ** weight
            if not is_coarsest:
                output, target = F.avg_pool2d(output, 2), F.avg_pool2d(target, 2)
        return 1 - similarity.mean(dim=1)


def _similarity(x: torch.Tensor, y: torch.Tensor, data_range: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Luminance term and contrast-structure term at every window: (batch, channel, rows, columns) each."""
    _require_images(x)
    window = torch.from_numpy(gaussian_window(min(x.shape[-2:]))).to(x)
    c1, c2 = ((k * data_range) ** 2 for k in STABILISERS)
    moments = _blur(torch.cat([x, y, x * x, y * y, x * y]), window)
    mean_x, mean_y, square_x, square_y, product = moments.chunk(5)
    variances = square_x - mean_x**2 + square_y - mean_y**2
    covariance = product - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return luminance, (2 * covariance + c2) / (variances + c2)


def _blur(images: torch.Tensor, window: torch.Tensor) -> torch.Tensor:
    """Weighted means over every window that lies inside: rows first, then columns."""
    channels = images.shape[1]
    rows = window.view(1, 1, -1, 1).repeat(channels, 1, 1, 1)
    images = F.conv2d(images, rows, groups=channels)
    return F.conv2d(images, rows.transpose(2, 3), groups=channels)


def _require_images(x: torch.Tensor) -> None:
    if x.ndim != 4:
        raise ConfigError(
            f"The losses ssim and ms_ssim compare images; these samples have shape {tuple(x.shape[1:])}. "
            "Use mse or mae."
        )
