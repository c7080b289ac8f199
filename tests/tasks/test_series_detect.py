"""Odd spans of series are found, told by channel and rows, with honest p-values; models are files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from isthmus.errors import DamagedFile, NoData, SpecMismatch, UseError
from isthmus.model import SeriesDetector, load_model
from isthmus.model.document import read_document, tensors_hash, write_document
from isthmus.tasks.detect import Alarm
from isthmus.tasks.series.detect import detect_series, fit_series_detector, score_lines
from isthmus.tasks.series.follow import Follower, follow

PERIOD = 48


def usual(seed: int, rows: int = 1200, channels: int = 3) -> np.ndarray:
    """Waves with noise: the first two channels go together, the others by themselves."""
    random = np.random.default_rng(seed)
    hours = np.arange(rows) * 2 * np.pi / PERIOD
    waves = np.stack([np.sin(hours + channel) for channel in range(channels)], axis=1)
    values = 10 * waves + random.normal(0, 1, (rows, channels)) + 100
    if channels > 1:
        values[:, 1] = values[:, 0] * 2 + random.normal(0, 0.5, rows)
    return values


def spoilt(kind: str) -> tuple[np.ndarray, int, slice]:
    """A series, the channel that is odd, and where."""
    values, where = usual(1), slice(700, 748)
    if kind == "level":
        values[where, 2] += 12
    elif kind == "spike":
        where = slice(700, 702)
        values[where, 2] += 40
    elif kind == "flat":
        values[where, 2] = values[700, 2]
    elif kind == "noise":
        values[where, 2] += np.random.default_rng(9).normal(0, 8, 48)
    return values, 2, where


@pytest.mark.parametrize("kind", ["level", "spike", "flat", "noise"])
@pytest.mark.parametrize("learned", [None, "novelty"])
def test_an_odd_span_is_found_in_its_channel_and_rows(kind: str, learned: str | None):
    values, channel, where = spoilt(kind)
    detector = None if learned is None else fit_series_detector(usual(0), mode=learned).detector
    found = detect_series(values, detector, alarm=Alarm(contamination=0.01))
    span, why = max(found.reasons, key=lambda one: found.scores[one[0].oddest])
    assert where.start - 32 <= span.oddest < where.stop + 32
    assert found.detector.period == PERIOD
    assert why[0].channel == f"channel_{channel}"
    assert why[0].last >= where.start - 32
    assert f"channel_{channel}, row" in why[0].sentence()


def test_a_sentence_gives_rows_what_is_usual_and_what_is_there():
    values = spoilt("level")[0]
    found = detect_series(values, fit_series_detector(usual(0), mode="novelty").detector)
    _, why = max(found.reasons, key=lambda one: found.scores[one[0].oddest])
    assert why[0].figure in ("level", "swing")
    assert not why[0].low <= why[0].seen <= why[0].high
    here = values[why[0].first : why[0].last + 1, 2]
    assert why[0].seen == pytest.approx(here.mean() if why[0].figure == "level" else np.ptp(here), rel=1e-4)


def test_a_channel_that_leaves_the_others_is_found_though_it_stays_in_its_range():
    values = usual(1)
    values[700:760, 1] = values[700:760, 1][::-1]
    found = detect_series(values, fit_series_detector(usual(0), mode="novelty").detector)
    assert 690 <= int(np.argmax(found.scores)) <= 770
    assert {why[0].channel for _, why in found.reasons} & {"channel_0", "channel_1"}


def test_of_usual_rows_few_are_reported():
    detector = fit_series_detector(usual(0, 2400, 1), mode="novelty").detector
    shares = [detect_series(usual(seed, 2400, 1), detector).is_anomaly.mean() for seed in (2, 3)]
    assert np.mean(shares) < 0.04


def test_a_model_judges_as_it_did_before_it_was_saved(tmp_path: Path):
    made = fit_series_detector(usual(0), tmp_path / "m.ism", mode="novelty")
    again = load_model(tmp_path / "m.ism")
    assert isinstance(again, SeriesDetector)
    values = spoilt("level")[0]
    assert np.array_equal(detect_series(values, made.detector).scores, detect_series(values, again).scores)
    assert again.facts()["period"] == "48 rows"


@pytest.mark.parametrize("wrong", ["kept", "starts", "spread", "lengths"])
def test_a_model_that_contradicts_itself_is_refused(tmp_path: Path, wrong: str):
    fit_series_detector(usual(0), tmp_path / "m.ism")
    document, tensors = read_document(tmp_path / "m.ism")
    tensors[wrong] = np.delete(tensors[wrong], -1, axis=0)
    document = {**document, "hash": tensors_hash(tensors)}
    del document["document_hash"]
    write_document(tmp_path / "bad.ism", document, tensors, force=True)
    with pytest.raises(DamagedFile, match="lacks or misstates"):
        load_model(tmp_path / "bad.ism")


def test_each_row_is_answered_in_the_order_of_stamps_with_its_number_and_stamp(tmp_path: Path):
    rows = [f"2024-01-{1 + i // 1440:02d} {i // 60 % 24:02d}:{i % 60:02d}:00,{v:.3f}" for i, v in
            enumerate(usual(0, 400, 1)[:, 0])]  # fmt: skip
    rows[100], rows[101] = rows[101], rows[100]
    (tmp_path / "s.csv").write_text("\n".join(["when,v", *rows, ""]))
    found = detect_series(tmp_path / "s.csv", output=tmp_path / "o.csv")
    lines = [line.split(",") for line in (tmp_path / "o.csv").read_text().splitlines()]
    assert lines[0][:2] == ["row", "stamp"]
    assert [int(line[0]) for line in lines[1:]] == [*range(100), 101, 100, *range(102, 400)]
    assert [line[1] for line in lines[1:]] == sorted(row.split(",")[0] for row in rows)
    assert "row 101 came too late" in found.notices[0]
    assert list(score_lines(found)) == (tmp_path / "o.csv").read_text().splitlines(keepends=True)


@pytest.mark.parametrize("spoil", ["constant", "infinite", "gap", "empty"])
def test_constants_infinities_and_gaps_do_no_harm(spoil: str):
    values = usual(0, 600, 2)
    if spoil == "constant":
        values[:, 1] = 5
        values[300, 1] = 6
    elif spoil == "infinite":
        values[300, 1] = np.inf
    elif spoil == "gap":
        values[200:400, 1] = np.nan
    else:
        values[:, 1] = np.nan
    found = detect_series(values)
    assert np.isfinite(found.scores).all()
    if spoil in ("constant", "infinite"):
        assert 280 < int(np.argmax(found.scores)) < 320
    if spoil == "gap":
        assert not found.is_anomaly[260:340].any(), "nothing is known there, so nothing is odd"


def test_too_few_rows_and_other_channels_are_refused_in_a_sentence():
    with pytest.raises(NoData, match="at least 48 rows"):
        fit_series_detector(usual(0, 20))
    detector = fit_series_detector(usual(0)).detector
    with pytest.raises(SpecMismatch, match="the channel 'channel_0'"):
        detect_series(usual(0, channels=1), detector)
    with pytest.raises(NoData, match="at least 16"):
        detect_series(usual(0, 10), detector)


def lines_of(values: np.ndarray) -> list[str]:
    return [",".join(f"{value:.6f}" for value in row) + "\n" for row in values]


def test_lines_are_answered_as_they_come_by_what_came_before():
    detector = fit_series_detector(usual(0), mode="novelty").detector
    values = spoilt("level")[0][600:760]
    answers = [line.rstrip("\n").split(",", 5) for line in follow(lines_of(values), detector)][1:]
    assert len(answers) == len(values)
    rows = detector.in_spreads(np.round(values, 6))
    asked = np.arange(detector.least - 1, len(values))
    together = detector.score_until(rows, asked).scores
    told = np.array([float(answer[2]) for answer in answers[detector.least - 1 :]])
    assert np.allclose(told, together, rtol=1e-3, atol=1e-3), "line by line as all at once"
    odd = [int(answer[0]) for answer in answers if answer[4] == "1"]
    assert any(100 <= row < 160 for row in odd)
    assert sum(row < 100 for row in odd) < 10
    reason = next(answer[5] for answer in answers if answer[4] == "1" and int(answer[0]) >= 105)
    assert "channel_2, row" in reason


def test_the_answer_to_a_line_does_not_wait_for_the_next_one():
    detector = fit_series_detector(usual(0, channels=1)).detector
    asked = []

    def lines():
        for line in lines_of(usual(1, 30, 1)):
            asked.append(line)
            yield line

    answers = follow(lines(), detector)
    next(answers)
    for count in range(1, 31):
        next(answers)
        assert len(asked) == count


def test_a_bad_line_is_answered_in_a_sentence_and_the_next_one_as_ever(tmp_path: Path):
    rows = [f"{daily(i)},{v:.3f}" for i, v in enumerate(usual(0, 300, 1)[:, 0])]
    (tmp_path / "s.csv").write_text("\n".join(["when,v", *rows, ""]))
    follower = Follower(fit_series_detector(tmp_path / "s.csv").detector)
    assert follower.answer("when,v\n") is None
    assert follower.answer("\n") is None
    bad = ["x", f"{daily(0)},y", "never,1", f"{daily(0)},1,2"]
    for line, sentence in zip(
        bad, ["2 cells; it has 1", "it is 'y'", "it is 'never'", "it has 3"], strict=True
    ):
        answer = follower.answer(line)
        assert sentence in answer.reason
        assert (answer.row, answer.is_anomaly) == ("", "")
    assert follower.answer(f"{daily(5)},100").row == 0
    assert "lies before" in follower.answer(f"{daily(4)},100").reason
    assert follower.answer(f"{daily(5)},NA").row == 1


def daily(row: int) -> str:
    return f"2024-02-{1 + row // 24:02d} {row % 24:02d}:00:00"


def test_what_cannot_be_known_line_by_line_is_refused():
    detector = fit_series_detector(usual(0)).detector
    with pytest.raises(UseError, match="use --false-alarms"):
        Follower(detector, Alarm(contamination=0.1))


def test_of_many_channels_the_odd_one_is_named():
    values = usual(0, 400, 12)
    values[200:230, 9] += 15
    found = detect_series(values, alarm=Alarm(contamination=0.02))
    span, why = max(found.reasons, key=lambda one: found.scores[one[0].oddest])
    assert 180 <= span.oddest < 250
    assert why[0].channel == "channel_9"
    assert len(found.detector.calibration) == 400
