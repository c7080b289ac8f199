"""Lossy video by a model learned from the same camera, beside x264, x265 and AV1.

The model learns from the first frames of a clip and is tested on later ones of it, which it never saw. On
our side the archive counts with its times, but without the model, whose bytes stand beside: for so few frames
it would be most of it. Of the others the packets count, without a container. PSNR is of the first plane, over
all frames. BD-rates: how many more bytes ours take at equal PSNR, over the range both reach. The clip was
H.264 before, which favours x264.

    make bench NAME=video-lossy
    make bench NAME=video-lossy ARGS=camera.ism    # of a model that was made so before, to be used again
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from common import data_root, machine, publish
from common_video import Coded, Encoder, as_file, by_rival, first_frames, psnr_db

from isthmus.data.video import VideoSource
from isthmus.model import VideoModel
from isthmus.tasks.compress import compress, decompress
from isthmus.tasks.video.learning import fit_video

CLIP, LEARNED, FIRST, LAST = "bikes", 150, 180, 244
SETTINGS = ("train.steps=400", "train.threads=1")
QUALITIES = (15, 40, 65)
CRFS = {
    "x264 medium": ("libx264", {"preset": "medium"}, (16, 20, 24, 28, 33)),
    "x264 slow": ("libx264", {"preset": "slow"}, (16, 20, 24, 28, 33)),
    "x265 medium": ("libx265", {"preset": "medium", "x265-params": "log-level=none"}, (16, 20, 24, 28, 33)),
    "SVT-AV1 preset 6": ("libsvtav1", {"preset": "6"}, (16, 24, 32, 40, 48)),
}


def ours(path: Path, model: Any, quality: int, folder: Path, truth: list[np.ndarray]) -> Coded:
    result = compress(path, folder / "a.isz", model=model, quality=quality, workers=1, force=True)
    (back,) = decompress(folder / "a.isz", folder / "back", force=True).files
    video = VideoSource(back)
    found = [frame.planes[0] for frame in video.frames(video.clips[0])]
    return Coded(result.archive_bytes - result.model_bytes, psnr_db(truth, found), 0.0)


def bd_rate(theirs: list[Coded], mine: list[Coded]) -> float | None:
    """Mean difference of the logarithms of bytes over the PSNR that both reach, in per cent."""
    curves = [
        np.array(sorted((each.psnr_db, np.log(each.bytes)) for each in some)).T for some in (theirs, mine)
    ]
    low, high = (end([curve[0][place] for curve in curves]) for end, place in ((max, 0), (min, -1)))
    if high - low < 1:
        return None
    places = np.linspace(low, high, 200)
    first, second = (np.interp(places, *curve) for curve in curves)
    return round(100 * float(np.expm1((second - first).mean())), 1)


def main() -> None:
    before, path = machine(), data_root() / "video" / f"{CLIP}.mp4"
    kind, frames = first_frames(path, LAST)
    figures: dict[str, Any] = {"clip": CLIP, "learned_from": LEARNED, "tested_on": [FIRST, LAST]}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if len(sys.argv) > 1:
            model = VideoModel.load(sys.argv[1])
        else:
            model = fit_video(as_file(kind, frames[:LEARNED], folder), settings=SETTINGS).model
        figures["fit"] = dict(model.provenance)
        figures["model_bytes"] = len(model.decoder.packed)
        tested = frames[FIRST:LAST]
        clip = as_file(kind, tested, folder)
        truth = [each.planes[0] for each in tested]
        mine = [ours(clip, model, quality, folder, truth) for quality in QUALITIES]
        figures["isthmus"] = [
            {"quality": quality, "bytes": each.bytes, "psnr_db": round(each.psnr_db, 2)}
            for quality, each in zip(QUALITIES, mine, strict=True)
        ]
        print(figures, flush=True)
        for rival, (codec, options, crfs) in CRFS.items():
            curve = [
                by_rival(Encoder(rival, codec, {**options, "crf": str(crf)}), kind, tested) for crf in crfs
            ]
            figures[rival] = {
                "points": [asdict(each) for each in curve],
                "bd_rate_of_ours": bd_rate(curve, mine),
            }
            print(rival, figures[rival], flush=True)
    publish("video-lossy", figures, machine_then=before)


if __name__ == "__main__":
    main()
