"""Does an archive of video decode to what was written, and is that what the originals hold?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.coding.container import ArchiveReader
from isthmus.data.video import VideoSource, open_video
from isthmus.errors import DamagedFile
from isthmus.limits import Limits
from isthmus.model import AnyModel
from isthmus.tasks.modalities import Checked
from isthmus.tasks.video.archive import OpenedVideo, opened_video


def verify_video(path: Path, model: AnyModel | None, against: Any, limits: Limits) -> Checked:
    """What is wrong."""
    with ArchiveReader(path, limits=limits) as reader:
        opened = opened_video(reader, model)
        video = None if against is None else open_video(against)
        problems = list(_problems(opened, video))
        promise = "" if opened.promise.quality is not None else opened.promise.summary()
        return Checked(problems, None if video is None else video.name, promise)


def _problems(opened: OpenedVideo, video: VideoSource | None) -> Iterator[str]:
    """At most one: the first."""
    if video is not None and [each.name for each in video.clips] != [each.name for each in opened.clips]:
        yield "the originals are other clips"
        return
    try:
        for number, told in enumerate(opened.clips):
            frames = opened.frames(number, np.arange(told.times.count))
            if video is None:
                for _ in frames:
                    pass
                continue
            clip = video.clips[number]
            if video.kind(clip) != told.kind:
                yield f"{told.name} is of another kind: {video.kind(clip).summary()}"
                return
            count = 0
            for mine, theirs in zip(frames, video.frames(clip), strict=False):
                if mine.ticks != theirs.ticks:
                    yield f"{told.name} shows frame {count:,} at another time"
                    return
                apart = max(_apart(*pair) for pair in zip(mine.planes, theirs.planes, strict=True))
                if opened.promise.quality is None and apart > opened.promise.error:
                    yield (
                        f"{told.name} is not as it was, first in frame {count:,} (counted from 0), "
                        f"by {apart:,}"
                    )
                    return
                count += 1
            if count != told.times.count:
                yield f"{told.name} has {told.times.count:,} frames in the archive, the original {count:,}"
                return
    except DamagedFile as damage:
        yield str(damage)


def _apart(mine: np.ndarray, theirs: np.ndarray) -> int:
    return int(np.abs(mine.astype(np.int32) - theirs).max())
