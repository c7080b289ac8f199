"""What libsndfile does not say of a file: whether its samples are whole, and what stands beside them."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Contents:
    """What a file holds besides the samples that libsndfile reads."""

    beside: tuple[str, ...] = ()
    """What stands beside the samples: "chunks bext and cue", "tags TITLE"."""
    fault: str = ""
    """Why samples are missing or not counted: what follows the name of the file in a sentence."""
    patches: Mapping[int, bytes] = field(default_factory=dict)
    """What its header should say, by place; empty where it is right."""
    change: str = ""
    """What is wrong about a header that is patched: what follows the name of the file in a sentence."""
    sample_bytes: int | None = None
    """Of uncompressed samples; None where that is not known."""


def at(file: Any, place: int, count: int) -> bytes:
    """So many bytes from a place on, or as many as there are."""
    file.seek(place)
    found: bytes = file.read(count)
    return found


class Patched(io.RawIOBase):
    """A file whose header says something else.

    >>> Patched(io.BytesIO(b"abcdef"), {2: b"XY"}).read()
    b'abXYef'
    """

    def __init__(self, file: Any, patches: Mapping[int, bytes]) -> None:
        self._file, self._patches = file, patches
        file.seek(0)

    def readinto(self, buffer: Any) -> int:
        """See io.RawIOBase."""
        view = memoryview(buffer).cast("B")
        start = self._file.tell()
        data = bytearray(self._file.read(len(view)))
        for place, patch in self._patches.items():
            first, stop = max(place, start), min(place + len(patch), start + len(data))
            if first < stop:
                data[first - start : stop - start] = patch[first - place : stop - place]
        view[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """See io.RawIOBase."""
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        """See io.RawIOBase."""
        return int(self._file.tell())

    def readable(self) -> bool:
        """See io.RawIOBase."""
        return True

    def seekable(self) -> bool:
        """See io.RawIOBase."""
        return True
