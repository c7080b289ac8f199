"""Small archives of every mode, and a judge of what a reader makes of damaged ones."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import road
from PIL import Image

from isthmus.coding.coders import CODERS
from isthmus.coding.container import ArchiveReader, ArchiveWriter, Layer
from isthmus.coding.squeeze import expand, squeeze
from isthmus.errors import IsthmusError, UseError
from isthmus.model import Model
from isthmus.tasks.archive import Opened, open_archive
from isthmus.tasks.compress import compress, compress_bytes
from isthmus.tasks.metadata import KEY
from isthmus.tasks.survivors import find_survivors, open_damaged

GOLDEN = Path(__file__).parents[1] / "golden"
FIELD = np.cumsum(np.random.default_rng(1).normal(size=(12, 5, 7)), axis=0).astype(np.float32)
COUNTS = np.random.default_rng(2).poisson(9, (300, 3)).astype(np.int16)
PIXELS = np.cumsum(np.random.default_rng(3).integers(0, 5, (20, 8, 8)), axis=2).astype(np.uint8)


@dataclass(frozen=True)
class Specimen:
    """A whole archive, and what it restores at the end of each generation."""

    name: str
    data: bytes
    model: Model | None = None
    """To give the reader, where the archive does not hold it."""
    ends: dict[int, list[np.ndarray]] = field(default_factory=dict)
    """Length of the file → its samples."""


class Wrong(AssertionError):  # noqa: N818 - what it says of the reader
    """A damaged archive was taken for whole, or gave wrong samples."""


def specimens() -> Iterator[Specimen]:
    """One of each kind; deterministic."""
    for path in sorted(GOLDEN.glob("*.isz")):
        yield _specimen(f"golden {path.stem}", path.read_bytes())
    model = road.model()
    yield _made("lossy, model inside", PIXELS, model=model)
    yield _made("lossy, model named", PIXELS, model=model, embed_model=False)
    yield _made("lossy, two generations", PIXELS, PIXELS[:5], model=model)
    layers: dict[str, Any] = {"mode": "lossless", "max_error": 3, "preview": True}
    yield _made("three layers, model inside", PIXELS, model=model, **layers)
    yield _made("three layers, model named", PIXELS, model=model, embed_model=False, **layers)
    yield _made("lossless, two generations", COUNTS, COUNTS[:9])
    yield _photos()
    for name in CODERS:
        yield from _by_coder(name)


def _photos() -> Specimen:
    """Pictures whose files say something beside their pixels."""
    with TemporaryDirectory() as place:
        for number, pixels in enumerate(PIXELS[:5]):
            exif = Image.Exif()
            exif[0x0112] = 1 + number % 3
            path = Path(place) / f"{number}.png"
            Image.fromarray(pixels).save(path, exif=exif, icc_profile=b"a profile", dpi=(300, 300))
            os.utime(path, (number, number))
        return _specimen("photos, metadata kept", compress_bytes(Path(place), metadata="all")[0])


def _by_coder(name: str) -> Iterator[Specimen]:
    wishes: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
        "lossless field": (FIELD, {"mode": "lossless"}),
        "lossless counts": (COUNTS, {"mode": "lossless"}),
        "bounded field": (FIELD, {"max_error": 1e-2, "error_mode": "rel"}),
        "pointwise field": (FIELD, {"max_error": 1e-2, "error_mode": "pointwise"}),
        "bounded counts": (COUNTS, {"max_error": 2}),
    }
    for kind, (values, options) in wishes.items():
        try:
            yield _made(f"{name}, {kind}", values, coder=name, **options)
        except UseError:  # the coder is for other data
            continue


def _made(name: str, *parts: np.ndarray, **options: Any) -> Specimen:
    file = BytesIO()
    for number, part in enumerate(parts):
        wishes = options if number == 0 else {"model": options.get("model"), "append": True}
        compress(part, file, **wishes)
    return _specimen(name, file.getvalue(), None if options.get("embed_model", True) else options["model"])


def _specimen(name: str, data: bytes, model: Model | None = None) -> Specimen:
    with ArchiveReader(data) as reader:
        lengths = [*reader.earlier_ends(), len(data)]
    ends = {length: restored(data[:length], model) for length in lengths if _describes_samples(data)}
    return Specimen(name, data, model, ends or {length: [] for length in lengths})


def _describes_samples(data: bytes) -> bool:
    with ArchiveReader(data) as reader:
        return "spec" in reader.header


def restored(data: bytes, model: Model | None) -> list[np.ndarray]:
    """All samples, by the ordinary way."""
    with (opened := open_archive(data, model)).reader:
        return list(opened.samples(0, opened.reader.items))


def judge(specimen: Specimen, damaged: bytes, *, salvage: bool = False) -> str:
    """What a reader makes of it: "refused", "found", or "earlier" for a whole earlier archive.

    Raises:
        Wrong: it passes as right and is not.
        Any other exception is a crash.
    """
    earlier = damaged == specimen.data[: len(damaged)] and len(damaged) in specimen.ends
    truth = specimen.ends[len(damaged) if earlier else len(specimen.data)]
    try:
        with ArchiveReader(damaged) as reader:
            found = bool(reader.verify())
    except IsthmusError:
        found, outcome = True, "refused"
    else:
        outcome = "earlier" if earlier else "found"
    if found == earlier:
        raise Wrong(f"{specimen.name}: a whole archive is refused, or a damaged one passes as whole")
    if truth:
        _judge_samples(specimen, damaged, truth)
        if salvage:
            _judge_survivors(specimen, damaged)
    return outcome


def _judge_samples(specimen: Specimen, damaged: bytes, truth: list[np.ndarray]) -> None:
    try:
        samples = restored(damaged, specimen.model)
    except IsthmusError:
        return
    if len(samples) != len(truth) or not all(map(_same, samples, truth)):
        raise Wrong(f"{specimen.name}: restores other samples")


def _judge_survivors(specimen: Specimen, damaged: bytes) -> None:
    truth = specimen.ends[len(specimen.data)]
    try:
        opened, damage = open_damaged(damaged, specimen.model)
        with opened.reader:
            survivors = find_survivors(opened, damage, 0, opened.reader.items)
            samples = [sample for stack in survivors.stacks() for sample in stack]
    except IsthmusError:
        return
    pairs = zip(survivors.items, samples, strict=True)
    if not all(item < len(truth) and _same(sample, truth[item]) for item, sample in pairs):
        raise Wrong(f"{specimen.name}: skipping damage gives other samples")


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def reforged(data: bytes, change: Callable[[bytes], bytes], place: int) -> bytes:
    """The same archive with a payload changed, or behind all of them the model or the metadata.

    Every checksum is right.
    """
    file = BytesIO()
    with ArchiveReader(data) as reader, ArchiveWriter(file, reader.header) as writer:
        payloads = sum(len(entry.header.layers) for entry in reader.blocks)
        behind = (reader.model is not None) + (KEY in reader.extras)
        target = place % (payloads + behind or 1)
        count = 0
        for number in range(len(reader.blocks)):
            block, layers = reader.read_block(number), []
            for layer in block.layers:
                payload = change(layer.payload) if count == target else layer.payload
                layers.append(Layer(layer.name, payload, layer.content_crc))
                count += 1
            writer.add_block(block.items, block.plan, layers)
        model = reader.model_bytes
        changes_model = model is not None and target == payloads
        changes_extras = target == payloads + (model is not None) and KEY in reader.extras
        writer.finish(
            change(model) if changes_model and model is not None else model,
            _rewritten(reader.extras, change) if changes_extras else reader.extras,
        )
    return file.getvalue()


def _rewritten(extras: dict[str, Any], change: Callable[[bytes], bytes]) -> dict[str, Any]:
    content = expand(b64decode(extras[KEY]), 1 << 20, "the metadata")
    return {**extras, KEY: b64encode(squeeze(change(content))).decode()}


def open_deep(data: bytes, model: Model | None = None) -> Opened | None:
    """Everything that can be done with untrusted bytes; None where they are refused by name."""
    try:
        opened = open_archive(data, model)
        with opened.reader:
            opened.reader.verify()
            list(opened.samples(0, opened.reader.items))
    except IsthmusError:
        return None
    return opened
