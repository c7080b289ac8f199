"""Arrays of a zarr → what their values are coded as, and back: dates, complex numbers, letters, texts."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from isthmus.data.grids.kinds import TEXT, Variable, gaps_of
from isthmus.data.grids.reading import seen_as
from isthmus.errors import BadItem
from isthmus.spec import TYPES


def variable_of(name: str, found: Any) -> Variable:
    """What is told of an array; BadItem for types that cannot be kept."""
    shape, chunks = tuple(found.shape), tuple(found.shards or found.chunks)
    kind = np.dtype(found.dtype)
    if kind.kind in "OT":
        return Variable(name, TEXT, shape, chunks)
    dtype, inner = _parts(kind)
    if dtype not in TYPES or 0 in inner:
        raise BadItem(f"{name} has the type {kind}, which cannot be kept. Leave it out.")
    if not inner:
        dtype = _unsigned(found.attrs.asdict(), dtype)
    gaps = () if inner else gaps_of(dtype, [seen_as(np.atleast_1d(each), dtype) for each in _fills(found)])
    return Variable(name, dtype, shape + inner, chunks + inner, gaps)


def _unsigned(told: Mapping[str, Any], dtype: str) -> str:
    kind = np.dtype(dtype)
    if kind.kind in "iu" and "_Unsigned" in told:
        return np.dtype(f"{'u' if str(told['_Unsigned']).lower() == 'true' else 'i'}{kind.itemsize}").name
    return dtype


def _parts(kind: np.dtype) -> tuple[str, tuple[int, ...]]:
    """The type in which values are coded, and how many there are of it in each."""
    if kind.kind in "mM":
        return "int64", ()
    if kind.kind == "c":
        return f"float{4 * kind.itemsize}", (2,)
    if kind.kind == "U":
        return "uint32", (kind.itemsize // 4,)
    if kind.kind == "S":
        return "uint8", (kind.itemsize,)
    return kind.name, ()


def as_coded(values: np.ndarray, variable: Variable) -> np.ndarray:
    """What zarr gives → values as they are coded; `as_stored` undoes it."""
    if variable.dtype == TEXT:
        if not all(isinstance(each, str) for each in values.ravel()):
            raise BadItem(
                f"{variable.name} holds objects that are no texts, which cannot be kept. Leave it out."
            )
        return values.astype(object)
    dtype, inner = _parts(values.dtype)
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    return native.reshape(-1).view(dtype).view(variable.dtype).reshape(values.shape + inner)


def as_stored(values: np.ndarray, kind: np.dtype) -> np.ndarray:
    """Undo `as_coded`."""
    if values.dtype == object:
        return values.astype(kind)
    _, inner = _parts(kind)
    shape = values.shape[: values.ndim - len(inner)]
    return np.ascontiguousarray(values).reshape(-1).view(kind.newbyteorder("=")).reshape(shape)


def _fills(found: Any) -> list[Any]:
    """What xarray takes for "nothing here": of version 2 the fill value, of 3 an attribute."""
    told = found.attrs.asdict()
    values = [told.get("missing_value"), _decoded(told.get("_FillValue"))]
    if found.metadata.zarr_format == 2:
        values.append(found.metadata.fill_value)
    return [each for each in values if isinstance(each, (int, float, list, np.number)) and each is not True]


def _decoded(value: Any) -> Any:
    """Floats stand there as the base64 of eight bytes."""
    if not isinstance(value, str):
        return value
    try:
        return struct.unpack("<d", base64.b64decode(value, validate=True))[0]
    except (ValueError, struct.error):
        return None
