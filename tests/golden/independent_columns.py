"""The second reader, continued: columns of words and numbers, told row by row.

Written from docs/format.md alone, in plain Python, like independent.py. A known row, a list, a view: all
are as the page names them.
"""

import lzma
from bisect import bisect_right
from collections import namedtuple
from functools import cache
from itertools import accumulate
from math import floor, frexp, log2

from independent import Fields, unzstd
from independent_numbers import Bits, Range, number_of, token_of
from pcodec import standalone

ALONE, TOLD, SEEN = range(3)
WORDS, WHOLE, SINGLE, DOUBLE = range(4)


Column = namedtuple("Column", "middle low high fields is_place inputs shift edges")
Field = namedtuple("Field", "alphabet contexts weights")
Context = namedtuple("Context", "looks strength weights")
Look = namedtuple("Look", "column view back groups")
Input = namedtuple("Input", "column back other other_back shift weight")


def read_columns(data):
    """Each column as a list of str, of int or of float; no rows are known before."""
    fields = Fields(data)
    rows, columns = fields.varint(), fields.varint()
    kinds, whos = zip(*(divmod(fields.varint(), 3) for _ in range(columns)), strict=True)
    found = [None] * columns
    for number in range(columns):
        if whos[number] != TOLD:
            found[number] = read_alone(fields.sized(), kinds[number], rows)
    walked = [number for number in range(columns) if whos[number] != ALONE]
    if walked:
        lists, plan = fields.sized(), fields.sized()
        plans = read_plan(plan, len(walked))
        lists = read_lists(lists, [(kinds[n], plan) for n, plan in zip(walked, plans, strict=True)], [found[n] for n in walked])
        told = Walk(rows, plans, lists, [found[n] for n in walked], Fields(fields.sized())).columns()
        for number, column in zip(walked, told, strict=True):
            found[number] = column
    assert not fields.data
    return found


def unxz(data, length):
    one = [{"id": lzma.FILTER_LZMA2, "dict_size": max(4096, length)}]
    plain = lzma.decompress(data, lzma.FORMAT_RAW, filters=one)
    assert len(plain) == length
    return plain


def read_alone(data, kind, rows):
    if kind == WORDS:
        fields = Fields(data)
        length = fields.varint()
        column = read_words(unxz(fields.data, length))
    else:
        column = standalone.simple_decompress(data).tolist() if rows else []
    assert len(column) == rows
    return column


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


def read_plan(data, columns):
    """How each column in the walk is told."""
    plan = Fields(unzstd(data))
    assert plan.signed() == columns
    found = [read_column(plan) for _ in range(columns)]
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


def read_lists(data, columns, given):
    """The list of each column in the walk that has one, else None."""
    packed = Fields(data)
    if packed.take(1) == b"\0":
        parts = Fields(unzstd(packed.data))
    else:
        length = packed.varint()
        parts = Fields(unxz(packed.data, length))
    found = []
    for (kind, plan), known in zip(columns, given, strict=True):
        part = parts.sized()
        if known is not None:
            assert not part
            found.append(sorted(set(known)) if plan.is_place else None)
        elif kind == WORDS:
            found.append(read_words(part))
        else:
            found.append(read_numbers(Fields(part)) if plan.is_place else None)
    assert not parts.data
    return found


def read_numbers(part):
    if part.take(1) == b"\0":
        gaps = []
        while part.data:
            gaps.append(part.signed())
    else:
        count = part.varint()
        gaps = standalone.simple_decompress(part.data).tolist()
        assert len(gaps) == count
    return list(accumulate(gaps))


