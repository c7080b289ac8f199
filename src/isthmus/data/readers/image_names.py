"""What image files are called, and what is in them, when they are written back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from isthmus.data.names import name_apart
from isthmus.data.readers.pixels import encode, restored_suffix
from isthmus.data.readers.stored import KEPT
from isthmus.data.source import Layout, Member
from isthmus.errors import DamagedFile
from isthmus.spec import DataSpec

STORED = "stored"
"""The option of a layout that says what its samples are, where that is one of KEPT."""


def restored_names(layout: Layout, spec: DataSpec) -> list[str]:
    """Return the name that each member gets when it is written back."""
    renamed, stored = layout.options.get("renamed", {}), _stored_in(layout)
    return [renamed.get(member.name) or _restored(member.name, spec, stored) for member in layout.members]


def restored_bytes(pixels: np.ndarray, name: str, layout: Layout, member: Member) -> bytes:
    """The bytes of an image file: of that name, with what the layout's member says beside its pixels."""
    stored = _stored_in(layout)
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    suffix = restored_suffix(PurePosixPath(name).suffix, channels, pixels.dtype.name, stored)
    return encode(pixels, suffix, member.metadata, stored=stored, palette=member.palette)


def _stored_in(layout: Layout) -> str:
    """What the samples of an archive are; DamagedFile for what no reader writes."""
    stored = layout.options.get(STORED, "")
    if stored not in ("", *KEPT):
        raise DamagedFile(f"The archive holds images {stored!r}, which this version does not know.")
    return str(stored)


def _restored(name: str, spec: DataSpec, stored: str) -> str:
    """Return photo.png for photo.jpg, and photo.tif for itself."""
    suffix = PurePosixPath(name).suffix
    held = restored_suffix(suffix, spec.channels, spec.dtype, stored)
    kept = suffix.lower().replace(".tiff", ".tif") == held
    return name if kept else name_apart(name, ".png", ())


def other_names(names: Sequence[str], spec: DataSpec, stored: str) -> dict[str, str]:
    """Return other names for images that would otherwise be restored over one another.

    Settled when the whole source is known, so that one item restored alone gets the same name.
    """
    taken = {name.casefold() for name in names if _restored(name, spec, stored) == name}
    renamed: dict[str, str] = {}
    for name in names:
        plain = _restored(name, spec, stored)
        if plain == name:
            continue
        restored = name_apart(name, ".png", taken)
        taken.add(restored.casefold())
        if restored != plain:
            renamed[name] = restored
    return renamed
