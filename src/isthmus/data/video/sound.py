"""Audio tracks of a clip ⇄ a small Matroska file that holds their packets as they are."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from isthmus.data.video.kinds import av
from isthmus.errors import BadItem, DamagedFile

LARGEST_BYTES = 1 << 28
EXACT = {"fflags": "+bitexact"}
"""So that the same tracks give the same bytes: no clock, no random numbers."""


def read_sound(container: Any) -> bytes:
    """The audio tracks of an open file; empty where there are none.

    Raises:
        BadItem: they cannot be told in this form, or take more than LARGEST_BYTES.
    """
    tracks = list(container.streams.audio)
    if not tracks:
        return b""
    module, made = av(), io.BytesIO()
    try:
        with module.open(made, "w", format="matroska", options=EXACT) as target:
            copies = {track.index: target.add_stream_from_template(track) for track in tracks}
            for packet in container.demux(tracks):
                if packet.dts is None:
                    continue
                packet.stream = copies[packet.stream.index]
                target.mux(packet)
                if made.tell() > LARGEST_BYTES:
                    raise BadItem(f"Its audio takes more than {LARGEST_BYTES:,} bytes.")
    except (module.error.FFmpegError, ValueError) as wrong:
        raise BadItem(f"Its audio cannot be kept: {wrong}.") from wrong
    return made.getvalue()


@contextmanager
def opened_sound(data: bytes) -> Iterator[Any]:
    """What `read_sound` gave, open to be read; DamagedFile where it is none."""
    module = av()
    try:
        with module.open(io.BytesIO(data), format="matroska") as container:
            yield container
    except module.error.FFmpegError as wrong:
        raise DamagedFile(f"The audio of a clip cannot be read: {wrong}.") from wrong
