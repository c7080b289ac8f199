"""Files of netCDF 4 (HDF5) → structure and values, with their groups; nested_writing.py undoes it.

How a variable is stored (`Stored.how`): "chunks", "endian", "filters" as netCDF4 tells them, "fill": false
where nothing is filled in. What netCDF 4 can hold and we cannot is refused by name.
"""

from __future__ import annotations

import math
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.grids.kinds import CACHE_BYTES, TEXT, Facts, Grids, Variable, module
from isthmus.data.grids.reading import coded_dtype, facts_of, gaps_in
from isthmus.data.grids.structure import NUMBERS, Attribute, Dimension, Group, Stored
from isthmus.errors import BadItem

MAGIC = b"\x89HDF\r\n\x1a\n"
MOST_CACHED = 128 << 20
"""Of chunks that stay unpacked while neighbouring tiles are read."""
_PHONY = "phony_dim_"


class Nested(Grids):
    """A file of netCDF 4.

    Args:
        path: of the file.
        folder: a temporary one, to be removed when the file is closed.
    Raises:
        BadItem: it is damaged, or holds what cannot be kept.
        MissingExtra: netCDF4 is not installed.
    """

    form = "netcdf4"

    def __init__(self, path: Path, folder: tempfile.TemporaryDirectory[str] | None = None) -> None:
        self._folder = folder
        self.name, self.file_bytes = path.name, path.stat().st_size
        library = module("netCDF4", "netCDF 4")
        with sentence(self.name), warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            self._file = library.Dataset(str(path))
        try:
            _refuse_skipped(told, self.name)
            self._file.set_auto_maskandscale(False)
            self._file.set_auto_chartostring(False)
            with sentence(self.name):
                self.root = read_group(self._file, self.name)
            self.variables = tuple(
                _variable(above, self.root, stored, self._shape(above, stored))
                for above, group in self.root.walk()
                for stored in group.variables
            )
        except BaseException:
            self.close()
            raise
        self._stored = [stored for _, group in self.root.walk() for stored in group.variables]
        self._held: int | None = None

    def about(self) -> Any:
        """Data model and structure."""
        return {"model": self._file.data_model, "root": self.root.to_dict()}

    def facts(self, number: int) -> Facts:
        """See Facts."""
        above = self.variables[number].name.rpartition("/")[0]
        return facts_of(self._stored[number], above + "/" if above else "")

    def read(self, number: int, tile: tuple[slice, ...]) -> np.ndarray:
        """Values of a tile."""
        variable, found = self.variables[number], self._file["/" + self.variables[number].name]
        if self._held != number and found.chunking() != "contiguous" and variable.shape:
            found.set_var_chunk_cache(cache_bytes(variable, variable.chunks))
            self._held = number
        with sentence(self.name, variable.name):
            values = np.asarray(found[tile] if tile else found[...])
        return from_library(values, variable)

    def _shape(self, above: str, stored: Stored) -> tuple[int, ...]:
        return tuple(self._file[f"/{above}{stored.name}"].shape)

    def close(self) -> None:
        """Close the file."""
        with suppress(RuntimeError):  # closed already
            self._file.close()
        if self._folder is not None:
            self._folder.cleanup()


def from_library(values: np.ndarray, variable: Variable) -> np.ndarray:
    """What netCDF4 gives → values as they are coded."""
    shape = values.shape
    if variable.dtype == TEXT:
        return values.astype(object)
    if values.dtype.kind == "S":
        values = np.ascontiguousarray(values).view(np.uint8)
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    return native.view(variable.dtype).reshape(shape)


