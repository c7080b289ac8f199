"""Channels → the plan that tells them in few bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from isthmus.coding.columns.counts import SEEN
from isthmus.coding.columns.likelihood import dirichlet_bits
from isthmus.coding.columns.logarithms import log2
from isthmus.coding.columns.weighing import Told, bits_of, trusted
from isthmus.coding.series.contexts import MENU, SIZES
from isthmus.coding.series.inputs import Chooser, period_of
from isthmus.coding.series.plan import MOST_COUNTS, MOST_LISTED, MOST_LISTED_SPAN, Channel, Plan
from isthmus.coding.series.telling import STRENGTH, told
from isthmus.coding.series.walk import lanes_of, places_of, walk
from isthmus.coding.tokens import to_tokens

STEPS = 2048
"""Of a lane, about: shorter ones have less of a past, longer ones take more time."""
STOPS, MOST_ROWS, MOST_NUMBERS = 12, 2400, 100_000
"""Trust is learned at so many places between beginning and end: tokens, and logarithms of chances, in all."""
DEPTHS = ((8, 64), (24, 6), (1 << 12, 3))
"""In how many generations at most so many channels are told: each is a step of its own."""
TRIED, KEPT, SAMPLE = 10, 6, 1 << 16
"""Contexts, and tokens that the first choice looks at."""


def plan_for(values: np.ndarray) -> Plan:
    """How to tell int64 (row, channel)."""
    rows, channels = values.shape
    lanes = max(1, rows // STEPS)
    middles = np.median(values, axis=0).astype(np.int64)
    centred = np.ascontiguousarray((values - middles).T.astype(np.float64))
    period = period_of(centred, rows // lanes // 3)
    depth = next(depth for most, depth in DEPTHS if channels <= most)
    chooser = Chooser(centred, period, depth)
    made: list[Channel] = []
    for number in range(channels):
        low, high = int(values[:, number].min()), int(values[:, number].max())
        chosen = chooser.choose(number)
        channel = Channel(low, high, int(middles[number]), 1, chosen.shift, chosen.inputs, chosen.weights)
        listed = _listed(values[:, number])
        made.append(replace(channel, listed=listed, beside=_beside(channel, number, made)))
    return _trusting(values, Plan(lanes, period, tuple(made)))


def _listed(column: np.ndarray) -> tuple[int, ...]:
    """The numbers that occur, where telling places among them saves more than the list takes."""
    listed, counts = np.unique(column, return_counts=True)
    if not 3 <= len(listed) <= MOST_LISTED or listed[-1] - listed[0] > MOST_LISTED_SPAN:
        return ()
    around = (np.append(listed[1:], listed[-1] + 1) - np.append(listed[0] - 1, listed[:-1])) / 2
    saved = float((counts * np.log2(around)).sum())
    return tuple(listed.tolist()) if saved > 64 + 2 * np.log2(1 + np.diff(listed)).sum() else ()


def _beside(channel: Channel, number: int, before: list[Channel]) -> tuple[int, int]:
    """Those of the same row that it is predicted by, nearest first."""
    told_before = [each.channel for each in channel.inputs if each.back == 0][:2]
    first, second = (*told_before, -1, -1)[:2]
    return first, second


@dataclass(frozen=True)
class _Seen:
    """What a walk met: (step, …, lane) of one channel, in the order of telling."""

    contexts: np.ndarray
    """(menu, count)."""
    tokens: np.ndarray


def _trusting(values: np.ndarray, plan: Plan) -> Plan:
    seen = _walked(values, plan)
    channels = []
    for channel, each in zip(plan.channels, seen, strict=True):
        alphabet = int(each.tokens.max()) + 1
        channel = replace(channel, alphabet=alphabet)
        channels.append(_weighed(channel, each) if alphabet > 1 else channel)
    plan = replace(plan, channels=tuple(channels))
    return plan if plan.counts <= MOST_COUNTS else replace(plan, channels=tuple(map(_without, channels)))


def _without(channel: Channel) -> Channel:
    """Without contexts: there are too many channels."""
    return replace(channel, contexts=(), trust=channel.trust[:1])


def _walked(values: np.ndarray, plan: Plan) -> list[_Seen]:
    lanes = lanes_of(len(values), plan.lanes)
    shape = (len(MENU), len(plan.channels), lanes.steps, lanes.count)
    contexts, tokens = np.zeros(shape, np.uint16), np.zeros(shape[1:], np.uint8)
    there = np.zeros(shape[2:], bool)
    steps = [0] * len(plan.generations)

    def tell(number: int, which: np.ndarray, found: np.ndarray, truth: np.ndarray) -> np.ndarray:
        step, count = steps[number], truth.shape[1]
        contexts[:, which, step, :count] = found
        tokens[which, step, :count] = to_tokens(truth.ravel())[0].reshape(truth.shape)
        there[step, :count] = True
        steps[number] += 1
        return truth

    walk(lanes, plan, tell, places_of(values, plan, lanes), range(len(MENU)))
    return [_Seen(contexts[:, c][:, there], tokens[c][there]) for c in range(len(plan.channels))]


def _weighed(channel: Channel, seen: _Seen) -> Channel:
    tokens = seen.tokens.astype(np.int64)
    sample = slice(0, SAMPLE)
    alone = dirichlet_bits(tokens[sample], None)
    costs = [
        dirichlet_bits(tokens[sample], each[sample].astype(np.int64), STRENGTH) for each in seen.contexts
    ]
    menu = [n for n in np.argsort(costs).tolist() if costs[n] < alone][:TRIED]
    if not menu:
        return channel
    kept, table = trusted(
        _told(seen.contexts[menu].astype(np.int64), SIZES[menu], tokens, channel.alphabet), KEPT
    )
    return replace(channel, contexts=tuple(menu[each] for each in kept), trust=table)


def _told(contexts: np.ndarray, sizes: np.ndarray, tokens: np.ndarray, alphabet: int) -> Told:
    """What contexts say at some of the tokens, as the walk will find it."""
    stops = np.unique((len(tokens) * (np.arange(STOPS) + 0.3) / STOPS).astype(np.int64))
    each = max(8, min(MOST_ROWS, MOST_NUMBERS // alphabet) // STOPS)
    counts = [np.zeros((size, alphabet), np.int64) for size in sizes]
    everything, rng, done, parts = np.zeros(alphabet, np.int64), np.random.default_rng(0), 0, []
    for stop, after in zip(stops, [*stops[1:], len(tokens)], strict=True):
        for table, values in zip(counts, contexts, strict=True):
            np.add.at(table, (values[done:stop], tokens[done:stop]), 1)
        everything += np.bincount(tokens[done:stop], minlength=alphabet)
        done = stop
        at = np.sort(rng.choice(np.arange(stop, after), min(each, after - stop), replace=False))
        share = 2 * everything + 1
        whole = share.sum()
        logs, levels = [], []
        for table, values in zip(counts, contexts, strict=True):
            rows = table[values[at]]
            seen = rows.sum(axis=1)
            logs.append(told(rows, seen, share, whole))
            levels.append(np.searchsorted(SEEN, seen, side="right"))
        shares = np.broadcast_to(log2(share) - log2(np.array(whole)), (len(at), alphabet))
        parts.append((np.stack(logs, 1), np.stack(levels, 1), shares, tokens[at]))
    joined = [np.concatenate(part) for part in zip(*parts, strict=True)]
    return Told(bits_of(joined[0]), joined[1], bits_of(joined[2]), joined[3])
