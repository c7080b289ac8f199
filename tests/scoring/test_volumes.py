"""VUS-PR is what the authors' own code gives."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.scoring.volumes import vus_pr

SPANS = ([(40, 49)], [(0, 5), (100, 119)], [(30, 32), (36, 44)], [(60, 60)])
GIVEN = {  # by TSB_AD.evaluation.basic_metrics.generate_curve of TSB-AD, commit 8763009
    (0, 0): 0.210488323,
    (0, 7): 0.230104195,
    (0, 20): 0.270612452,
    (1, 0): 0.371264069,
    (1, 7): 0.389143431,
    (1, 20): 0.428185035,
    (2, 0): 0.385450202,
    (2, 7): 0.416536889,
    (2, 20): 0.471540207,
}


def case(number: int) -> tuple[np.ndarray, np.ndarray]:
    labels, scores = np.zeros(120, int), (np.arange(120) * 37 % 101) / 101
    for first, last in SPANS[number]:
        labels[first : last + 1] = 1
        scores[first : last + 1] += 0.3 * (number + 1) / 4
    return labels, scores


@pytest.mark.parametrize(("number", "window"), GIVEN)
def test_it_is_what_the_authors_code_gives(number: int, window: int):
    assert vus_pr(*case(number), window) == pytest.approx(GIVEN[number, window], abs=1e-9)


def test_only_the_order_of_scores_counts_and_a_near_miss_counts_more_with_buffers():
    labels, scores = case(0)
    assert vus_pr(labels, np.exp(3 * scores), 20) == pytest.approx(vus_pr(labels, scores, 20))
    beside = np.zeros(120)
    beside[50:56] = 1
    assert vus_pr(labels, beside, 20) > 2 * vus_pr(labels, beside, 0)


def test_labels_without_a_span_are_refused():
    with pytest.raises(ValueError, match="without a span"):
        vus_pr(np.zeros(9), np.zeros(9), 2)