def cache_bytes(variable: Variable, chunks: tuple[int, ...]) -> int:
    """Room for all chunks that one tile touches, within reason."""
    touched = math.prod(-(-part // side) * side for part, side in zip(variable.tile, chunks, strict=True))
    return max(CACHE_BYTES, min(MOST_CACHED, 2 * touched * variable.itemsize))


@contextmanager
def sentence(name: str, variable: str = "") -> Iterator[None]:
    """Say in a sentence what the library stumbled over."""
    try:
        yield
    except (OSError, RuntimeError, UnicodeDecodeError, IndexError, KeyError, AttributeError) as wrong:
        of = f" ({variable})" if variable else ""
        reason = str(getattr(wrong, "strerror", None) or wrong).strip().rstrip(".")
        raise BadItem(
            f"{name}{of} cannot be read as netCDF: {reason}. Copy it again, or write it with netCDF4."
        ) from wrong


def _refuse_skipped(told: list[warnings.WarningMessage], name: str) -> None:
    """The library leaves out what it does not know, with a warning; nothing may be lost in silence."""
    for each in told:
        text = str(each.message)
        if "skipping" in text or "unsupported" in text:
            raise BadItem(
                f"{name} holds values of a type that netCDF4 cannot read: {text.strip()}. "
                "Leave that variable out, for instance with `ncks -x -v NAME`."
            )


def read_group(dataset: Any, name: str) -> Group:
    """The structure of a group, and of those in it."""
    if any(each.startswith(_PHONY) for each in dataset.dimensions):
        raise BadItem(
            f"{name} is HDF5, but not written as netCDF: its arrays have no named dimensions. "
            "Give arrays one by one as .npy, or write it with xarray."
        )
    for kind, types in (("compound", dataset.cmptypes), ("variable-length", dataset.vltypes)):
        if types:
            raise BadItem(
                f"{name} defines the {kind} type {next(iter(types))!r}; numbers, texts and enumerations can "
                "be kept. Leave its variables out, for instance with `ncks -x -v NAME`."
            )
    enums = {
        each: (_number(found.dtype), {key: int(value) for key, value in found.enum_dict.items()})
        for each, found in dataset.enumtypes.items()
    }
    return Group(
        dataset.name.rpartition("/")[2] if dataset.parent is not None else "",
        tuple(Dimension(each.name, each.size, each.isunlimited()) for each in dataset.dimensions.values()),
        _attributes(dataset, name),
        tuple(_stored(each, name) for each in dataset.variables.values()),
        tuple(read_group(each, name) for each in dataset.groups.values()),
        enums,
    )


def _attributes(found: Any, file: str) -> tuple[Attribute, ...]:
    read: Callable[[str], Any] = found.getncattr
    try:
        return tuple(Attribute.of(name, read(name)) for name in found.ncattrs())
    except (TypeError, KeyError, UnicodeDecodeError) as wrong:
        raise BadItem(f"{file}: {found.name} has an attribute that cannot be kept: {wrong}.") from wrong


def _stored(found: Any, file: str) -> Stored:
    how: dict[str, Any] = {}
    chunks = found.chunking()
    if chunks is not None and chunks != "contiguous":
        how["chunks"] = list(chunks)
    filters = {key: value for key, value in (found.filters() or {}).items() if value}
    how |= {"filters": filters} if set(filters) - {"complevel"} else {}
    if found.endian() == "big":
        how["endian"] = "big"
    kind = _type(found, file)
    if kind != "string" and found.get_fill_value() is None and "_FillValue" not in found.ncattrs():
        how["fill"] = False
    return Stored(found.name, kind, tuple(found.dimensions), _attributes(found, file), how)


def _type(found: Any, file: str) -> str:
    if found.dtype is str:
        return "string"
    told = found.datatype
    if hasattr(told, "enum_dict"):
        return str(told.name)
    if found.dtype.kind == "S":
        return "char"
    kind = _number(found.dtype)
    if kind not in NUMBERS:
        raise BadItem(f"{file}: {found.name} has the type {told}, which cannot be kept.")
    return kind


def _number(dtype: np.dtype) -> str:
    return f"{dtype.kind}{dtype.itemsize}"


def _variable(above: str, root: Group, stored: Stored, shape: tuple[int, ...]) -> Variable:
    number = None if stored.type in (*NUMBERS, "char", "string") else enum_number(root, above, stored.type)
    dtype = coded_dtype(stored, number)
    chunks = tuple(stored.how.get("chunks", (1,) * len(shape)))
    return Variable(above + stored.name, dtype, shape, chunks, gaps_in(stored, dtype))


def enum_number(root: Group, above: str, name: str) -> str:
    """The type of number of an enumeration: the nearest of that name, from a group upwards."""
    group, found = root, root.enums.get(name)
    for part in above.split("/")[:-1]:
        group = next(each for each in group.groups if each.name == part)
        found = group.enums.get(name, found)
    if found is None:
        raise BadItem(
            f"The enumeration {name!r} is defined nowhere above its variables. Copy the file again."
        )
    return found[0]
