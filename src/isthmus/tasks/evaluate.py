"""Data and model → distortion, rate, and honest sizes beside other coders on the same data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from isthmus.coding.container import Sizes
from isthmus.data import Source, open_source
from isthmus.data.distortion import Distortion
from isthmus.model import Model, as_kind
from isthmus.tasks import rates as curves
from isthmus.tasks.archive import open_archive
from isthmus.tasks.compress import CompressResult, compress_bytes
from isthmus.tasks.peers import Peer, lossless_peers, lossy_peers
from isthmus.tasks.results import Result, notices_of, size
from isthmus.tasks.sizes import larger


@dataclass(frozen=True)
class EvaluateResult(Result):
    """One model on one source; every byte of the archive is counted."""

    name: str
    samples: int
    raw_bytes: int
    """As plain values."""
    source_bytes: int
    """The original files; the values where they were in memory."""
    archive_bytes: int
    sizes: Sizes
    values: int
    """Numbers in all samples."""
    distortion: Distortion
    peers: tuple[Peer, ...]
    lossless: CompressResult | None
    """The same samples without loss; None where there are too many to do it in passing."""
    pairs: tuple[np.ndarray, np.ndarray] = field(repr=False)
    """Some originals and their reconstructions, for pictures (lists where sizes differ)."""
    source_names: Sequence[str] = field(default=(), repr=False)
    """Of the files."""
    rates: curves.Rates | None = None
    """The curves over all qualities, where they were asked for."""

    @property
    def bits_per_value(self) -> float:
        """Of the whole archive, model included."""
        return 8 * self.archive_bytes / self.values

    @property
    def payload_bits_per_value(self) -> float:
        """Of what grows with the data: codes, block headers, index."""
        return 8 * self._growing / self.values

    @property
    def _growing(self) -> int:
        return self.archive_bytes - self.sizes.model

    def break_even(self, peer: Peer) -> int | None:
        """From how many samples on the archive, model included, is smaller than the peer's files.

        None where each of our samples takes more bytes than the peer's.
        """
        saved_each = (peer.bytes - self._growing) / self.samples
        return math.ceil(self.sizes.model / saved_each) if saved_each > 0 else None

    def verdict(self) -> str:
        """Who is smallest at this size, lossless coders among them, and from how many samples on we are."""
        rivals = [peer for peer in self.peers if self._is_as_good(peer)]
        if not rivals:
            return "Compared with no other coder that is as close."
        best = min(rivals, key=lambda peer: peer.bytes)
        pays = self.break_even(best)
        rival = f"{best.name} (lossless)" if best.psnr_db is None else f"{best.name} at {best.psnr_db:.1f} dB"
        if self.archive_bytes <= best.bytes:
            lead = f"Smaller than {rival} by {1 - self.archive_bytes / best.bytes:.0%}, model included; "
            return lead + f"the model pays from {pays:,} samples on."
        sizes = f"{size(best.bytes)} against {size(self.archive_bytes)}"
        lead = f"{rival} wins at {self.samples:,} samples, {sizes}; "
        if pays is None:
            return lead + "its samples are smaller than ours even without the model."
        return lead + f"the model pays from {pays:,} samples on."

    def _is_as_good(self, peer: Peer) -> bool:
        return peer.psnr_db is None or peer.psnr_db >= self.distortion.psnr_db - _AS_GOOD_DB

    def lossless_line(self) -> str:
        """What a lossless archive of the same samples takes, and who won its blocks; "" if not tried."""
        if self.lossless is None:
            return ""
        bits = 8 * self.lossless.archive_bytes / max(1, self.values)
        total = size(self.lossless.archive_bytes)
        return f" Without loss: {total}, {bits:.3f} bits per value, {self.lossless.won()}"

    def summary(self) -> str:
        """One line for a terminal; three with curves."""
        curves = "" if self.rates is None else f"\n{self.rates.summary()}"
        return self._lossy_line() + self.lossless_line() + self._larger() + curves

    @property
    def has_files(self) -> bool:
        """Whether the samples came from files, whose bytes are others than those of plain values."""
        return bool(self.source_names) and self.source_bytes != self.raw_bytes

    def _larger(self) -> str:
        """Another sentence where the archive is larger than the files."""
        told = larger(self.archive_bytes, self.source_bytes, self.source_names)
        return f" {told}" if told else ""

    def _lossy_line(self) -> str:
        return (
            f"{self.distortion.psnr_db:.2f} dB at {self.bits_per_value:.3f} bits per value, model included "
            f"({self.payload_bits_per_value:.3f} without). {self.verdict()}"
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the derived figures."""
        values = super().to_dict()
        values["sizes"] = {**values["sizes"], "total": self.sizes.total}
        values["distortion"] = self.distortion.to_dict()
        values["bits_per_value"] = self.bits_per_value
        values["payload_bits_per_value"] = self.payload_bits_per_value
        values["peers"] = [
            {**peer, "break_even_samples": self.break_even(ours)}
            for peer, ours in zip(values["peers"], self.peers, strict=True)
        ]
        return values | {"verdict": self.verdict()}


