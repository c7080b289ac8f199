"""Archive → files: the inverse of compress.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data import write_source
from isthmus.data.stacks import Stacks
from isthmus.errors import UseError
from isthmus.limits import DEFAULT_LIMITS, Limits
from isthmus.model import Model, as_kind, as_model
from isthmus.tasks.archive import Opened, open_archive
from isthmus.tasks.modalities import modality_of
from isthmus.tasks.orders import DecompressOrder
from isthmus.tasks.parts import CONTEXTS
from isthmus.tasks.promise import PREVIEW, ROLES
from isthmus.tasks.restored import DecompressResult
from isthmus.tasks.survivors import find_survivors, open_damaged
from isthmus.tasks.workers import worker_count


def decompress(
    archive: str | Path | bytes,
    directory: str | Path,
    *,
    model: Any = None,
    items: tuple[int, int] | None = None,
    time: tuple[float, float] | None = None,
    layer: str | None = None,
    variables: Sequence[str] | None = None,
    workers: int | None = 1,
    skip_damaged: bool = False,
    approximate: bool = False,
    force: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> DecompressResult:
    """Restore the files of an archive.

    Args:
        archive: the .isz file, or its bytes.
        directory: where to put the files.
        model: or its path; needed only where the archive does not hold its own.
        items: (start, stop) to restore only those samples.
        time: (start, stop) in seconds, of video: the frames shown within, of each clip.
        layer: "preview", "bound" or "lossless": how fine; None restores the finest there is.
        variables: of gridded arrays, the names of those to restore; None restores all.
        workers: processes that decode; None takes one a core where the data are large.
        skip_damaged: restore what is whole, and name the rest in `missing`; decodes twice.
        approximate: compute lossy samples in floats: their last bits may differ from machine to
            machine, and they are not checked. What has a bound, or no loss, stays exact.
        force: replace existing files.
        limits: the most that the archive may ask for.
    Raises:
        UseError: no such items, or no such layer.
        TooLarge: the samples would take more than `limits` allow; nothing was written.
    """
    directory = Path(directory)
    order = DecompressOrder(
        model=as_model(model), items=items, time=time, layer=layer,
        variables=None if variables is None else tuple(variables), workers=workers,
        skip_damaged=skip_damaged, approximate=approximate, force=force, limits=limits,
    )  # fmt: skip
    modality = modality_of(archive, limits)
    if modality is not None:
        return modality.decompress(archive, directory, order)
    if variables is not None:
        raise UseError("--variable is for archives of gridded arrays: leave it out, or give --items.")
    if time is not None:
        raise UseError("--time is for archives of video: leave it out, or give --items.")
    codec = None if order.model is None else as_kind(order.model, Model)
    if skip_damaged:
        if approximate:
            raise UseError("What is damaged is found by checking, so --skip-damaged cannot be --approximate.")
        return _decompress_whole(archive, directory, codec, order)
    opened = open_archive(archive, codec, limits=limits)
    if approximate:
        opened = opened.approximately()
    with opened.reader:
        wanted = order.range_of(opened.reader.items)
        start, stop = wanted.start, wanted.stop
        _require_layer(opened, layer)
        slow = CONTEXTS in opened.reader.header["parts"]
        count = worker_count(workers, _raw_bytes(opened, stop - start), slow=slow)
        files = write_source(
            opened.layout.select(start, stop) if items is not None else opened.layout,
            opened.spec,
            Stacks(opened.stacks(start, stop, layer, workers=count)),
            directory,
            force=force,
        )
    return DecompressResult(tuple(files), stop - start, directory)


def _decompress_whole(
    archive: str | Path | bytes,
    directory: Path,
    model: Model | None,
    order: DecompressOrder,
) -> DecompressResult:
    """As `decompress`, with what is whole."""
    opened, damage = open_damaged(archive, model, limits=order.limits)
    with opened.reader:
        wanted = order.range_of(opened.reader.items)
        _require_layer(opened, order.layer)
        found = find_survivors(opened, damage, wanted.start, wanted.stop, order.layer)
        files = write_source(found.layout, opened.spec, Stacks(found.stacks()), directory, force=order.force)
    return DecompressResult(tuple(files), len(found.items), directory, found.missing, found.damage)


def restore(
    archive: str | Path | bytes, *, model: Model | None = None, layer: str | None = None
) -> np.ndarray | list[np.ndarray]:
    """All samples of an archive as one array, or as a list where they differ in size."""
    opened = open_archive(archive, model)
    with opened.reader:
        _require_layer(opened, layer)
        stacks = list(opened.stacks(0, opened.reader.items, layer))
    if not opened.spec.is_fixed:
        return [sample for stack in stacks for sample in stack]
    if (
        opened.layout.members
        and opened.layout.members[0].count is None
        and len(stacks) == 1 == len(stacks[0])
    ):
        single = opened.spec.axes == ()  # one number, which is no array of one number
        return np.asarray(stacks[0][0]) if single else np.asarray(stacks[0])
    none = np.empty((0, *(side or 0 for side in opened.spec.shape)), opened.spec.dtype)
    return np.concatenate(stacks) if stacks else none


def _require_layer(opened: Opened, layer: str | None) -> None:
    """Refuse a layer that is finer than everything the archive holds."""
    if layer is None:
        return
    if layer not in ROLES:
        raise UseError(f"--layer must be one of {', '.join(ROLES)}; got {layer!r}.")
    held = [role for role, _ in opened.promise.targets] or [PREVIEW]
    if ROLES.index(layer) > ROLES.index(held[-1]):
        raise UseError(f"The archive has no layer {layer!r}; its finest is {held[-1]!r}.")


def _raw_bytes(opened: Opened, count: int) -> int:
    if not opened.spec.is_fixed:
        return count * _PHOTO_BYTES
    return (
        count * int(np.prod([side or 0 for side in opened.spec.shape])) * np.dtype(opened.spec.dtype).itemsize
    )


_PHOTO_BYTES = 1 << 20  # about; what differs in size is a photograph, and only the order matters here
