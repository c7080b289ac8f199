"""A denoiser takes noise away, keeps what is clean, keeps the kind of image, and comes back from its file."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from isthmus.data import open_source
from isthmus.data.noise import KINDS, MISSING, NoiseModel, noise_level
from isthmus.errors import ConfigError, DamagedFile, NotOurFile, SpecMismatch, UnknownName, UseError
from isthmus.model import load_model
from isthmus.model.denoiser import Denoiser
from isthmus.tasks.denoise import denoise, fit_denoiser
from isthmus.tasks.info import info
from isthmus.training.denoising import DenoisingPlan, train_denoiser

SIGMA = 25


def pictures(count=6, side=72, seed=0, planes=1):
    """Smooth hills with an edge through each."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:side, 0:side]
    made = []
    for _ in range(count):
        phase, tilt = random.uniform(0, 6, 2)
        hills = 110 + 50 * np.sin(rows / 9 + phase) * np.cos(columns / 11 + tilt)
        hills = np.where(rows + tilt * columns > side, hills, hills + 40)
        made.append(np.clip(hills, 0, 255).astype(np.uint8))
    images = np.stack(made)
    return images if planes == 1 else np.stack([images, images[:, ::-1], images[:, :, ::-1]], axis=3)


def spoilt(images, sigma=SIGMA, seed=1):
    noise = np.random.default_rng(seed).normal(0, sigma, images.shape)
    return np.clip(np.round(images + noise), 0, 255).astype(np.uint8)


def psnr(a, b):
    return 10 * np.log10(255**2 / np.square(a.astype(float) - b.astype(float)).mean())


def taught(images, steps=150, kind="gaussian", from_noisy=False):
    """By a net a tenth as large as the usual one."""
    plan = DenoisingPlan(
        noise=NoiseModel.of(kind), from_noisy=from_noisy, steps=steps, channels=24, blocks=3, batch=8
    )
    return train_denoiser(list(images), open_source(images).spec, plan)


@pytest.fixture(scope="module")
def denoiser():
    return taught(pictures())


def test_noise_becomes_less_and_its_level_is_seen(denoiser, tmp_path):
    clean = pictures(4, seed=5)
    noisy = spoilt(clean)
    result = denoise(noisy, denoiser, tmp_path / "out", clean=clean)
    made = np.load(result.files[0])
    assert made.dtype == np.uint8
    assert result.after_psnr_db > result.before_psnr_db + 5
    assert result.after_psnr_db == pytest.approx(psnr(clean, made), abs=0.01)
    assert np.abs(np.array(result.levels) - SIGMA).max() < 5
    assert "dB" in result.summary()


def test_what_is_clean_stays_as_it_is(denoiser):
    clean = pictures(1, seed=6)[0]
    assert np.array_equal(clean, denoiser.denoise(clean, level=0))


def test_noisy_images_alone_teach_nearly_as_well():
    clean = pictures(8)
    noisy = spoilt(clean)
    learned = taught(noisy, from_noisy=True)
    assert learned.from_noisy
    gain = psnr(clean, np.stack([learned.denoise(each) for each in noisy])) - psnr(clean, noisy)
    assert gain > 3


def test_noise_of_any_kind_is_learned_from_neighbours():
    clean = pictures(8)
    random = np.random.default_rng(2)
    noisy = np.clip(random.poisson(clean / 8.0) * 8, 0, 255).astype(np.uint8)
    learned = taught(noisy, kind="poisson", from_noisy=True)
    assert psnr(clean, np.stack([learned.denoise(each) for each in noisy])) > psnr(clean, noisy) + 2


def test_what_a_mask_covers_is_filled_in():
    clean = pictures(6)
    learned = taught(clean, kind="missing")
    mask = np.zeros((6, 72, 72), np.uint8)
    mask[:, 30:36, 20:28] = 255
    holes = np.where(mask > 0, 0, clean).astype(np.uint8)
    made = np.stack([learned.denoise(image, 0, hole > 0) for image, hole in zip(holes, mask, strict=True)])
    inside = mask > 0
    assert np.abs(made[inside].astype(float) - clean[inside]).mean() < 15
    assert np.array_equal(clean[~inside], made[~inside])