_AS_GOOD_DB = 0.5
"""A rival that falls further short of our PSNR is told, but decides nothing."""


def evaluate(
    source: Any, model: Any, *, skip_bad: bool = False, peers: bool = True, rd: bool = False
) -> EvaluateResult:
    """Compress `source` in memory, restore it, and compare.

    Args:
        source: a path, a name, an array, or an opened Source; best data the model never saw.
        model: made by `fit`, or its path.
        skip_bad: leave unreadable items out.
        peers: compare with zstd, xz, and, for images, PNG, and JPEG, WebP and AVIF at the same PSNR.
        rd: of images, measure rate and distortion over all qualities too, beside every image codec
            installed; on evenly spaced images where they hold more than two million values.
    Raises:
        SpecMismatch: the model was made for other data.
        UseError: `rd` was asked for, and these are no images or the model has one quality.
    """
    model = as_kind(model, Model)
    source = source if isinstance(source, Source) else open_source(source, skip_bad=skip_bad)
    model.require_fits(source.spec)
    if rd:
        curves.require_curve(source.spec, model)
    archive, result, sizes = compress_bytes(source, model, mode="lossy", metadata="none")
    distortion = Distortion.none()
    originals: list[np.ndarray] = []
    restored: list[np.ndarray] = []
    index = 0
    for stack in open_archive(archive, model).stacks(0, len(source)):
        for original, sample in zip(source.read(range(index, index + len(stack))), stack, strict=True):
            distortion = distortion + Distortion.between(original, sample, source.spec)
            if len(originals) < _SHOWN:
                originals.append(original)
                restored.append(sample)
        index += len(stack)
    return EvaluateResult(
        notices=notices_of(source),
        name=source.name,
        samples=len(source),
        raw_bytes=source.raw_bytes,
        source_bytes=source.file_bytes,
        source_names=source.file_names,
        archive_bytes=result.archive_bytes,
        sizes=sizes,
        values=distortion.values,
        distortion=distortion,
        peers=tuple(_peers(source, distortion.psnr_db)) if peers else (),
        lossless=_lossless(source, model),
        pairs=(originals, restored),  # type: ignore[arg-type]
        rates=curves.measure_rates(source, model) if rd else None,
    )


_SHOWN = 12


def _lossless(source: Source, model: Model) -> CompressResult | None:
    if source.raw_bytes > _MOST_LOSSLESS_BYTES:
        return None
    return compress_bytes(source, model, mode="lossless", metadata="none")[1]


_MOST_LOSSLESS_BYTES = 2_000_000  # some seconds, at the speed of learned contexts


def _peers(source: Source, psnr_db: float) -> list[Peer]:
    samples: Sequence[np.ndarray] = source.read(range(len(source)))
    return lossless_peers(samples, source.spec) + lossy_peers(samples, source.spec, psnr_db=psnr_db)
