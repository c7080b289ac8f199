"""The second reader, continued: cells of a table, from what a block says of them.

Written from docs/format.md alone, like independent.py; Arrow's own formats are left to PyArrow.
"""

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from pyarrow import parquet


def cells_of(how, parts):
    """A column of text."""
    marks, numbers = parts.get("marks"), parts.get("numbers")
    if how.get("kind", "words") == "words":
        return marks
    marks = marks or [""] * len(numbers)
    return [mark[1:] if mark else printed(how, number) for mark, number in zip(marks, numbers, strict=True)]


def printed(how, number):
    if how["kind"] == "date":
        return dated(number, how["form"])
    digits, zeros = how.get("digits", 0), how.get("zeros", "fixed")
    if zeros == "single":
        return how.get("before", "") + repr(float(np.float32(number / 10.0**digits))) + how.get("behind", "")
    text = f"{abs(number):0{digits + 1}d}"
    whole, fraction = text[: len(text) - digits], text[len(text) - digits :]
    if zeros != "fixed":
        fraction = fraction.rstrip("0")
    if zeros == "point" and digits:
        fraction = fraction or "0"
    sign, point = "-" * (number < 0), "." * bool(fraction)
    return how.get("before", "") + sign + whole + point + fraction + how.get("behind", "")


def dated(seconds, form):
    moment = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    return moment.strftime(form.replace("%Y", f"{moment.year:04d}"))


def rows_of(head, cells, pieces):
    """A block as text."""
    text, odd, number = "", dict(head["odd"]), 0
    for place in range(head["rows"]):
        if place in odd:
            text += odd[place]
            continue
        row = [column[number] for column in cells]
        text += pieces[0] + "".join(cell + piece for cell, piece in zip(row, pieces[1:], strict=True))
        number += 1
    return text.removesuffix(pieces[-1]) if head["bare"] else text


def array_of(how, parts, kind, categories):
    """A typed column, as Arrow has it; `categories`: all of its texts, if they are listed."""
    way, marks = how["way"], parts.get("marks")
    if way == "opaque":
        return pa.ipc.open_stream(parts["opaque"]).read_all().column(0).combine_chunks()
    if way == "filed":
        return parquet.read_table(pa.py_buffer(parts["opaque"])).column(0).combine_chunks()
    if way == "texts":
        texts = [mark[1:] if mark else None for mark in marks]
        if pa.types.is_dictionary(kind):
            places = [None if text is None else categories.index(text) for text in texts]
            indices, listed = pa.array(places, kind.index_type), pa.array(categories, kind.value_type)
            return pa.DictionaryArray.from_arrays(indices, listed, ordered=kind.ordered)
        return pa.array(texts, kind)
    nulls = None if marks is None else np.array([mark == "!" for mark in marks], bool)
    if way == "floats":
        return pa.array(parts["floats"], kind, mask=nulls, from_pandas=False)
    if way in ("decimals", "stepped"):
        dtype, values = kind.to_pandas_dtype(), np.array(parts["numbers"], float)
        values = values * how["step"] if way == "stepped" else values / 10.0 ** how.get("digits", 0)
        values = values.astype(dtype)
        for row, mark in enumerate(marks or []):
            if mark[1:]:
                values[row] = np.frombuffer(bytes.fromhex(mark[1:]), dtype)[0]
        return pa.array(values, kind, mask=nulls, from_pandas=False)
    numbers = pa.array(np.array(parts["numbers"], np.int64), mask=nulls)
    if pa.types.is_date32(kind) or pa.types.is_time32(kind):
        numbers = numbers.cast(pa.int32())
    return (numbers.cast(pa.int8()) if pa.types.is_boolean(kind) else numbers).cast(kind)
