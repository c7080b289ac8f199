"""Samples → how their codes are spread: over the plane, over symbols, over channels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.coding.tables import Table
from isthmus.data import Source
from isthmus.data.grouping import by_shape
from isthmus.model import Model


@dataclass(frozen=True)
class LatentMap:
    """Latents seen from the two directions in which they vary most."""

    points: np.ndarray
    """float64 (sample, 2)."""
    shares: tuple[float, float]
    """Of the variance, along each of the two."""
    pooled: bool
    """Whether latents were averaged over their positions first."""


@dataclass(frozen=True)
class CodeUse:
    """Symbols of some samples, beside what the model's integer tables expect."""

    values: np.ndarray
    """Symbols of the middle range, consecutive."""
    counted: np.ndarray
    """The share of each among all symbols."""
    expected: np.ndarray
    """The share the tables give it, averaged over channels."""
    outside: float
    """Share of the symbols outside that range."""
    entropy_bits: np.ndarray
    """Per channel: the least bits a symbol could cost on average, given these counts."""
    cost_bits: np.ndarray
    """Per channel: what it costs with the model's table."""


Latents = list[tuple[list[int], np.ndarray]]
"""Samples by their indices, and their float32 latents (sample, channel, *position): one shape an entry."""


def encode(source: Source, model: Model) -> Latents:
    """The latents of all samples."""
    return [(indices, model.encode(samples)) for indices, samples in by_shape(source)]


def latent_map(latents: Latents) -> LatentMap:
    """Principal components of latents, in the samples' order."""
    widest = max(math.prod(batch.shape[1:]) for _, batch in latents)
    pooled = len({batch.shape[1:] for _, batch in latents}) > 1 or widest > _MOST_FEATURES
    batches = [batch.reshape(*batch.shape[:2], -1) for _, batch in latents]
    rows = np.concatenate([b.mean(axis=2) if pooled else b.reshape(len(b), -1) for b in batches])
    order = np.argsort(np.concatenate([indices for indices, _ in latents]))
    rows = rows[order].astype(np.float64)
    centred = rows - rows.mean(axis=0)
    directions, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    points = np.zeros((len(rows), 2))
    points[:, : len(lengths)] = (directions * lengths)[:, :2]
    variance = lengths**2
    shares = [*(variance / max(variance.sum(), 1e-300))[:2].tolist(), 0.0]
    return LatentMap(points, (shares[0], shares[1]), pooled)


_MOST_FEATURES = 4096  # more are averaged over positions, so that the map stays quick


def code_use(latents: Latents, model: Model) -> CodeUse:
    """Count the symbols that latents are rounded to."""
    columns = _columns([model.decoder.quantiser.quantise(batch) for _, batch in latents])
    tables = model.decoder.tables
    everything = np.concatenate(columns)
    low, high = (int(v) for v in np.quantile(everything, (_TAIL, 1 - _TAIL), method="nearest"))
    low, high = max(low, -_WIDEST), min(high, _WIDEST)
    values = np.arange(low, high + 1)
    counted = np.bincount(everything[(everything >= low) & (everything <= high)] - low, minlength=len(values))
    return CodeUse(
        values=values,
        counted=counted / everything.size,
        expected=np.mean([_probabilities(table, values) for table in tables], axis=0),
        outside=1 - float(counted.sum()) / everything.size,
        entropy_bits=np.array([_entropy(column) for column in columns]),
        cost_bits=np.array([t.bits(c) / c.size for t, c in zip(tables, columns, strict=True)]),
    )


_TAIL = 0.001
_WIDEST = 200  # bars drawn to each side, at most


def _columns(blocks: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Symbols (sample, channel, *position) → one column a channel."""
    by_channel = [np.moveaxis(block, 1, 0).reshape(block.shape[1], -1) for block in blocks]
    return list(np.concatenate(by_channel, axis=1))


def _probabilities(table: Table, values: np.ndarray) -> np.ndarray:
    """What a table gives each value; the escape's share belongs to none of them."""
    indices = table.indices(values)
    shares = table.frequencies[indices] / table.frequencies.sum()
    return np.where(indices == table.escape, 0.0, shares)


def _entropy(column: np.ndarray) -> float:
    _, counts = np.unique(column, return_counts=True)
    shares = counts / column.size
    return float(max(0.0, -(shares * np.log2(shares)).sum()))
