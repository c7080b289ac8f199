"""The scikit-learn face: an autoencoder as an estimator that transforms, scores and compresses.

Each method prepares its arrays and makes one call to a task or to the model.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags, check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from isthmus.config import parse_duration
from isthmus.data import open_source
from isthmus.data.grouping import group_by_shape
from isthmus.errors import UseError
from isthmus.model import Model, Saved, load_model
from isthmus.spec import DataSpec
from isthmus.tasks.compress import compress, restore
from isthmus.tasks.features import embed
from isthmus.tasks.fit import fit


class Autoencoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """An autoencoder trained on the samples it is given.

    Samples are arrays whose first axis counts them (rows of numbers, or images as
    (sample, height, width[, channel])), a path, or a name such as "digits".

    Args:
        recipe: settings to start from; None takes what suits the data.
        budget: how long to train: "5m", or seconds; None takes the recipe's number of steps.
        settings: "key=value" strings on top of the recipe, as `isthmus fit --set` takes them.
        random_state: an integer makes training repeatable.
        quiet: show no progress.

    Attributes:
        model_: the trained Model.
        n_features_in_: columns of X, where X had rows of numbers.
        sample_shape_: shape of one sample; None where samples differ in size.

    >>> from isthmus import Autoencoder
    >>> X = np.random.default_rng(0).normal(size=(64, 6)) @ np.ones((6, 6))
    >>> ae = Autoencoder(settings=("train.steps=5", "train.threads=1", "net.latent=2")).fit(X)
    >>> ae.transform(X).shape, ae.reconstruct(X).shape, len(ae.decompress(ae.compress(X)))
    ((64, 2), (64, 6), 64)
    """

    def __init__(
        self,
        recipe: str | None = None,
        *,
        budget: str | float | None = None,
        settings: Sequence[str] = (),
        random_state: int | np.random.RandomState | None = 0,
        quiet: bool = True,
    ) -> None:
        self.recipe = recipe
        self.budget = budget
        self.settings = settings
        self.random_state = random_state
        self.quiet = quiet

    def fit(self, X: Any, y: Any = None) -> Autoencoder:  # noqa: N803 - scikit-learn's name
        """Train on X; y is ignored.

        Raises:
            MissingExtra: PyTorch is not installed.
            Diverged: the loss became NaN or infinite.
        """
        source = open_source(self._checked(X, reset=True))
        with tempfile.TemporaryDirectory(prefix="isthmus-") as run:
            self.model_ = fit(
                source,
                recipe=self.recipe,
                settings=[*self.settings, f"train.seed={self._seed()}"],
                budget_s=None if self.budget is None else parse_duration(self.budget),
                run=Path(run),
                quiet=self.quiet,
            ).model
        self.sample_shape_ = _sample_shape(source.spec)
        return self

    def transform(self, X: Any) -> np.ndarray:  # noqa: N803
        """Samples → features: float32, shape (sample, feature); see `isthmus.embed`."""
        return embed(self._ready(X), self.model_).latents

    def inverse_transform(self, X: np.ndarray, *, size: tuple[int, int] | None = None) -> np.ndarray:  # noqa: N803
        """Features → samples of the kind that was fitted.

        Args:
            X: what `transform` gave, shape (sample, feature).
            size: height and width of the images, where the estimator has not seen X's samples
                (a loaded model that takes images of any size).
        """
        check_is_fitted(self)
        decoder = self.model_.decoder
        shape = decoder.code_shape(sides := self._sides(size))
        latents = np.asarray(X, dtype=np.float32)
        if latents.ndim != 2 or latents.shape[1] != np.prod(shape):
            raise UseError(f"Features must have shape (sample, {np.prod(shape)}); got {latents.shape}.")
        return decoder.transform.inverse(decoder.reconstruct(latents.reshape(-1, *shape), sides or None))

    def reconstruct(self, X: Any) -> Any:  # noqa: N803
        """Samples → the nearest the autoencoder can say, without rounding the code.

        One array, or a list where the samples differ in size.
        """
        source = open_source(self._ready(X))
        samples = source.read(range(len(source)))
        restored: list[np.ndarray] = [np.empty(0)] * len(samples)
        decoder, images = self.model_.decoder, self.model_.spec.modality == "image"
        for indices, stacked in group_by_shape(samples):
            size = stacked.shape[1:3] if images else None
            tensors = decoder.reconstruct(self.model_.encode(stacked), size)
            for index, sample in zip(indices, decoder.transform.inverse(tensors), strict=True):
                restored[index] = sample
        return np.stack(restored) if source.spec.is_fixed else restored

    def score_samples(self, X: Any) -> np.ndarray:  # noqa: N803
        """How normal each sample is: minus its mean squared error, shape (sample,); higher is more normal."""
        source = open_source(self._ready(X))
        pairs = zip(source.read(range(len(source))), self.reconstruct(X), strict=True)
        return np.array([-np.mean((b.astype(np.float64) - a) ** 2) for a, b in pairs])

    def score(self, X: Any, y: Any = None) -> float:  # noqa: N803
        """Minus the mean squared error over all samples; y is ignored."""
        return float(np.mean(self.score_samples(X)))

    def compress(
        self,
        X: Any,  # noqa: N803
        *,
        max_error: float | None = None,
        error_mode: str = "abs",
        lossless: bool = False,
        embed_model: bool = True,
    ) -> bytes:
        """Samples → the bytes of an archive, as `isthmus compress` writes it.

        Args:
            X: samples of the kind that was fitted.
            max_error: how far any restored value may be from its original; None sets no bound.
            error_mode: "abs", "rel" (times the range of the values) or "pointwise" (times each value).
            lossless: restore the very same samples; without it and without a bound, it is lossy.
            embed_model: keep what decoding needs of the model in the archive.
        """
        file = BytesIO()
        compress(
            self._ready(X), file, model=self.model_, mode="lossless" if lossless else None,
            max_error=max_error, error_mode=error_mode, embed_model=embed_model,
        )  # fmt: skip
        return file.getvalue()

    def decompress(self, blob: bytes) -> Any:
        """Undo `compress`: one array, or a list where samples differ in size."""
        return restore(blob, model=getattr(self, "model_", None))

    def save(self, path: str | Path, *, force: bool = True) -> Path:
        """Write the model as an .ism file; `load` undoes it."""
        check_is_fitted(self)
        return self.model_.save(path, force=force)

    def _ready(self, samples: Any) -> Any:
        check_is_fitted(self)
        return self._checked(samples, reset=False)

    def _checked(self, samples: Any, *, reset: bool) -> Any:
        """Arrays as scikit-learn checks them, in the model's own type; paths and names as they are."""
        if isinstance(samples, (str, Path)) or _are_paths(samples):
            return samples
        if getattr(samples, "ndim", 2) > 2:  # images have sides, not a number of features
            checked = check_array(samples, allow_nd=True)
        else:
            checked = validate_data(self, samples, reset=reset)
        wanted = None if reset else np.dtype(self.model_.spec.dtype)
        if wanted is not None and np.can_cast(checked.dtype, wanted, "same_kind"):
            return checked.astype(wanted, copy=False)
        return checked

    def _sides(self, size: tuple[int, int] | None) -> tuple[int, ...]:
        if self.model_.spec.modality != "image":
            return ()
        if size is not None:
            return size
        if self.sample_shape_ is None:
            raise UseError("Features of images need their size to become images: give size=(height, width).")
        return self.sample_shape_[:2]

    def _seed(self) -> int:
        if isinstance(self.random_state, (int, np.integer)):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(2**31))

    @property
    def _n_features_out(self) -> int:
        return int(np.prod(self.model_.decoder.code_shape(self._sides(None))))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        assert tags.transformer_tags is not None
        tags.transformer_tags.preserves_dtype = ["float32"]
        tags.input_tags.three_d_array = True
        return tags


def load(path: str | Path) -> Autoencoder | Saved:
    """Read an .ism file of any kind.

    Args:
        path: made by `fit`, or by `save` of what it returned.
    Returns:
        Of a codec, an estimator that is fitted (fitting it again starts anew); of a detector or a denoiser,
        that model. Whatever takes a model takes either.
    """
    model = load_model(path)
    if not isinstance(model, Model):
        return model
    estimator = Autoencoder()
    estimator.model_ = model
    estimator.sample_shape_ = shape = _sample_shape(model.spec)
    if shape is not None and len(shape) == 1:
        estimator.n_features_in_ = shape[0]
    return estimator


def _sample_shape(spec: DataSpec) -> tuple[int, ...] | None:
    return tuple(length for length in spec.shape if length is not None) if spec.is_fixed else None


def _are_paths(samples: Any) -> bool:
    return isinstance(samples, (list, tuple)) and bool(samples) and isinstance(samples[0], (str, Path))
