"""A net that takes noise from time series and fills their gaps ⇄ `.ism`; it runs in float32 by NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from isthmus.data.noise import MISSING, MOST_TAKEN, NoiseModel, series_noise_level
from isthmus.errors import SpecMismatch
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.ops import ops_from_json
from isthmus.exact.program import Program
from isthmus.model.denoiser import net_facts
from isthmus.model.saved import Saved

CELL = 4
"""Rows that the net takes together."""
AT_ONCE, MARGIN = 1 << 13, 512
"""Rows that are looked at together, and of those before and behind that are looked at too."""
MOST_TOGETHER = 16
"""Channels that one net sees at once; of more, each is seen alone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SeriesDenoiser(Saved):
    """What takes noise from series with certain channels."""

    kind = "series denoiser"
    made_by = "isthmus fit series.csv --recipe denoise"

    channels: tuple[str, ...]
    lows: tuple[float, ...]
    """What of each channel is told as 0, and as 1."""
    highs: tuple[float, ...]
    noise: NoiseModel
    program: Program
    """(2 · planes, rows / 2, 2) → (planes, rows / 2, 2): values, and how unreliable each is."""
    from_noisy: bool = False
    """Whether it has never seen a clean series."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Rows, steps, seconds: for people."""

    def __post_init__(self) -> None:
        # It may come from a file by anybody.
        planes, count = planes_of(len(self.channels)), len(self.channels)
        if not count or {len(self.lows), len(self.highs)} != {count}:
            raise ValueError("a denoiser of no channels")
        if self.program.start != (2 * planes, None, None) or self.program.result[0] != planes:
            raise ValueError("a denoiser of other channels")

    def require_channels(self, names: tuple[str, ...]) -> None:
        """Raise SpecMismatch unless a series has those it was taught with."""
        if names != self.channels:
            raise SpecMismatch(
                f"The model takes noise from {', '.join(self.channels)}; this series has {', '.join(names)}. "
                "Fit one on a series of its kind."
            )

    def levels_of(self, values: np.ndarray) -> np.ndarray:
        """The noise that is seen in each channel, in its own units: standard deviations."""
        filled = interpolated(values)
        return np.array([series_noise_level(column) for column in filled.T])

    def outside(self, values: np.ndarray, level: float | None = None) -> np.ndarray:
        """int64 (channels,): values farther outside of what it learned from than noise takes them.

        Args:
            values: float64 (rows, channels); NaN is a gap.
            level: of the noise, as a share of each channel's range; None looks.
        """
        far = MOST_TAKEN * (self.levels_of(values) if level is None else level * self._spans)
        with np.errstate(invalid="ignore"):
            beyond = (values < np.array(self.lows) - far) | (values > np.array(self.highs) + far)
        found: np.ndarray = (beyond & np.isfinite(values)).sum(axis=0)
        return found

    def denoise(self, values: np.ndarray, level: float | None = None, *, fill: bool = False) -> np.ndarray:
        """float64 (rows, channels) → the same without noise.

        Args:
            values: NaN is a gap.
            level: of the noise, as a share of each channel's range; None looks.
            fill: put what is likely into gaps, which stay gaps otherwise.
        """
        gaps, spans = ~np.isfinite(values), self._spans
        if not len(values):
            return values.copy()
        filled = interpolated(values)
        scaled = ((filled - np.array(self.lows)) / spans).astype(np.float32)
        told, most = np.zeros(len(self.channels)), np.where(np.ptp(filled, axis=0) > 0, np.inf, 0.0)
        if self.noise.is_told:
            told += self.levels_of(values) / spans if level is None else level
            most = MOST_TAKEN * told
        unsure = np.where(gaps, MISSING, np.minimum(told, MISSING)).astype(np.float32)
        change = self._in_pieces(scaled, unsure) - scaled
        made = filled + np.where(gaps, change, np.clip(change, -most, most)) * spans
        return made if fill else np.where(gaps, values, made)

    def _in_pieces(self, scaled: np.ndarray, unsure: np.ndarray) -> np.ndarray:
        made = np.empty(scaled.shape)
        for start in range(0, len(scaled), AT_ONCE):
            first, last = max(0, start - MARGIN), min(len(scaled), start + AT_ONCE + MARGIN)
            piece = self._taken(scaled[first:last], unsure[first:last])
            stop = min(len(scaled), start + AT_ONCE)
            made[start:stop] = piece[start - first : stop - first]
        return made

    def _taken(self, scaled: np.ndarray, unsure: np.ndarray) -> np.ndarray:
        rows = len(scaled)
        padded = [np.pad(each, ((0, -rows % CELL), (0, 0)), mode="edge") for each in (scaled, unsure)]
        planes = planes_of(len(self.channels))
        given = np.concatenate([folded(each.T.reshape(-1, planes, len(each))) for each in padded], axis=1)
        into = np.empty((len(given), planes, *given.shape[2:]), np.float32)
        made = self._runner.in_fixed_batches(given, into=into)
        return unfolded(made).reshape(len(self.channels), -1).T[:rows]

    @property
    def _spans(self) -> np.ndarray:
        return np.array(self.highs) - np.array(self.lows)

    @cached_property
    def _runner(self) -> FloatRunner:
        return FloatRunner(self.program)

    def told(self) -> dict[str, Any]:
        """All but tensors and provenance, JSON-ready."""
        return {
            "channels": list(self.channels),
            "ranges": [list(self.lows), list(self.highs)],
            "noise": [self.noise.kind, self.noise.low, self.noise.high],
            "from_noisy": self.from_noisy,
            "ops": [op.to_json() for op in self.program.ops],
        }

    def tensors(self) -> Mapping[str, np.ndarray]:
        """Of the net."""
        return self.program.tensors

    @classmethod
    def from_saved(cls, document: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> SeriesDenoiser:
        """Undo `told` and `tensors`."""
        channels, (kind, low, high) = tuple(map(str, document["channels"])), document["noise"]
        lows, highs = (tuple(map(float, each)) for each in document["ranges"])
        start = (2 * planes_of(len(channels)), None, None)
        return cls(
            channels=channels,
            lows=lows,
            highs=highs,
            noise=NoiseModel(str(kind), float(low), float(high)),
            program=Program(start, ops_from_json(document["ops"]), tensors),
            from_noisy=bool(document["from_noisy"]),
            provenance=dict(document["provenance"]),
        )

    def summary(self) -> str:
        """What it is for."""
        return f"denoiser for series of {', '.join(self.channels[:6])}"

    def facts(self) -> dict[str, str]:
        """What `info` tells."""
        noise = f"{self.noise.kind}, {self.noise.low:.3g} to {self.noise.high:.3g} of the range"
        noise += ", learned from a noisy series alone" if self.from_noisy else ""
        return net_facts(self.provenance, self.program, "rows", noise)


def planes_of(channels: int) -> int:
    """How many channels a net sees at once."""
    return channels if channels <= MOST_TOGETHER else 1


def folded(rows: np.ndarray) -> np.ndarray:
    """(batch, planes, rows) → (batch, planes, rows / 2, 2): to the net four rows are a square of pixels."""
    return rows.reshape(*rows.shape[:2], -1, 2)


def unfolded(squares: np.ndarray) -> np.ndarray:
    """Undo `folded`."""
    return squares.reshape(*squares.shape[:2], -1)


def interpolated(values: np.ndarray) -> np.ndarray:
    """(rows, channels) with straight lines in gaps; 0 in a channel that is one gap.

    >>> interpolated(np.array([[np.nan], [1.0], [np.nan], [3.0]])).ravel().tolist()
    [1.0, 1.0, 2.0, 3.0]
    """
    filled, rows = np.array(values, np.float64), np.arange(len(values))
    for column in filled.T:
        known = np.isfinite(column)
        if not known.all():
            column[~known] = np.interp(rows[~known], rows[known], column[known]) if known.any() else 0.0
    return filled
