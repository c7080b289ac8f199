"""What is common to all files of gridded arrays: variables, their parts, and which files there are."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.errors import MissingExtra
from isthmus.spec import TYPES

TEXT = "text"
"""The type of variables whose values are texts of any length."""
SUFFIXES = (".nc", ".nc3", ".nc4", ".cdf", ".netcdf", ".h5", ".hdf5", ".he5", ".zarr")
MARKS = ("zarr.json", ".zgroup", ".zarray", ".zmetadata")
"""A folder with one of these files at its top is a zarr."""
TILE_VALUES = 1 << 21
"""Of a tile, at most: the coder that predicts values takes some 120 bytes for each."""
CACHE_BYTES = 16 << 20
"""Of unpacked chunks that a file of netCDF 4 keeps, at least."""


@dataclass(frozen=True)
class Variable:
    """One array of a file."""

    name: str
    """With the groups it is in: "forecast/u"."""
    dtype: str
    """NumPy's name of what its values are coded as, or TEXT."""
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    """How its file parts it, as far as tiles should know; ones where it does not."""
    gaps: tuple[bytes, ...] = ()
    """Values that say that there is none, little-endian, each of `dtype`."""

    @property
    def bytes(self) -> int:
        """Of all values, where that is known beforehand."""
        return math.prod(self.shape) * self.itemsize

    @property
    def itemsize(self) -> int:
        """Bytes of a value; of a text, what is reckoned with."""
        return 16 if self.dtype == TEXT else np.dtype(self.dtype).itemsize

    def summary(self) -> str:
        """For people: "240×37×49 float32"."""
        return f"{'×'.join(map(str, self.shape)) or 'one'} {self.dtype}"

    @property
    def tile(self) -> tuple[int, ...]:
        """The shape of its tiles; those at the ends are smaller. See `tile_shape`."""
        return tile_shape(self.shape, self.chunks)

    @property
    def tile_count(self) -> int:
        """How many there are."""
        sides = zip(self.shape, self.tile, strict=True)
        return math.prod(-(-side // part) if part else 0 for side, part in sides)

    def tiles(self) -> Iterator[tuple[slice, ...]]:
        """Where each tile lies, the last axis fastest."""
        counts = [-(-side // part) if part else 0 for side, part in zip(self.shape, self.tile, strict=True)]
        for place in np.ndindex(*counts):
            starts = [part * number for part, number in zip(self.tile, place, strict=True)]
            ends = [min(s + part, side) for s, part, side in zip(starts, self.tile, self.shape, strict=True)]
            yield tuple(map(slice, starts, ends))


def tile_shape(shape: tuple[int, ...], chunks: tuple[int, ...], most: int = TILE_VALUES) -> tuple[int, ...]:
    """How a variable is parted: into whole chunks of its file, as many as fit, the last axes first.

    A chunk of more than `most` values is parted along its first axes. Without chunks, a tile is a slab.

    >>> tile_shape((365, 721, 1440), (1, 1, 1))
    (2, 721, 1440)
    >>> tile_shape((100, 721, 1440), (1, 100, 100))
    (2, 721, 1440)
    >>> tile_shape((100000, 721, 1440), (100000, 10, 10))
    (20971, 10, 10)
    """
    sides = [max(1, min(side, chunk)) for side, chunk in zip(shape, chunks, strict=True)]
    for axis, side in enumerate(sides):
        rest = math.prod(sides[axis + 1 :])
        if side * rest <= most:
            break
        sides[axis] = max(1, most // rest)
    for axis in reversed(range(len(sides))):
        fits = max(1, most // max(1, math.prod(sides)))
        sides[axis] = min(shape[axis], sides[axis] * fits)
    return tuple(sides)


class Grids(ABC):
    """A file of gridded arrays, open to be read; `close` it in the end."""

    form: str
    """Who writes it back: a key of FORMS."""
    name: str
    """Of the file, without its folder."""
    file_bytes: int
    variables: tuple[Variable, ...]

    @property
    def raw_bytes(self) -> int:
        """Of all values."""
        return sum(each.bytes for each in self.variables)

    @property
    def skipped(self) -> tuple[Any, ...]:
        """Nothing ever is."""
        return ()

    @property
    def ignored(self) -> tuple[Any, ...]:
        """Nothing ever is."""
        return ()

    @abstractmethod
    def about(self) -> Any:
        """All that is told beside the values, JSON-ready."""

    @abstractmethod
    def facts(self, number: int) -> Facts:
        """What the attributes of a variable say of its values."""

    def rounding(self, number: int) -> tuple[str, ...]:
        """The filters of a variable, by name, that may change values when these are written."""
        return ()

    def comes_back(self, number: int) -> bool:
        """Whether the values of a variable are read as they are once more from such a file."""
        return True

    @abstractmethod
    def read(self, number: int, tile: tuple[slice, ...]) -> np.ndarray:
        """Values as they are stored, in the machine's byte order; texts as an array of objects.

        Raises:
            BadItem: the file is damaged there.
        """

    def tiles(self, number: int) -> Iterator[np.ndarray]:
        """The values of a variable, tile by tile."""
        return (self.read(number, tile) for tile in self.variables[number].tiles())

    @abstractmethod
    def close(self) -> None:
        """Let go of the file."""

    def __enter__(self) -> Grids:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class Facts:
    """What matters for a bound."""

    dimensions: tuple[str, ...] = ()
    scale: float | None = None
    """A stored number times this is a value, an offset apart; None where stored numbers are values."""
    offset: float = 0.0
    mentions: tuple[str, ...] = ()
    """Names of variables that say where, when or in what cells its values are."""
    is_text: bool = False
    """Whether its numbers are letters."""

    @property
    def is_packed(self) -> bool:
        """Whether whole numbers stand for others."""
        return self.scale is not None


MENTIONS = ("coordinates", "bounds", "climatology", "grid_mapping", "cell_measures", "formula_terms")
"""Attributes that name variables which place the values of another (CF conventions, chapters 5 to 7)."""


def gaps_of(dtype: str, told: list[Any]) -> tuple[bytes, ...]:
    """The values that say "nothing here", of the variable's own type; those of other types are none.

    >>> gaps_of("int16", [np.array([-1.0]), None, np.array([-1, 7])])
    (b'\\xff\\xff', b'\\x07\\x00')
    """
    if dtype not in TYPES or dtype == "bool":
        return ()
    kind, found = np.dtype(dtype), []
    for value in told:
        if value is None or isinstance(value, (str, tuple)):
            continue
        for number in np.atleast_1d(value):
            with suppress(OverflowError, ValueError), np.errstate(all="ignore"):
                own = np.asarray(number).astype(kind)
                if own == number:  # not NaN, which is nobody's value anyway
                    found.append(own.astype(kind.newbyteorder("<")).tobytes())
    return tuple(dict.fromkeys(found))


def is_grid(source: object) -> bool:
    """Whether it is a file of netCDF, a zarr, or an object of xarray."""
    if isinstance(source, Grids):
        return True
    if not isinstance(source, (str, Path)):
        return is_xarray(source)
    path = Path(source)
    if path.is_dir():
        return any((path / mark).is_file() for mark in MARKS)
    name = path.name.lower()
    return name.endswith((".zarr.zip", *SUFFIXES)) and not path.is_dir()


def is_xarray(source: object) -> bool:
    """Whether it is a Dataset, DataArray or DataTree."""
    kind = type(source)
    return kind.__module__.partition(".")[0] == "xarray" and hasattr(source, "to_netcdf")


def module(name: str, what: str) -> Any:
    """Import what reads and writes one kind of file; MissingExtra where it is not installed."""
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as wrong:
        raise MissingExtra(
            f"{what} needs {name}, which is not installed: pip install 'isthmus[arrays]'."
        ) from wrong
