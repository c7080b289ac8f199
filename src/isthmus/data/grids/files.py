"""Which file is of which form: `open_grid` reads, `grid_writer` writes."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from isthmus.data.grids import classic, nested
from isthmus.data.grids.classic import Classic
from isthmus.data.grids.classic_writing import ClassicWriter
from isthmus.data.grids.kinds import MARKS, Grids, Variable, is_xarray
from isthmus.data.grids.nested import Nested
from isthmus.data.grids.nested_writing import NestedWriter
from isthmus.data.grids.zarrs import ZIP, Store
from isthmus.data.grids.zarrs_writing import StoreWriter
from isthmus.errors import BadItem, DamagedFile, IsthmusError, NoData


class Writer(Protocol):
    """What writes a file tile by tile."""

    variables: tuple[Variable, ...]

    def write(self, number: int, tile: tuple[slice, ...], values: np.ndarray) -> None:
        """Put the values of a tile where they belong."""

    def close(self) -> None:
        """Finish the file."""

    def drop(self) -> None:
        """Close what will not be kept."""


def open_grid(source: Any) -> Grids:
    """Open a file of netCDF, a zarr, or an object of xarray.

    Raises:
        NoData: nothing is there.
        BadItem: it is damaged, of another kind, or holds what cannot be kept.
        MissingExtra: what reads it is not installed.
    """
    if isinstance(source, Grids):
        return source
    if is_xarray(source):
        return _from_xarray(source)
    path = Path(source)
    if not path.exists():
        raise NoData(f"{path} does not exist. Give a file of netCDF, or a zarr.")
    if path.is_dir() or path.name.lower().endswith(ZIP):
        if path.is_dir() and not any((path / mark).is_file() for mark in MARKS):
            raise BadItem(f"{path} is no zarr: it must hold one of {', '.join(MARKS)}.")
        return Store(path)
    with path.open("rb") as file:
        start = file.read(len(nested.MAGIC))
    if start.startswith(classic.MAGIC):
        return Classic(path)
    if start != nested.MAGIC:
        raise BadItem(f"{path.name} is no file of netCDF: it begins with {start[:4]!r}. Give one, or a zarr.")
    return Nested(path)


def _from_xarray(source: Any) -> Grids:
    """What `to_netcdf` makes of it."""
    folder = tempfile.TemporaryDirectory(prefix="isthmus-")
    try:
        path = Path(folder.name) / "dataset.nc"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            source.to_netcdf(path, engine="netcdf4")
        return Nested(path, folder)
    except (TypeError, ValueError, NotImplementedError) as wrong:
        folder.cleanup()
        raise BadItem(f"xarray cannot write this {type(source).__name__} as netCDF: {wrong}.") from wrong
    except BaseException:
        folder.cleanup()
        raise


def grid_writer(
    form: str, path: Path, about: Any, variables: tuple[Variable, ...], wanted: tuple[str, ...] | None = None
) -> Writer:
    """Begin a file.

    Args:
        form: of `Grids.form`.
        path: to be made anew.
        about: of `Grids.about`.
        variables: as they are told beside it.
        wanted: the names of those that are to be in it; None for all.
    Raises:
        DamagedFile: no such file can be.
        MissingExtra, MachineError: it cannot be written here.
    """
    if form not in _WRITERS:
        raise DamagedFile(f"The archive holds a file of the unknown form {form!r}. Update Isthmus.")
    return _WRITERS[form](path, about, variables, wanted)


def lost(opened: Grids) -> tuple[str, ...]:
    """What would not come back as it is told in the file: variables, or groups, by name.

    Found by declaring all of it once more, in a temporary file without values.
    """
    if not isinstance(opened, Nested):
        return ()  # bytes and documents come back as they were
    try:
        with tempfile.TemporaryDirectory(prefix="isthmus-") as folder:
            writer = NestedWriter(Path(folder) / "declared.nc", opened.about(), opened.variables, None)
            again = writer.declared()
            writer.drop()
    except IsthmusError as wrong:
        return (str(wrong),)
    found: list[str] = []
    for (above, mine), (_, theirs) in zip(opened.root.walk(), again.walk(), strict=True):
        if (mine.attributes, mine.enums) != (theirs.attributes, theirs.enums):
            found.append(above or "the file itself")
        pairs = zip(mine.variables, theirs.variables, strict=True)
        found += [above + one.name for one, other in pairs if one != other]
    return tuple(found)


_WRITERS: dict[str, Callable[..., Writer]] = {
    Classic.form: ClassicWriter,
    Nested.form: NestedWriter,
    Store.form: StoreWriter,
}
