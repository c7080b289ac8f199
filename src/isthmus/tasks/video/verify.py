"""Does an archive of video decode to what was written, and is that what the originals hold?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.coding.container import ArchiveReader
from isthmus.data.video import VideoSource, open_video
from isthmus.errors import DamagedFile
from isthmus.limits import Limits
from isthmus.model import AnyModel
from isthmus.tasks.findings import Checked, Finding, compare_with, damaged, different, not_in_archive
from isthmus.tasks.video.archive import OpenedVideo, opened_video


def verify_video(path: Path, model: AnyModel | None, against: Any, limits: Limits) -> Checked:
    """What is wrong."""
    with ArchiveReader(path, limits=limits) as reader:
        opened = opened_video(reader, model)
        promise = "" if opened.promise.quality is not None else opened.promise.summary()
        if against is None:
            return Checked(list(_findings(opened, None)), None, promise)
        video, found = compare_with(
            lambda skip_bad: open_video(against, skip_bad=skip_bad),
            lambda video: list(_findings(opened, video)),
        )
        return Checked(found, video.name, promise, not_in_archive(video))


def _findings(opened: OpenedVideo, video: VideoSource | None) -> Iterator[Finding]:
    """At most one: the first."""
    if video is not None and [each.name for each in video.clips] != [each.name for each in opened.clips]:
        yield different("the originals are other clips")
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
                yield different(f"{told.name} is of another kind: {video.kind(clip).summary()}")
                return
            for count, (mine, theirs) in enumerate(zip_longest(frames, video.frames(clip))):
                if mine is None or theirs is None:
                    fewer = "original" if theirs is None else "archive"
                    yield different(f"{told.name} has only {count:,} frames in the {fewer}")
                    return
                if mine.ticks != theirs.ticks:
                    yield different(f"{told.name} shows frame {count:,} at another time")
                    return
                apart = max(_apart(*pair) for pair in zip(mine.planes, theirs.planes, strict=True))
                if opened.promise.quality is None and apart > opened.promise.error:
                    yield different(
                        f"{told.name} is not as it was, first in frame {count:,} (counted from 0), "
                        f"by {apart:,}"
                    )
                    return
    except DamagedFile as damage:
        yield damaged(damage)


def _apart(mine: np.ndarray, theirs: np.ndarray) -> int:
    return int(np.abs(mine.astype(np.int32) - theirs).max())
