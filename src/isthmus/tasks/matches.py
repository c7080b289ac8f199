"""Images → what ours and a rival make of them at the same bytes, to look at side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.data import Source
from isthmus.data.distortion import Distortion
from isthmus.data.samples import pick
from isthmus.model import Model
from isthmus.spec import DataSpec
from isthmus.tasks.compress import compress_bytes
from isthmus.tasks.decompress import restore
from isthmus.tasks.image_codecs import ImageCodec, as_pictures
from isthmus.tasks.trials import rival_codecs

QUALITY = 12
"""Low enough for losses to be seen."""
RIVALS = ("AVIF", "WebP")
"""Formats to choose from: the one that comes closer to these images."""


@dataclass(frozen=True)
class Take:
    """One image as a coder gives it back."""

    picture: np.ndarray
    bytes: int
    psnr_db: float


@dataclass(frozen=True)
class Match:
    """One image by ours and by a rival, at about equal bytes."""

    original: np.ndarray
    ours: Take
    rival: Take | None
    """None where no other coder takes such images."""
    rival_name: str


def matches(source: Source, model: Model, *, quality: int = QUALITY) -> tuple[Match, ...]:
    """Each image at one quality of ours, and the rival's at the least of its own that takes as many bytes.

    Ours counts the codes of an image and its share of headers and index, but not of the model.
    """
    _, whole, _ = compress_bytes(source, model, mode="lossy", quality=quality, metadata="none")
    share = whole.overhead_bytes / len(source)
    originals, ours = as_pictures(source.read(range(len(source)))), []
    for index, original in enumerate(originals):
        alone = pick(source, [index])
        archive, result, _ = compress_bytes(alone, model, mode="lossy", quality=quality, metadata="none")
        (made,) = as_pictures(list(restore(archive)))
        ours.append(_take(original, made, round(result.payload_bytes + share), source.spec))
    name, rival = _closest(originals, ours, source.spec)
    made_by = zip(originals, ours, rival, strict=True)
    return tuple(Match(original, mine, theirs, name) for original, mine, theirs in made_by)


def _closest(
    originals: Sequence[np.ndarray], ours: Sequence[Take], spec: DataSpec
) -> tuple[str, Sequence[Take | None]]:
    """The best of RIVALS by its mean PSNR, and what it makes of each image; no name where there is none."""
    codecs = [codec for codec in rival_codecs(spec) if codec.family in RIVALS]
    found: list[tuple[float, str, list[Take]]] = []
    for family in sorted({codec.family for codec in codecs}):
        coders = [codec for codec in codecs if codec.family == family]
        takes = [
            max((_least(codec, x, mine.bytes, spec) for codec in coders), key=lambda take: take.psnr_db)
            for x, mine in zip(originals, ours, strict=True)
        ]
        found.append((sum(take.psnr_db for take in takes), family, takes))
    if not found:
        return "", [None] * len(ours)
    _, name, best = max(found, key=lambda entry: entry[0])
    return name, best


def _least(codec: ImageCodec, picture: np.ndarray, least_bytes: int, spec: DataSpec) -> Take:
    """At the least quality whose file takes so many bytes; at the best where none does."""
    low, high = 1, 100
    while low < high:
        middle = (low + high) // 2
        enough = len(codec.encode(picture, middle)) >= least_bytes
        low, high = (low, middle) if enough else (middle + 1, high)
    file = codec.encode(picture, high)
    return _take(picture, codec.decode(file), len(file), spec)


def _take(original: np.ndarray, made: np.ndarray, count: int, spec: DataSpec) -> Take:
    return Take(made, count, Distortion.between(original, made, spec).psnr_db)
