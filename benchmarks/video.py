"""Clips as archives: lossless beside x264, x265 and FFV1; within a bound beside x264 and x265 at equal PSNR.

Everything counts on our side: the archive as a file, with the times of all frames. Of the others the packets
count, without a container. The first frames of each clip, in one go: others may look back as far as they
like, ours begins anew every 64 frames. Every archive is restored and compared. All clips were H.264 before,
so that much of them stands still to the last bit. Constants were chosen on the first 30 frames of bikes and
carphone-pristine. CPU times are of one process on a machine that did other things besides.

    make bench NAME=video
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from common import data_root, machine, publish
from common_video import Encoder, as_file, by_rival, bytes_at, first_frames, psnr_db

from isthmus.data.video import Frame, VideoSource
from isthmus.tasks.compress import compress, decompress

CLIPS = {
    "carphone_pristine": 120,
    "carphone_distorted": 120,
    "bikes": 64,
    "bottle-detection": 64,
    "cockatoo": 8,
}
LOSSLESS = (
    Encoder("x264 medium", "libx264", {"qp": "0", "preset": "medium"}),
    Encoder("x264 veryslow", "libx264", {"qp": "0", "preset": "veryslow"}),
    Encoder("x265 medium", "libx265", {"x265-params": "lossless=1:log-level=none", "preset": "medium"}),
    Encoder("x265 slow", "libx265", {"x265-params": "lossless=1:log-level=none", "preset": "slow"}),
    Encoder("FFV1", "ffv1", {"level": "3", "context": "1", "g": "300"}),
)
BOUNDED = {"carphone_pristine": 64, "bikes": 24}
BOUNDS = (1, 2, 4)
QUANTISERS = (4, 8, 12, 16, 20, 24, 28)


def restored(folder: Path) -> list[tuple[np.ndarray, ...]]:
    (path,) = decompress(folder / "a.isz", folder / "back", force=True).files
    video = VideoSource(path)
    return [frame.planes for frame in video.frames(video.clips[0])]


def furthest(frames: Sequence[Frame], back: Sequence[tuple[np.ndarray, ...]]) -> int:
    """How far any sample is from what it was."""
    pairs = [pair for f, g in zip(frames, back, strict=True) for pair in zip(f.planes, g, strict=True)]
    return max(int(np.abs(mine.astype(int) - theirs).max()) for mine, theirs in pairs)


def lossless(name: str, count: int, folder: Path) -> dict[str, Any]:
    kind, frames = first_frames(data_root() / "video" / f"{name}.mp4", count)
    path = as_file(kind, frames, folder)
    started = time.process_time()
    result = compress(path, folder / "a.isz", workers=1, force=True)
    coded = time.process_time()
    back = restored(folder)
    spent = time.process_time() - coded
    if furthest(frames, back):
        raise SystemExit(f"{name} did not come back as it was")
    return {
        "frames": len(frames),
        "raw_bytes": result.original_bytes,
        "isthmus": {
            "bytes": (folder / "a.isz").stat().st_size,
            "compress_cpu_s": round(coded - started, 1),
            "decompress_cpu_s": round(spent, 1),
        },
        **{each.name: asdict(by_rival(each, kind, frames)) for each in LOSSLESS},
    }


def bounded(name: str, count: int, folder: Path) -> dict[str, Any]:
    kind, frames = first_frames(data_root() / "video" / f"{name}.mp4", count)
    path = as_file(kind, frames, folder)
    curves = {
        codec: [
            by_rival(
                Encoder(codec, codec, {"qp": str(q), "preset": "medium", **extra(codec, q)}), kind, frames
            )
            for q in QUANTISERS
        ]
        for codec in ("libx264", "libx265")
    }
    found: dict[str, Any] = {"frames": len(frames)}
    for error in BOUNDS:
        compress(path, folder / "a.isz", workers=1, max_error=error, force=True)
        back = restored(folder)
        apart = furthest(frames, back)
        if apart > error:
            raise SystemExit(f"{name} is {apart} off")
        psnr = psnr_db([each.planes[0] for each in frames], [each[0] for each in back])
        found[f"within_{error}"] = {
            "bytes": (folder / "a.isz").stat().st_size,
            "psnr_db": round(psnr, 2),
            **{f"{codec}_bytes_at_that_psnr": bytes_at(curve, psnr) for codec, curve in curves.items()},
        }
    return found


def extra(codec: str, quantiser: int) -> dict[str, str]:
    return {"x265-params": f"qp={quantiser}:log-level=none"} if codec == "libx265" else {}


def main() -> None:
    before = machine()
    figures: dict[str, Any] = {"lossless": {}, "bounded": {}}
    with tempfile.TemporaryDirectory() as name:
        for clip, count in CLIPS.items():
            figures["lossless"][clip] = lossless(clip, count, Path(name))
            print(clip, figures["lossless"][clip], flush=True)
        for clip, count in BOUNDED.items():
            figures["bounded"][clip] = bounded(clip, count, Path(name))
            print(clip, figures["bounded"][clip], flush=True)
    publish("video", figures, machine_then=before)


if __name__ == "__main__":
    main()
