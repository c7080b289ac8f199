"""The version that archives and models carry, and what a reader says to another one."""

from __future__ import annotations

from isthmus.errors import DamagedFile, NewerFormat, NotOurFile

FORMAT_VERSION = 1
"""Of archives, and of models whose code has one quality. Frozen: every later version reads it
(tests/golden)."""
GRADED_VERSION = 2
"""Of models whose code has every quality."""


def require_known_format(version: object, what: str) -> None:
    """Refuse a file of another format.

    Args:
        version: as the file says.
        what: begins the sentence: "The archive", a path.
    Raises:
        NewerFormat: a later version of Isthmus wrote it.
        NotOurFile: it was written before the format was frozen.
        DamagedFile: that is no version at all.
    """
    if not isinstance(version, int):
        raise DamagedFile(f"{what} names no version of its format. Copy it again.")
    if version > GRADED_VERSION:
        raise NewerFormat(
            f"{what} has format {version}; this version reads formats up to {GRADED_VERSION}. "
            "Update with `pip install -U isthmus`."
        )
    if version < FORMAT_VERSION:
        raise NotOurFile(
            f"{what} has format {version}, from before the format was frozen; this version reads "
            f"format {FORMAT_VERSION}. Make it again."
        )
