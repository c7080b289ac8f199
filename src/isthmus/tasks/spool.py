"""Coded forms of blocks, kept in a temporary file until it is known which of them the archive takes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from isthmus.coding.blocks import Layer
from isthmus.files import disk_errors
from isthmus.tasks.forms import Form

IN_MEMORY = 16 << 20  # bytes held before the file touches the disk


@dataclass(frozen=True)
class Held:
    """One form: what is known of it, and where its payloads lie."""

    form: Form
    """Its layers without their payloads."""
    lengths: tuple[int, ...]
    offset: int

    @property
    def size(self) -> int:
        """Of its payloads."""
        return sum(self.lengths)


class Spool:
    """Forms by block, in order; the file is gone when the spool closes, or the process ends.

    Args:
        beside: the folder of the archive, whose disk must have room for it anyway.
    """

    def __init__(self, beside: Path | None) -> None:
        folder = beside if beside is not None and beside.is_dir() else None
        self._beside = folder or Path(tempfile.gettempdir())
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(folder) if folder else None)  # noqa: SIM115 - closed below
        self.blocks: list[tuple[range, tuple[Held, ...]]] = []

    def add(self, items: range, forms: tuple[Form, ...]) -> None:
        """Put the forms of the next block down."""
        held = []
        with disk_errors(self._beside):
            for form in forms:
                held.append(self._held(form))
                for layer in form.layers:
                    self._file.write(layer.payload)
        self.blocks.append((items, tuple(held)))

    def _held(self, form: Form) -> Held:
        bare = replace(form, layers=tuple(replace(layer, payload=b"") for layer in form.layers))
        return Held(bare, tuple(len(layer.payload) for layer in form.layers), self._file.tell())

    def clear(self) -> None:
        """Forget everything."""
        self._file.seek(0)
        self._file.truncate()
        self.blocks.clear()

    def layers(self, held: Held) -> list[Layer]:
        """The layers of a form, with their payloads."""
        self._file.seek(held.offset)
        lengths = zip(held.form.layers, held.lengths, strict=True)
        return [replace(layer, payload=self._file.read(length)) for layer, length in lengths]

    def chosen(self, parts: frozenset[str]) -> Iterator[tuple[range, Held]]:
        """Of each block, the smallest form that needs none but these parts."""
        for items, forms in self.blocks:
            possible = [held for held in forms if held.form.needs <= parts]
            if not possible:
                raise ValueError(f"no form of items {items} does without other parts than {set(parts)}")
            yield items, min(possible, key=lambda held: held.size)

    def can_do_with(self, parts: frozenset[str]) -> bool:
        """Whether every block has a form that needs none but these parts."""
        return all(any(held.form.needs <= parts for held in forms) for _, forms in self.blocks)

    def bytes_with(self, parts: frozenset[str]) -> int:
        """The payloads of the whole archive, once these parts are there."""
        return sum(held.size for _, held in self.chosen(parts))

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
