"""Data → features: the latent of every sample, as a table of numbers."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data import Source, open_source
from isthmus.data.grouping import by_shape
from isthmus.errors import UseError
from isthmus.files import refuse_existing, write_bytes
from isthmus.model import Model, as_kind
from isthmus.tasks.results import Result


@dataclass(frozen=True)
class EmbedResult(Result):
    """What `embed` made."""

    samples: int
    features: int
    output: Path | None
    latents: np.ndarray = field(repr=False)
    """float32, shape (sample, feature)."""

    def summary(self) -> str:
        """One line for a terminal."""
        where = f" → {self.output}" if self.output else ""
        return f"{self.samples:,} samples as {self.features} features each{where}"


def embed(
    source: Any, model: Any, output: str | Path | None = None, *, pool: bool = False, force: bool = False
) -> EmbedResult:
    """Encode every sample.

    Args:
        source: a path, a name, an array, or an opened Source.
        model: made by `fit`, or its path.
        output: .npy or .csv (one row a sample); None keeps the features in memory.
        pool: average a spatial latent over its positions, so that images of all sizes give one
            feature per channel; done anyway where the samples differ in size.
        force: replace an existing output.
    """
    model, output = as_kind(model, Model), None if output is None else Path(output)
    if output is not None:
        _require_known_suffix(output)
        refuse_existing(output, force=force)
    source = source if isinstance(source, Source) else open_source(source)
    model.require_fits(source.spec)
    latents = latent_rows(source, model, pool=pool or not source.spec.is_fixed)
    if output is not None:
        write_bytes(output, as_file(latents, output.suffix), force=force)
    return EmbedResult(len(latents), latents.shape[1], output, latents)


def latent_rows(source: Source, model: Model, *, pool: bool = False) -> np.ndarray:
    """float32 (sample, feature): the latents of all samples, flattened or averaged over positions."""
    rows: list[np.ndarray | None] = [None] * len(source)
    for indices, samples in by_shape(source):
        latents = model.encode(samples)
        flat = latents.reshape(*latents.shape[:2], -1).mean(2) if pool else latents.reshape(len(latents), -1)
        for index, row in zip(indices, flat, strict=True):
            rows[index] = row
    return np.stack([row for row in rows if row is not None]).astype(np.float32)


def _require_known_suffix(output: Path) -> None:
    if output.suffix not in (".npy", ".csv"):
        raise UseError(f"Features are written as .npy or .csv; got {output.name}. Give such a name to -o.")


def as_file(latents: np.ndarray, suffix: str) -> bytes:
    """The bytes of a .npy or .csv file, one row a sample."""
    if suffix == ".npy":
        file = io.BytesIO()
        np.save(file, latents, allow_pickle=False)
        return file.getvalue()
    header = ",".join(["row", *(f"feature_{i}" for i in range(latents.shape[1]))])
    lines = (f"{i}," + ",".join(map(repr, row.tolist())) for i, row in enumerate(latents))
    return "\n".join([header, *lines, ""]).encode()
