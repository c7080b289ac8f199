"""Images → what is wrong with each: damaged, unlike the others, there already, or odd."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count, islice

import numpy as np
from PIL import UnidentifiedImageError

from isthmus.data import Source
from isthmus.data.readers.images import ImageSource
from isthmus.data.readers.pixels import decode, peek
from isthmus.data.tables import Cells, Column, Table, TableSource
from isthmus.data.thumbnails import (
    FIGURES,
    SIDE,
    difference_hash,
    figures,
    grey,
    near_pairs,
    scaled,
    thumbnail,
)
from isthmus.errors import BadItem, MissingExtra

DAMAGED, UNLIKE, NO_IMAGE = "damaged", "unlike the others", "no image"
DUPLICATE, NEAR_DUPLICATE, ODD = "duplicate", "near-duplicate", "odd"
LEAST_SCORE = 5.0
"""Usual spreads from the middle from which on an item is odd …"""
MOST_ODD = (10, 0.01)
"""… if it is among so many, or among this share, of the oddest, whichever are more."""
LEAST_ITEMS = 20
"""Among fewer, nobody can say what is usual."""
RANGE_ITEMS = 64
"""That are looked at to learn how bright pixels of more than 8 bits become."""


@dataclass(frozen=True)
class ItemIssue:
    """What is wrong with one item."""

    item: str
    issue: str
    """DAMAGED, UNLIKE, NO_IMAGE, DUPLICATE, NEAR_DUPLICATE or ODD."""
    related: str = ""
    """The earlier item that it repeats."""
    score: float | None = None
    """Of a near-duplicate, how the two correlate; of an odd item, usual spreads from the middle."""
    reason: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Looks:
    """What was seen of each item that could be read."""

    names: list[str]
    digests: list[bytes]
    """Equal for equal pixels alone."""
    hashes: np.ndarray
    """uint64 (items,): of thumbnails."""
    thumbnails: np.ndarray
    """float32 (items, SIDE, SIDE)."""
    figures: np.ndarray
    """float64 (items, figures)."""
    flat: np.ndarray
    """bool (items,): every pixel is the same."""

    def different(self) -> np.ndarray:
        """int64: the places of items that repeat no earlier one."""
        first = {digest: place for place, digest in reversed(list(enumerate(self.digests)))}
        return np.array(sorted(first.values()), np.int64)


def look(source: Source, names: Sequence[str]) -> tuple[Looks, list[ItemIssue]]:
    """Read every item once, one at a time: what was seen, and those that could not be read."""
    low, high = _value_range(source)
    hashes, told = np.zeros(len(names), np.uint64), np.zeros((len(names), len(FIGURES)))
    small, flat = np.zeros((len(names), SIDE, SIDE), np.float32), np.zeros(len(names), bool)
    seen, digests, damaged = list[int](), list[bytes](), list[ItemIssue]()
    for place, name in enumerate(names):
        try:
            image = source.read([place])[0]
        except BadItem as wrong:
            damaged.append(ItemIssue(name, DAMAGED, reason=_damage(wrong)))
            continue
        light = scaled(image, low, high)
        brightness = grey(light)
        hashes[place], small[place] = difference_hash(brightness), thumbnail(brightness)
        told[place], flat[place] = figures(light, brightness), (image == image[:1, :1]).all()
        digests.append(_digest(image))
        seen.append(place)
    looks = Looks(
        names=[names[place] for place in seen],
        digests=digests,
        hashes=hashes[seen],
        thumbnails=small[seen],
        figures=told[seen],
        flat=flat[seen],
    )
    return looks, damaged


def item_names(source: Source) -> Iterator[str]:
    """Of all items that a source gives, counted as in the file even where some before were left out."""
    skipped = {one.name for one in source.skipped}
    for member in source.layout.members:
        if member.count is None:
            yield member.name
        else:
            every = (f"{member.name}[{number}]" for number in count())
            yield from islice((name for name in every if name not in skipped), member.count)


def refused(source: Source) -> Iterator[ItemIssue]:
    """What the reader left out: what cannot be decoded is damaged, everything else is unlike the others."""
    for one in source.skipped:
        if isinstance(source, ImageSource):
            yield _looked_at_again(source, one.name, one.reason)
        else:
            yield ItemIssue(one.name, DAMAGED, reason=one.reason)


def repeats(looks: Looks) -> Iterator[ItemIssue]:
    """Duplicates, each of the first that it equals; then near-duplicates among the rest."""
    first: dict[bytes, str] = {}
    for name, digest in zip(looks.names, looks.digests, strict=True):
        earlier = first.setdefault(digest, name)
        if earlier != name:
            yield ItemIssue(name, DUPLICATE, earlier, reason=f"the same pixels as {earlier}")
    rest = looks.different()
    near = near_pairs(looks.hashes[rest], looks.thumbnails[rest])
    for later, (earlier_place, score) in sorted(near.items()):
        earlier = looks.names[rest[earlier_place]]
        yield ItemIssue(
            looks.names[rest[later]], NEAR_DUPLICATE, earlier, score, f"shows the same as {earlier}"
        )


def odd_items(looks: Looks) -> tuple[list[ItemIssue], str | None]:
    """Items that are odd, the oddest first; and why they were not looked for, where they were not."""
    rest = looks.different()
    flat = [looks.names[place] for place in rest if looks.flat[place]]
    found = [ItemIssue(name, ODD, reason="every pixel is the same") for name in flat]
    if len(rest) < LEAST_ITEMS:
        return found, f"Odd items were not looked for: there must be {LEAST_ITEMS} different ones or more."
    try:
        judged = _judged(looks, rest)
    except MissingExtra as missing:
        return found, f"Odd items were not looked for. {missing}"
    return [*found, *(issue for issue in judged if issue.item not in flat)], None


def _judged(looks: Looks, rest: np.ndarray) -> list[ItemIssue]:
    """By a detector that learns from the figures of all items what is usual.

    Its p-values are ranks here, so that a hundredth of any items would be odd; how far off an item is
    decides.
    """
    try:
        from isthmus.model.reasons import sentence
        from isthmus.tasks.detect import Alarm, detect
    except ModuleNotFoundError as missing:
        raise MissingExtra(
            "Detecting takes PyArrow, which is not installed: pip install 'isthmus[tables]'."
        ) from missing
    at_least, share = MOST_ODD
    most = min(max(share, at_least / len(rest)), 0.5)
    result = detect(_table(looks.figures[rest]), alarm=Alarm(contamination=most))
    order = np.argsort(-result.scores, kind="stable")
    order = order[result.is_anomaly[order] & (result.scores[order] >= LEAST_SCORE)]
    return [
        ItemIssue(
            looks.names[rest[row]],
            ODD,
            score=round(float(result.scores[row]), 2),
            reason=sentence(result.reasons.get(int(row), [])),
        )
        for row in order
    ]


def _table(rows: np.ndarray) -> TableSource:
    table = Table(
        tuple(
            Cells(Column(name=name, kind="integer" if digits is None else "decimal", digits=digits), column)
            for (name, digits), column in zip(FIGURES.items(), rows.T, strict=True)
        )
    )
    return TableSource(
        "images", table.schema, lambda schema: iter([table]), lambda: iter(()), lambda name: iter(())
    )


def _looked_at_again(source: ImageSource, name: str, reason: str) -> ItemIssue:
    """Find out why a reader left a file out."""
    try:
        with source.load(name) as file:
            decode(file, name)
            file.seek(0)
            kind = peek(file, name).kind
        with source.load(source.layout.members[0].name) as file:
            usual = peek(file, name).kind
    except BadItem as wrong:
        # What the bytes do not allow has a cause; what we do not take, such as CMYK, has none.
        issue = UNLIKE if wrong.__cause__ is None else DAMAGED
        return ItemIssue(name, issue, reason=_damage(wrong))
    return ItemIssue(name, UNLIKE, reason=reason if kind == usual else f"{kind}, where most are {usual}")


def _damage(wrong: BadItem) -> str:
    cause = wrong.__cause__
    if cause is None:
        return str(wrong)
    if isinstance(cause, UnidentifiedImageError):  # its text tells an address in memory
        return "no image of a known format"
    return str(cause) or type(cause).__name__


def _digest(image: np.ndarray) -> bytes:
    told = blake2b(f"{image.dtype.str} {image.shape}".encode(), digest_size=20)
    told.update(np.ascontiguousarray(image).data)
    return told.digest()


def _value_range(source: Source) -> tuple[float, float]:
    """What is black and what is white; 16-bit pixels often come from cameras of 10, 12 or 14 bits."""
    spec = source.spec
    low, high = float(spec.low or 0), float(spec.high or 0)
    if spec.dtype == "uint16":
        most = 255
        for place in range(0, len(source), -(-len(source) // RANGE_ITEMS)):
            try:
                most = max(most, int(source.read([place])[0].max()))
            except BadItem:  # told of when all are read
                continue
        high = float((1 << most.bit_length()) - 1)
    return low, high
