"""What `verify` may find, in three words, and what it compares with.

An archive is *damaged* where a checksum is wrong or a block does not decode to what was written. It is
*different* where it is whole and the originals are other data. The two are *incomparable* where nothing can
be said: they are of different kinds, or the model is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from isthmus.errors import BadItem

OK, DAMAGED, DIFFERENT, INCOMPARABLE = "ok", "damaged", "different", "incomparable"
EXIT_CODES = {OK: 0, DAMAGED: 1, DIFFERENT: 1, INCOMPARABLE: 2}
"""Of the command."""


class Finding(NamedTuple):
    """One thing that is not as it should be."""

    status: str
    """DAMAGED, DIFFERENT or INCOMPARABLE."""
    message: str


def damaged(message: object) -> Finding:
    """A checksum is wrong, or a block does not decode to what was written."""
    return Finding(DAMAGED, str(message))


def different(message: object) -> Finding:
    """The archive is whole, and the originals are other data."""
    return Finding(DIFFERENT, str(message))


def incomparable(message: object) -> Finding:
    """Nothing can be said: another kind of data, or a model is missing."""
    return Finding(INCOMPARABLE, str(message))


def status_of(findings: list[Finding]) -> str:
    """The gravest word.

    >>> status_of([different("a.png has another shape"), damaged("block 3")]), status_of([])
    ('damaged', 'ok')
    """
    found = {finding.status for finding in findings}
    return next((word for word in (DAMAGED, DIFFERENT, INCOMPARABLE) if word in found), OK)


class Checked(NamedTuple):
    """What `verify` found in an archive whose checksums are right."""

    findings: list[Finding]
    against: str | None
    """The name of what it was compared with."""
    promise: str
    """What the header promises, where that can be checked."""
    notices: tuple[str, ...] = ()
    """What is among the originals and not in the archive: one sentence each."""


S = TypeVar("S")


def compare_with(
    open_originals: Callable[[bool], S], compare: Callable[[S], list[Finding]]
) -> tuple[S, list[Finding]]:
    """Compare with the originals; leave out those that cannot be read, where only then nothing differs.

    Archives made with `skip_bad` lack the items that cannot be read, and say nothing of them.

    Args:
        open_originals: opens them; True leaves out what cannot be read.
        compare: an archive with them.
    Returns:
        The originals as they were compared, and what was found.
    Raises:
        BadItem: one cannot be read, and cannot be left out.
    """
    try:
        source = open_originals(False)
        found = compare(source)
    except BadItem:  # as it may have been when the archive was made
        lenient = open_originals(True)
        return lenient, compare(lenient)
    if status_of(found) == DIFFERENT:
        lenient = open_originals(True)
        if lenient.skipped and not (again := compare(lenient)):  # type: ignore[attr-defined]
            return lenient, again
    return source, found


def not_in_archive(source: Any) -> tuple[str, ...]:
    """What an opened source leaves out: a sentence each."""
    return tuple(f"not in the archive: {each}" for each in (*source.skipped, *source.ignored))
