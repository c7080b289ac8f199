"""What the declarations of netCDF say of values: their type, gaps, scale, and what places them."""

from __future__ import annotations

from typing import Any

import numpy as np

from isthmus.data.grids.kinds import MENTIONS, TEXT, Facts, gaps_of
from isthmus.data.grids.structure import Stored

DEFAULT_FILLS = {
    "i2": -32767, "u2": 65535, "i4": -2147483647, "u4": 4294967295, "i8": -9223372036854775806,
    "u8": 18446744073709551614, "f4": 9.969209968386869e36, "f8": 9.969209968386869e36,
}  # fmt: skip
"""What netCDF puts where nothing was written (NC_FILL_…); bytes have none."""


def coded_dtype(stored: Stored, number: str | None = None) -> str:
    """The type in which values are coded; `number`: that of an enumeration."""
    kind = number or stored.type
    if kind == "string":
        return TEXT
    dtype = np.dtype("u1" if kind == "char" else kind)
    if dtype.kind in "iu" and (asked := stored.attribute("_Unsigned")) is not None:
        signed = str(asked).lower() != "true"
        return np.dtype(f"{'i' if signed else 'u'}{dtype.itemsize}").name
    return dtype.name


def gaps_in(stored: Stored, dtype: str) -> tuple[bytes, ...]:
    """The values that say "nothing here"."""
    told = [seen_as(stored.attribute(name), dtype) for name in ("_FillValue", "missing_value")]
    default = DEFAULT_FILLS.get(stored.type)
    untold = None if default is None else seen_as(np.array([default], stored.type), dtype)
    return gaps_of(dtype, [*told, untold])


def seen_as(value: Any, dtype: str) -> Any:
    """Whole numbers as the variable counts them: -1 as 255 where bytes are declared to be unsigned."""
    if not isinstance(value, np.ndarray) or dtype == TEXT:
        return value
    kind = np.dtype(dtype)
    if kind.kind in "iu" and value.dtype.kind in "iu" and value.dtype.itemsize == kind.itemsize:
        return value.astype(value.dtype.newbyteorder("=")).view(kind)
    return value


def facts_of(stored: Stored, above: str = "") -> Facts:
    """What matters for a bound."""
    mentions = []
    for name in MENTIONS:
        text = stored.attribute(name)
        if isinstance(text, str):
            mentions += [above + word.rstrip(":") for word in text.split()]
    offset = _number_in(stored, "add_offset") or 0.0
    return Facts(stored.dimensions, scale_of(stored), offset, tuple(mentions), stored.type == "char")


def scale_of(stored: Stored) -> float | None:
    """How much a stored step is; None where nothing is packed."""
    scale = _number_in(stored, "scale_factor")
    return 1.0 if scale is None and _number_in(stored, "add_offset") is not None else scale


def _number_in(stored: Stored, name: str) -> float | None:
    """The one number of an attribute."""
    value = stored.attribute(name)
    return float(value[0]) if isinstance(value, np.ndarray) and value.size == 1 else None
