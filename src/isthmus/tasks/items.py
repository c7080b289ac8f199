"""A folder, zip or stack of images → what is wrong with which, and a copy of those that are sound.

The originals are never changed; whatever is left out of the copy is in the log.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from isthmus.data import READERS, Layout, Source, open_source, write_source
from isthmus.data.names import fitted, prepare_outputs
from isthmus.data.readers.images import ImageSource
from isthmus.data.readers.pixels import SUFFIXES
from isthmus.data.tables import is_table
from isthmus.data.tables.tablefile import FRAMES, TEXTS
from isthmus.errors import UseError
from isthmus.files import atomic_write, refuse_existing, set_modified
from isthmus.tasks.item_issues import (
    DAMAGED,
    DUPLICATE,
    NEAR_DUPLICATE,
    NO_IMAGE,
    ODD,
    UNLIKE,
    ItemIssue,
    item_names,
    look,
    odd_items,
    refused,
    repeats,
)
from isthmus.tasks.lines import csv_lines, write_lines
from isthmus.tasks.results import Result, refuse_notices

LOG = ("item", "issue", "related", "score", "reason")
LEFT_OUT = (DAMAGED, UNLIKE, NO_IMAGE, DUPLICATE)
"""Issues for which an item is not copied; near-duplicates and odd items are listed alone."""


@dataclass(frozen=True)
class ItemsResult(Result):
    """What `clean_items` found and did."""

    items: int
    """Images, damaged ones among them."""
    kept: int
    """Items that are in the copy, or would be."""
    damaged: int
    unlike: int
    """Of other colours or another pixel type than most."""
    duplicates: int
    near_duplicates: int
    odd: int
    not_looked_for: str | None
    """Why odd items were not looked for; None where they were."""
    other_files: int
    """Files beside the images, which are none."""
    output: Path | None
    log: Path | None
    issues: tuple[ItemIssue, ...] = field(repr=False)

    def summary(self) -> str:
        """A few lines for a terminal."""
        where = f"; {self.kept:,} copied → {self.output}" if self.output else " (nothing copied)"
        lines = [
            f"{self.items:,} items: {self.damaged:,} damaged, {self.unlike:,} unlike the others, "
            f"{self.duplicates:,} duplicates, {self.near_duplicates:,} near-duplicates, "
            f"{self.odd:,} odd{where}"
        ]
        if self.not_looked_for is not None:
            lines.append(self.not_looked_for)
        oddest = next((issue for issue in self.issues if issue.issue == ODD), None)
        if oddest is not None:
            lines.append(f"oddest: {oddest.item}: {oddest.reason}")
        if self.other_files:
            lines.append(f"other files, which are no images: {self.other_files:,}")
        if self.log is not None:
            lines.append(f"each with its reason in {self.log}")
        return "\n".join(lines)


def holds_items(source: Any) -> bool:
    """Whether a source is one of images rather than a table, by its type, its name and how many axes it has.

    >>> holds_items(np.zeros((5, 8, 8))), holds_items(np.zeros((5, 8))), holds_items("digits")
    (True, False, True)
    """
    if isinstance(source, np.ndarray):
        return source.ndim > 2
    if isinstance(source, list):
        return bool(source) and all(isinstance(item, (str, Path)) for item in source)
    if not isinstance(source, (str, Path)) or is_table(source):
        return False
    path = Path(source).expanduser()
    if not path.exists():
        return not path.name.lower().endswith((*TEXTS, *FRAMES))
    if path.suffix.lower() == ".npy" and path.is_file():
        return _axes(path) > 2
    return any(cast("type[Source]", READERS.find(name)).matches(path) for name in READERS)


def clean_items(
    source: Any,
    output: str | Path | None = None,
    *,
    log: str | Path | None = None,
    dry_run: bool = False,
    strict: bool = False,
    force: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> ItemsResult:
    """Find items that are damaged, unlike the others, come twice or are odd.

    Args:
        source: as for `open_source`: a folder or zip of images, a stack of them.
        output: a folder for a copy of all that are neither damaged nor unlike nor repeat another.
        log: a .csv of what was found; None puts it beside the output, NAME.issues.csv.
        dry_run: find, and write nothing.
        strict: refuse where other files lie beside the images, which would be left out.
        force: replace existing outputs.
        say: told in a line each what was seen.
    Raises:
        UseError: the items are no images, or the copy would lie among the originals.
        NoData: nothing readable is there.
    """
    output = None if output is None or dry_run else Path(output)
    log = _log_beside(output, log, dry_run)
    _require_outputs(source, output, log, force=force)
    opened = open_source(source, skip_bad=True)
    _require_images(opened)
    notices = tuple(f"left out: {each}" for each in opened.ignored)
    refuse_notices(notices, strict=strict)
    say(f"{len(opened):,} × {opened.spec.summary()}")
    names = list(item_names(opened))
    looks, unread = look(opened, names)
    odd, not_looked_for = odd_items(looks)
    others = [ItemIssue(one.name, NO_IMAGE, reason=one.reason) for one in opened.ignored]
    issues = (*refused(opened), *unread, *others, *repeats(looks), *odd)
    left_out = {issue.item for issue in issues if issue.issue in LEFT_OUT}
    kept = [place for place, name in enumerate(names) if name not in left_out]
    if output is not None:
        _copy(opened, kept, output, _files(source), force=force)
    if log is not None:
        write_lines(log, csv_lines(LOG, _lines(issues)), force=force)
    found = [issue.issue for issue in issues]
    return ItemsResult(
        items=len(opened) + len(opened.skipped),
        kept=len(kept),
        damaged=found.count(DAMAGED),
        unlike=found.count(UNLIKE),
        duplicates=found.count(DUPLICATE),
        near_duplicates=found.count(NEAR_DUPLICATE),
        odd=found.count(ODD),
        not_looked_for=not_looked_for,
        other_files=found.count(NO_IMAGE),
        output=output,
        log=log,
        issues=issues,
        notices=notices,
    )


def _copy(source: Source, kept: Sequence[int], folder: Path, originals: set[Path], *, force: bool) -> None:
    """Files as they are, byte for byte; of a stack, one with fewer samples."""
    if not isinstance(source, ImageSource):
        samples = (source.read([place])[0] for place in kept)
        layout = _layout_of(source.layout, kept)
        _require_others((folder / member.name for member in layout.members), originals)
        write_source(layout, source.spec, samples, folder, force=force)
        return
    names = [source.layout.members[place].name for place in kept]
    _require_others((folder / name for name in names), originals)
    for name, path in zip(names, prepare_outputs(names, folder, force=force), strict=True):
        with source.load(name) as original, atomic_write(path, force=force) as copy:
            shutil.copyfileobj(original, copy)
        set_modified(path, source.modified_s(name))


def _layout_of(layout: Layout, kept: Sequence[int]) -> Layout:
    """The layout of some samples alone."""
    ends = np.cumsum([len(member) for member in layout.members])
    counts = np.bincount(np.searchsorted(ends, kept, side="right"), minlength=len(ends))
    pairs = zip(layout.members, counts.tolist(), strict=True)
    return replace(layout, members=tuple(replace(member, count=some) for member, some in pairs if some))


def _lines(issues: Iterable[ItemIssue]) -> Iterator[tuple[Any, ...]]:
    for one in issues:
        yield one.item, one.issue, one.related, "" if one.score is None else one.score, one.reason


def _axes(path: Path) -> int:
    """Of the array in a .npy file; many where it cannot be read, so that its reader says why."""
    try:
        return int(np.load(path, mmap_mode="r", allow_pickle=False).ndim)
    except (ValueError, EOFError, OSError):
        return 99


def _log_beside(output: Path | None, log: str | Path | None, dry_run: bool) -> Path | None:
    if dry_run:
        return None
    if log is not None:
        return Path(log)
    return None if output is None else output.with_name(fitted(output.name, ".issues.csv"))


def _require_outputs(source: Any, output: Path | None, log: Path | None, *, force: bool) -> None:
    if log is not None:
        if log.suffix != ".csv":
            raise UseError(f"A log of items is written as .csv; got {log.name}.")
        refuse_existing(log, force=force)
    if output is None:
        return
    if output.is_file() or output.suffix.lower() in (".csv", ".zip", ".npy", ".npz", *SUFFIXES):
        raise UseError(f"Images are copied into a folder; got {output.name}. Give the folder's name.")
    place = output.resolve()
    for folder in (path for path in _files(source) if path.is_dir()):
        if place == folder or folder in place.parents or place in folder.parents:
            raise UseError(f"The copy must lie beside {source}, not in or around it; got {output}.")


def _require_others(paths: Iterable[Path], originals: set[Path]) -> None:
    for path in paths:
        if path.resolve() in originals:
            raise UseError(f"The copy would replace the original {path}. Give another folder.")


def _require_images(source: Source) -> None:
    if source.spec.modality != "image":
        raise UseError(
            f"{source.name} must hold images, or be a table, to be cleaned; it holds "
            f"{source.spec.summary()}. Save rows as an array of two axes."
        )


def _files(source: Any) -> set[Path]:
    """The files or the folder that a source is read from."""
    sources = source if isinstance(source, list) else [source] if isinstance(source, (str, Path)) else []
    return {Path(path).expanduser().resolve() for path in sources}