def test_a_file_gives_the_same_denoiser(denoiser, tmp_path):
    path = denoiser.save(tmp_path / "d.ism")
    back = load_model(path)
    image = spoilt(pictures(1, seed=7))[0]
    assert isinstance(back, Denoiser)
    assert np.array_equal(back.denoise(image), denoiser.denoise(image))
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedFile):
        Denoiser.load(path)


def test_the_same_seed_gives_the_same_denoiser():
    one, other = (fit_denoiser(pictures(2), steps=3, seed=4).denoiser for _ in range(2))
    for name, tensor in one.program.tensors.items():
        assert np.array_equal(tensor, other.program.tensors[name])


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (33, 64), (200, 17)])
def test_images_of_any_size_keep_it(denoiser, shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert denoiser.denoise(image).shape == shape


def test_large_images_are_cut_into_tiles_that_leave_no_seam(denoiser, monkeypatch):
    from isthmus.exact import tiles

    image = spoilt(pictures(1, side=160, seed=8))[0]
    whole = denoiser.denoise(image, 20)
    monkeypatch.setattr(tiles, "TILE", 1 << 17)
    assert np.abs(denoiser.denoise(image, 20).astype(int) - whole).max() <= 1


def test_colour_folders_come_back_by_name(tmp_path):
    clean = pictures(5, planes=3)
    (tmp_path / "in").mkdir()
    for number, image in enumerate(spoilt(clean)):
        Image.fromarray(image).save(tmp_path / "in" / f"{number}.png")
    learned = taught(clean, steps=5)
    result = denoise(tmp_path / "in", learned, tmp_path / "out")
    assert [path.name for path in result.files] == [f"{number}.png" for number in range(5)]
    assert np.asarray(Image.open(result.files[2])).shape == (72, 72, 3)


def test_grey_images_may_be_given_to_a_model_of_colour():
    learned = taught(pictures(3, planes=3), steps=2)
    assert learned.denoise(pictures(1)[0]).shape == (72, 72)


def test_wishes_that_make_no_sense_are_refused_in_one_sentence(denoiser, tmp_path):
    with pytest.raises(UnknownName, match="gaussian"):
        fit_denoiser(pictures(2), noise="static", steps=1)
    with pytest.raises(ConfigError, match="level of noise"):
        fit_denoiser(pictures(2), levels=(0.5, 0.1), steps=1)
    with pytest.raises(UseError, match="images"):
        fit_denoiser(np.zeros((20, 7)), steps=1)
    with pytest.raises(SpecMismatch, match="planes"):
        denoiser.denoise(np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(UseError, match="as many"):
        denoise(pictures(3), denoiser, clean=pictures(2))
    with pytest.raises(UseError, match="size"):
        denoise(pictures(1), denoiser, mask=np.zeros((1, 4, 4), np.uint8))
    (tmp_path / "x.ism").write_bytes(b"nothing")
    with pytest.raises(NotOurFile):
        Denoiser.load(tmp_path / "x.ism")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_noise_spoils_and_says_what_it_may(kind):
    clean = pictures(3)[:, None].astype(np.float32) / 255
    before = clean.copy()
    made, told = NoiseModel.of(kind, None, None).spoil(clean, np.random.default_rng(0))
    assert np.array_equal(clean, before)
    assert (made.dtype, made.shape, told.shape) == (np.float32, clean.shape, (3, 1, 72, 72))
    assert np.isfinite(made).all()
    assert (made != clean).any()
    assert (told.max() > 0) == KINDS[kind].is_told
    if kind == "missing":
        assert np.array_equal(made[told < MISSING], clean[told < MISSING])


@given(st.floats(2, 60), st.integers(0, 100))
def test_the_level_of_noise_is_seen_within_a_tenth(sigma, seed):
    image = pictures(1, side=96)[0] + np.random.default_rng(seed).normal(0, sigma, (96, 96))
    assert noise_level(image) == pytest.approx(sigma, rel=0.12, abs=0.5)


def test_info_describes_a_denoiser(denoiser, tmp_path):
    denoiser.save(tmp_path / "d.ism")
    found = info(tmp_path / "d.ism")
    assert found.kind == "denoiser"
    assert found.facts["noise"].startswith("gaussian")
