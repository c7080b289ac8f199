"""Names of files: those that are found, and those that may be written, inside the output folder and apart."""

from __future__ import annotations

import os
import re
import tempfile
import unicodedata
from collections.abc import Collection, Iterable
from itertools import chain, count
from pathlib import Path, PurePosixPath, PureWindowsPath

from isthmus.errors import BadItem
from isthmus.files import disk_errors, refuse_existing

WINDOWS = os.name == "nt"
DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\..*)?", re.IGNORECASE)
LONGEST_PART_BYTES = 255  # the limit of ext4, APFS and NTFS alike


def fault_in(name: str, *, windows: bool = WINDOWS) -> str | None:
    r"""Say what keeps `name` from being a safe relative path, or None if nothing does.

    Args:
        name: relative, with forward slashes.
        windows: whether names that mean a device there, or another file, are faults too.

    >>> fault_in("summer/beach.png") is None
    True
    >>> fault_in("../beach.png")
    "holds '..'"
    >>> fault_in("C:beach.png")
    'starts with a drive'
    >>> fault_in("a/aux.png", windows=True)
    'means a device, a stream or another file on Windows'
    """
    if "\0" in name or "\\" in name:
        return "holds a backslash or a zero byte"
    if PureWindowsPath(name).drive:
        return "starts with a drive"
    parts = name.split("/")
    if not all(parts) or "." in parts:
        return "is absolute, empty or has an empty part"
    if ".." in parts:
        return "holds '..'"
    if windows and any(DEVICES.fullmatch(part) or part[-1] in ". " or ":" in part for part in parts):
        return "means a device, a stream or another file on Windows"
    try:
        longest = max(len(os.fsencode(part)) for part in parts)
    except UnicodeEncodeError:
        return "holds characters that no file name can have"
    return "has a part that is too long" if longest > LONGEST_PART_BYTES else None


def check_names(names: Iterable[str], *, ignores_case: bool = False) -> None:
    """Raise BadItem unless all names are safe and each is a file of its own.

    Args:
        names: relative, with forward slashes.
        ignores_case: the file system takes "A.png" and "a.png" for one file.

    >>> check_names(["a.png", "A.png"])
    >>> check_names(["a.png", "A.png"], ignores_case=True)
    Traceback (most recent call last):
        ...
    isthmus.errors.BadItem: 'A.png' and 'a.png' would be one file here, so nothing was written. ...
    """
    seen: dict[str, str] = {}
    for name in names:
        if fault := fault_in(name):
            raise BadItem(f"The name {name!r} {fault}, so nothing was written: it could leave the folder.")
        key = _key(name, ignores_case)
        if key in seen:
            raise _collision(name, seen[key])
        seen[key] = name
    for key, name in seen.items():
        for folder in PurePosixPath(key).parents:
            if str(folder) in seen:
                raise _collision(name, seen[str(folder)])


def fitted(base: str, ending: str) -> str:
    """The name `base` with an ending, and cut before it where it would be too long for a file.

    >>> fitted("a/" + "é" * 200, ".png").encode() == b"a/" + "é".encode() * 125 + b".png"
    True
    """
    folder, slash, last = base.rpartition("/")
    encoded, room = last.encode(errors="surrogateescape"), LONGEST_PART_BYTES - len(ending.encode())
    kept = last if len(encoded) <= room else encoded[:room].decode(errors="ignore")
    return folder + slash + kept + ending


def name_apart(name: str, ending: str, taken: Collection[str]) -> str:
    """The name of a file with another ending, apart from those that are taken.

    Args:
        name: relative, with forward slashes.
        ending: with its point.
        taken: names, casefolded, since some file systems ignore case.

    >>> name_apart("a.mp3", ".wav", set()), name_apart("a.mp3", ".wav", {"a.wav", "a.mp3.wav"})
    ('a.wav', 'a.mp3-2.wav')
    """
    stem = name.removesuffix(PurePosixPath(name).suffix)
    numbered = ((name, f"-{number}{ending}") for number in count(2))
    tries = (fitted(base, end) for base, end in chain([(stem, ending), (name, ending)], numbered))
    return next(found for found in tries if found.casefold() not in taken)


def prepare_outputs(names: Iterable[str], directory: Path, *, force: bool) -> list[Path]:
    """Check names and places before anything is written there; return the paths.

    Raises:
        BadItem: as `check_names`, for the file system that `directory` is on.
        OutputExists: a file is there and `force` is False.
    """
    names = list(names)
    with disk_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        check_names(names, ignores_case=_ignores_case(directory))
    paths = [directory / name for name in names]
    for path in paths:
        refuse_existing(path, force=force)
    return paths


def _key(name: str, ignores_case: bool) -> str:
    # File systems that ignore case also take the two ways to write é for one.
    return unicodedata.normalize("NFC", name).casefold() if ignores_case else name


def _collision(name: str, other: str) -> BadItem:
    return BadItem(
        f"{name!r} and {other!r} would be one file here, so nothing was written. Restore to another "
        "file system, or only one of the two."
    )


def _ignores_case(directory: Path) -> bool:
    with tempfile.NamedTemporaryFile(prefix=".case-a-", dir=directory) as probe:
        return Path(probe.name).with_name(Path(probe.name).name.upper()).exists()


def files_under(folder: Path) -> list[str]:
    """The names of all files in a folder and its sub-folders, relative, with forward slashes."""
    found = []
    for parent, _, files in os.walk(folder):
        found += [(Path(parent) / name).relative_to(folder).as_posix() for name in files]
    return found


def ends_in(name: str, suffixes: Collection[str]) -> bool:
    """Whether a file is of a kind by its name; hidden ones, such as thumbnails, are not.

    >>> ends_in("a/b.PNG", (".png",)), ends_in("__MACOSX/b.png", (".png",)), ends_in(".b.png", (".png",))
    (True, False, False)
    """
    return not is_hidden(name) and PurePosixPath(name).suffix.lower() in suffixes


def is_hidden(name: str) -> bool:
    """Whether a file, or a folder it lies in, is one that systems hide."""
    parts = PurePosixPath(name).parts
    return any((part[0] == "." and part != "..") or part == "__MACOSX" for part in parts)
