"""Clips → a model of video: first of pictures, then of what the frame before leaves open."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from isthmus.coding.video.moving import Moved, find_quarters
from isthmus.data.samples import Samples
from isthmus.data.video import VideoSource, open_video
from isthmus.errors import BadItem
from isthmus.files import refuse_existing
from isthmus.model import Model, VideoModel
from isthmus.model.video_model import PLANE
from isthmus.tasks.blocks import decode_preview, encode_preview
from isthmus.tasks.fit import fit
from isthmus.tasks.learning import require_training
from isthmus.tasks.results import Result, notices_of, refuse_notices
from isthmus.tasks.video.lossy import _groups, _less, moved

PAIRS = 96
"""Of neighbouring frames that are learned from, at most, over all clips."""
BUDGET_S = 600.0
_SETTINGS = ("contexts.trees=0", *(f"net.{half}.stride=8" for half in ("encoder", "decoder")))
"""Over those of the recipe: no contexts for lossless coding, and patches that suit most video."""
_QUALITIES = (10, 30, 50, 70, 90)
_MOST_SAMPLES = 1 << 25


@dataclass(frozen=True)
class VideoFitResult(Result):
    """What `fit_video` made."""

    model_path: Path | None
    pairs: int
    steps: int
    seconds: float
    figures: dict[str, float]
    """PSNR and bits per value of held-out pictures, and of held-out differences."""
    model: VideoModel = field(repr=False)

    def summary(self) -> str:
        """One line for a terminal."""
        where = f" → {self.model_path}" if self.model_path else ""
        return (
            f"Learned to tell video from {self.pairs:,} pairs of frames in {self.steps:,} steps, "
            f"{self.seconds:.0f} s{where}"
        )


def fit_video(
    source: str | Path | VideoSource,
    output: str | Path | None = None,
    *,
    budget_s: float | None = None,
    settings: Sequence[str] = (),
    skip_bad: bool = False,
    strict: bool = False,
    force: bool = False,
    quiet: bool = True,
    say: Callable[[str], None] = lambda line: None,
) -> VideoFitResult:
    """Learn to compress clips like these at every quality.

    Args:
        source: a file of video, or a folder of such; of 8 bits a sample.
        output: the .ism file; None keeps the model in memory.
        budget_s: seconds to learn; 10 minutes where neither this nor train.steps is said.
        settings: "key=value" strings on top of the recipe of images, for both halves.
        skip_bad: leave out what cannot be decoded.
        strict: refuse to learn where anything was left out.
        force: replace an existing output.
        quiet: no progress display.
        say: told in one line each what was seen and what is planned.
    Raises:
        MissingExtra: PyTorch or PyAV is not installed.
        BadItem: a clip has samples of more than 8 bits.
    """
    require_training("torch", "accelerate")
    started = time.monotonic()
    output = None if output is None else Path(output)
    if output is not None:
        refuse_existing(output, force=force)
    video = open_video(source, skip_bad=skip_bad)
    notices = notices_of(video)
    refuse_notices(notices, strict=strict)
    pairs = list(frame_pairs(video))
    say(f"{len(pairs):,} pairs of frames of {len(video.clips):,} clips; recipe images, twice")
    is_counted = any(each.partition("=")[0].strip() == "train.steps" for each in settings)
    half_s = None if budget_s is None and is_counted else (budget_s or BUDGET_S) / 2
    chosen = [*_SETTINGS, *settings]
    with tempfile.TemporaryDirectory() as folder:
        first = fit(
            Samples([plane for _, frame in pairs for plane in frame], PLANE, name=video.name),
            budget_s=half_s, settings=chosen, run=Path(folder, "first"), quiet=quiet, say=say,
        )  # fmt: skip
        later = fit(
            Samples(list(_differences(pairs, first.model)), PLANE, name=video.name),
            budget_s=half_s, settings=chosen, run=Path(folder, "later"), quiet=quiet, say=say,
        )  # fmt: skip
    steps, seconds = first.steps + later.steps, time.monotonic() - started
    told = {"clips": len(video.clips), "pairs": len(pairs), "steps": steps, "seconds": round(seconds, 1)}
    model = VideoModel(first=first.model, later=later.model, provenance=told)
    if output is not None:
        model.save(output, force=True)
    figures = {
        f"{name}_{key}": value
        for name, half in (("pictures", first), ("differences", later))
        for key, value in half.figures.items()
        if key in ("psnr_db", "bits_per_value")
    }
    return VideoFitResult(output, len(pairs), steps, seconds, figures, model, notices=notices)


Pair = tuple[list[np.ndarray], list[np.ndarray]]


def frame_pairs(video: VideoSource) -> Iterator[Pair]:
    """Neighbouring frames of 8 bits, evenly spread over each clip; BadItem where samples have more."""
    for clip in video.clips:
        kind = video.kind(clip)
        if kind.top != 255:
            raise BadItem(
                f"{clip.name} must have 8 bits a sample to be learned from; it is {kind.summary()}."
            )
        count = sum(1 for _ in video.frames(clip))
        most = min(PAIRS // len(video.clips), _MOST_SAMPLES // (2 * kind.frame_bytes * len(video.clips)))
        wanted = set(np.linspace(1, max(1, count - 1), max(1, min(most, count - 1))).astype(int).tolist())
        before: list[np.ndarray] = []
        for number, frame in enumerate(video.frames(clip)):
            if number in wanted or count == 1:
                yield before or list(frame.planes), list(frame.planes)
            before = list(frame.planes)


def _differences(pairs: Sequence[Pair], model: Model) -> Iterator[np.ndarray]:
    """What frames before, as they come back at some quality, do not tell of the next ones."""
    for number, (before, frame) in enumerate(pairs):
        quality = _QUALITIES[number % len(_QUALITIES)]
        groups = _groups(before)
        payload = encode_preview(model, groups, quality)[0]
        shapes = [group.shape for group in groups]
        back = [plane for group in decode_preview(model.decoder, payload, shapes) for plane in group]
        motion = find_quarters(frame[0], back[0], Moved(back[0]))
        yield from _less(frame, moved(back, motion))
