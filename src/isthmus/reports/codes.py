"""Samples → how their codes are spread: over the plane, over symbols, over channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isthmus.coding.tables import Table
from isthmus.data import Source
from isthmus.data.grouping import by_shape
from isthmus.model import Model
from isthmus.tasks.features import latent_rows


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


def latent_map(source: Source, model: Model) -> LatentMap:
    """Principal components of the latents of all samples."""
    pooled = not source.spec.is_fixed or _features(source, model) > _MOST_FEATURES
    rows = latent_rows(source, model, pool=pooled).astype(np.float64)
    centred = rows - rows.mean(axis=0)
    directions, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    points = np.zeros((len(rows), 2))
    points[:, : len(lengths)] = (directions * lengths)[:, :2]
    variance = lengths**2
    shares = [*(variance / max(variance.sum(), 1e-300))[:2].tolist(), 0.0]
    return LatentMap(points, (shares[0], shares[1]), pooled)


_MOST_FEATURES = 4096  # more are averaged over positions, so that the map stays quick


def _features(source: Source, model: Model) -> int:
    sides = tuple(source.shapes()[0][:2]) if source.spec.modality == "image" else ()
    return int(np.prod(model.decoder.code_shape(sides)))


def code_use(source: Source, model: Model) -> CodeUse:
    """Count the symbols of all samples."""
    columns = _columns(source, model)
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


def _columns(source: Source, model: Model) -> list[np.ndarray]:
    """One column of symbols a channel."""
    blocks = [model.quantise(samples) for _, samples in by_shape(source)]
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
