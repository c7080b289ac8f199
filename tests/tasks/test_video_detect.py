"""A frame from elsewhere, a flash, a frozen stretch and a missing one are found, and said where."""

import csv
import json
from fractions import Fraction

import numpy as np
import pytest
from typer.testing import CliRunner

from isthmus.data.video import Frame, Kind, write_clip
from isthmus.errors import UseError
from isthmus.tasks.video.detecting import detect_frames

pytest.importorskip("av", reason="PyAV is missing: pip install 'isthmus[video]'")

KIND = Kind("gray", 64, 48, Fraction(1, 1000), Fraction(25))
SWAPPED, FROZEN, FLASH, JUMP = 12, range(30, 34), 50, 70


def scene(place: float, random: np.random.Generator) -> np.ndarray:
    rows, columns = np.arange(48)[:, None] + 0.7 * place, np.arange(64) + place
    return 110 + 50 * np.sin(rows / 9) * np.cos(columns / 13) + random.normal(size=(48, 64))


def pictures(odd: bool) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    found = [scene(number + (18 if odd and number >= JUMP else 0), random) for number in range(100)]
    if odd:
        found[SWAPPED][10:40, 20:60] = random.normal(size=(30, 40)) * 40 + 120
        found[FROZEN.start - 1 : FROZEN.stop] = [found[FROZEN.start - 1]] * (len(FROZEN) + 1)
        found[FLASH] += 60
    return [np.clip(np.rint(each), 0, 255).astype(np.uint8) for each in found]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    for name, odd in (("calm", False), ("odd", True)):
        frames = [Frame(40 * number, (each,)) for number, each in enumerate(pictures(odd))]
        write_clip(folder / f"{name}.mkv", KIND, frames)
    return folder


def test_nothing_is_found_where_nothing_is(clips):
    assert detect_frames(clips / "calm.mkv").anomalies == 0


def test_all_four_are_found_and_no_more(clips, tmp_path):
    result = detect_frames(clips / "odd.mkv", tmp_path / "scores.csv")
    reported = {each.frame: each for each in result.oddest}
    jumps = {frame for frame, each in reported.items() if "jumps" in each.reason}
    assert set(reported) - jumps == {SWAPPED, *FROZEN, FLASH}
    assert len(jumps) == 1
    assert abs(jumps.pop() - JUMP) <= 1
    assert "brighter" in reported[FLASH].reason
    assert "stands still" in reported[FROZEN.start].reason
    left, top, width, height = reported[SWAPPED].region
    assert abs(left - 20) + abs(top - 10) + abs(left + width - 60) + abs(top + height - 40) <= 12
    assert reported[FLASH].time_s == pytest.approx(2.0)
    lines = list(csv.DictReader((tmp_path / "scores.csv").read_text().splitlines()))
    assert len(lines) == 100
    assert [int(each["frame"]) for each in lines if each["is_anomaly"] == "1"] == sorted(reported)


def test_a_share_of_frames_may_be_asked_for(clips):
    assert detect_frames(clips / "calm.mkv", contamination=0.05).anomalies == 5
    with pytest.raises(UseError):
        detect_frames(clips, contamination=2.0)


def test_one_frame_is_judged_as_usual(tmp_path):
    write_clip(tmp_path / "one.mkv", KIND, [Frame(0, (pictures(False)[0],))])
    assert detect_frames(tmp_path / "one.mkv").anomalies == 0


def test_the_command_writes_scores_and_a_page(clips, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is missing: pip install 'isthmus[report]'")
    from isthmus.cli.app import app

    words = ["detect", clips, "-o", tmp_path / "s.csv", "--report", tmp_path / "p.html", "--json"]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["frames"] == 200
    assert (tmp_path / "s.csv").read_text().count("\n") == 201
    page = (tmp_path / "p.html").read_text()
    assert f"odd.mkv, frame {FLASH}" in page
    assert "at 2.00 s" in page
    assert "calm.mkv" in page
    assert CliRunner().invoke(app, ["detect", str(clips), "--false-alarms", "0.1"]).exit_code == 2
