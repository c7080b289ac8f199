"""Clips → how odd each frame is, why, and where in the picture; without labels, by the clip itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.video import VideoSource, open_video
from isthmus.errors import UseError
from isthmus.files import refuse_existing
from isthmus.scoring.frames import Judged, judge
from isthmus.tasks.lines import csv_lines, write_lines
from isthmus.tasks.results import Result, notices_of, refuse_notices

REPORTED = 6.0
"""Robust spreads from what is usual from which a frame is reported."""
LINES = 36
"""Rows of the small pictures that are compared, at most."""
COLUMNS = (
    "clip",
    "frame",
    "time_s",
    "anomaly_score",
    "is_anomaly",
    "left",
    "top",
    "width",
    "height",
    "reason",
)


@dataclass(frozen=True)
class OddFrame:
    """A frame, and what was found of it."""

    clip: str
    frame: int
    """Counted from 0 in its clip."""
    time_s: float
    """Since the clip's first frame."""
    score: float
    is_anomaly: bool
    region: tuple[int, int, int, int]
    """Left, top, width, height of the odd part, in samples."""
    reason: str


@dataclass(frozen=True)
class VideoDetectResult(Result):
    """What `detect_frames` found."""

    frames: int
    anomalies: int
    told: str
    """Which frames are reported."""
    output: Path | None
    found: tuple[OddFrame, ...] = field(repr=False)

    @property
    def oddest(self) -> list[OddFrame]:
        """Those reported, the oddest first."""
        return sorted((each for each in self.found if each.is_anomaly), key=lambda each: -each.score)

    def summary(self) -> str:
        """One line for a terminal, and one for the oddest frame."""
        where = f" → {self.output}" if self.output else ""
        first = f"{self.frames:,} frames, {self.anomalies:,} reported ({self.told}){where}"
        if not self.oddest:
            return first
        odd = self.oddest[0]
        return f"{first}\nOddest: {odd.clip}, frame {odd.frame:,} at {odd.time_s:.2f} s: {odd.reason}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: of frames, the reported ones."""
        told = super().to_dict()
        told["found"] = [vars(each) for each in self.oddest]
        return told


def detect_frames(
    source: str | Path | VideoSource,
    output: str | Path | None = None,
    *,
    contamination: float | None = None,
    skip_bad: bool = False,
    strict: bool = False,
    force: bool = False,
) -> VideoDetectResult:
    """Score every frame of some clips, each clip by itself; only small pictures of them are kept.

    Args:
        source: a file of video, or a folder of such.
        output: a CSV file, a line for each frame.
        contamination: report this share of all frames, instead of those beyond REPORTED.
        skip_bad: leave out what cannot be decoded.
        strict: refuse, before anything is written, where something is left out.
        force: replace an existing output.
    """
    target = None if output is None else Path(output)
    if target is not None:
        refuse_existing(target, force=force)
    if contamination is not None and not 0 < contamination < 1:
        raise UseError(f"--contamination must be between 0 and 1; got {contamination}.")
    video = open_video(source, skip_bad=skip_bad)
    notices = notices_of(video)
    refuse_notices(notices, strict=strict)
    scored = [each for clip in video.clips for each in _scored(video, clip)]
    limit, told = REPORTED, f"{REPORTED:g} usual spreads from the middle or more"
    if contamination is not None:
        wanted = round(contamination * len(scored))
        ordered = sorted((each.score for each in scored), reverse=True)
        limit = ordered[wanted - 1] if wanted else np.inf
        told = f"the oddest {contamination:.2%} of all frames"
    found = tuple(_with_alarm(each, limit) for each in scored)
    if target is not None:
        write_lines(target, frame_lines(found), force=force)
    return VideoDetectResult(
        frames=len(found),
        anomalies=sum(each.is_anomaly for each in found),
        told=told,
        output=target,
        notices=notices,
        found=found,
    )


def frame_lines(found: Sequence[OddFrame]) -> Iterator[str]:
    """The lines of the CSV file; a reason stands where a frame is reported."""
    rows = (
        [
            each.clip, each.frame, f"{each.time_s:.4f}", f"{each.score:.4f}", int(each.is_anomaly),
            *each.region, each.reason if each.is_anomaly else "",
        ]
        for each in found
    )  # fmt: skip
    return csv_lines(COLUMNS, rows)


def _with_alarm(frame: OddFrame, limit: float) -> OddFrame:
    return OddFrame(**{**vars(frame), "is_anomaly": frame.score >= limit})


def _scored(video: VideoSource, clip: Any) -> Iterator[OddFrame]:
    kind, pictures, changes, ticks = video.kind(clip), [], [], []
    before: np.ndarray | None = None
    for frame in video.frames(clip):
        plane = frame.planes[0].astype(np.float32) * (255 / kind.top)
        pictures.append(shrunk(plane))
        changes.append(0.0 if before is None else float(np.abs(plane - before).mean()))
        ticks.append(frame.ticks)
        before = plane
    judged: Judged = judge(np.stack(pictures), np.array(changes))
    for number, (score, reason) in enumerate(zip(judged.scores.tolist(), judged.oddities, strict=True)):
        time_s = float((ticks[number] - ticks[0]) * kind.tick_s)
        region = _region(judged.places[number], pictures[0].shape, (kind.height, kind.width))
        yield OddFrame(clip.name, number, time_s, score, False, region, str(reason))


def shrunk(plane: np.ndarray) -> np.ndarray:
    """A plane as means of squares: float32, at most LINES rows."""
    side = max(1, -(-plane.shape[0] // LINES))
    high, wide = (-(-each // side) for each in plane.shape)
    rest = (0, high * side - plane.shape[0]), (0, wide * side - plane.shape[1])
    squares = np.pad(plane, rest, "edge").reshape(high, side, wide, side)
    return squares.mean(axis=(1, 3), dtype=np.float32)


def _region(place: np.ndarray, small: tuple[int, ...], whole: tuple[int, int]) -> tuple[int, int, int, int]:
    side = max(1, -(-whole[0] // LINES))
    top, low, left, right = (int(each) * side for each in place)
    return left, top, min(right, whole[1]) - left, min(low, whole[0]) - top
