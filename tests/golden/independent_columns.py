"""The second reader, continued: a block of columns.

Written from docs/format.md alone, like independent.py; pcodec's numbers are left to its own library.
"""

import lzma
from collections import namedtuple
from itertools import accumulate

from independent import Fields, unzstd
from independent_series import read_series
from independent_walk import Walk
from pcodec import standalone

ALONE, TOLD, SEEN = range(3)
WORDS, WHOLE, SINGLE, DOUBLE, SERIES = range(5)

Column = namedtuple("Column", "middle low high fields is_place inputs shift edges")
Field = namedtuple("Field", "alphabet contexts weights")
Context = namedtuple("Context", "looks strength weights")
Look = namedtuple("Look", "column view back groups")
Input = namedtuple("Input", "column back other other_back shift weight")


def read_columns(data, known=None):
    """Each column as a list of str or int, or as an array of floats.

    `known`: of each column, the rows of it that the reader has already.
    """
    fields = Fields(data)
    rows, count = fields.varint(), fields.varint()
    ways = [divmod(fields.varint(), 3) for _ in range(count)]
    along = [number for number, (kind, _) in enumerate(ways) if kind == SERIES]
    found = [
        None if who == TOLD or kind == SERIES else read_alone(fields.sized(), kind, rows)
        for kind, who in ways
    ]
    if along:
        for number, column in zip(along, read_series(fields.sized(), rows), strict=True):
            found[number] = column
    walked = [number for number, (_, who) in enumerate(ways) if who != ALONE]
    if walked:
        old = [known[number] if known else [] for number in walked]
        given = [found[number] for number in walked]
        lists, plans = fields.sized(), read_plan(fields.sized())
        kinds = [WHOLE if ways[number][0] == SERIES else ways[number][0] for number in walked]
        lists = read_lists(lists, kinds, plans, old, given)
        told = Walk(rows, plans, lists, old, given, Fields(fields.sized())).columns()
        for number, column in zip(walked, told, strict=True):
            found[number] = column
    assert not fields.data
    return found


def read_alone(data, kind, rows):
    if kind == WORDS:
        fields = Fields(data)
        column = read_words(unlzma(fields))
    else:
        column = standalone.simple_decompress(data)
        column = column.tolist() if kind == WHOLE else column
    assert len(column) == rows
    return column


def unlzma(fields):
    """The bytes of a varint, their length, and a raw LZMA2 stream to the end."""
    length = fields.varint()
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": max(4096, length)}]
    plain = lzma.decompress(fields.data, lzma.FORMAT_RAW, filters=filters)
    assert len(plain) == length
    return plain


def read_words(data):
    """A list of words."""
    words, word, escaped = [], bytearray(), False
    for byte in data:
        if escaped:
            word.append({1: 1, 2: 0}[byte])
            escaped = False
        elif byte == 1:
            escaped = True
        elif byte == 0:
            words.append(word.decode("utf-8", "surrogatepass"))
            word = bytearray()
        else:
            word.append(byte)
    assert not word
    return words


def read_numbers(part):
    """A list of numbers."""
    if part.take(1) == b"\0":
        gaps = []
        while part.data:
            gaps.append(part.signed())
    else:
        count = part.varint()
        gaps = standalone.simple_decompress(part.data).tolist()
        assert len(gaps) == count
    return list(accumulate(gaps))


def read_lists(data, kinds, plans, old, given):
    """Of each column in the walk, what its places stand for; None where it is told by no places."""
    packed = Fields(data)
    parts = Fields(unlzma(packed) if packed.take(1) == b"\1" else unzstd(packed.data))
    found = []
    for kind, plan, before, column in zip(kinds, plans, old, given, strict=True):
        part = parts.sized()
        if column is not None:
            assert not part
            new = column
        else:
            new = read_words(part) if kind == WORDS else read_numbers(Fields(part)) if part else []
        assert plan.is_place or kind == WHOLE
        found.append(sorted({*before, *new}) if plan.is_place else None)
    assert not parts.data
    return found


def read_plan(data):
    """How each column in the walk is told."""
    plan = Fields(unzstd(data))
    found = [read_column(plan) for _ in range(plan.signed())]
    assert not plan.data
    return found


def read_column(plan):
    middle, low, high = (plan.signed() for _ in range(3))
    fields = [read_field(plan) for _ in range(plan.signed())]
    inputs = plan.signed()
    if inputs < 0:
        return Column(middle, low, high, fields, True, [], 0, [])
    inputs = [Input(*(plan.signed() for _ in range(6))) for _ in range(inputs)]
    shift = plan.signed()
    edges = list(accumulate(plan.signed() for _ in range(plan.signed())))
    return Column(middle, low, high, fields, False, inputs, shift, edges)


def read_field(plan):
    alphabet, contexts = plan.signed(), []
    for _ in range(plan.signed()):
        looks, strength = plan.signed(), plan.signed()
        contexts.append(([Look(*(plan.signed() for _ in range(4))) for _ in range(looks)], strength))
    weights = [[plan.signed() for _ in range(3)] for _ in range(len(contexts) + 1)]
    contexts = [Context(*one, three) for one, three in zip(contexts, weights[1:], strict=True)]
    return Field(alphabet, contexts, weights[0])
