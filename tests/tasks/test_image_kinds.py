"""One model, every quality, on images that are not RGB squares: more bits, more channels, odd sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from isthmus.data import open_source
from isthmus.model import Model
from isthmus.tasks.compress import compress, compress_bytes, decompress, restore
from isthmus.tasks.fit import fit

SIZES = ((1, 1), (3, 200), (17, 5), (1, 9), (40, 33))
LITTLE = (
    "net.encoder.stride=8",
    "net.decoder.stride=8",
    "net.decoder.channels=8",
    "net.decoder.blocks=1",
    "train.steps=30",
    "train.threads=1",
    "contexts.trees=0",
)


def picture(height: int, width: int, number: int) -> np.ndarray:
    """A wave, float64 from 0 to 1."""
    y, x = np.mgrid[:height, :width] / 8
    return (1 + np.sin(x * (1 + number / 9)) * np.cos(y + number)) / 2


def coloured(height: int, width: int, number: int) -> np.ndarray:
    """The same as RGB, uint8."""
    grey = (255 * picture(height, width, number)).astype(np.uint8)
    return np.stack([grey, grey // 2, 255 - grey], axis=-1)


def arrays(folder: Path) -> dict[str, np.ndarray]:
    return {path.name: np.asarray(Image.open(path)) for path in sorted(folder.iterdir())}


def psnr_db(restored: dict[str, np.ndarray], originals: dict[str, np.ndarray], peak: float) -> float:
    """Over all values; every image must have come back in its name, type and shape."""
    assert list(restored) == list(originals)
    for name, original in originals.items():
        assert (restored[name].dtype, restored[name].shape) == (original.dtype, original.shape), name
    errors = [restored[name].astype(float) - original for name, original in originals.items()]
    return float(10 * np.log10(peak**2 / np.mean(np.concatenate([e.ravel() for e in errors]) ** 2)))


def there_and_back(source: Path, model: Model, tmp_path: Path, peak: float, **wishes: float):
    """What `compress` says, and the PSNR of what comes back."""
    archive, back = tmp_path / "a.isz", tmp_path / "back"
    result = compress(source, archive, model=model, mode="lossy", force=True, **wishes)
    assert archive.stat().st_size == result.archive_bytes
    decompress(archive, back, force=True)
    return result, psnr_db(arrays(back), arrays(source), peak)


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> tuple[Path, Model]:
    """Grey PNGs of 16 bits, and a model for any size of them."""
    folder = tmp_path_factory.mktemp("scans")
    for number in range(24):
        Image.fromarray((65535 * picture(48, 48, number)).astype(np.uint16)).save(folder / f"{number:02}.png")
    return folder, fit(folder, recipe="images", settings=LITTLE, quiet=True).model


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> tuple[Path, Model]:
    """RGB PNGs of mixed sizes, down to a single pixel, and a model made from others."""
    folder = tmp_path_factory.mktemp("photos")
    for number, size in enumerate(SIZES):
        Image.fromarray(coloured(*size, number)).save(folder / f"{number}.png")
    squares = np.stack([coloured(48, 48, number) for number in range(24)])
    model = fit(squares, recipe="images", settings=LITTLE, quiet=True).model
    assert model.spec.shape == (None, None, 3)
    return folder, model


def test_sixteen_bits_come_back_as_sixteen_bits_and_closer_at_more_quality(scans, tmp_path):
    folder, model = scans
    tried = [there_and_back(folder, model, tmp_path, 65535, quality=quality) for quality in (10, 50, 90)]
    payloads, reached = zip(*((result.payload_bytes, db) for result, db in tried), strict=True)
    assert list(payloads) == sorted(set(payloads))
    assert reached[0] + 3 < reached[1] < reached[2] - 3
    assert reached[1] > 30


def test_a_psnr_of_sixteen_bits_is_reached(scans, tmp_path):
    folder, model = scans
    result, reached = there_and_back(folder, model, tmp_path, 65535, target_psnr=38)
    assert reached >= 38
    assert there_and_back(folder, model, tmp_path, 65535, quality=result.quality - 1)[1] < 38


def test_five_channels_come_back_as_five_and_closer_at_more_quality():
    waves = [np.stack([picture(48, 48, 5 * n + c) for c in range(5)], axis=-1) for n in range(24)]
    images = (65535 * np.stack(waves)).astype(np.uint16)
    source = open_source(images)
    model = fit(source, recipe="images", settings=LITTLE, quiet=True).model
    reached = []
    for quality in (50, 90):
        restored = restore(compress_bytes(source, model, mode="lossy", quality=quality)[0])
        assert (restored.dtype, restored.shape) == (images.dtype, images.shape)
        reached.append(10 * np.log10(65535**2 / np.mean((restored.astype(float) - images) ** 2)))
    assert 30 < reached[0] < reached[1] - 3


def test_images_of_all_sizes_down_to_one_pixel_come_back_closer_at_more_quality(photos, tmp_path):
    folder, model = photos
    tried = [there_and_back(folder, model, tmp_path, 255, quality=quality)[1] for quality in (10, 50, 90)]
    assert tried[0] + 3 < tried[1] < tried[2] - 3
    assert tried[1] > 30


def test_sizes_and_psnrs_asked_for_are_kept_for_images_of_all_sizes(photos, tmp_path):
    folder, model = photos
    usual, reached = there_and_back(folder, model, tmp_path, 255, quality=50)
    limited, _ = there_and_back(folder, model, tmp_path, 255, max_bytes=usual.archive_bytes)
    assert limited.archive_bytes <= usual.archive_bytes
    assert limited.quality >= 50
    wanted = reached - 0.001
    aimed, again = there_and_back(folder, model, tmp_path, 255, target_psnr=wanted)
    assert again >= wanted
    assert aimed.quality <= 50
