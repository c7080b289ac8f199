"""Documents and integer tensors ⇄ bytes: JSON written in one way only, and the packed model.

One way only, so that a hash names the content: keys sorted, no spaces, ASCII, floats by `repr`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from isthmus.coding.integers import count_is_plausible, fits, integers_from_bytes, integers_to_bytes
from isthmus.coding.squeeze import expand, squeeze
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.errors import DamagedFile
from isthmus.limits import DEFAULT_LIMITS

DTYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")
MAX_HEAD_BYTES = 1 << 24  # JSON takes many times its length in memory
RAW, CODED = 0, 1


def canonical_json(document: Any) -> bytes:
    """The one way to write a JSON document.

    Raises:
        ValueError: NaN or infinity, which JSON has not.
        TypeError: something that is not JSON.

    >>> canonical_json({"b": [1, 2.5], "a": "é"})
    b'{"a":"\\\\u00e9","b":[1,2.5]}'
    """
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode("ascii")


def parse_json(data: bytes, what: str) -> Any:
    """Undo `canonical_json`; DamagedFile for anything that it would not have written."""
    try:
        document = json.loads(data.decode("ascii"))
        canonical = canonical_json(document) == data  # settles repeated keys, spaces and NaN as well
    except (ValueError, RecursionError) as wrong:
        raise DamagedFile(f"{what} is not the JSON it should be: {wrong}.") from wrong
    if not canonical:
        raise DamagedFile(f"{what} is not JSON in its canonical form.")
    return document


def content_hash(document: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of what was packed, however it is compressed: 64 hexadecimal digits.

    It covers the canonical JSON of the document and of each tensor's name, dtype and shape, after
    its length in 8 bytes; then the tensors' little-endian bytes in the order of their names.
    """
    names = sorted(tensors)
    listing = [[name, _dtype(tensors[name]), list(tensors[name].shape)] for name in names]
    head = canonical_json({"document": document, "tensors": listing})
    digest = hashlib.sha256(len(head).to_bytes(8, "little") + head)
    for name in names:
        digest.update(_little_endian(tensors[name]))
    return digest.hexdigest()


def pack_tensors(document: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> bytes:
    """Write a JSON document and integer tensors in as few bytes as we can.

    Each tensor is coded by a table of its own, or left to zstd with the others, whichever is less.

    Args:
        document: anything JSON can hold, without NaN.
        tensors: integer arrays of any shape, at most 32 bits if unsigned and 64 if signed.

    Returns:
        The same bytes for the same content; `unpack_tensors` undoes it.

    >>> packed = pack_tensors({"kind": "example"}, {"weight": np.eye(2, dtype=np.int8)})
    >>> document, tensors = unpack_tensors(packed)
    >>> document, tensors["weight"].tolist()
    ({'kind': 'example'}, [[1, 0], [0, 1]])
    """
    listing, raw, coded = [], [], []
    for name in sorted(tensors):
        tensor = tensors[name]
        plain, short = _little_endian(tensor), integers_to_bytes(tensor) if fits(tensor) else None
        small = short is not None and count_is_plausible(tensor.size, len(short))
        way = CODED if short is not None and small and len(short) < len(squeeze(plain)) else RAW
        listing.append([name, _dtype(tensor), list(tensor.shape), way])
        if way == CODED and short is not None:
            coded.append(write_varint(len(short)) + short)
        else:
            raw.append(plain)
    head = squeeze(canonical_json({"document": document, "tensors": listing}))
    rest = squeeze(b"".join(raw))
    return b"".join([write_varint(len(head)), head, write_varint(len(rest)), rest, *coded])


def unpack_tensors(
    packed: bytes, *, max_bytes: int = DEFAULT_LIMITS.model_bytes
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Undo `pack_tensors`.

    Args:
        packed: what `pack_tensors` returned; not trusted.
        max_bytes: the most that all tensors together may take; checked before anything is allocated.

    Raises:
        DamagedFile: not such bytes, or the content is larger than `max_bytes`.
    """
    fields = ByteReader(packed, "The packed model")
    head = parse_json(
        expand(fields.sized(), min(MAX_HEAD_BYTES, max_bytes), "The packed model"), "The packed model"
    )
    listing = _check_listing(head, max_bytes)
    raw = ByteReader(expand(fields.sized(), max_bytes, "The packed model"), "The packed model")
    tensors = {}
    for name, dtype, shape, way in listing:
        count = math.prod(shape)
        if way == CODED:
            values = _narrow(integers_from_bytes(fields.sized(), count), dtype)
        else:
            values = np.frombuffer(raw.take(count * dtype.itemsize), dtype.newbyteorder("<")).astype(dtype)
        tensors[name] = values.reshape(shape)
    raw.finish()
    fields.finish()
    return head["document"], tensors


def _check_listing(head: Any, max_bytes: int) -> list[tuple[str, np.dtype[Any], tuple[int, ...], int]]:
    """The tensors' names, dtypes, shapes and ways, once they are known to be possible."""
    try:
        listing = [_entry(*entry) for entry in head["tensors"]]
        names = [name for name, *_ in listing]
        possible = isinstance(head["document"], dict) and names == sorted(set(names))
    except (KeyError, TypeError, ValueError) as wrong:
        raise DamagedFile("The packed model lists its tensors in a way that cannot be.") from wrong
    if not possible:
        raise DamagedFile("The packed model names a tensor twice or out of order.")
    # A side of 0 counts as 1, or it would hide sides too large for any array.
    size = sum(math.prod(max(1, side) for side in shape) * dtype.itemsize for _, dtype, shape, _ in listing)
    if size > max_bytes:
        raise DamagedFile(f"The packed model must take at most {max_bytes} bytes; it claims {size}.")
    return listing


def _entry(name: Any, dtype: Any, shape: Any, way: Any) -> tuple[str, np.dtype[Any], tuple[int, ...], int]:
    sides = tuple(shape)
    whole = all(isinstance(side, int) and side >= 0 for side in sides)
    if not (isinstance(name, str) and dtype in DTYPES and whole and way in (RAW, CODED)):
        raise ValueError(name)
    return name, np.dtype(dtype), sides, way


def _narrow(values: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    narrow = values.astype(dtype)
    if not np.array_equal(narrow, values):
        raise DamagedFile(f"The packed model holds values that are no {dtype}.")
    return narrow


def _dtype(tensor: np.ndarray) -> str:
    if tensor.dtype.name not in DTYPES:
        raise ValueError(f"a packed tensor must be one of {', '.join(DTYPES)}; got {tensor.dtype.name}")
    return tensor.dtype.name


def _little_endian(tensor: np.ndarray) -> bytes:
    return np.ascontiguousarray(tensor, dtype=tensor.dtype.newbyteorder("<")).tobytes()
