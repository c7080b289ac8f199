"""Files of gridded arrays for tests, and what libraries other than ours say is in them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

NETCDF3 = ("NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA")
OLD_TYPES = ("i1", "i2", "i4", "f4", "f8", "S1")
NEW_TYPES = (*OLD_TYPES, "u1", "u2", "u4", "i8", "u8", "str")
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=6)
FILTERS = (
    {},
    {"compression": "zlib", "complevel": 3},
    {"compression": "zlib", "shuffle": False},
    {"fletcher32": True},
)


@st.composite
def attributes(draw: Any, *, old: bool) -> dict[str, Any]:
    """Texts, numbers and lists of numbers by name."""
    kinds = ("i1", "i2", "i4", "f4", "f8") if old else ("i1", "u2", "i4", "u4", "i8", "f4", "f8")
    numbers = st.tuples(st.sampled_from(kinds), st.lists(st.integers(0, 100), min_size=1, max_size=3)).map(
        lambda pair: np.array(pair[1], pair[0])
    )
    names = st.sampled_from(("units", "long_name", "note", "ünits", "a b"))
    return draw(st.dictionaries(names, WORDS.filter(lambda word: word.strip()) | numbers, max_size=3))


@st.composite
def variables(draw: Any, dimensions: dict[str, tuple[int, bool]], kind: str) -> dict[str, Any]:
    """How one variable is declared, and its values."""
    old = kind in NETCDF3
    dtype = draw(st.sampled_from((*NEW_TYPES[:6], *NEW_TYPES[6:]) if not old else OLD_TYPES))
    records = [name for name, (_, unlimited) in dimensions.items() if unlimited]
    fixed = [name for name in dimensions if name not in records]
    axes = draw(st.lists(st.sampled_from(fixed), max_size=2, unique=True)) if fixed else []
    axes = [*draw(st.sampled_from([[], records])), *axes]
    shape = tuple(dimensions[name][0] for name in axes)
    told: dict[str, Any] = {"dtype": dtype, "axes": axes, "attributes": draw(attributes(old=old)), "how": {}}
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    told["values"] = values_of(random, dtype, shape)
    if dtype not in ("S1", "str") and draw(st.booleans()):
        told["how"]["fill_value"] = np.dtype(dtype).type(draw(st.sampled_from((-9, 0, 7))) % 100)
    if not old and dtype != "str" and axes and 0 not in shape and not records:
        told["how"] |= draw(st.sampled_from(FILTERS))
        if dtype != "S1" and draw(st.booleans()):
            told["how"]["endian"] = "big"
    return told


def values_of(random: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of any bits, letters, or words."""
    if dtype == "str":
        words = np.array(["", "a", "hé", "long words, many"], object)
        return np.asarray(words[random.integers(0, 4, shape)], object)
    if dtype == "S1":
        return np.asarray(random.integers(97, 123, shape, np.uint8)).view("S1")
    if random.random() < 0.5:
        return (
            np.cumsum(random.integers(0, 3, shape), axis=-1 if shape else None).reshape(shape).astype(dtype)
        )
    return np.frombuffer(random.bytes(int(np.prod(shape)) * np.dtype(dtype).itemsize), dtype).reshape(shape)


@st.composite
def files(draw: Any, kinds: tuple[str, ...] = (*NETCDF3, "NETCDF4", "NETCDF4_CLASSIC")) -> dict[str, Any]:
    """What a file holds, as plain values."""
    kind = draw(st.sampled_from(kinds))
    sizes = {
        name: (draw(st.integers(1, 5)), False) for name in draw(st.sets(st.sampled_from("xyz"), max_size=3))
    }
    if draw(st.booleans()):
        sizes["t"] = draw(st.integers(0 if kind in NETCDF3 else 1, 4)), True
    names = st.sampled_from(("x", "temp", "wind speed", "é"))
    only = "NETCDF3_CLASSIC" if kind == "NETCDF4_CLASSIC" else kind
    told = draw(st.dictionaries(names, variables(sizes, only), min_size=1, max_size=3))
    group = draw(st.booleans()) if kind == "NETCDF4" else False
    return {
        "kind": kind, "dimensions": sizes, "variables": told, "group": group,
        "attributes": draw(attributes(old=only in NETCDF3)),
    }  # fmt: skip


def write(told: dict[str, Any], path: Path) -> Path:
    """Make the file, by netCDF4."""
    import netCDF4

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with netCDF4.Dataset(path, "w", format=told["kind"]) as made:
            made.setncatts(told["attributes"])
            for name, (size, unlimited) in told["dimensions"].items():
                made.createDimension(name, None if unlimited else size)
            place = made.createGroup("inner").createGroup("most") if told["group"] else made
            for name, each in told["variables"].items():
                kind = str if each["dtype"] == "str" else each["dtype"]
                found = place.createVariable(name, kind, each["axes"], **each["how"])
                found.set_auto_maskandscale(False)
                found.setncatts(each["attributes"])
                found[...] = each["values"]
    return path


def library_says(path: Path) -> dict[str, Any]:
    """Everything in a file of netCDF, by netCDF4: equal files say the same."""
    import netCDF4

    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        file.set_auto_chartostring(False)
        return {"kind": file.data_model, **_group(file)}


def _group(group: Any) -> dict[str, Any]:
    return {
        "dimensions": [(d.name, d.size, d.isunlimited()) for d in group.dimensions.values()],
        "attributes": {name: _plain(group.getncattr(name)) for name in group.ncattrs()},
        "variables": {name: _variable(each) for name, each in group.variables.items()},
        "groups": {name: _group(each) for name, each in group.groups.items()},
        "enums": {name: dict(each.enum_dict) for name, each in group.enumtypes.items()},
    }


def _variable(found: Any) -> dict[str, Any]:
    values = np.asarray(found[...])
    return {
        "type": str(found.datatype), "axes": found.dimensions, "endian": found.endian(),
        "storage": (found.chunking(), found.filters()),
        "attributes": {name: _plain(found.getncattr(name)) for name in found.ncattrs()},
        "values": values.tolist() if values.dtype == object else (values.shape, values.tobytes()),
    }  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    values = np.asarray(value)
    return values.dtype.str, values.tolist() if values.dtype == object else values.tobytes()


def field(steps: int = 12, *, seed: int = 0) -> np.ndarray:
    """A smooth field, (time, y, x), float64, in about -30 … 30."""
    random = np.random.default_rng(seed)
    time, y, x = np.meshgrid(np.arange(steps), np.arange(16), np.arange(20), indexing="ij")
    waves = 20 * np.sin(0.3 * x + 0.1 * time) + 8 * np.cos(0.25 * y - 0.2 * time)
    return waves + random.normal(size=waves.shape) * 0.1
