"""IDX, the format of MNIST: two zero bytes, a type, the number of axes, their lengths, the values.

All numbers are big-endian; the file may be compressed with gzip. Source of the format:
http://yann.lecun.com/exdb/mnist (kept at archive.org).
"""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from isthmus.data.names import prepare_outputs
from isthmus.data.readers.arrays import ArraySource, write_samples
from isthmus.data.source import Layout, Member
from isthmus.data.stacks import Stacks
from isthmus.errors import BadItem, ConfigError
from isthmus.files import atomic_write
from isthmus.spec import DataSpec

TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
CODES = {np.dtype(name).newbyteorder("="): code for code, name in TYPES.items()}
NAME = re.compile(r"[.-]idx\d?(-\w+)?(\.gz)?$", re.IGNORECASE)
MOST_AXES = 16
GZIP_RATIO = 1032  # deflate cannot shrink anything further, so a header that claims more lies


class Idx(ArraySource):
    """One IDX file, whole in memory, as its values are packed with gzip more often than not."""

    @classmethod
    def matches(cls, source: object) -> bool:
        """See Source."""
        return isinstance(source, Path) and source.is_file() and NAME.search(source.name) is not None

    @classmethod
    def open(cls, source: Path, *, skip_bad: bool = False, trainable: bool = True) -> Idx:
        """See Source."""
        values = read_idx(source)
        layout = Layout("idx", (Member(source.name, len(values)),))
        name = re.sub(r"\.gz$", "", source.name)
        return cls(
            values,
            layout,
            name=name,
            file_bytes=source.stat().st_size,
            skip_bad=skip_bad,
            trainable=trainable,
        )

    @classmethod
    def write(
        cls,
        layout: Layout,
        spec: DataSpec,
        samples: Iterable[np.ndarray],
        directory: Path,
        *,
        force: bool = False,
    ) -> list[Path]:
        """See Source."""
        paths = prepare_outputs([member.name for member in layout.members], directory, force=force)
        remaining = Stacks.of(samples)
        for path, member in zip(paths, layout.members, strict=True):
            with atomic_write(path, force=force) as plain, _packed(plain, path) as file:
                file.write(_header((len(member), *spec.shape), spec.dtype))
                write_samples(file, remaining, len(member), spec, np.dtype(spec.dtype).newbyteorder(">"))
        return paths


def read_idx(path: Path) -> np.ndarray:
    """Return the array in an IDX file, in big-endian byte order.

    Raises:
        BadItem: the file is not IDX, or is shorter or longer than its header says.
    """
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            return _read(cast("BinaryIO", file), path)
    except (EOFError, gzip.BadGzipFile, zlib.error, struct.error) as damage:
        raise BadItem(f"{path} is cut short or damaged: {damage}. Fetch or copy it again.") from damage


def _read(file: BinaryIO, path: Path) -> np.ndarray:
    zeros, code, axes = struct.unpack(">HBB", file.read(4))
    if zeros != 0 or code not in TYPES or not 1 <= axes <= MOST_AXES:
        raise BadItem(f"{path} is named like an IDX file, but does not start like one.")
    shape = struct.unpack(f">{axes}I", file.read(4 * axes))
    dtype = np.dtype(TYPES[code])
    expected = math.prod(shape) * dtype.itemsize
    # Asked before anything of that size is allocated.
    possible = expected <= path.stat().st_size * GZIP_RATIO
    data = file.read(expected) if possible else b""
    if len(data) != expected or file.read(1):
        raise BadItem(f"{path} should hold {expected} bytes of values, as its header says; it does not.")
    return np.frombuffer(data, dtype).reshape(shape)


def _header(shape: tuple[int | None, ...], dtype: str) -> bytes:
    code = CODES.get(np.dtype(dtype))
    if code is None:
        raise ConfigError(f"An IDX file cannot hold {dtype}.")
    return struct.pack(f">HBB{len(shape)}I", 0, code, len(shape), *shape)


def _packed(file: BinaryIO, path: Path) -> AbstractContextManager[BinaryIO]:
    """Wrap `file` in gzip if `path` says so; the same samples give the same bytes at any hour."""
    if path.suffix.lower() != ".gz":
        return nullcontext(file)
    return cast("AbstractContextManager[BinaryIO]", gzip.GzipFile("", "wb", fileobj=file, mtime=0))
