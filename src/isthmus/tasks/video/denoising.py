"""Noisy clips → clips without noise: the images' denoiser on every plane, then means along motion.

A frame is cleaned by itself; then the cleaned frames before and behind, moved by their blocks, are added
where they agree with it: what each of them got wrong differs from frame to frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.coding.video.moving import Moved, find_quarters
from isthmus.data.names import prepare_outputs
from isthmus.data.samples import Samples
from isthmus.data.video import Clip, Frame, Times, VideoSource, open_video, restored_names, write_clip
from isthmus.data.video.placing import Placing
from isthmus.data.video.writing import restoring_notices
from isthmus.errors import BadItem, UseError
from isthmus.model import Denoiser, as_kind
from isthmus.model.video_model import PLANE
from isthmus.tasks.denoise import DenoiserResult, fit_denoiser
from isthmus.tasks.outputs import folder_and_names
from isthmus.tasks.results import Result, notices_of, refuse_notices
from isthmus.tasks.video.learning import frame_pairs
from isthmus.tasks.video.lossy import Planes, moved
from isthmus.tasks.video.writing import restorable_sound, video_notices

_WINDOW = 7
_NEAR = 0.6
"""Shares of the noise's level by which a cleaned frame may differ from another, about, and still agree."""


@dataclass(frozen=True)
class DenoisedVideo(Result):
    """What `denoise_video` made."""

    files: tuple[Path, ...]
    frames: int
    levels: tuple[float, ...]
    """Of the noise, of each clip: the median over its frames, in steps of a sample."""
    before_psnr_db: float | None
    """Beside the clean clip, where it is given, over all planes."""
    after_psnr_db: float | None
    seconds: float

    def summary(self) -> str:
        """One line for a terminal."""
        told = ", ".join(f"{each:.3g}" for each in self.levels[:5])
        where = (self.files[0] if len(self.files) == 1 else self.files[0].parent) if self.files else ""
        line = f"{self.frames:,} frames of {len(self.files):,} clips, noise of {told} → {where}"
        if self.before_psnr_db is None or self.after_psnr_db is None:
            return line
        gain = self.after_psnr_db - self.before_psnr_db
        return f"{line}: {self.before_psnr_db:.2f} dB before, {self.after_psnr_db:.2f} after ({gain:+.2f})"


def fit_video_denoiser(
    source: str | Path | VideoSource,
    output: str | Path | None = None,
    *,
    noise: str = "gaussian",
    levels: tuple[float, float] | None = None,
    from_noisy: bool = False,
    budget_s: float | None = None,
    steps: int | None = None,
    seed: int = 0,
    skip_bad: bool = False,
    strict: bool = False,
    force: bool = False,
    say: Callable[[str], None] = lambda line: None,
    progress: Callable[[int, int], None] | None = None,
) -> DenoiserResult:
    """Learn to take noise from clips of 8 bits; see `fit_denoiser`: its images are planes of frames."""
    video = open_video(source, skip_bad=skip_bad)
    notices = notices_of(video)
    refuse_notices(notices, strict=strict)
    planes = [plane for _, frame in frame_pairs(video) for plane in frame]
    made = fit_denoiser(
        Samples(planes, PLANE, name=video.name), output, noise=noise, levels=levels, from_noisy=from_noisy,
        budget_s=budget_s, steps=steps, seed=seed, force=force, say=say, progress=progress,
    )  # fmt: skip
    return replace(made, notices=notices)


def denoise_video(
    source: str | Path | VideoSource,
    denoiser: Any,
    output: str | Path,
    *,
    level: float | None = None,
    clean: str | Path | VideoSource | None = None,
    along_motion: bool = True,
    skip_bad: bool = False,
    strict: bool = False,
    force: bool = False,
) -> DenoisedVideo:
    """Take the noise from clips; three frames at a time are in memory.

    Args:
        source: a file of video, or a folder of such, of 8 bits.
        denoiser: made by `fit_video_denoiser`, its path, or of grey images.
        output: a folder for the clips, FFV1 in Matroska; or, of a single file, its name, ending in .mkv.
        level: of the noise, in steps of a sample; None looks at each plane.
        clean: the same clips without noise: how far the others are from them is told.
        along_motion: whether neighbouring frames help.
        skip_bad: leave out what cannot be decoded.
        strict: refuse, before anything is written, what would leave anything out or change it unasked.
        force: replace existing files.
    Raises:
        UseError: the denoiser is of other images; clean clips are others; `output` is one name for several.
    """
    denoiser = as_kind(denoiser, Denoiser)
    if not denoiser.spec.accepts(PLANE):
        raise UseError(
            f"Video is cleaned plane by plane, by a denoiser of grey images of any size and 8 bits; this one "
            f"is of {denoiser.spec.summary()}. Make one: isthmus fit CLIPS --recipe denoise"
        )
    started, video = time.monotonic(), open_video(source, skip_bad=skip_bad)
    truth = None if clean is None else open_video(clean)
    if truth is not None and len(truth.clips) != len(video.clips):
        raise UseError("There must be as many clean clips as noisy ones.")
    notices, times = list(video_notices(video)), [_times(video, clip) for clip in video.clips]
    sounds = []
    for clip, each in zip(video.clips, times, strict=True):
        data, lost = restorable_sound(video, clip, each)
        notices += [*lost, *restoring_notices(clip.name, clip.kind, each)]
        sounds.append(data)
    refuse_notices(notices, strict=strict)
    ends = [Placing.of(each, clip.kind).ending for clip, each in zip(video.clips, times, strict=True)]
    names = restored_names([(clip.name, end) for clip, end in zip(video.clips, ends, strict=True)])
    folder, names = folder_and_names(Path(output), names)
    paths = prepare_outputs(names, folder, force=force)
    tally = _Tally()
    for number, (path, clip) in enumerate(zip(paths, video.clips, strict=True)):
        beside = None if truth is None else truth.frames(truth.clips[number])
        work = _Work(denoiser, level, along_motion=along_motion)
        frames = tally.watched(work.frames(video, clip), video.frames(clip), beside)
        write_clip(path, clip.kind, frames, times=times[number], sound=sounds[number], force=force)
        tally.levels.append(float(np.median(work.levels)))
    return DenoisedVideo(
        tuple(paths),
        tally.frames,
        tuple(tally.levels),
        *tally.psnr_db(),
        round(time.monotonic() - started, 1),
        notices=tuple(notices),
    )


