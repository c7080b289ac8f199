"""Structure and values → files of netCDF 4; the inverse of nested.py."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.grids.kinds import Variable, module
from isthmus.data.grids.nested import cache_bytes, read_group
from isthmus.data.grids.structure import NUMBERS, Attribute, Group, Stored, only
from isthmus.errors import DamagedFile, IsthmusError, MachineError

MODELS = ("NETCDF4", "NETCDF4_CLASSIC")
_LEVELLED = ("zlib", "zstd", "bzip2")


class NestedWriter:
    """Writes a file of netCDF 4, tile by tile.

    Args:
        path: to be made anew.
        about: as `Nested.about` tells it.
        variables: what is told of them.
        wanted: the variables that are to be in it; None for all.
    Raises:
        DamagedFile: no such file can be.
        MachineError: a filter, or the disk, is missing here.
    """

    def __init__(
        self, path: Path, about: Any, variables: tuple[Variable, ...], wanted: tuple[str, ...] | None
    ) -> None:
        library = module("netCDF4", "netCDF 4")
        model = about.get("model") if isinstance(about, dict) else None
        if model not in MODELS:
            raise DamagedFile(f"The archive tells of a file of the unknown kind {model!r}.")
        group = Group.from_dict(about.get("root"))
        group = group if wanted is None else only(group, wanted)
        self.variables = variables
        told = {each.name: each for each in variables}
        with _sentence(path.name):
            self._file = library.Dataset(str(path), "w", format=model)
            self._late: list[tuple[Any, Attribute]] = []
            self._fill(self._file, group, told, "", {})
            self._file.set_auto_maskandscale(False)
            self._file.set_auto_chartostring(False)

    def _fill(
        self,
        made: Any,
        group: Group,
        told: Mapping[str, Variable],
        above: str,
        known: Mapping[str, Any],
    ) -> None:
        _set(made, group.attributes)
        for each in group.dimensions:
            made.createDimension(each.name, None if each.unlimited else each.size)
        enums = dict(known) | {
            name: made.createEnumType(np.dtype(kind), name, dict(values))
            for name, (kind, values) in group.enums.items()
        }
        for stored in group.variables:
            variable = told.get(above + stored.name)
            if variable is None:
                raise DamagedFile(f"The archive does not hold the variable {above + stored.name!r}.")
            found = _create(made, stored, enums, variable)
            _set(found, tuple(each for each in stored.attributes if each.name != "_FillValue"))
        for inner in group.groups:
            self._fill(made.createGroup(inner.name), inner, told, f"{above}{inner.name}/", enums)

    def declared(self) -> Group:
        """The structure that the file has now."""
        return read_group(self._file, "The file")

    def write(self, number: int, tile: tuple[slice, ...], values: np.ndarray) -> None:
        """Put the values of a tile where they belong."""
        name = self.variables[number].name
        found = self._file["/" + name]
        with _sentence(name):
            found[tile if tile else ...] = _for_library(values, found)

    def close(self) -> None:
        """Close the file."""
        with _sentence("The file"):
            self._file.close()

    def drop(self) -> None:
        """Close what will not be kept."""
        with suppress(RuntimeError):
            self._file.close()


def _create(made: Any, stored: Stored, enums: Mapping[str, Any], variable: Variable) -> Any:
    how = stored.how
    kind: Any = str if stored.type == "string" else "S1" if stored.type == "char" else stored.type
    if stored.type not in (*NUMBERS, "char", "string"):
        if stored.type not in enums:
            raise DamagedFile(f"The archive does not tell the type {stored.type!r}.")
        kind = enums[stored.type]
    endian = "big" if how.get("endian") == "big" else "native"
    if endian == "big" and stored.type in NUMBERS:
        kind = np.dtype(stored.type).newbyteorder(">")
    options = _storage(how, variable)
    fill = stored.attribute("_FillValue")
    if isinstance(fill, np.ndarray) and fill.size == 1:
        options["fill_value"] = fill.astype(fill.dtype.newbyteorder("="))[0]
    elif isinstance(fill, str):
        options["fill_value"] = fill if stored.type == "string" else fill.encode()
    elif how.get("fill") is False:
        options["fill_value"] = False
    return made.createVariable(stored.name, kind, stored.dimensions, endian=endian, **options)


def _storage(how: Mapping[str, Any], variable: Variable) -> dict[str, Any]:
    """Chunks and filters, as `createVariable` takes them."""
    options: dict[str, Any] = {}
    if "chunks" in how:
        chunks = how["chunks"]
        if len(chunks) != len(variable.shape) or not all(type(side) is int and side > 0 for side in chunks):
            raise DamagedFile(f"The archive tells of chunks of {variable.name} that cannot be.")
        options["chunksizes"] = tuple(chunks)
        options["chunk_cache"] = cache_bytes(variable, tuple(chunks))
    filters = how.get("filters", {})
    if not isinstance(filters, dict):
        raise DamagedFile(f"The archive tells of filters of {variable.name} that cannot be.")
    options["fletcher32"] = bool(filters.get("fletcher32"))
    for name in _LEVELLED:
        if filters.get(name):
            options |= {"compression": name, "complevel": filters.get("complevel", 4)}
    options["shuffle"] = bool(filters.get("shuffle"))
    blosc, szip = filters.get("blosc"), filters.get("szip")
    if blosc:
        options |= {"compression": blosc["compressor"], "blosc_shuffle": blosc["shuffle"]}
        options["complevel"] = filters.get("complevel", 4)
    if szip:
        options |= {"compression": "szip", "szip_coding": szip["coding"]}
        options["szip_pixels_per_block"] = szip["pixels_per_block"]
    return options


def _set(found: Any, attributes: tuple[Attribute, ...]) -> None:
    for each in attributes:
        value = each.value
        if isinstance(value, tuple):
            found.setncattr_string(each.name, list(value))
        elif isinstance(value, str):
            found.setncattr(each.name, value)
        else:
            native = value.astype(value.dtype.newbyteorder("="))
            found.setncattr(each.name, native[0] if native.size == 1 else native)


def _for_library(values: np.ndarray, found: Any) -> np.ndarray:
    if values.dtype == object:
        return values
    if found.dtype.kind == "S":
        return np.ascontiguousarray(values).view("S1").reshape(values.shape)
    kind = found.dtype.newbyteorder("=")
    return np.ascontiguousarray(values).view(kind).reshape(values.shape)


@contextmanager
def _sentence(name: str) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about byte orders, which we know
            yield
    except IsthmusError:
        raise
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, IndexError, AttributeError) as wrong:
        reason = str(wrong).strip().rstrip(".")
        if isinstance(wrong, (OSError, RuntimeError)):
            raise MachineError(
                f"{name} cannot be written as netCDF here: {reason}. Make room, or install the filter that "
                "it needs."
            ) from wrong
        raise DamagedFile(f"The archive tells of a netCDF 4 file that cannot be: {reason}.") from wrong
