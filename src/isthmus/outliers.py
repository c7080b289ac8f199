"""The scikit-learn face of detecting: the outlier contract, and PyOD's attributes beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from isthmus.config import parse_duration, require
from isthmus.data.tables import Table, is_table, open_table
from isthmus.errors import SpecMismatch
from isthmus.model.reasons import Reason, reasons
from isthmus.tasks.detect import FALSE_ALARMS, fit_detector, unused_columns


class OutlierDetector(OutlierMixin, BaseEstimator):
    """Finds odd rows: small autoencoders trained side by side, robust distances, calibrated.

    Rows are a matrix of numbers (NaN is missing), or a DataFrame of any columns.

    Args:
        mode: "contaminated" where odd rows may hide among those it learns from, "novelty" where none do.
        contamination: share of the rows learned from that count as odd; "auto" takes what is as odd as
            `false_alarms` of usual rows.
        false_alarms: share of usual rows that may be called odd.
        budget: seconds, or "90s": how long to train at most.
        steps: of training; None takes 300, whatever the number of rows.
        random_state: an integer makes training repeatable.

    Attributes:
        detector_: the trained Detector.
        offset_: `score_samples` below it means odd.
        decision_scores_: PyOD's: scores of the rows learned from, higher is odder.
        threshold_: PyOD's: the score above which a row is odd.
        labels_: PyOD's: 1 for odd rows, 0 for usual ones.
        n_features_in_: columns.

    >>> from isthmus import OutlierDetector
    >>> X = np.random.default_rng(0).normal(size=(200, 4))
    >>> X[7] = 9
    >>> found = OutlierDetector().fit(X)
    >>> int(found.score_samples(X).argmin()), int(found.predict(X)[7])
    (7, -1)
    """

    def __init__(
        self,
        *,
        mode: str = "contaminated",
        contamination: float | str = "auto",
        false_alarms: float = FALSE_ALARMS,
        budget: str | float | None = None,
        steps: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.mode = mode
        self.contamination = contamination
        self.false_alarms = false_alarms
        self.budget = budget
        self.steps = steps
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> OutlierDetector:  # noqa: N803 - scikit-learn's name
        """Learn what is usual in X; y is ignored.

        Raises:
            MissingExtra: PyTorch is not installed.
        """
        automatic = self.contamination == "auto"
        share = self.false_alarms if automatic else self.contamination
        name = "false_alarms" if automatic else "contamination"
        require(isinstance(share, (int, float)) and 0 < share < 1, name, "between 0 and 1", share)
        values = self._checked(X, reset=True)
        self.detector_ = fit_detector(
            values,
            mode=self.mode,
            budget_s=None if self.budget is None else parse_duration(self.budget),
            steps=self.steps,
            seed=int(check_random_state(self.random_state).randint(2**31)),
        ).detector
        self.decision_scores_ = self.detector_.scores(self._table(values))
        usual = self.detector_.calibration if automatic else self.decision_scores_
        self.threshold_ = float(np.quantile(usual, 1 - float(share), method="lower"))
        self.offset_ = -self.threshold_
        self.labels_ = (self.decision_scores_ > self.threshold_).astype(int)
        return self

    def score_samples(self, X: Any) -> np.ndarray:  # noqa: N803
        """float64 (rows,): higher is more usual."""
        table = self._ready(X)
        return -self.detector_.scores(table)

    def decision_function(self, X: Any) -> np.ndarray:  # noqa: N803
        """float64 (rows,): `score_samples` less `offset_`; below 0 is odd."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """int (rows,): 1 for usual rows, -1 for odd ones."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def p_values(self, X: Any) -> np.ndarray:  # noqa: N803
        """float64 (rows,): how often a usual row would look as odd."""
        scores = -self.score_samples(X)
        return self.detector_.p_values(scores)

    def explain(self, X: Any, rows: Any, most: int = 3) -> list[list[Reason]]:  # noqa: N803
        """Why some rows of X are odd, the weightiest cell first."""
        table = self._ready(X)
        return reasons(self.detector_, table, list(rows), most)

    def save(self, path: str | Path, *, force: bool = True) -> Path:
        """Write the detector as an .ism file; `isthmus detect -m` takes it."""
        check_is_fitted(self)
        return self.detector_.save(path, force=force)

    def _ready(self, X: Any) -> Table:  # noqa: N803
        check_is_fitted(self)
        return self._table(self._checked(X, reset=False))

    def _table(self, values: Any) -> Table:
        known = self.detector_.features.schema
        source = open_table(values, like=known)
        unknown, _ = unused_columns(source.schema, self.detector_)
        if unknown:
            raise SpecMismatch(
                f"X has the column {unknown[0].name!r}, which the detector was not fitted with. Leave it out."
            )
        return source.whole(known)

    def _checked(self, X: Any, *, reset: bool) -> Any:  # noqa: N803
        """A matrix as scikit-learn checks it; a DataFrame with words in it as it is."""
        if is_table(X) and not _is_numeric(X):
            return X
        least = 2 if reset else 1
        return validate_data(
            self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=least
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def _is_numeric(frame: Any) -> bool:
    """Whether all columns of a DataFrame are numbers."""
    try:
        return all(np.dtype(kind).kind in "biuf" for kind in frame.dtypes)
    except (AttributeError, TypeError):
        return False
