"""What is usual in a series → how odd each of its rows is.

A detector holds stretches of the series that it learned from, in spreads; everything else, the windows of
scoring/channels.py and what is usual of them, is worked out from these when it is first asked. Where there
are several channels, how far a row is from what its channels usually are together is one more channel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np

from isthmus.config import require
from isthmus.data.series import SeriesSource, Stamp, period
from isthmus.data.series.scaling import in_spreads, middles
from isthmus.data.tables.features import squashed
from isthmus.data.tables.schema import Notation
from isthmus.model.saved import Saved
from isthmus.scoring.channels import ChannelJudge, Stretch
from isthmus.scoring.conformal import p_values
from isthmus.scoring.spread import Spread
from isthmus.scoring.usual import Usual
from isthmus.scoring.window_views import CLEAN_SHARE, usual_of
from isthmus.scoring.windows import Channel, Scale, scales_of

MODES = ("contaminated", "novelty")
MOST_ROWS = 50_000
"""That a detector keeps of a series …"""
MOST_CELLS = 1 << 21
"""… and numbers, …"""
LEAST_KEPT = 8_192
"""… but these rows in any case, …"""
STRETCHES = 8
"""… in so many stretches."""
MOST_WINDOWS, LEAST_WINDOWS, WINDOW_CHANNELS = 2_000, 300, 24_000
"""Windows of a length that a channel is compared with: WINDOW_CHANNELS of all channels, within limits."""
AT_ONCE = 1 << 16
MOST_CHANNELS = 10_000
MOST_REMEMBERED = 8
"""Channels whose windows are kept at hand from one question to the next."""
TOGETHER = -1
"""The channel that is all channels together."""


class Scored(NamedTuple):
    """Rows, judged."""

    scores: np.ndarray
    """float64 (rows,): of the channel that is oddest; above 1, odder than three quarters of usual rows."""
    channels: np.ndarray
    """int32 (rows,): which channel that is; TOGETHER where it is none alone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SeriesDetector(Saved):
    """A detector of odd rows of a series, calibrated."""

    kind: ClassVar[str] = "series detector"
    made_by: ClassVar[str] = "isthmus fit SERIES.csv -o NAME.ism"

    channels: tuple[str, ...]
    stamp: Stamp | None
    """The column that said when."""
    mode: str
    """"contaminated": odd rows hid among those it learned from; "novelty": none did."""
    period: int | None
    """In rows."""
    middle: np.ndarray
    """float64 (channels,)."""
    spread: np.ndarray
    """float64 (channels,), above 0."""
    kept: np.ndarray
    """float32 (rows, channels), in spreads from the middle, not squashed; NaN is a gap."""
    starts: np.ndarray
    """int64 (stretches,): where each stretch of the kept rows began in the series …"""
    lengths: np.ndarray
    """int64 (stretches,): … and how many rows it has."""
    ignored: tuple[str, ...] = ()
    """Columns of the series that it was told to leave out."""
    notations: Mapping[str, Notation] = field(default_factory=dict)
    """Of channels whose numbers are not written as 1234.5."""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # It may come from a file by anybody.
        count = len(self.channels)
        require(self.mode in MODES, "mode", " or ".join(MODES), self.mode)
        require(0 < count <= MOST_CHANNELS, "channels", f"1 to {MOST_CHANNELS:,}", count)
        require(len(set(self.channels)) == count, "channels", "of different names", self.channels[:12])
        require(self.period is None or self.period >= 1, "period", "at least 1", self.period)
        for numbers in (self.middle, self.spread):
            if numbers.shape != (count,) or numbers.dtype != np.float64 or not np.isfinite(numbers).all():
                raise ValueError("middles and spreads of channels")
        if not (self.spread > 0).all() or self.kept.dtype != np.float32 or self.kept.shape[1:] != (count,):
            raise ValueError("rows that a detector keeps")
        if self.starts.shape != self.lengths.shape or self.starts.dtype != np.int64 or self.starts.ndim != 1:
            raise ValueError("stretches of rows")
        if not (self.lengths > 0).all() or self.lengths.sum() != len(self.kept) or np.isinf(self.kept).any():
            raise ValueError("stretches of rows")

    @classmethod
    def learn(
        cls,
        stretches: Sequence[tuple[int, np.ndarray]],
        series: SeriesSource,
        mode: str,
        provenance: Mapping[str, Any],
    ) -> SeriesDetector:
        """From stretches of a series: where each began, and its float64 (rows, channels)."""
        values = np.concatenate([one for _, one in stretches])
        middle, spread = middles(values)
        longest = max((one for _, one in stretches), key=len)
        return cls(
            channels=series.channels,
            stamp=series.stamp,
            mode=mode,
            period=period(longest),
            middle=middle,
            spread=spread,
            kept=in_spreads(values, middle, spread),
            starts=np.array([start for start, _ in stretches], np.int64),
            lengths=np.array([len(one) for _, one in stretches], np.int64),
            ignored=series.left_out,
            notations=series.notations,
            provenance=provenance,
        )

    def in_spreads(self, values: np.ndarray) -> np.ndarray:
        """float64 (rows, channels) → float32, in spreads from the middle; a gap stays NaN."""
        return in_spreads(values, self.middle, self.spread)

    def score(self, rows: np.ndarray, place: int | None = None) -> Scored:
        """How odd rows are by what is around them.

        Args:
            rows: what `in_spreads` made of rows that follow one another.
            place: where they begin in the series that was learned from; None for another series.
        """
        best = Scored(np.full(len(rows), -np.inf), np.zeros(len(rows), np.int32))
        if place == 0 and len(self.starts) == 1 and len(rows) == len(self.kept):  # the very rows it keeps
            for number in self._numbers:
                _keep_higher(best, self._own(number), number)
            return best
        for number, channel in self._channels_of(rows):
            _keep_higher(best, self._judges(number).scores(channel, place), number)
            self._own(number)
        return best

    def score_until(self, rows: np.ndarray, asked: np.ndarray, place: int | None = None) -> Scored:
        """How odd some of the rows are by what is there when they come.

        Args:
            rows: what `in_spreads` made of rows that follow one another.
            asked: int64 (asked,): which of them, by place; nothing behind a row has a part in its score.
            place: as for `score`.
        """
        best = Scored(np.full(len(asked), -np.inf), np.zeros(len(asked), np.int32))
        for number, channel in self._channels_of(rows):
            _keep_higher(best, self._judges(number).scores_until(channel, asked, place), number)
        return best

    @cached_property
    def calibration(self) -> np.ndarray:
        """float64: scores of the rows it keeps; usual ones, each by what other stretches tell."""
        found: np.ndarray = np.max([self._own(number) for number in self._numbers], axis=0)
        return found

    @cached_property
    def calibration_until(self) -> np.ndarray:
        """The same by what is there when a row comes."""
        found: np.ndarray = np.max([self._judges(number).own_until for number in self._numbers], axis=0)
        return found

    def p_values(self, scores: np.ndarray, *, until: bool = False) -> np.ndarray:
        """float64 (rows,): how often a usual row would score as high; see scoring/conformal.py."""
        return p_values(scores, self.calibration_until if until else self.calibration)

    @cached_property
    def scales(self) -> tuple[Scale, ...]:
        """Lengths of the windows."""
        return scales_of(self.period, int(self.lengths.max()) if len(self.lengths) > 1 else len(self.kept))

    @property
    def longest(self) -> int:
        """Rows of the longest window."""
        return max(scale.rows for scale in self.scales)

    @property
    def least(self) -> int:
        """Rows of the shortest window: before so many, nothing can be said."""
        return min(scale.rows for scale in self.scales)

    def stretches(self) -> list[tuple[int, np.ndarray]]:
        """Where each stretch of the kept rows began, and its rows."""
        ends = np.cumsum(self.lengths)
        slices = zip(ends - self.lengths, ends, strict=True)
        return [(int(s), self.kept[a:b]) for s, (a, b) in zip(self.starts, slices, strict=True)]

    def together(self, rows: np.ndarray) -> np.ndarray:
        """float64 (rows,): how far each row is from what its channels usually are together, in spreads."""
        distances = [
            self.spread_together.log_distance(_known(rows[start : start + AT_ONCE]))
            for start in range(0, len(rows), AT_ONCE)
        ]
        usual = self._usual_together
        return squashed((np.concatenate(distances) - usual.middle) / usual.spread)

    @cached_property
    def spread_together(self) -> Spread:
        """Of rows, all channels together."""
        return Spread.of(_known(self.kept), share=1.0 if self.mode == "novelty" else CLEAN_SHARE)

    @cached_property
    def _usual_together(self) -> Usual:
        return usual_of(self.spread_together.log_distance(_known(self.kept)))

    def told(self) -> dict[str, Any]:
        """See Saved."""
        return {
            "mode": self.mode,
            "channels": list(self.channels),
            "stamp": None if self.stamp is None else self.stamp.to_dict(),
            "period": self.period,
            "ignored": list(self.ignored),
            "notations": {name: each.to_dict() for name, each in self.notations.items()},
        }

    def tensors(self) -> Mapping[str, np.ndarray]:
        """See Saved."""
        names = ("middle", "spread", "kept", "starts", "lengths")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_saved(cls, document: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> SeriesDetector:
        """See Saved."""
        stamp = document["stamp"]
        names = ("middle", "spread", "kept", "starts", "lengths")
        return cls(
            channels=tuple(map(str, document["channels"])),
            stamp=None if stamp is None else Stamp.from_dict(stamp),
            mode=document["mode"],
            period=None if document["period"] is None else int(document["period"]),
            ignored=tuple(map(str, document["ignored"])),
            notations={str(name): Notation(**told) for name, told in document["notations"].items()},
            provenance=dict(document["provenance"]),
            **{name: tensors[name] for name in names},
        )

    def summary(self) -> str:
        """See Saved."""
        return f"detector for series of {len(self.channels):,} channel{'s' * (len(self.channels) > 1)}"

    def facts(self) -> dict[str, str]:
        """See Saved."""
        made = self.provenance
        return {
            "trained on": f"{made.get('rows', 0):,} rows in {made.get('seconds', 0)} s",
            "mode": self.mode,
            "period": "none" if self.period is None else f"{self.period:,} rows",
            "windows": ", ".join(f"{scale.rows:,}" for scale in self.scales) + " rows",
            "keeps": f"{len(self.kept):,} rows, as numbers",
            "can": "detect, also with --follow",
            "stamps": "row numbers" if self.stamp is None else self.stamp.name,
            "channels": ", ".join(self.channels[:20]) + (" …" if len(self.channels) > 20 else ""),
            **({"ignores": ", ".join(self.ignored)} if self.ignored else {}),
        }

    @property
    def _numbers(self) -> list[int]:
        alone = list(range(len(self.channels)))
        return [*alone, TOGETHER] if len(alone) > 1 else alone

    def _channels_of(self, rows: np.ndarray) -> Iterator[tuple[int, Channel]]:
        return ((number, self._channel(rows, number)) for number in self._numbers)

    def _channel(self, rows: np.ndarray, number: int) -> Channel:
        return Channel.of(self.together(rows) if number == TOGETHER else squashed(rows[:, number]))

    def _judges(self, number: int) -> ChannelJudge:
        if number not in self._made:
            stretches: list[Stretch] = [
                (start, self._channel(rows, number)) for start, rows in self.stretches()
            ]
            most = max(LEAST_WINDOWS, min(MOST_WINDOWS, WINDOW_CHANNELS // len(self.channels)))
            self._made[number] = ChannelJudge(self.scales, stretches, self.mode == "novelty", most)
        return self._made[number]

    def _own(self, number: int) -> np.ndarray:
        """Scores of the rows it keeps; of many channels, their judges are forgotten, each takes megabytes."""
        if number not in self._owns:
            self._owns[number] = self._judges(number).own
        if len(self.channels) > MOST_REMEMBERED:
            self._made.pop(number, None)
        return self._owns[number]

    @cached_property
    def _made(self) -> dict[int, ChannelJudge]:
        return {}

    @cached_property
    def _owns(self) -> dict[int, np.ndarray]:
        return {}


def _keep_higher(best: Scored, scores: np.ndarray, number: int) -> None:
    higher = scores > best.scores
    best.scores[higher] = scores[higher]
    best.channels[higher] = number


def _known(rows: np.ndarray) -> np.ndarray:
    """Squashed, gaps in the middle."""
    return np.nan_to_num(squashed(rows), nan=0.0)