class _Work:
    """The frames of a clip, one after the other, without noise."""

    def __init__(self, denoiser: Denoiser, level: float | None, *, along_motion: bool) -> None:
        self._denoiser, self._level, self._along_motion = denoiser, level, along_motion
        self.levels: list[float] = []

    def frames(self, video: VideoSource, clip: Clip) -> Iterator[Frame]:
        """Frame by frame, one of them read ahead."""
        kind = video.kind(clip)
        if kind.top != 255:
            raise BadItem(f"{clip.name} must have 8 bits a sample to be cleaned; it is {kind.summary()}.")
        before: Planes | None = None
        held: tuple[int, Planes, list[float]] | None = None
        for frame in video.frames(clip):
            planes, levels = self._cleaned(frame.planes)
            if held is not None:
                yield Frame(held[0], tuple(self._meant(held[1], held[2], [before, planes])))
                before = held[1]
            held = frame.ticks, planes, levels
        if held is not None:
            yield Frame(held[0], tuple(self._meant(held[1], held[2], [before])))

    def _cleaned(self, planes: Sequence[np.ndarray]) -> tuple[Planes, list[float]]:
        levels = [self._denoiser.level_of(each) if self._level is None else self._level for each in planes]
        self.levels.append(levels[0])
        made = [self._denoiser.denoise(each, told) for each, told in zip(planes, levels, strict=True)]
        return made, levels

    def _meant(self, planes: Planes, levels: list[float], others: Sequence[Planes | None]) -> Planes:
        """The mean of a frame and of those of others that agree with it."""
        if not self._along_motion or max(levels) <= 0:
            return planes
        sums = [each.astype(np.float32) for each in planes]
        weights = [np.ones_like(each) for each in sums]
        for other in others:
            if other is None:
                continue
            motion = find_quarters(planes[0], other[0], Moved(other[0]))
            for place, found in enumerate(moved(other, motion)):
                heed = _agreement(planes[place], found, levels[place])
                sums[place] += heed * found
                weights[place] += heed
        return [np.rint(total / heed).astype(np.uint8) for total, heed in zip(sums, weights, strict=True)]


def _agreement(plane: np.ndarray, other: np.ndarray, level: float) -> np.ndarray:
    """From 1, where two planes are alike around a sample, to 0: float32."""
    apart = np.abs(plane.astype(np.float32) - other)
    side = _WINDOW // 2
    padded = np.pad(apart, side, "edge")
    rows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW, 0).mean(axis=-1)
    means = np.lib.stride_tricks.sliding_window_view(rows, _WINDOW, 1).mean(axis=-1)
    return np.clip(1.5 - means / (_NEAR * level + 1e-6), 0, 1).astype(np.float32)


class _Tally:
    """How far frames are from the clean ones."""

    def __init__(self) -> None:
        self.frames, self.levels = 0, list[float]()
        self._samples, self._lost = 0, [0.0, 0.0]

    def watched(
        self, made: Iterator[Frame], noisy: Iterator[Frame], clean: Iterator[Frame] | None
    ) -> Iterator[Frame]:
        """The same frames, looked at."""
        for frame in made:
            self.frames += 1
            if clean is not None:
                truth = next(clean, None)
                if truth is None or [each.shape for each in truth.planes] != [e.shape for e in frame.planes]:
                    raise UseError("The clean clips must have the frames of the noisy ones, in their size.")
                for place, seen in enumerate((next(noisy), frame)):
                    pairs = zip(seen.planes, truth.planes, strict=True)
                    self._lost[place] += sum(float(np.square(a.astype(float) - b).sum()) for a, b in pairs)
                self._samples += sum(each.size for each in truth.planes)
            yield frame

    def psnr_db(self) -> tuple[float | None, float | None]:
        """Before and after."""
        if not self._samples:
            return None, None
        before, after = (10 * np.log10(255**2 * self._samples / max(lost, 1e-9)) for lost in self._lost)
        return round(float(before), 3), round(float(after), 3)


def _times(video: VideoSource, clip: Clip) -> Times:
    return Times.of([frame.ticks for frame in video.frames(clip)])
