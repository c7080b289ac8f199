"""Stores whose filters round what is written: what is read from them need not be what was put into them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.grids.zarrs import Store
from isthmus.data.grids.zarrs_writing import StoreWriter

EXACT = {"blosc", "bytes", "bz2", "crc32c", "endian", "gzip", "lz4", "lzma", "packbits", "sharding_indexed",
         "shuffle", "transpose", "vlen-utf8", "vlen-bytes", "zlib", "zstd", "adler32", "crc32",
         "fletcher32", "jenkins_lookup3", "pcodec"}  # fmt: skip
"""Codecs that give back every bit; of all others nothing is known."""


def filters_of(store: Store, number: int) -> tuple[str, ...]:
    """The codecs of an array that may round, by name."""
    documents = _documents(store, number).values()
    names = (name for document in documents for name in _codecs(json.loads(document)))
    return tuple(dict.fromkeys(name for name in names if name.removeprefix("numcodecs.") not in EXACT))


def comes_back(store: Store, number: int) -> bool:
    """Whether the values of an array are the same once they are written into such a store and read again."""
    about = {"documents": _documents(store, number), "paths": [store.paths[number]]}
    variable = store.variables[number]
    with tempfile.TemporaryDirectory(prefix="isthmus-") as folder:
        writer = StoreWriter(Path(folder) / "again", about, (variable,), None)
        for tile in variable.tiles():
            writer.write(0, tile, store.read(number, tile))
        writer.close()
        again = Store(Path(folder) / "again")
        try:
            return all(_same(store.read(number, tile), again.read(0, tile)) for tile in variable.tiles())
        finally:
            again.close()


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    if first.dtype == object:
        return bool((first == second).all())
    return first.tobytes() == second.tobytes()


def _documents(store: Store, number: int) -> dict[str, str]:
    """Those of one array, by name."""
    path = store.paths[number]
    names = (f"{path}/{each}" if path else each for each in (".zarray", ".zattrs", "zarr.json"))
    return {name: store.documents[name] for name in names if name in store.documents}


def _codecs(told: Any) -> list[str]:
    """The names of all codecs that a document of an array names."""
    listed = [*(told.get("filters") or ()), told.get("compressor"), *(told.get("codecs") or ())]
    found = []
    for each in listed:
        if isinstance(each, dict):
            found.append(str(each.get("id", each.get("name", ""))))
            inner = each.get("configuration")
            found += _codecs(inner) if isinstance(inner, dict) else []
    return found
