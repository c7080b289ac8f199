"""NumPy's own files: .npy, memory-mapped, and .npz, a zip of them.

Written with NumPy's own header writer, so equal samples give the very bytes of `numpy.save`.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.lib import format as npy_format

from isthmus.data.beside import beside
from isthmus.data.names import prepare_outputs
from isthmus.data.readers.arrays import ArraySource, member_of, write_samples
from isthmus.data.source import Layout, Member, Skipped
from isthmus.data.stacks import Stacks
from isthmus.errors import BadItem, NoData
from isthmus.files import atomic_write
from isthmus.spec import DataSpec


class Npy(ArraySource):
    """One .npy file, read from the disk only where samples are asked for."""

    @classmethod
    def matches(cls, source: object) -> bool:
        """See Source."""
        return isinstance(source, Path) and source.is_file() and source.suffix.lower() == ".npy"

    @classmethod
    def open(cls, source: Path, *, skip_bad: bool = False, trainable: bool = True) -> Npy:
        """See Source."""
        values = load_npy(source)
        options = _options(values.dtype, [source.name] if _is_fortran(values) else [])
        layout = Layout("npy", (member_of(values, source.name),), options)
        size = source.stat().st_size
        opened = cls(
            values, layout, name=source.stem, file_bytes=size, skip_bad=skip_bad, trainable=trainable
        )
        more = size - values.offset - values.nbytes if isinstance(values, np.memmap) else 0
        if more > 0:
            opened.ignored = (Skipped(source.name, f"{more:,} bytes behind its array are not kept"),)
        return opened

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
            with atomic_write(path, force=force) as file:
                _write_array(file, member, remaining, spec, layout.options)
        return paths


class Npz(ArraySource):
    """The arrays of one .npz file, one after the other; they must be of one kind."""

    @property
    def file_names(self) -> list[str]:
        """See Source."""
        return [str(self.layout.options["archive"])]

    @classmethod
    def matches(cls, source: object) -> bool:
        """See Source."""
        return isinstance(source, Path) and source.is_file() and source.suffix.lower() == ".npz"

    @classmethod
    def open(cls, source: Path, *, skip_bad: bool = False, trainable: bool = True) -> Npz:
        """See Source."""
        try:
            with zipfile.ZipFile(source) as archive:
                entries = [each for each in archive.infolist() if each.filename.endswith(".npy")]
                every = [each.filename for each in archive.infolist() if not each.is_dir()]
                packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
                arrays = {entry.filename: _read_entry(archive, entry) for entry in entries}
        except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as damage:
            raise _damaged(source, damage) from damage
        _require_one_kind(arrays, source)
        members = tuple(Member(name, len(values)) for name, values in arrays.items())
        first = next(iter(arrays.values()))
        options = _options(first.dtype, [name for name, values in arrays.items() if _is_fortran(values)])
        layout = Layout("npz", members, {**options, "archive": source.name, "compressed": packed})
        values = np.concatenate(list(arrays.values())) if len(arrays) > 1 else first
        size = source.stat().st_size
        opened = cls(
            values, layout, name=source.stem, file_bytes=size, skip_bad=skip_bad, trainable=trainable
        )
        opened.ignored = beside(every, set(arrays), "an array")
        return opened

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
        paths = prepare_outputs([str(layout.options.get("archive", "arrays.npz"))], directory, force=force)
        method = zipfile.ZIP_DEFLATED if layout.options.get("compressed") else zipfile.ZIP_STORED
        remaining = Stacks.of(samples)
        with atomic_write(paths[0], force=force) as file, zipfile.ZipFile(file, "w", method) as archive:
            for member in layout.members:
                # numpy.savez too forces zip64, since sizes are not known when an entry begins
                with archive.open(member.name, "w", force_zip64=True) as entry:
                    _write_array(cast("BinaryIO", entry), member, remaining, spec, layout.options)
        return paths


def load_npy(path: Path) -> np.ndarray:
    """The array in a .npy file, memory-mapped where it holds anything; BadItem where there is none."""
    try:
        with suppress(ValueError):  # nothing can be mapped where there is nothing
            return np.load(path, mmap_mode="r", allow_pickle=False)
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, EOFError, OSError) as damage:
        raise _damaged(path, damage) from damage


def _write_array(file: BinaryIO, member: Member, samples: Stacks, spec: DataSpec, options: Any) -> None:
    stored, fortran = _stored_dtype(spec, options), member.name in options.get("fortran", ())
    shape = spec.shape if member.count is None else (member.count, *spec.shape)
    header = {"descr": npy_format.dtype_to_descr(stored), "fortran_order": fortran, "shape": shape}
    npy_format.write_array_header_1_0(file, header)
    if not fortran:
        return write_samples(file, samples, len(member), spec, stored)
    # First axis fastest, so the first byte run needs every sample: this one is held in memory.
    values = np.concatenate(list(samples.take(len(member))) or [np.empty((0, *spec.shape))])  # type: ignore[arg-type]
    file.write(values.astype(stored).tobytes(order="F"))
    return None


def _stored_dtype(spec: DataSpec, options: Any) -> np.dtype:
    native = np.dtype(spec.dtype)
    return native.newbyteorder(">") if options.get("big_endian") else native.newbyteorder("<")


def _options(dtype: np.dtype, fortran: list[str]) -> dict[str, Any]:
    """Remember only what is out of the ordinary."""
    options: dict[str, Any] = {"fortran": fortran} if fortran else {}
    if dtype.str.startswith(">"):
        options["big_endian"] = True
    return options


def _is_fortran(values: np.ndarray) -> bool:
    return values.flags.f_contiguous and not values.flags.c_contiguous


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(entry) as file:
        version = npy_format.read_magic(file)
        read_header = (
            npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        )
        shape, fortran, dtype = read_header(file)
        expected = math.prod(shape) * dtype.itemsize
        # Compared with the zip's own list before anything of that size is allocated.
        if dtype.hasobject or expected > entry.file_size:
            raise ValueError(f"{entry.filename} holds Python objects or less than its header says")
        data = file.read(expected)
    if len(data) != expected:
        raise EOFError(f"{entry.filename} is cut short")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")


def _require_one_kind(arrays: dict[str, np.ndarray], path: Path) -> None:
    if not arrays:
        raise NoData(f"{path} holds no arrays.")
    kinds = {name.removesuffix(".npy"): (values.shape[1:], values.dtype) for name, values in arrays.items()}
    if len(set(kinds.values())) > 1 or not all(values.ndim for values in arrays.values()):
        listed = ", ".join(f"{name}: {dtype} {shape}" for name, (shape, dtype) in list(kinds.items())[:4])
        raise BadItem(
            f"The arrays in {path} must have one type and one sample shape; got {listed}. "
            "Save the one to use as a .npy of its own with numpy.save."
        )


def _damaged(path: Path, damage: Exception) -> BadItem:
    return BadItem(f"{path} is damaged, or no array of numbers: {damage}. Save or copy it again.")
