"""The second reader, continued: columns of numbers that are told along time.

Written from docs/format.md alone, like independent.py, lane by lane and number by number.
"""

import struct
from collections import namedtuple
from itertools import accumulate
from math import floor

from independent import Fields, unzstd
from independent_numbers import Bits, Range, number_of
from independent_walk import lg, power

Channel = namedtuple("Channel", "low high middle alphabet shift inputs beside contexts places weights")
Input = namedtuple("Input", "channel back weights")
SIZES = [36, 80, 126, 180, 408, 126, 294, 288, 128, 96, 126, 324]


def read_series(data, rows):
    """Each column as a list of int."""
    fields = Fields(data)
    lanes, period, channels = read_plan(fields.sized())
    return Told(lanes, period, channels, rows, fields).columns()


def read_plan(data):
    plan = Fields(unzstd(data))
    lanes, period, count = (plan.signed() for _ in range(3))
    channels = [read_channel(plan) for _ in range(count)]
    assert not plan.data
    return lanes, period, channels


def read_channel(plan):
    low, high, middle, alphabet, shift = (plan.signed() for _ in range(5))
    looks = [(plan.signed(), plan.signed()) for _ in range(plan.signed())]
    stages = [[plan.signed() for _ in looks] for _ in range(3)]
    inputs = [Input(*look, weights) for look, weights in zip(looks, zip(*stages, strict=True), strict=True)]
    beside = plan.signed(), plan.signed()
    contexts = [plan.signed() for _ in range(plan.signed())]
    places = [low + gap for gap in accumulate(plan.signed() for _ in range(plan.signed()))]
    weights = [[plan.signed() for _ in range(3)] for _ in range(len(contexts) + 1)]
    return Channel(low, high, middle, alphabet, shift, inputs, beside, contexts, places, weights)


class Lane:
    """What is known of one channel in one lane."""

    def __init__(self):
        self.values, self.places, self.residuals, self.ratios = [], [], [], []
        self.quick = self.slow = 1024.0
        self.run = self.turn = 0


