"""Audio tracks of a clip ⇄ a small Matroska file that holds their packets as they are."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from isthmus.data.video.kinds import av
from isthmus.errors import BadItem, DamagedFile

LARGEST_BYTES = 1 << 28
AS_THEY_ARE = {"fflags": "+bitexact", "avoid_negative_ts": "disabled"}
"""So that the same tracks give the same bytes, no clock, no random numbers; and keep their times, some of
which are below 0 where a decoder warms up."""


@dataclass(frozen=True)
class Sound:
    """The audio of a clip."""

    data: bytes = b""
    """A Matroska file of its tracks; empty where there are none."""
    dropped: tuple[str, ...] = ()
    """Which tracks are not in it, and why."""


def kept_sound(opened: Callable[[], AbstractContextManager[Any]], tracks: int) -> Sound:
    """All audio tracks of a file, or those of them that Matroska can hold.

    Args:
        opened: opens the file anew.
        tracks: how many there are.
    """
    data, fault = _packets(opened, range(tracks)) if tracks else (b"", "")
    if not fault:
        return Sound(data)
    kept, dropped, data = list[int](), list[str](), b""
    for track in range(tracks):
        more, fault = _packets(opened, [*kept, track])
        if fault:
            dropped.append(f"audio track {track + 1} cannot be kept: {fault}")
        else:
            kept, data = [*kept, track], more
    return Sound(data, tuple(dropped))


def _packets(opened: Callable[[], AbstractContextManager[Any]], wanted: Sequence[int]) -> tuple[bytes, str]:
    """The packets of some tracks as a Matroska file, and why that is impossible."""
    module, made = av(), io.BytesIO()
    try:
        with opened() as container, module.open(made, "w", format="matroska", options=AS_THEY_ARE) as target:
            tracks = [container.streams.audio[number] for number in wanted]
            copies = {track.index: copied_track(target, track) for track in tracks}
            for packet in container.demux(tracks):
                if packet.size:
                    packet.stream = copies[packet.stream.index]
                    target.mux(packet)
                if made.tell() > LARGEST_BYTES:
                    return b"", f"it takes more than {LARGEST_BYTES:,} bytes"
    except (module.error.FFmpegError, ValueError, BadItem) as wrong:
        return b"", str(wrong).rstrip(".")
    return made.getvalue(), ""


def copied_track(target: Any, track: Any) -> Any:
    """A track of another file, with its language and title."""
    found = target.add_stream_from_template(track)
    found.metadata.update({name: value for name, value in track.metadata.items() if name != "DURATION"})
    return found


@contextmanager
def opened_sound(data: bytes) -> Iterator[Any]:
    """The data of a Sound, open to be read; DamagedFile where they are none."""
    module = av()
    try:
        with module.open(io.BytesIO(data), format="matroska", metadata_errors="replace") as container:
            yield container
    except module.error.FFmpegError as wrong:
        raise DamagedFile(f"The audio of a clip cannot be read: {wrong}.") from wrong
