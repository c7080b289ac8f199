"""Archives put together by hand, every checksum right, so that only their content can be refused."""

import struct
import zlib
from hashlib import sha256

from isthmus.coding.blocks import MARK
from isthmus.coding.canonical import canonical_json
from isthmus.coding.index import END_MARK, MAGIC, MODEL_MARK
from isthmus.coding.squeeze import squeeze
from isthmus.coding.varints import write_text, write_varint
from isthmus.coding.version import FORMAT_VERSION


def crc(data):
    return struct.pack("<I", zlib.crc32(data))


def checked(data):
    return data + crc(data)


def start(header=b"{}"):
    return checked(MAGIC + struct.pack("<HI", FORMAT_VERSION, len(header)) + header)


def fields(runs=((0, 1),), layers=(("only", b"payload"),), plan="stored"):
    """A block's fields; runs are (items between, items in it)."""
    parts = [b"\0", write_text(plan), write_varint(len(runs))]
    parts += [write_varint(between) + write_varint(count) for between, count in runs]
    parts.append(write_varint(len(layers)))
    for name, payload in layers:
        parts += [write_text(name), write_varint(len(payload)), crc(payload), bytes(4)]
    return b"".join(parts)


def block(told, payload=b"payload"):
    """A block of those fields."""
    return checked(MARK + write_varint(len(told)) + told) + payload


def model(packed):
    """The model's part."""
    return checked(MODEL_MARK + write_varint(len(packed)) + packed)


def summary(model=None, extras=b"{}", header=b"{}"):
    """The index's JSON, its values as they are to stand there."""
    told = canonical_json(model)
    return b'{"extras":' + extras + b',"header":' + header + b',"model":' + told + b"}"


def index(blocks=(), told=None, count=None):
    """The index's content; blocks are (bytes between, fields)."""
    told = summary() if told is None else told
    parts = [write_varint(len(told)), told, write_varint(len(blocks) if count is None else count)]
    parts += [write_varint(between) + write_varint(len(f)) + f for between, f in blocks]
    return b"".join(parts)


def end(before, content, generation=0, offset=None, squeezed=None):
    """`before`, then the index of that content and a footer."""
    part = checked(squeeze(content) if squeezed is None else squeezed)
    offset = len(before) if offset is None else offset
    footer = struct.pack("<QQI", offset, len(part), generation)
    data = before + part + footer
    told = footer + sha256(data).digest()
    return before + part + told + crc(told) + END_MARK