class Told:
    def __init__(self, lanes, period, channels, rows, fields):
        self.period, self.channels, self.rows = period, channels, rows
        self.steps = -(-rows // lanes)
        self.lanes = [[Lane() for _ in range(lanes)] for _ in channels]
        backs = [one.back for channel in channels for one in channel.inputs]
        self.reach = max([2, period, *backs])
        self.raw, self.words = Bits(fields.sized()), Range(fields.data)
        self.generations, ages = {}, []
        for number, channel in enumerate(channels):
            before = {one.channel for one in channel.inputs if not one.back} | {
                one for one in channel.beside if one >= 0
            }
            ages.append(1 + max((ages[one] for one in before), default=-1))
            self.generations.setdefault(ages[-1], []).append(number)
        self.counts = {age: Counts([channels[n] for n in told]) for age, told in self.generations.items()}

    def columns(self):
        for step in range(self.steps):
            for age, told in sorted(self.generations.items()):
                self.tell(step, told, self.counts[age])
        self.words.done()
        self.raw.done()
        return [[value for lane in lanes for value in lane.values] for lanes in self.lanes]

    def tell(self, step, numbers, counts):
        asked = []
        for place, number in enumerate(numbers):
            for count, lane in enumerate(self.lanes[number]):
                row = count * self.steps + step
                if row < self.rows:
                    fine = self.predict(number, count, step)
                    whole = (fine + 32) // 64
                    seen = self.contexts(number, count, step, row, whole, fine - 64 * whole)
                    asked.append((place, number, lane, fine, whole, seen))
        tokens = counts.take([(one[0], one[5]) for one in asked], self.words)
        for (_, number, lane, fine, whole, _), token in zip(asked, tokens, strict=True):
            residual = number_of(token, self.raw) * (-1 if fine < 64 * whole else 1)
            self.learn(
                self.channels[number], lane, whole + residual, 64 * (whole + residual) - fine, residual
            )

    def predict(self, number, count, step):
        """In 64ths of a place."""
        channel = self.channels[number]
        stage = 2 if step >= self.reach else (step >= 1) + (step >= 8) - 1
        total = 0
        for one in channel.inputs if stage >= 0 else []:
            seen = self.lanes[one.channel][count].values
            if step >= one.back:
                value = seen[step - one.back] - self.channels[one.channel].middle
                total += one.weights[stage] * value
        unit = 2**channel.shift
        low, high = channel.low - channel.middle, channel.high - channel.middle
        total = max(low * unit, min(high * unit, total))
        if not channel.places:
            return total * 64 // unit
        value, rest = divmod(total, unit)
        here, after = (self.line(channel, value + channel.middle + more) for more in (0, 1))
        return here + (after - here) * rest // unit

    def line(self, channel, value):
        places = channel.places
        if value >= places[-1]:
            return 64 * (len(places) - 1)
        place = sum(one <= value for one in places) - 1
        return 64 * place + 64 * (value - places[place]) // (places[place + 1] - places[place])

    def learn(self, channel, lane, place, missed, residual):
        if channel.places:
            value = channel.places[place]
        else:
            value = place + channel.middle
            assert channel.low <= value <= channel.high
        moved = place - (lane.places[-1] if lane.places else 0)
        mean, size = (lane.quick + lane.slow) * 0.5, abs(missed)
        ratio = (4 * size > mean) + (size > mean) + (size > 3 * mean)
        lane.values.append(value)
        lane.places.append(place)
        lane.residuals.append(held(residual, 4))
        lane.ratios.append(-ratio if missed < 0 else ratio)
        lane.quick += (size - lane.quick) * 0.2
        lane.slow += (size - lane.slow) * 0.03
        lane.run = 0 if moved else lane.run + 1
        lane.turn = lane.turn if not moved else 1 if moved > 0 else -1

    def contexts(self, number, count, step, row, whole, fraction):
        channel, lane, period = self.channels[number], self.lanes[number][count], self.period
        sign = -1 if fraction < 0 else 1
        part = abs(fraction) * 8 // 65
        mean = (lane.quick + lane.slow) * 0.5
        half, octave = level(mean + 2, 1), min(17, level(mean + 2, 0))
        small, coarse = min(5, octave), min(5, octave // 2)
        quick, slow = level(lane.quick + 2, 1), level(lane.slow + 2, 1)
        last, older = (sign * at(lane.residuals, step - back) for back in (1, 2))
        before = lane.places[-1] if lane.places else 0
        away = held(sign * (64 * (before - whole) - fraction) * 4 // max(64, floor(mean)), 8)
        beside, another = (
            sign * at(self.lanes[one][count].ratios, step) if one >= 0 else 0 for one in channel.beside
        )
        near = (
            sign * at(self.lanes[channel.beside[0]][count].residuals, step) if channel.beside[0] >= 0 else 0
        )
        season = sign * at(lane.ratios, step - period) if period else 0
        phase = row % period * min(48, period) // period * 6 if period else 0
        low = 0 if channel.places else channel.low - channel.middle
        width = (len(channel.places) or channel.high - channel.low) // 64 + 1
        band = max(0, min(63, (whole - low) // width))
        run = min(7, level(lane.run + 1.0, 0))
        return [
            min(35, half),
            min(19, half) * 4 + part,
            (held(quick - slow, 3) + 3) * 18 + min(17, slow // 2),
            ((last + 4) * 5 + held(older, 2) + 2) * 4 + part,
            ((away + 8) * 4 + part) * 6 + small,
            (beside + 3) * 18 + octave,
            ((beside + 3) * 7 + another + 3) * 6 + coarse,
            phase + coarse,
            band * 2 + (sign > 0),
            (run * 3 + sign * lane.turn + 1) * 4 + part,
            (season + 3) * 18 + octave,
            ((near + 4) * 9 + last + 4) * 4 + part,
        ]


def at(seen, step):
    return seen[step] if 0 <= step < len(seen) else 0


def held(value, most):
    return max(-most, min(most, value))


def level(number, digits):
    """Steps of a scale: so many of a number's binary digits behind its first, and its exponent."""
    (bits,) = struct.unpack("<q", struct.pack("<d", number))
    return (bits >> (52 - digits)) - (1023 << digits)


class Counts:
    """Of the tokens of channels that are told at once."""

    def __init__(self, channels):
        self.channels, self.alphabet = channels, max(channel.alphabet for channel in channels)
        self.all = [[0] * self.alphabet for _ in channels]
        self.under = [{} for _ in channels]
        self.known = self.new = 0
        self.say()

    def say(self):
        """From now on, chances are those of what was counted by now."""
        self.known, self.new = self.known + self.new, 0
        self.told_all = [list(one) for one in self.all]
        self.told = [{key: list(value) for key, value in one.items()} for one in self.under]

    def take(self, asked, words):
        if self.alphabet == 1:
            return [0 for _ in asked]
        if self.new >= self.known // 8:
            self.say()
        tokens = [words.take(self.sums(place, seen)) for place, seen in asked]
        for (place, seen), token in zip(asked, tokens, strict=True):
            self.all[place][token] += 1
            for context in self.channels[place].contexts:
                key = context, seen[context]
                self.under[place].setdefault(key, [0] * self.alphabet)[token] += 1
        self.new += len(tokens)
        return tokens

    def sums(self, place, seen):
        channel = self.channels[place]
        shares = [2 * c + (n < channel.alphabet) for n, c in enumerate(self.told_all[place])]
        whole = sum(shares)
        scores = [(lg(s) - lg(whole)) * channel.weights[0][0] if s else -40 * 2**16 for s in shares]
        for context, weights in zip(channel.contexts, channel.weights[1:], strict=True):
            assert seen[context] < SIZES[context]
            counts = self.told[place].get((context, seen[context]), [0] * self.alphabet)
            n = sum(counts)
            weight = weights[(n >= 2) + (n >= 12)]
            for token, (mine, share) in enumerate(zip(counts, shares, strict=True)):
                told = lg(64 * mine * whole // max(1, share) + 96) - lg(64 * n + 96)
                scores[token] += told * weight
        return [0, *accumulate(frequencies([score // 32 for score in scores]))]


def frequencies(scores):
    best = max(scores)
    powers = [float(power(best - score)) for score in scores]
    spare = float(2**24 - len(scores))
    share = spare / sum(powers)
    found = [floor(one * share) + 1 for one in powers]
    found[scores.index(best)] += 2**24 - sum(found)
    return found
