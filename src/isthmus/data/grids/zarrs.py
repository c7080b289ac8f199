"""Zarr stores, folders or .zip, versions 2 and 3 → documents and values; zarrs_writing.py undoes it.

What a store says beside its numbers are JSON documents (`.zarray`, `zarr.json` …). They are kept letter
by letter, so chunks, codecs, fill values and attributes come back as they were told.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.grids.kinds import MARKS, MENTIONS, Facts, Grids, module
from isthmus.data.grids.zarr_types import as_coded, variable_of
from isthmus.data.names import fault_in
from isthmus.errors import BadItem

DOCUMENTS = (*MARKS, ".zattrs")
LARGEST_DOCUMENT = 1 << 24
ZIP = ".zip"


class Store(Grids):
    """A zarr.

    Raises:
        BadItem: it is damaged, or holds what cannot be kept.
        MissingExtra: zarr is not installed.
    """

    form = "zarr"

    def __init__(self, path: Path) -> None:
        self._library = module("zarr", "A zarr")
        self.name = path.resolve().name
        with sentence(self.name):
            self.documents, self.file_bytes = _zipped(path) if path.is_file() else _in_folder(path)
        if fault := next((fault for name in self.documents if (fault := fault_in(name))), None):
            raise BadItem(f"{self.name} holds a name that {fault}. Rename it.")
        refuse_pickles(self.documents, self.name)
        self.paths = array_paths(self.documents)
        if not self.paths:
            raise BadItem(f"{self.name} is a zarr without arrays. Give one that has some.")
        with sentence(self.name):
            kind = self._library.storage
            self._store = (
                kind.ZipStore(path, mode="r") if path.is_file() else kind.LocalStore(path, read_only=True)
            )
            self._arrays = [open_array(self._library, self._store, each, "r") for each in self.paths]
            self.variables = tuple(
                variable_of(each or Path(self.name).stem, found)
                for each, found in zip(self.paths, self._arrays, strict=True)
            )

    def about(self) -> Any:
        """The documents, and where the arrays are."""
        return {"documents": dict(self.documents), "paths": list(self.paths)}

    def facts(self, number: int) -> Facts:
        """See Facts."""
        found = self._arrays[number]
        told, metadata = found.attrs.asdict(), found.metadata
        above = self.variables[number].name.rpartition("/")[0]
        names = told.get("_ARRAY_DIMENSIONS") or getattr(metadata, "dimension_names", None) or ()
        mentions = [str(told[each]) for each in MENTIONS if isinstance(told.get(each), str)]
        words = tuple(
            (above + "/" if above else "") + word.rstrip(":") for text in mentions for word in text.split()
        )
        is_text = np.dtype(found.dtype).kind in "US"
        offset = told.get("add_offset")
        shift = float(offset) if isinstance(offset, (int, float)) else 0.0
        return Facts(tuple(map(str, names)), _scale(told), shift, words, is_text)

    def rounding(self, number: int) -> tuple[str, ...]:
        """See Grids."""
        from isthmus.data.grids.rounding_stores import filters_of

        return filters_of(self, number)

    def comes_back(self, number: int) -> bool:
        """See Grids."""
        from isthmus.data.grids.rounding_stores import comes_back

        return comes_back(self, number)

    def read(self, number: int, tile: tuple[slice, ...]) -> np.ndarray:
        """Values of a tile."""
        variable, found = self.variables[number], self._arrays[number]
        with sentence(self.name, variable.name):
            values = np.asarray(found[tile[: found.ndim]] if found.ndim else found[...])
        shown = as_coded(values, variable)
        inner: tuple[Any, ...] = (..., *tile[found.ndim :])
        return shown[inner]

    def close(self) -> None:
        """Close the store."""
        self._store.close()


@contextmanager
def sentence(name: str, variable: str = "") -> Iterator[None]:
    """Say in a sentence what the library stumbled over."""
    try:
        yield
    except (BadItem, KeyboardInterrupt):
        raise
    except Exception as wrong:  # codecs raise errors of every kind
        of = f" ({variable})" if variable else ""
        reason = str(wrong).strip().rstrip(".").split("\n")[0]
        raise BadItem(f"{name}{of} cannot be read as a zarr: {reason}. Copy it again.") from wrong


def _in_folder(path: Path) -> tuple[dict[str, str], int]:
    """The documents by name, and the bytes of all files; none is looked for among the chunks of an array."""
    documents: dict[str, str] = {}
    arrays: list[str] = []
    total = 0
    for folder, folders, files in os.walk(path):
        folders.sort()
        total += sum((Path(folder) / name).stat().st_size for name in files)
        here = Path(folder).relative_to(path).as_posix()
        if any(here == each or here.startswith(each + "/") or each == "." for each in arrays):
            continue
        for name in sorted(set(files) & set(DOCUMENTS)):
            documents[name if here == "." else f"{here}/{name}"] = _text((Path(folder) / name).read_bytes())
        if ".zarray" in files or (
            "zarr.json" in files and _is_array((Path(folder) / "zarr.json").read_text())
        ):
            arrays.append(here)
    return dict(sorted(documents.items())), total


def _zipped(path: Path) -> tuple[dict[str, str], int]:
    documents = {}
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.filename.rpartition("/")[2] in DOCUMENTS:
                if entry.file_size > LARGEST_DOCUMENT:
                    raise BadItem(f"{path.name}: {entry.filename} is too long for a document of a zarr.")
                documents[entry.filename] = _text(archive.read(entry))
    return dict(sorted(documents.items())), path.stat().st_size


def _text(data: bytes) -> str:
    if len(data) > LARGEST_DOCUMENT:
        raise BadItem("A document of the zarr is longer than 16 MiB.")
    return data.decode()


def _is_array(document: str) -> bool:
    told = json.loads(document)
    return isinstance(told, dict) and told.get("node_type") == "array"


def array_paths(documents: Mapping[str, str]) -> tuple[str, ...]:
    """Where the arrays are, by name; "" is the top."""
    found = []
    for name, text in documents.items():
        folder, _, last = name.rpartition("/")
        if last == ".zarray" or (last == "zarr.json" and _is_array(text)):
            found.append(folder)
    return tuple(sorted(set(found)))


def refuse_pickles(documents: Mapping[str, str], name: str) -> None:
    """Refuse codecs that would run what they read."""
    for path, text in documents.items():
        try:
            told = json.loads(text)
        except ValueError as wrong:
            raise BadItem(f"{name}: {path} is no JSON: {wrong}. Copy it again.") from wrong
        if _mentions_pickle(told):
            raise BadItem(
                f"{name}: {path} names the codec pickle, which runs whatever it reads. Store it otherwise."
            )


def _mentions_pickle(told: Any) -> bool:
    if isinstance(told, dict):
        codec = str(told.get("id", told.get("name", "")))
        return "pickle" in codec.lower() or any(map(_mentions_pickle, told.values()))
    return isinstance(told, list) and any(map(_mentions_pickle, told))


def open_array(library: Any, store: Any, path: str, mode: str) -> Any:
    """An array of a store."""
    return library.open_array(store=store, path=path, mode=mode)


def _scale(told: Mapping[str, Any]) -> float | None:
    scale, offset = told.get("scale_factor"), told.get("add_offset")
    if isinstance(scale, (int, float)):
        return float(scale)
    return 1.0 if isinstance(offset, (int, float)) else None
