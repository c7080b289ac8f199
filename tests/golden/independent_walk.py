"""The second reader, continued: the rows of a table, told cell by cell by what is known of them.

Written from docs/format.md alone, like independent.py. Rows count from 0, those known before first.
"""

from bisect import bisect_right
from functools import cache
from itertools import accumulate
from math import floor, frexp, log2

from independent_numbers import Bits, Range, number_of, token_of


class Walk:
    """Tells the columns of a table.

    `lists`: what the places of a column stand for; `old`: the rows of each column that are known before;
    `given`: the rows behind them of the columns that stand alone, None for others.
    """

    def __init__(self, rows, plans, lists, old, given, fields):
        self.rows, self.plans, self.lists, self.known = rows, plans, lists, len(old[0])
        self.lane = max(1, min(384, max(16, 12000 // len(plans)), rows // 16))
        self.given = [one is not None for one in given]
        unknown = [None] * rows
        self.values = [[*before, *(one or unknown)] for before, one in zip(old, given, strict=True)]
        self.symbols = [[[None] * (self.known + rows) for _ in alphabets(plan)] for plan in plans]
        self.counts = [[Counts(field) for field in plan.fields] for plan in plans]
        self.raw, self.words = Bits(fields.sized()), Range(fields.data)

    def columns(self):
        before = list(range(self.known))
        for number in range(len(self.plans)):
            self.show(number, before)
        self.learn(before, range(len(self.plans)))
        for part in self.parts():
            for number in range(len(self.plans)):
                self.show(number, part) if self.given[number] else self.tell(number, part)
            self.learn(part, [number for number, given in enumerate(self.given) if not given])
        self.words.done()
        self.raw.done()
        return [column[self.known :] for column in self.values]

    def parts(self):
        """The rows that are told together."""
        told = 0
        for step in range(self.lane if self.rows else 0):
            step_rows = [self.known + row for row in range(step, self.rows, self.lane)]
            while step_rows:
                part = step_rows[: max(16, told // 8)]
                yield part
                told, step_rows = told + len(part), step_rows[len(part) :]

    def tell(self, number, part):
        plan, symbols = self.plans[number], self.symbols[number]
        for field, counts, mine in zip(plan.fields, self.counts[number], symbols, strict=False):
            for row in part:
                sums = counts.sums([self.context(one.looks, row) for one in field.contexts])
                mine[row] = self.words.take(sums) if field.alphabet > 1 else 0
        for row in part:
            if plan.is_place:
                place = symbols[0][row]
                if len(symbols) == 2:
                    place = place * plan.fields[1].alphabet + symbols[1][row]
                value = self.lists[number][place]
            else:
                place = value = self.predict(plan, row) + number_of(symbols[0][row], self.raw)
                symbols[1][row] = bisect_right(plan.edges, value)
            assert plan.low <= place <= plan.high
            self.values[number][row] = value

    def show(self, number, part):
        """The symbols of values that are known."""
        plan, symbols = self.plans[number], self.symbols[number]
        places = {value: place for place, value in enumerate(self.lists[number] or [])}
        for row in part:
            value = self.values[number][row]
            if not plan.is_place:
                told = token_of(value - self.predict(plan, row)), bisect_right(plan.edges, value)
            elif len(symbols) == 2:
                told = divmod(places[value], plan.fields[1].alphabet)
            else:
                told = [places[value]]
            for mine, symbol in zip(symbols, told, strict=True):
                mine[row] = symbol

    def learn(self, part, columns):
        for number in columns:
            fields = zip(self.plans[number].fields, self.counts[number], self.symbols[number], strict=False)
            for field, counts, mine in fields:
                for row in part:
                    counts.learn(mine[row], [self.context(one.looks, row) for one in field.contexts])

    def before(self, row, back):
        """The row so far before in its lane, or None."""
        place = row if row < self.known else (row - self.known) % self.lane
        return row - back if place >= back else None

    def predict(self, plan, row):
        most = 2 ** (59 - max((abs(one.weight).bit_length() for one in plan.inputs), default=0))
        total = 2 ** (plan.shift - 1) if plan.shift else 0
        for one in plan.inputs:
            value = self.input(one.column, one.back, row)
            if one.other >= 0:
                value = held(value, 2**31) * held(self.input(one.other, one.other_back, row), 2**31)
                value >>= one.shift
            total += one.weight * held(value, most)
        return max(plan.low, min(plan.high, (total >> plan.shift) + plan.middle))

    def input(self, column, back, row):
        row = self.before(row, back)
        return 0 if row is None else self.values[column][row] - self.plans[column].middle

    def context(self, looks, row):
        """The value of a context."""
        value = 0
        for look in looks:
            size, seen = alphabets(self.plans[look.column])[look.view], self.before(row, look.back)
            symbol = 0 if seen is None else self.symbols[look.column][look.view][seen]
            if 0 < look.groups < size:
                symbol, size = symbol * look.groups // size, look.groups
            value = value * size + symbol
        return value


def alphabets(plan):
    """How many symbols each view of a column has."""
    own = [field.alphabet for field in plan.fields]
    return own if plan.is_place else [*own, len(plan.edges) + 1]


def held(value, most):
    return max(-most, min(most, value))


class Counts:
    """What was counted of a field's symbols, and the chances that follow."""

    def __init__(self, field):
        self.field = field
        self.all = [0] * field.alphabet
        self.under = [{} for _ in field.contexts]

    def learn(self, symbol, values):
        self.all[symbol] += 1
        for under, value in zip(self.under, values, strict=True):
            under.setdefault(value, [0] * self.field.alphabet)[symbol] += 1

    def sums(self, values):
        """Of the frequencies, where each context has this value."""
        total = 2 * sum(self.all) + self.field.alphabet
        scores = [(lg(2 * c + 1) - lg(total)) * self.field.weights[0] for c in self.all]
        for context, under, value in zip(self.field.contexts, self.under, values, strict=True):
            counts = under.get(value, [0] * self.field.alphabet)
            seen, strength = sum(counts), context.strength
            weight = context.weights[(seen >= 2) + (seen >= 12)]
            for symbol, (c, mine) in enumerate(zip(self.all, counts, strict=True)):
                told = lg(64 * mine * total // (2 * c + 1) + strength) - lg(64 * seen + strength)
                scores[symbol] += told * weight
        return [0, *accumulate(frequencies([score // 32 for score in scores]))]


@cache
def lg(x):
    """The logarithm to base 2 in units of 2⁻¹¹."""
    part, exponent = frexp(float(x))
    j = floor((2 * part - 1) * 2**11)
    return 2**11 * (exponent - 1) + round(2**11 * log2(1 + (j + 0.5) / 2**11))


@cache
def power(d):
    return round(2 ** (24 - d % 2**11 / 2**11)) >> min(40, d // 2**11)


def frequencies(scores):
    best = max(scores)
    powers = [power(best - score) for score in scores]
    whole = sum(powers)
    found = [one * (2**24 - len(scores)) // whole + 1 for one in powers]
    found[scores.index(best)] += 2**24 - sum(found)
    return found
