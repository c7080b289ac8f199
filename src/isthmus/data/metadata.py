"""What an image file says beside its pixels, and how much of it is kept.

The bytes of image files ⇄ Metadata is readers/embedded.py; Metadata ⇄ the bytes of an archive is
tasks/metadata.py.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from isthmus.errors import UseError

ALL, EMBEDDED, DISPLAY, NONE = "all", "embedded", "display", "none"
LEVELS = (ALL, EMBEDDED, DISPLAY, NONE)
"""How much is kept: each less than the one before."""

LARGEST_PART_BYTES = 1 << 20  # of EXIF or a profile; PNG readers take no longer profile
MOST_PACKED_BYTES = 24 << 20  # as text a third more, which leaves half of the index to the names
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799  # the years 1 to 9999

UPRIGHT = 1
ORIENTATION_TAG = 0x0112
_SHORT, _LONG = 3, 4


@dataclass(frozen=True)
class Metadata:
    """Of one file; nothing in it changes a pixel."""

    exif: bytes = b""
    """A TIFF structure, as it stood in the file, without the mark "Exif" before it."""
    profile: bytes = b""
    """ICC: what the numbers mean as colours."""
    dpi: tuple[float, float] | None = None
    """Dots per inch, horizontally and vertically."""
    modified_s: int | None = None
    """When the file was last changed, in seconds since 1970; of a zip's member, by its own clock."""

    def keep(self, level: str) -> Metadata:
        """What of it is kept at one of LEVELS.

        >>> told = Metadata(orientation_exif(6) + b"and where it was taken", dpi=(300.0, 300.0))
        >>> told.keep("display") == Metadata(orientation_exif(6)), told.keep("none") == NOTHING
        (True, True)
        """
        require_level(level)
        if level == NONE:
            return NOTHING
        if level == DISPLAY:
            return Metadata(orientation_exif(find_orientation(self.exif)), self.profile)
        return self if level == ALL else replace(self, modified_s=None)


NOTHING = Metadata()


def require_level(level: str) -> None:
    """Raise UseError unless `level` is one of LEVELS."""
    if level not in LEVELS:
        raise UseError(f"--metadata must be one of {', '.join(LEVELS)}; got {level!r}.")


def is_time(seconds: int) -> bool:
    """Whether it lies in the years 1 to 9999; some file systems hold others.

    >>> is_time(-1), is_time(1 << 40)
    (True, False)
    """
    return FIRST_SECOND <= seconds <= LAST_SECOND


def too_much(files: int) -> UseError:
    """What to say where the index of an archive would not hold it."""
    return UseError(
        f"The metadata of {files:,} files take more than the index of an archive holds "
        f"({MOST_PACKED_BYTES >> 20} MiB compressed). Keep less with --metadata display, or make "
        "several archives."
    )


def find_orientation(exif: bytes) -> int:
    """How a viewer must turn the picture, 1 to 8; 1, which is not at all, where EXIF is damaged or silent.

    >>> find_orientation(orientation_exif(6)), find_orientation(b"II*\\0 and then nonsense")
    (6, 1)
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return UPRIGHT
    found = UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        for place in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, values = struct.unpack_from(f"{order}HHI", exif, place)
            if tag == ORIENTATION_TAG and kind in (_SHORT, _LONG) and values == 1:
                (found,) = struct.unpack_from(order + ("H" if kind == _SHORT else "I"), exif, place + 8)
    except struct.error:  # it ends too early; what was read until here stands
        pass
    return found if found in range(1, 9) else UPRIGHT


def orientation_exif(orientation: int) -> bytes:
    """The shortest EXIF that says so; nothing for a picture that stands upright.

    >>> orientation_exif(1), len(orientation_exif(8))
    (b'', 26)
    """
    if orientation == UPRIGHT:
        return b""
    entry = struct.pack("<HHIHH", ORIENTATION_TAG, _SHORT, 1, orientation, 0)
    return b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)
