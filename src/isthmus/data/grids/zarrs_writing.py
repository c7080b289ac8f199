"""Documents and values → a zarr, folder or .zip; the inverse of zarrs.py."""

from __future__ import annotations

import json
import shutil
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.grids.kinds import Variable, module
from isthmus.data.grids.zarr_types import as_stored, variable_of
from isthmus.data.grids.zarrs import (
    DOCUMENTS,
    ZIP,
    array_paths,
    open_array,
    refuse_pickles,
)
from isthmus.data.names import check_names
from isthmus.data.readers.zips import FIRST_DATE
from isthmus.errors import DamagedFile, IsthmusError, MachineError


class StoreWriter:
    """Writes a zarr, tile by tile.

    Args:
        path: to be made anew; a .zip if it ends so.
        about: as `Store.about` tells it.
        variables: what is told of them.
        wanted: the variables that are to be in it; None for all.
    Raises:
        DamagedFile: no such store can be.
    """

    def __init__(
        self, path: Path, about: Any, variables: tuple[Variable, ...], wanted: tuple[str, ...] | None
    ) -> None:
        self._library = module("zarr", "A zarr")
        self._path, self.variables = path, variables
        self._folder = path.with_name("unzipped") if path.name.lower().endswith(ZIP) else path
        try:
            documents, paths = about["documents"], about["paths"]
            names = {each.name for each in variables} if wanted is None else set(wanted)
            self._kept = [each.name in names for each in variables]
            sound = all(isinstance(text, str) for pair in documents.items() for text in pair)
            if not sound or list(array_paths(documents)) != paths or len(paths) != len(variables):
                raise ValueError("other arrays than it holds")
            if any(name.rpartition("/")[2] not in DOCUMENTS for name in documents):
                raise ValueError("documents of another kind")
            check_names(documents)
            refuse_pickles(documents, "The archive")
        except (KeyError, TypeError, ValueError, AttributeError, IsthmusError) as wrong:
            raise DamagedFile(f"The archive tells of a zarr that cannot be: {wrong}.") from wrong
        gone = [each for each, kept in zip(paths, self._kept, strict=True) if not kept]
        for name, text in _without(documents, gone).items():
            place = self._folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text.encode())
        self._store = self._library.storage.LocalStore(self._folder)
        self._arrays: list[Any] = [
            self._opened(each, variable) if kept else None
            for each, variable, kept in zip(paths, variables, self._kept, strict=True)
        ]

    def _opened(self, path: str, variable: Variable) -> Any:
        try:
            found = open_array(self._library, self._store, path, "r+")
            told = variable_of(variable.name, found)
        except Exception as wrong:  # codecs raise errors of every kind
            raise MachineError(
                f"{variable.name} cannot be written as a zarr here: {wrong}. A codec may be missing."
            ) from wrong
        if (told.dtype, told.shape, told.chunks) != (variable.dtype, variable.shape, variable.chunks):
            raise DamagedFile(f"The archive contradicts itself about {variable.name}.")
        return found

    def write(self, number: int, tile: tuple[slice, ...], values: np.ndarray) -> None:
        """Put the values of a tile where they belong."""
        found = self._arrays[number]
        stored = as_stored(values, np.dtype(found.dtype))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found[tile[: found.ndim] if found.ndim else ...] = stored
        except OSError:
            raise
        except Exception as wrong:
            name = self.variables[number].name
            raise MachineError(f"{name} cannot be written as a zarr here: {wrong}.") from wrong

    def close(self) -> None:
        """Close the store; pack it, if it was packed."""
        self._store.close()
        if self._folder != self._path:
            with zipfile.ZipFile(self._path, "w", zipfile.ZIP_STORED) as archive:
                for file in sorted(each for each in self._folder.rglob("*") if each.is_file()):
                    entry = zipfile.ZipInfo(file.relative_to(self._folder).as_posix(), FIRST_DATE)
                    with archive.open(entry, "w", force_zip64=True) as made, file.open("rb") as data:
                        shutil.copyfileobj(data, made)
            shutil.rmtree(self._folder)

    def drop(self) -> None:
        """Close what will not be kept."""
        self._store.close()


def _without(documents: dict[str, str], gone: list[str]) -> dict[str, str]:
    """The documents of all but some arrays; summaries of all documents are left out where some are gone."""
    if not gone:
        return documents
    kept = {}
    for name, text in documents.items():
        folder, _, last = name.rpartition("/")
        if folder in gone or last == ".zmetadata":
            continue
        told = json.loads(text)
        if isinstance(told, dict) and told.pop("consolidated_metadata", None) is not None:
            text = json.dumps(told)
        kept[name] = text
    return kept
