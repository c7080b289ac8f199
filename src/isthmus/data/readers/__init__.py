"""file ⇄ sample: one kind of file a module, each with its reader and its writer side by side.

A new kind of file is a new module with a subclass of Source, and its line in READERS.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

import numpy as np

from isthmus.data import mnist
from isthmus.data.source import Layout, Source
from isthmus.errors import NoData
from isthmus.registry import Registry
from isthmus.spec import DataSpec

READERS = Registry(
    "reader",
    {
        "array": "isthmus.data.readers.arrays:Array",
        "digits": "isthmus.data.readers.digits:Digits",
        "idx": "isthmus.data.readers.idx:Idx",
        "images": "isthmus.data.readers.images:Images",
        "npy": "isthmus.data.readers.npy:Npy",
        "npz": "isthmus.data.readers.npy:Npz",
        "zip": "isthmus.data.readers.zips:Zip",
    },
)

READS = (
    "a folder or .zip of images (png, jpg, tif, bmp, webp, gif, ppm), an image, .npy, .npz, an IDX file, "
    "or one of the names digits, mnist, mnist-test"
)


def open_source(
    source: str | Path | np.ndarray | Sequence[str | Path],
    *,
    skip_bad: bool = False,
    trainable: bool = True,
) -> Source:
    """Find the reader for `source` and open it.

    Args:
        source: a path, several image files, an array whose first axis counts samples, or, where
            no such path exists, a name: "digits", "mnist", "mnist-test".
        skip_bad: leave unreadable samples out, and name them in `Source.skipped`.
        trainable: refuse what no net can learn from: NaN, infinities, no samples, samples without
            an axis. False takes any numbers at all.
    Raises:
        NoData: nothing is there, or nothing of a kind that a reader knows.
        BadItem: an item is unreadable or unlike the others, and `skip_bad` is False.
        Offline: MNIST was asked for by name, is not here, and no mirror answered.

    >>> digits = open_source("digits")
    >>> len(digits), digits.spec.summary()
    (1797, '8×8 grey image, uint8')
    """
    found = _resolve(source)
    for name in READERS:
        reader = cast("type[Source]", READERS.find(name))
        if reader.matches(found):
            return reader.open(found, skip_bad=skip_bad, trainable=trainable)
    raise NoData(_nothing(found))


def write_source(
    layout: Layout,
    spec: DataSpec,
    samples: Iterable[np.ndarray],
    directory: str | Path,
    *,
    force: bool = False,
) -> list[Path]:
    """Undo `open_source`: put samples back into files like those they came from.

    Args:
        layout: of the source, or a part of it from `Layout.select`.
        spec: of the source.
        samples: as many as the layout counts, in its order; taken one at a time.
        directory: made if it is not there.
        force: replace files that are there already.
    Returns:
        The files made, in the layout's order.
    Raises:
        OutputExists, BadItem: see `Source.write`; nothing was written.
    """
    reader = cast("type[Source]", READERS.find(layout.reader))
    return reader.write(layout, spec, samples, Path(directory), force=force)


def _resolve(source: object) -> object:
    if isinstance(source, np.ndarray):
        return source
    if isinstance(source, Sequence) and not isinstance(source, str):
        if not all(isinstance(item, (str, Path)) for item in source):
            raise NoData("A list must hold paths of images. Make it an array: numpy.asarray(…).")
        return [Path(item) for item in source]
    if not isinstance(source, (str, Path)):
        raise NoData(f"A {type(source).__name__} is nothing that can be read. Give {READS}.")
    path = Path(source).expanduser()
    if path.exists():
        return path
    if source in mnist.NAMES:
        return mnist.find_file(mnist.NAMES[str(source)])
    return source if source == "digits" else path


def _nothing(source: object) -> str:
    if isinstance(source, list):
        return (
            f"A list must hold image files, one sample each; got {', '.join(map(str, source[:3])) or 'none'}."
        )
    if isinstance(source, Path) and not source.exists():
        return f"{source} does not exist. Give {READS}."
    return f"{source} is of no kind that can be read. Give {READS}."
