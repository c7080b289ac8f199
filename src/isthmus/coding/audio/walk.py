"""Samples ⇄ bytes: one walk over the steps, which either tells residuals or is told them.

A message begins with its plan, as varints: how many lanes; `own`, `other`, `forget`, `every`; how many
filters, and order and rate of each. The residuals follow.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Protocol

import numpy as np

from isthmus.coding.audio.cascade import Cascade
from isthmus.coding.audio.lanes import LONG_STEPS, MOST_LANES, STEPS, Lanes
from isthmus.coding.audio.regression import SPAN, Regression
from isthmus.coding.audio.telling import FINE, ResidualReader, ResidualWriter, Scales
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.errors import DamagedFile

_ONE = 1 << 16
_MOST_LOOKS, _MOST_ORDER, _MOST_FILTERS, _LEAST_EVERY = 64, 1024, 4, 4
_MOST_SUMS_BYTES = 1 << 27
MOST_STEPS = (1 << 18) + (1 << 10)
"""Of all channels, in a block: what no writer goes beyond, so that nobody waits for hours."""


@dataclass(frozen=True)
class Plan:
    """How samples are predicted, and in how long lanes.

    Args:
        own, other: how far the regression looks back, at a channel itself and at another.
        forget: the share of the past that it forgets at each step, in 2**-16.
        every: steps between two fits.
        filters: order, and rate in 2**-16, of each filter behind it.
    """

    own: int = 24
    other: int = 12
    forget: int = 131
    every: int = 16
    filters: tuple[tuple[int, int], ...] = ((32, 330), (16, 330))

    def to_bytes(self) -> bytes:
        """Varints."""
        *numbers, filters = astuple(self)
        flat = [*numbers, len(filters), *(number for each in filters for number in each)]
        return b"".join(map(write_varint, flat))

    @classmethod
    def read(cls, fields: ByteReader) -> Plan:
        """Undo `to_bytes`; DamagedFile for what no writer tells."""
        own, other, forget, every = (fields.varint() for _ in range(4))
        filters = tuple(
            (fields.varint(), fields.varint()) for _ in range(min(fields.varint(), _MOST_FILTERS))
        )
        possible = 1 <= own <= _MOST_LOOKS and 1 <= other <= _MOST_LOOKS and forget < _ONE
        possible &= _LEAST_EVERY <= every < _ONE
        if not possible or any(not 1 <= order <= _MOST_ORDER or rate >= _ONE for order, rate in filters):
            raise DamagedFile("A block of audio was predicted in a way that cannot be.")
        return cls(own, other, forget, every, filters)


PLAN = Plan()
LONG_PLAN = Plan(32, 16, 131, 8, ((256, 330), (32, 330), (16, 330)))


def encode(samples: np.ndarray, low: int, high: int, plan: Plan = PLAN) -> bytes:
    """int64 (frame, channel), at least two different samples, within low … high → bytes.

    >>> samples = np.arange(20)[:, None] ** 2
    >>> decode(encode(samples, 0, 361), 20, 1, 0, 361)[:, 0].tolist() == samples[:, 0].tolist()
    True
    """
    lanes = Lanes.of(len(samples), LONG_STEPS if plan == LONG_PLAN else STEPS)
    writer = ResidualWriter(high - low)
    _walk(lanes, samples.shape[1], plan, (low, high), writer, lanes.spread(samples))
    return write_varint(lanes.count) + plan.to_bytes() + writer.to_bytes()


def decode(data: bytes, frames: int, channels: int, low: int, high: int) -> np.ndarray:
    """Undo `encode`; DamagedFile where that is impossible."""
    fields = ByteReader(data, "A block of audio")
    count = fields.varint()
    if not 1 <= count <= min(MOST_LANES, frames):
        raise DamagedFile("A block of audio has lanes that cannot be.")
    plan, lanes = Plan.read(fields), Lanes(frames, count, -(-frames // count))
    if lanes.steps * channels > MOST_STEPS or sums_bytes(lanes.count, channels, plan) > _MOST_SUMS_BYTES:
        raise DamagedFile("A block of audio has lanes that cannot be.")
    reader = ResidualReader(fields.rest(), high - low)
    found = _walk(lanes, channels, plan, (low, high), reader, None)
    reader.finish()
    return lanes.gather(found)


def sums_bytes(lanes: int, channels: int, plan: Plan) -> int:
    """At most what a regression keeps, which no writer lets grow beyond a share of a block."""
    lags = max(plan.own, plan.other)
    return 8 * (lags + SPAN) * (lags + 1) * 3 * channels * lanes


class _Teller(Protocol):
    """Writes residuals, or reads them."""

    def tell(self, contexts: np.ndarray, residuals: np.ndarray | None) -> np.ndarray:
        """Residuals, from those given or from bytes."""


def _walk(
    lanes: Lanes,
    channels: int,
    plan: Plan,
    bounds: tuple[int, int],
    teller: _Teller,
    truth: np.ndarray | None,
) -> np.ndarray:
    """Tell the samples of all steps, or be told them; int64 (channel, step, lane)."""
    start = max(plan.own, plan.other) + 1
    samples = np.zeros((channels, start + lanes.steps, lanes.count))
    regression = Regression(samples, plan.own, plan.other, 1 - plan.forget / _ONE)
    filters = tuple((order, rate / _ONE) for order, rate in plan.filters)
    cascades = [Cascade(lanes.steps, lanes.count, filters) for _ in range(channels)]
    scales = [Scales(lanes.count) for _ in range(channels)]
    with np.errstate(all="ignore"):  # equations may be singular; what comes of it is held within bounds
        for step in range(lanes.steps):
            told = lanes.told(step)
            if step % plan.every == 0:
                regression.refit()
            for channel, (cascade, scale) in enumerate(zip(cascades, scales, strict=True)):
                expected = cascade.predict(step, regression.predict(channel, start + step))
                near, whole, fraction = _rounded(expected, bounds)
                sign = np.where(fraction < 0, -1, 1)  # so that what is nearer has the same token
                wanted = None if truth is None else ((truth[channel, step] - whole) * sign)[:told]
                found = np.zeros(lanes.count, np.int64)
                found[:told] = teller.tell(scale.contexts(fraction)[:, :told], wanted)
                values = (whole + found * sign).astype(np.float64)
                samples[channel, start + step] = values
                cascade.learn(step, values)
                scale.learn(np.abs(values * FINE - near))
            regression.learn(start + step)
    return samples[:, start:].astype(np.int64)


def _rounded(expected: np.ndarray, bounds: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A prediction held within bounds: in parts of FINE, as a whole number, and what lies between."""
    low, high = bounds
    finite = np.where(np.isfinite(expected), expected, 0.0)
    near = np.rint(np.minimum(np.maximum(finite, low), high) * FINE)
    whole = np.rint(near / FINE)
    return near, whole.astype(np.int64), (near - whole * FINE).astype(np.int64)
