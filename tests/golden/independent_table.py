"""The second reader, continued: tables, from the bytes to the cells.

Written from docs/format.md alone, like independent.py; Arrow's own formats are left to PyArrow.
"""

import base64
import io
import json
import struct
import zlib
from hashlib import sha256

import pyarrow as pa
from independent import Fields, read_archive, unzstd
from independent_cells import array_of, cells_of, rows_of
from independent_columns import read_columns, unlzma
from pyarrow import parquet

FIELDS = ("marks", "numbers", "floats")
ERRORS = {"utf-8": "surrogateescape", "latin-1": "strict"}


def read_text(data, known=None):
    """The bytes of the file that an archive of a table of text holds; every checksum compared.

    `known`: plan and payload of the rows that the reader must have already.
    """
    table, blocks = read_blocks(data, known)
    assert table["kind"] == "text"
    pieces = [piece for piece, count in table["pieces"] for _ in range(count)]
    how = table["encoding"], ERRORS.get(table["encoding"], "surrogatepass")
    text = [table["start"].encode(*how)]
    for head, columns in blocks:
        if "text" in head:
            text.append(head["text"])
        else:
            cells = [cells_of(how, parts) for how, parts in columns]
            text.append("".join(rows_of(head, cells, pieces)).encode(*how))
    return b"".join(text)


def read_typed(data):
    """The table that an archive of a typed one holds."""
    table, blocks = read_blocks(data, None)
    assert table["kind"] == "typed"
    schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(table["schema"])))
    listed = dict(table["categories"])
    batches = [
        [array_of(*columns[place], kind, listed.get(place)) for place, kind in enumerate(schema.types)]
        for _, columns in blocks
    ]
    return pa.Table.from_batches([pa.record_batch(batch, schema=schema) for batch in batches], schema)


def read_blocks(data, known):
    """How the table is written, and of each block the head and the columns, (how, {part: values})."""
    archive, rows, blocks, before = read_archive(data), 0, [], None
    if known is not None:
        assert archive["header"]["parts"] == {"rows": known_hash(*known)}
        _, before = read_payload(known[0], Fields(known[1]), None)
    for block in archive["blocks"]:
        ((_, layer),) = block["layers"].items()
        (raw, head), columns = read_payload(block["plan"], Fields(layer["payload"]), before)
        told = [raw, *(bytes_of(name, part) for _, parts in columns for name, part in parts.items())]
        assert zlib.crc32(b"".join(told)) == layer["content_crc"]
        assert block["items"] == list(range(rows, rows := rows + head["rows"]))
        blocks.append((head, columns))
    return archive["extras"]["table"], blocks


def known_hash(plan, payload):
    return sha256(plan.encode() + b"\0" + payload).hexdigest()


def read_payload(plan, fields, before):
    """The head, as bytes and as it is meant; and the columns, of which rows of plain text have none."""
    if plan == "text":
        count, way = fields.varint(), fields.take(1)
        text = Fields(unlzma(fields) if way == b"\1" else unzstd(fields.data)).sized()
        return (text, {"rows": count, "text": text}), []
    raw = unzstd(fields.sized())
    head = json.loads(raw)
    opaque = [unzstd(fields.sized()) for _, names in head["columns"] if "opaque" in names]
    wanted = [(number, name) for number, (_, names) in enumerate(head["columns"]) for name in names]
    wanted = [(number, name) for number, name in wanted if name in FIELDS]
    count, told = head["rows"] - len(head["odd"]), [[] for _ in wanted]
    if count and wanted and plan in ("columns", "series"):
        told = read_columns(fields.data, old_parts(wanted, before))
    elif count and wanted:
        told = read_parquet(fields.data)
    else:
        assert not fields.data
    assert all(len(part) == count for part in told)
    told = dict(zip(wanted, told, strict=True))
    columns = []
    for number, (how, names) in enumerate(head["columns"]):
        parts = {name: told[number, name] if name in FIELDS else opaque.pop(0) for name in names}
        if "grid" in how:
            low, width, high = how["grid"]
            parts["numbers"] = [min(low + place * width, high) for place in parts["numbers"]]
        columns.append((how, parts))
    return (raw, head), columns


def old_parts(wanted, before):
    """The known rows of each part; without marks, each has an empty one."""
    if before is None:
        return None
    columns = [parts for _, parts in before]
    return [
        columns[number].get(name) if name in columns[number] else [""] * len(columns[number]["numbers"])
        for number, name in wanted
    ]


def read_parquet(data):
    columns = parquet.read_table(io.BytesIO(data)).columns
    return [one.to_numpy() if pa.types.is_floating(one.type) else one.to_pylist() for one in columns]


def bytes_of(name, part):
    """A part as the content CRC takes it."""
    if name == "marks":
        text = "".join(word.replace("\1", "\1\1").replace("\0", "\1\2") + "\0" for word in part)
        return text.encode("utf-8", "surrogatepass")
    if name == "numbers":
        return struct.pack(f"<{len(part)}q", *part)
    return part if name == "opaque" else part.tobytes()
