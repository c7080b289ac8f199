"""scikit-learn's contract for outlier detectors, and what PyOD's users look for."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from isthmus import Detector, OutlierDetector, detect
from isthmus.errors import ConfigError


@parametrize_with_checks([OutlierDetector(steps=10)])
def test_scikit_learn_finds_nothing_wrong(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def rows():
    values = np.random.default_rng(0).normal(size=(300, 5))
    values[:6] += 8
    return values


def test_higher_is_more_usual_and_below_nought_is_odd(rows):
    found = OutlierDetector(contamination=0.02).fit(rows)
    assert set(np.flatnonzero(found.predict(rows) == -1)) == set(range(6))
    assert np.array_equal(found.decision_function(rows), found.score_samples(rows) - found.offset_)
    assert (found.decision_function(rows)[:6] < 0).all()
    assert np.array_equal(OutlierDetector(contamination=0.02).fit_predict(rows), found.predict(rows))


def test_the_view_of_pyod(rows):
    found = OutlierDetector(contamination=0.02).fit(rows)
    assert found.decision_scores_.argsort()[-6:].max() < 6
    assert np.array_equal(found.labels_, (found.decision_scores_ > found.threshold_).astype(int))
    assert found.labels_.sum() == 6


def test_frames_with_words_and_holes_are_taken_and_explained(tmp_path):
    pd = pytest.importorskip("pandas", reason="pandas is missing: pip install 'isthmus[tables]'")
    pytest.importorskip("pyarrow", reason="PyArrow is missing: pip install 'isthmus[tables]'")
    random = np.random.default_rng(0)
    size = random.normal(10, 2, 300)
    frame = pd.DataFrame({"size": size, "weight": 3 * size, "kind": np.where(size > 10, "big", "small")})
    found = OutlierDetector(mode="novelty").fit(frame)
    odd = frame.copy()
    odd.loc[4, "weight"] = 500.0
    assert found.score_samples(odd).argmin() == 4
    assert found.explain(odd, [4])[0][0].column == "weight"
    assert found.p_values(odd)[4] < 0.01
    again = Detector.load(found.save(tmp_path / "d.ism"))
    assert np.array_equal(detect(odd, again).scores, -found.score_samples(odd))


@pytest.mark.parametrize("wrong", [{"contamination": 0}, {"contamination": "much"}, {"false_alarms": 2}])
def test_shares_that_cannot_be_are_refused(rows, wrong):
    with pytest.raises(ConfigError):
        OutlierDetector(**wrong).fit(rows)
