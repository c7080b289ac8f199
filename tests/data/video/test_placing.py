"""Whatever times frames have, a file is written and read that holds them as nearly as its container can."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.data.video import Frame, Kind, Times, VideoSource, write_clip
from isthmus.data.video.placing import Placing
from isthmus.data.video.writing import rehearse

pytest.importorskip("av", reason="PyAV is missing: pip install 'isthmus[video]'")

SOME_TICKS = st.lists(st.integers(-(10**7), 10**7) | st.integers(-3, 3), min_size=1, max_size=6)
SOME_BASES = st.sampled_from(
    [
        Fraction(1, 25),
        Fraction(1, 1000),
        Fraction(1, 90000),
        Fraction(1, 10**6),
        Fraction(1001, 30000),
        Fraction(7),
    ]
)


@given(SOME_TICKS, SOME_BASES)
@settings(max_examples=40, deadline=None)
def test_times_are_written_and_read(tmp_path_factory, ticks, tick_s):
    kind = Kind("gray", 16, 16, tick_s, Fraction(25))
    times = Times.of(ticks)
    rehearse("a", kind, times)
    placing = Placing.of(times, kind)
    path = tmp_path_factory.mktemp("clip") / f"a{placing.ending}"
    write_clip(path, kind, [Frame(tick, (np.full((16, 16), n, np.uint8),)) for n, tick in enumerate(ticks)])
    video = VideoSource(path)
    (clip,) = video.clips
    frames = list(video.frames(clip))
    assert [int(frame.planes[0][0, 0]) for frame in frames] == list(range(len(ticks)))
    assert placing.holds([frame.ticks * clip.kind.tick_s for frame in frames])


@given(SOME_TICKS, st.integers(0, 5), st.integers(1, 9))
def test_every_frame_that_is_shown_in_a_span_is_found(ticks, start, length):
    times, tick_s = Times.of(ticks), Fraction(1)
    found = times.within(start, start + length, tick_s).tolist()
    since = [tick - ticks[0] for tick in ticks]
    assert all(number in found for number, each in enumerate(since) if start <= each < start + length)
    assert all(since[number] < start + length for number in found)


@given(SOME_TICKS)
def test_times_come_back_from_json(ticks):
    times = Times.of(ticks)
    assert Times.from_list(times.to_list(), 100) == times
    assert times.ticks.tolist() == ticks