class Walk:
    """Tells the rows of columns, a part of a step of all lanes at a time."""

    def __init__(self, rows, plans, lists, given, fields):
        self.rows, self.plans, self.lists = rows, plans, lists
        self.raw, self.words = Bits(fields.sized()), Range(fields.data)
        self.values = [[None] * rows if one is None else list(one) for one in given]
        self.given = [one is not None for one in given]
        self.symbols = [[[None] * rows for _ in self.views(plan)] for plan in plans]
        self.counts = [[Counts(field) for field in plan.fields] for plan in plans]
        self.places = [None if one is None else {value: place for place, value in enumerate(one)} for one in lists]
        self.lane = max(1, min(384, max(16, 12000 // len(plans)), rows // 16))

    def views(self, plan):
        """The alphabet of each view of a column."""
        if plan.is_place:
            return [field.alphabet for field in plan.fields]
        return [plan.fields[0].alphabet, len(plan.edges) + 1]

    def columns(self):
        told = 0
        for step in range(self.lane):
            mine = list(range(step, self.rows, self.lane))
            while mine:
                part = mine[: max(16, told // 8)]
                self.tell(part)
                told, mine = told + len(part), mine[len(part) :]
        self.words.done()
        self.raw.done()
        return self.values

    def tell(self, part):
        learnt = []
        for number, plan in enumerate(self.plans):
            predicted = [self.predict(plan, row) for row in part]
            if self.given[number]:
                self.look_at(number, plan, part, predicted)
            for place, field in enumerate(plan.fields):
                values = [[self.context(one.looks, row) for one in field.contexts] for row in part]
                if not self.given[number]:
                    for row, found in zip(part, values, strict=True):
                        self.symbols[number][place][row] = self.symbol(field, self.counts[number][place], found)
                learnt.append((number, place, values))
            if not self.given[number]:
                self.settle(number, plan, part, predicted)
        for number, place, values in learnt:
            for row, found in zip(part, values, strict=True):
                self.counts[number][place].learn(self.symbols[number][place][row], found)

    def settle(self, number, plan, part, predicted):
        """Values of the symbols of rows."""
        for row, expected in zip(part, predicted, strict=True):
            symbols = self.symbols[number]
            if plan.is_place:
                place = symbols[0][row]
                if len(plan.fields) == 2:
                    place = place * plan.fields[1].alphabet + symbols[1][row]
                self.values[number][row] = self.lists[number][place]
            else:
                value = expected + number_of(symbols[0][row], self.raw)
                self.values[number][row] = value
                symbols[1][row] = bisect_right(plan.edges, value)

    def look_at(self, number, plan, part, predicted):
        """Symbols of the values of rows, that stand alone."""
        for row, expected in zip(part, predicted, strict=True):
            value, symbols = self.values[number][row], self.symbols[number]
            if plan.is_place:
                place = self.places[number][value]
                if len(plan.fields) == 2:
                    symbols[0][row], symbols[1][row] = divmod(place, plan.fields[1].alphabet)
                else:
                    symbols[0][row] = place
            else:
                symbols[0][row], symbols[1][row] = token_of(value - expected), bisect_right(plan.edges, value)

    def predict(self, plan, row):
        if plan.is_place:
            return None
        most = 2 ** (59 - max((abs(one.weight).bit_length() for one in plan.inputs), default=0))
        total = 2 ** (plan.shift - 1) if plan.shift else 0
        for one in plan.inputs:
            value = self.input(one.column, one.back, row)
            if one.other >= 0:
                other = self.input(one.other, one.other_back, row)
                value = max(-(2**31), min(2**31, value)) * max(-(2**31), min(2**31, other)) >> one.shift
            total += one.weight * max(-most, min(most, value))
        return max(plan.low, min(plan.high, (total >> plan.shift) + plan.middle))

    def input(self, column, back, row):
        if row % self.lane < back:
            return 0
        return self.values[column][row - back] - self.plans[column].middle

    def context(self, looks, row):
        """The value of a context."""
        value = 0
        for look in looks:
            alphabet = self.views(self.plans[look.column])[look.view]
            seen = 0 if row % self.lane < look.back else self.symbols[look.column][look.view][row - look.back]
            if 0 < look.groups < alphabet:
                seen, alphabet = seen * look.groups // alphabet, look.groups
            value = value * alphabet + seen
        return value

    def symbol(self, field, counts, contexts):
        return 0 if field.alphabet == 1 else self.words.take(counts.sums(contexts))


class Counts:
    """What was counted of a field's symbols, and the chances that follow."""

    def __init__(self, field):
        self.field = field
        self.all = [0] * field.alphabet
        self.under = [{} for _ in field.contexts]

    def learn(self, symbol, contexts):
        self.all[symbol] += 1
        for under, value in zip(self.under, contexts, strict=True):
            counts = under.setdefault(value, [0] * self.field.alphabet)
            counts[symbol] += 1

    def sums(self, contexts):
        size, total = self.field.alphabet, 2 * sum(self.all) + self.field.alphabet
        scores = [(lg(2 * c + 1) - lg(total)) * self.field.weights[0] for c in self.all]
        for one, under, value in zip(self.field.contexts, self.under, contexts, strict=True):
            counts = under.get(value, [0] * size)
            whole = sum(counts)
            weight = one.weights[0 if whole < 2 else 1 if whole < 12 else 2]
            for symbol, (c, mine) in enumerate(zip(self.all, counts, strict=True)):
                told = lg(64 * mine * total // (2 * c + 1) + one.strength) - lg(64 * whole + one.strength)
                scores[symbol] += told * weight
        return [0, *accumulate(frequencies([score // 32 for score in scores]))]


@cache
def lg(x):
    """log₂ in units of 2⁻¹¹."""
    part, exponent = frexp(float(x))
    j = floor((2 * part - 1) * 2**11)
    return 2**11 * (exponent - 1) + round(2**11 * log2(1 + (j + 0.5) / 2**11))


def frequencies(scores):
    """2²⁴ together."""
    best = max(scores)
    powers = [power(best - score) for score in scores]
    whole = sum(powers)
    found = [one * (2**24 - len(scores)) // whole + 1 for one in powers]
    found[scores.index(best)] += 2**24 - sum(found)
    return found


@cache
def power(d):
    return round(2 ** (24 - d % 2**11 / 2**11)) >> min(40, d // 2**11)
