"""What lies beside the items of a folder or a .zip and is not read: each is named."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from isthmus.data.names import is_hidden
from isthmus.data.source import Skipped


def beside(names: Iterable[str], taken: Collection[str], what: str) -> tuple[Skipped, ...]:
    """Name the entries that are no items, and those that share a name.

    Args:
        names: all entries, relative, with forward slashes; the same name twice only in a .zip.
        taken: those that are items.
        what: an item is called, with its article.

    >>> [str(each) for each in beside(["a.png", "a.png", "b.txt", ".c.png"], {"a.png"}, "an image")]
    ['.c.png: a hidden file', 'a.png: stands there 2 times, of which the last is read', 'b.txt: not an image']
    """
    found = []
    for name, count in sorted(Counter(names).items()):
        if name not in taken:
            found.append(Skipped(name, "a hidden file" if is_hidden(name) else f"not {what}"))
        elif count > 1:
            found.append(Skipped(name, f"stands there {count} times, of which the last is read"))
    return tuple(found)


def linked_folders(folder: Path) -> tuple[Skipped, ...]:
    """Name the links to folders below a folder; they are not followed, as they may lead in a circle."""
    found = sorted(path.relative_to(folder).as_posix() for path in _links(folder))
    return tuple(Skipped(name, "a link to a folder, which is not followed") for name in found)


def _links(folder: Path) -> Iterator[Path]:
    for parent, folders, _ in os.walk(folder):
        yield from (Path(parent) / name for name in folders if (Path(parent) / name).is_symlink())
