"""A file of audio → its contents, by whichever container it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from isthmus.data.audio import tags
from isthmus.data.audio.chunked import look_through_aiff, look_through_au, look_through_riff
from isthmus.data.audio.contents import Contents, at
from isthmus.data.audio.flac import look_through_flac
from isthmus.data.audio.mp3 import is_frame, look_through_mp3
from isthmus.data.audio.ogg import look_through_ogg

_LOOKS: dict[bytes, Callable[[Any, int, int], Contents]] = {
    **dict.fromkeys((b"RIFF", b"RIFX", b"RF64"), look_through_riff),
    **dict.fromkeys((b".snd", b"dns."), look_through_au),
    b"FORM": look_through_aiff,
    b"fLaC": look_through_flac,
    b"OggS": look_through_ogg,
}
"""By the bytes that a file begins with."""


def look_through(file: Any) -> Contents:
    """Walk through a file without decoding it; one that is none of audio has no contents.

    Args:
        file: open for reading, seekable.
    """
    end = file.seek(0, os.SEEK_END)
    start = tags.leading(file, 0)
    head = at(file, start, 4)
    look = _LOOKS.get(head) or (look_through_mp3 if is_frame(head) else None)
    contents = Contents() if look is None else look(file, start, end)
    return replace(contents, beside=(tags.ID3, *contents.beside)) if start else contents
