"""Whole files or none: write to a temporary neighbour, flush to the disk, rename.

And the one file that grows in place: what is appended is taken off again if anything goes wrong.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO, UnsupportedOperation
from pathlib import Path
from typing import Any, BinaryIO

from isthmus.errors import MachineError, OutputExists


class Nowhere(BytesIO):
    """A file that takes everything and keeps nothing: to learn how long something would be."""

    def write(self, data: Any) -> int:
        """Take all of it."""
        return len(data)


def to_bytes(text: str) -> bytes:
    """A text as a file holds it; names of files that are no UTF-8 come back as their own bytes."""
    return text.encode("utf-8", "surrogateescape")


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raise OutputExists if `path` is there and may not be replaced."""
    if path.exists() and not force:
        raise OutputExists(f"{path} is there already. Give another name, or --force to replace it.")


def target_of(output: str | Path | BinaryIO, *, force: bool) -> Path | BinaryIO:
    """Where output goes: a path, which may not be there already unless `force`; or a file object as it is."""
    if not isinstance(output, (str, Path)):
        return output
    refuse_existing(Path(output), force=force)
    return Path(output)


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
        handle, name = tempfile.mkstemp(prefix=_hidden(path), suffix=".part", dir=path.parent)
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


@contextmanager
def atomic_path(path: Path, *, force: bool = True) -> Iterator[Path]:
    """A place of the same name, in a temporary folder beside `path`, for libraries that want one.

    On success the file or folder that was put there becomes `path`; on any error it is gone.

    Raises:
        OutputExists: `path` is there and `force` is False.
        MachineError: the disk is full, or the folder cannot be written to.
    """
    refuse_existing(path, force=force)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=_hidden(path), suffix=".part", dir=path.parent) as folder:
            made = Path(folder) / path.name
            yield made
            if made.is_file():
                with made.open("r+b") as file:
                    sync(file)
            if path.is_dir():
                path.replace(Path(folder) / "old")
            made.replace(path)
            _sync_folder(path.parent)


def _hidden(path: Path) -> str:
    """How a temporary name begins: so short that the whole fits where the name itself does."""
    return f".{path.name[:_SHOWN]}."


_SHOWN = 24  # characters, of up to 4 bytes each; a name may have 255 bytes


@contextmanager
def append_whole(target: Path | BinaryIO) -> Iterator[BinaryIO]:
    """Open a file for reading and for writing behind its end; on any error it has its old length again.

    Nobody else can append through this function at the same time. Whoever reads meanwhile may see
    a part of what is appended, as does whoever reads after a power cut.

    Raises:
        MachineError: the disk is full, the file may not be written, or another process appends to it.
    """
    if not isinstance(target, Path):
        yield from _grow(target)
        return
    # Without a buffer, so that nothing waits to be written when the length is set back.
    with disk_errors(target), target.open("r+b", buffering=0) as file:
        _lock(file, target)
        yield from _grow(file)


def _grow(file: Any) -> Iterator[Any]:
    length = file.seek(0, os.SEEK_END)
    try:
        yield file
        sync(file)
    except BaseException:
        file.truncate(length)
        raise


def sync(file: BinaryIO) -> None:
    """Wait until what was written is on the disk; does nothing for files in memory."""
    with suppress(UnsupportedOperation):
        os.fsync(file.fileno())


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: there, whoever appends twice at once is on his own
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as busy:
        raise MachineError(f"Another process is appending to {path}. Wait until it is done.") from busy


def write_bytes(path: Path, data: bytes, *, force: bool = True) -> None:
    """Write all of `data` to `path`, or nothing."""
    with atomic_write(path, force=force) as file:
        file.write(data)


def set_modified(path: Path, modified_s: int | None) -> None:
    """Say when `path` was last changed, in seconds since 1970; None, or a time it cannot hold, leaves it."""
    if modified_s is not None:
        with suppress(OSError, OverflowError, ValueError):
            os.utime(path, (modified_s, modified_s))


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
    errno.ENAMETOOLONG: "the name is too long",
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
