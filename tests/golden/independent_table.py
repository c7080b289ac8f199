"""The second reader, continued: tables of text, from the bytes to the file.

Written from docs/format.md alone, like independent.py.
"""

import io
import json
import struct
import time
import zlib

from independent import Fields, read_archive, unzstd
from independent_columns import read_columns, read_words


def read_text(data):
    """The bytes of the file that an archive of a table of text holds; every checksum compared."""
    archive = read_archive(data)
    table = archive["extras"]["table"]
    assert table["kind"] == "text"
    pieces = [piece for piece, count in table["pieces"] for _ in range(count)]
    text, rows = [table["start"]], 0
    for block in archive["blocks"]:
        head, columns, crc = read_block(block)
        cells = [cells_of(how, dict(zip(names, parts, strict=True))) for (how, names), parts in columns]
        assert block["items"] == list(range(rows, rows := rows + head["rows"]))
        text += rows_of(head, cells, pieces)
    return "".join(text).encode(table["encoding"], "surrogateescape" if table["encoding"] == "utf-8" else "strict")


def read_block(block):
    """The head, and of each column [how, names of parts] and the parts."""
    ((_, layer),) = block["layers"].items()
    fields = Fields(layer["payload"])
    raw = unzstd(fields.sized())
    head = json.loads(raw)
    kinds = [name for _, names in head["columns"] for name in names]
    parts = [unzstd(fields.sized()) if name == "opaque" else None for name in kinds]
    told = iter({"columns": read_columns, "parquet": read_parquet}[block["plan"]](fields.data))
    parts = iter([next(told) if part is None else part for part in parts])
    columns = [(column, [next(parts) for _ in column[1]]) for column in head["columns"]]
    assert next(told, None) is None
    crc = zlib.crc32(raw)
    for (_, names), parts in columns:
        for name, part in zip(names, parts, strict=True):
            crc = zlib.crc32(bytes_of(name, part), crc)
    assert crc == layer["content_crc"]
    return head, columns, crc


def read_parquet(data):
    from pyarrow import parquet

    return [column.to_pylist() for column in parquet.read_table(io.BytesIO(data)).columns]


def bytes_of(name, part):
    if name == "marks":
        escaped = [word.encode("utf-8", "surrogatepass").replace(b"\1", b"\1\1").replace(b"\0", b"\1\2") for word in part]
        return b"".join(word + b"\0" for word in escaped)
    if name == "numbers":
        return struct.pack(f"<{len(part)}q", *part)
    return part


def cells_of(how, parts):
    marks, numbers = parts.get("marks"), parts.get("numbers")
    if how.get("kind", "words") == "words":
        return marks
    return [
        marks[row][1:] if marks and marks[row] else printed(how, number) for row, number in enumerate(numbers)
    ]


def printed(how, number):
    if "grid" in how:
        low, width, high = how["grid"]
        number = min(low + number * width, high)
    if how["kind"] == "date":
        return time.strftime(how["form"], time.gmtime(number))
    digits, zeros = how.get("digits", 0), how.get("zeros", "fixed")
    whole = f"{abs(number):0{digits + 1}d}"
    text = whole[: len(whole) - digits]
    behind = whole[len(whole) - digits :]
    if zeros != "fixed":
        behind = behind.rstrip("0")
    if zeros == "point":
        behind = behind or "0"
    if behind:
        text += "." + behind
    return how.get("before", "") + ("-" if number < 0 else "") + text + how.get("behind", "")


def rows_of(head, cells, pieces):
    odd, number = dict(head["odd"]), 0
    for place in range(head["rows"]):
        if place in odd:
            text = odd[place]
        else:
            row = [column[number] for column in cells]
            number += 1
            text = pieces[0] + "".join(cell + piece for cell, piece in zip(row, pieces[1:], strict=True))
        if head["bare"] and place == head["rows"] - 1:
            text = text.removesuffix(pieces[-1])
        yield text
