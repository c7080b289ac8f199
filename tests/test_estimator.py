import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from isthmus import Autoencoder, IsthmusError, load
from isthmus.errors import SpecMismatch

TINY = (
    "train.steps=20",
    "train.threads=1",
    "net.latent=2",
    'net.encoder={name="mlp", hidden=[8]}',
    'net.decoder={name="mlp", hidden=[8]}',
)
LONGER = ("train.steps=300", *TINY[1:])


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    random = np.random.default_rng(0)
    return random.normal(size=(200, 2)) @ random.normal(size=(2, 5))


@pytest.fixture(scope="module")
def fitted(rows: np.ndarray) -> Autoencoder:
    return Autoencoder(settings=LONGER).fit(rows)


@parametrize_with_checks([Autoencoder(recipe="arrays", settings=TINY)])
def test_it_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)


def test_features_come_back_as_samples(fitted, rows):
    features = fitted.transform(rows)
    assert features.shape == (200, 2)
    restored = fitted.inverse_transform(features)
    assert restored.dtype == rows.dtype
    assert np.mean((restored - rows) ** 2) < 0.5 * rows.var()
    assert np.array_equal(restored, fitted.reconstruct(rows))


def test_scores_are_higher_for_what_is_normal(fitted, rows):
    odd = rows + np.array([0, 0, 0, 0, 20.0])
    assert fitted.score_samples(rows).shape == (200,)
    assert fitted.score(rows) == pytest.approx(fitted.score_samples(rows).mean())
    assert fitted.score(rows) > fitted.score(odd)


def test_bytes_come_back_as_samples(fitted, rows):
    blob = fitted.compress(rows)
    restored = fitted.decompress(blob)
    assert restored.shape == rows.shape
    assert np.array_equal(Autoencoder().decompress(blob), restored)  # the archive holds all it takes
    assert len(fitted.compress(rows, embed_model=False)) < len(blob)


def test_a_saved_model_is_the_same_estimator(fitted, rows, tmp_path: Path):
    again = load(fitted.save(tmp_path / "rows.ism"))
    assert np.array_equal(again.transform(rows), fitted.transform(rows))
    assert again.n_features_in_ == 5
    assert np.array_equal(again.inverse_transform(again.transform(rows)), fitted.reconstruct(rows))


def test_images_keep_their_shape_and_type():
    images = np.random.default_rng(0).integers(0, 256, (40, 12, 10), dtype=np.uint8)
    settings = ("train.steps=3", "train.threads=1", 'net.encoder={name="residual", channels=4, blocks=1}',
                'net.decoder={name="residual", channels=4, blocks=1}', "net.latent=3")  # fmt: skip
    fitted = Autoencoder("images", settings=settings).fit(images)
    features = fitted.transform(images)
    restored = fitted.inverse_transform(features)
    assert (restored.shape, restored.dtype) == (images.shape, images.dtype)
    assert np.array_equal(restored, fitted.reconstruct(images))
    assert features.shape[1] == len(fitted.get_feature_names_out())
    assert fitted.decompress(fitted.compress(images)).shape == images.shape
    assert fitted.reconstruct(images[:4, :9, :9]).shape == (4, 9, 9)  # the net takes any size


def test_a_path_is_as_good_as_an_array(rows, tmp_path: Path):
    np.save(tmp_path / "rows.npy", rows)
    by_path = Autoencoder(settings=TINY).fit(str(tmp_path / "rows.npy"))
    by_array = Autoencoder(settings=TINY).fit(rows)
    assert np.array_equal(by_path.transform(tmp_path / "rows.npy"), by_array.transform(rows))


def test_the_seed_decides(rows):
    one, same, other = (
        Autoencoder(settings=TINY, random_state=s).fit(rows).transform(rows) for s in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_parameters_are_stored_as_given_and_cloned(rows):
    estimator = Autoencoder("arrays", budget="5m", settings=TINY, random_state=3)
    assert clone(estimator).get_params() == estimator.get_params()
    assert estimator.set_params(budget=2.0).budget == 2.0


def test_it_pickles_and_sits_in_a_pipeline(fitted, rows):
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).transform(rows), fitted.transform(rows))
    features = make_pipeline(PCA(3), Autoencoder(settings=TINY)).fit_transform(rows)
    assert features.shape == (200, 2)


def test_before_fit_it_says_so(rows):
    for call in ("transform", "inverse_transform", "score_samples", "compress", "reconstruct"):
        with pytest.raises(NotFittedError):
            getattr(Autoencoder(), call)(rows)


def test_other_data_are_refused(fitted, rows):
    with pytest.raises(ValueError, match="features"):
        fitted.transform(rows[:, :3])
    with pytest.raises(SpecMismatch):
        fitted.transform("digits")
    with pytest.raises(IsthmusError, match="budget"):
        Autoencoder(budget="soon").fit(rows)
