"""Whole files or none: write to a temporary neighbour, flush to the disk, rename."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from isthmus.errors import MachineError, OutputExists


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raise OutputExists if `path` is there and may not be replaced."""
    if path.exists() and not force:
        raise OutputExists(f"{path} is there already. Give another name, or --force to replace it.")


@contextmanager
def atomic_write(path: Path, *, force: bool = True) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path`; on success it becomes `path`, on any error it is gone.

    Raises:
        OutputExists: `path` is there and `force` is False.
        MachineError: the disk is full, or the folder cannot be written to.
    """
    refuse_existing(path, force=force)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
            _sync_folder(path.parent)
        except BaseException:  # Ctrl-C too must leave nothing behind
            with suppress(FileNotFoundError):
                temporary.unlink()
            raise


def write_bytes(path: Path, data: bytes, *, force: bool = True) -> None:
    """Write all of `data` to `path`, or nothing."""
    with atomic_write(path, force=force) as file:
        file.write(data)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals into one sentence."""
    try:
        yield
    except OSError as refusal:
        if refusal.errno not in _REFUSALS:
            raise
        raise MachineError(
            f"Cannot write {path}: {_REFUSALS[refusal.errno]}. Nothing was left half-written there; "
            "make room or choose another place."
        ) from refusal


_REFUSALS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file would be larger than allowed here",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the file system is read-only",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.EEXIST: "a part of the path is a file, not a folder",
    errno.EISDIR: "a folder of that name is there",
}


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    # The rename itself is only safe from a power cut once the folder is on the disk.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
