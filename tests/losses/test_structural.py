"""SSIM and MS-SSIM against a plain reference: loops over windows in NumPy, straight from the papers."""

import numpy as np
import pytest
import torch

from isthmus.data.similarity import SCALE_WEIGHTS, gaussian_window, ms_ssim
from isthmus.errors import ConfigError
from isthmus.losses.structural import MSSSIM, SSIM


def reference_terms(x, y, side=11, sigma=1.5, data_range=1.0):
    """Luminance and contrast-structure at each window of two grey images."""
    offset = np.arange(side) - side // 2
    weights = np.exp(-(offset[:, None] ** 2 + offset[None, :] ** 2) / (2 * sigma**2))
    weights /= weights.sum()
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    luminance, contrast = [], []
    for row in range(x.shape[0] - side + 1):
        for column in range(x.shape[1] - side + 1):
            a, b = (image[row : row + side, column : column + side] for image in (x, y))
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            variance_a, variance_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
            covariance = (weights * (a - mean_a) * (b - mean_b)).sum()
            luminance.append((2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1))
            contrast.append((2 * covariance + c2) / (variance_a + variance_b + c2))
    return np.array(luminance), np.array(contrast)


def reference_ms_ssim(x, y, scales):
    weights = np.array(SCALE_WEIGHTS[:scales]) / sum(SCALE_WEIGHTS[:scales])
    similarity = 1.0
    for scale, weight in enumerate(weights):
        luminance, contrast = reference_terms(x, y)
        similarity *= (luminance * contrast if scale == scales - 1 else contrast).mean() ** weight
        x, y = (image.reshape(len(image) // 2, 2, -1, 2).mean(axis=(1, 3)) for image in (x, y))
    return similarity


def pair(*shape, seed=0):
    generator = np.random.default_rng(seed)
    image = generator.random(shape)
    return image, np.clip(image + 0.2 * generator.normal(size=shape), 0, 1)


def tensors(*images):
    return [torch.from_numpy(image)[None, None] for image in images]


@pytest.mark.parametrize("data_range", [1.0, 255.0])
def test_ssim_is_the_reference(data_range):
    x, y = pair(16, 20)
    luminance, contrast = reference_terms(x, y, data_range=data_range)
    ours = SSIM(data_range=data_range)(*tensors(x, y))
    assert ours.item() == pytest.approx(1 - (luminance * contrast).mean(), rel=1e-9)


def test_ms_ssim_is_the_reference():
    x, y = pair(48, 64)
    assert MSSSIM()(*tensors(x, y)).item() == pytest.approx(1 - reference_ms_ssim(x, y, scales=3), rel=1e-9)


def test_images_smaller_than_the_window_get_a_smaller_one():
    x, y = pair(8, 9)
    luminance, contrast = reference_terms(x, y, side=7, sigma=1.5 * 7 / 11)
    assert SSIM()(*tensors(x, y)).item() == pytest.approx(1 - (luminance * contrast).mean(), rel=1e-9)
    assert MSSSIM()(*tensors(x, y)).item() == pytest.approx(SSIM()(*tensors(x, y)).item(), rel=1e-9)


@pytest.mark.parametrize("side", [1, 2, 3, 10, 11, 300])
def test_the_window_fits_is_odd_and_sums_to_one(side):
    window = gaussian_window(side)
    assert len(window) <= side
    assert len(window) % 2 == 1
    assert window.sum().item() == pytest.approx(1)


def test_each_colour_counts_the_same():
    x, y = pair(12, 12)
    colours = torch.from_numpy(np.stack([x, x, x]))[None], torch.from_numpy(np.stack([x, x, y]))[None]
    assert SSIM()(*colours).item() == pytest.approx(SSIM()(*tensors(x, y)).item() / 3)


def test_an_inverted_image_is_as_far_away_as_ms_ssim_goes_and_still_has_a_gradient_elsewhere():
    x, y = tensors(*pair(24, 24))
    inverted = (1 - x).requires_grad_()
    loss = MSSSIM()(inverted, x)
    assert loss.item() == pytest.approx(1, abs=1e-2)
    loss.backward()
    assert torch.isfinite(inverted.grad).all()
    assert MSSSIM()(y, x) < loss


def test_rows_of_numbers_are_refused_with_a_way_out():
    for loss in (SSIM(), MSSSIM()):
        with pytest.raises(ConfigError, match="Use mse or mae"):
            loss(torch.rand(2, 10), torch.rand(2, 10))


@pytest.mark.parametrize("shape", [(3, 8, 9, 1), (2, 28, 28, 1), (2, 45, 97, 3), (1, 176, 180, 3)])
def test_the_measure_is_one_minus_the_loss(shape):
    x, y = pair(*shape)
    loss = MSSSIM(data_range=255.0).per_sample(*(torch.from_numpy(255 * a).movedim(-1, 1) for a in (y, x)))
    assert ms_ssim(255 * x, 255 * y) == pytest.approx(1 - loss.numpy(), rel=1e-9)


def test_the_measure_is_one_for_equal_images_and_less_for_more_noise():
    x, y = pair(4, 32, 32, 3)
    assert ms_ssim(x, x, peak=1.0) == pytest.approx(np.ones(4))
    assert (ms_ssim(x, (x + y) / 2, peak=1.0) > ms_ssim(x, y, peak=1.0)).all()


def test_the_measure_refuses_other_shapes():
    with pytest.raises(ValueError, match="one shape"):
        ms_ssim(np.zeros((2, 8, 8)), np.zeros((2, 8, 8)))
