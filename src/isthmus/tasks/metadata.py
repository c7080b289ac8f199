"""What a layout keeps of its files beside the samples ⇄ entries of an archive's extras.

Equal EXIF blocks, profiles, resolutions and palettes are stored once; docs/format.md describes the bytes.
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from isthmus.coding.squeeze import expand, squeeze
from isthmus.coding.varints import ByteReader, unzigzag, write_varint, zigzag
from isthmus.data import Layout
from isthmus.data.metadata import LARGEST_PART_BYTES, MOST_PACKED_BYTES, Metadata, is_time, too_much
from isthmus.data.palettes import Palette
from isthmus.data.readers.embedded import is_dpi
from isthmus.errors import DamagedFile
from isthmus.limits import DEFAULT_LIMITS, Limits

KEY, PALETTES = "metadata", "palettes"
KEYS = (KEY, PALETTES)
"""The entries."""
_WHAT = "The metadata"
_DPI = struct.Struct("<dd")


def pack_metadata(layout: Layout) -> dict[str, str]:
    """The entries for the extras; none where no member has metadata or a palette.

    Raises:
        UseError: it would be more than an index holds.
    """
    return _packed_metadata(layout) | _packed_palettes(layout)


def _packed_metadata(layout: Layout) -> dict[str, str]:
    told = [member.metadata for member in layout.members]
    if not any(map(_says_something, told)):
        return {}
    blobs: dict[bytes, int] = {b"": 0}  # 0 is for nothing
    columns = [[blobs.setdefault(part, len(blobs)) for part in map(take, told)] for take in _PARTS]
    parts = [b"".join(write_varint(len(blob)) + blob for blob in list(blobs)[1:])]
    parts += [write_varint(number) for column in [*columns, _steps(told)] for number in column]
    content = write_varint(len(blobs) - 1) + write_varint(len(told)) + b"".join(parts)
    return {KEY: _to_text(content, len(told))}


def _packed_palettes(layout: Layout) -> dict[str, str]:
    told = [b"" if member.palette is None else member.palette.to_bytes() for member in layout.members]
    if not any(told):
        return {}
    blobs = {b"": 0}
    numbers = [blobs.setdefault(each, len(blobs)) for each in told]
    parts = [write_varint(len(blobs) - 1), *(write_varint(len(blob)) + blob for blob in list(blobs)[1:])]
    return {PALETTES: _to_text(b"".join([*parts, *map(write_varint, numbers)]), len(told))}


def _to_text(content: bytes, files: int) -> str:
    packed = squeeze(content) if len(content) <= DEFAULT_LIMITS.metadata_bytes else None
    if packed is None or len(packed) > MOST_PACKED_BYTES:
        raise too_much(files)
    return b64encode(packed).decode("ascii")


def packed_bytes(extras: Mapping[str, Any]) -> int:
    """How much of an archive is metadata, nearly: its entries as bytes, before they became text."""
    entries = [entry for entry in (extras.get(key, "") for key in KEYS) if isinstance(entry, str)]
    return sum(len(entry) * 3 // 4 - entry.count("=", -2) for entry in entries)


def unpack_metadata(layout: Layout, extras: Mapping[str, Any], limits: Limits = DEFAULT_LIMITS) -> Layout:
    """Undo `pack_metadata`: the layout, its members with their metadata and palettes.

    Raises:
        DamagedFile: an entry is none that was written, or tells of other files.
        TooLarge: written back, it would take more than `limits` allow.
    """
    layout = _with_palettes(layout, extras[PALETTES], limits) if PALETTES in extras else layout
    return _with_metadata(layout, extras[KEY], limits) if KEY in extras else layout


def _with_palettes(layout: Layout, entry: Any, limits: Limits) -> Layout:
    what = "The palettes"
    fields = ByteReader(expand(_from_text(entry), limits.metadata_bytes, what), what)
    try:
        palettes = [None, *(Palette.from_bytes(fields.sized()) for _ in range(fields.count()))]
    except ValueError as wrong:
        raise DamagedFile(f"{what} hold one that cannot be: {wrong}.") from wrong
    numbers = [fields.varint() for _ in layout.members]
    fields.finish()
    if max(numbers, default=0) >= len(palettes):
        raise DamagedFile(f"{what} name one that is not there.")
    return layout.colour(palettes[number] for number in numbers)


def _with_metadata(layout: Layout, entry: Any, limits: Limits) -> Layout:
    fields = ByteReader(expand(_from_text(entry), limits.metadata_bytes, _WHAT), _WHAT)
    blob_count = fields.count()
    if fields.count() != len(layout.members):
        raise DamagedFile(f"{_WHAT} must be those of {len(layout.members):,} files, and are not.")
    blobs = [b"", *(fields.sized() for _ in range(blob_count))]
    if max(map(len, blobs)) > LARGEST_PART_BYTES:
        raise DamagedFile(f"{_WHAT} hold a part that is too long.")
    exifs, profiles, resolutions = (list(_column(fields, blobs, len(layout.members))) for _ in _PARTS)
    times = list(_times(fields, len(layout.members)))
    fields.finish()
    total = sum(map(len, exifs)) + sum(map(len, profiles))
    limits.require("output_bytes", total, f"{_WHAT} of all files")
    return layout.describe(map(Metadata, exifs, profiles, map(_dpi, resolutions), times))


def describe_metadata(layout: Layout) -> str:
    """What is kept, counted, for people: "3 EXIF blocks, 1 colour profile, 40 times"."""
    told = [member.metadata for member in layout.members]
    counts = {
        "EXIF block": len({m.exif for m in told if m.exif}),
        "colour profile": len({m.profile for m in told if m.profile}),
        "resolution": len({m.dpi for m in told if m.dpi}),
        "time": sum(m.modified_s is not None for m in told),
        "palette": len({member.palette for member in layout.members if member.palette}),
    }
    return ", ".join(f"{n:,} {name}{'s' * (n > 1)}" for name, n in counts.items() if n) or "none"


_PARTS: tuple[Callable[[Metadata], bytes], ...] = (
    lambda metadata: metadata.exif,
    lambda metadata: metadata.profile,
    lambda metadata: b"" if metadata.dpi is None else _DPI.pack(*metadata.dpi),
)


def _says_something(metadata: Metadata) -> bool:
    return metadata != Metadata()


def _steps(told: Iterable[Metadata]) -> Iterator[int]:
    """0 for no time, or one more than the folded step from the last time that was told."""
    last = 0
    for metadata in told:
        if metadata.modified_s is None:
            yield 0
        else:
            yield 1 + zigzag(metadata.modified_s - last)
            last = metadata.modified_s


def _times(fields: ByteReader, count: int) -> Iterator[int | None]:
    last = 0
    for _ in range(count):
        step = fields.varint()
        if step:
            last += unzigzag(step - 1)
            if not is_time(last):
                raise DamagedFile(f"{_WHAT} hold a time outside of the years 1 to 9999.")
        yield last if step else None


def _column(fields: ByteReader, blobs: list[bytes], count: int) -> Iterator[bytes]:
    for _ in range(count):
        number = fields.varint()
        if number >= len(blobs):
            raise DamagedFile(f"{_WHAT} name a part that is not there.")
        yield blobs[number]


def _dpi(blob: bytes) -> tuple[float, float] | None:
    if not blob:
        return None
    across, down = _DPI.unpack(blob) if len(blob) == _DPI.size else (0.0, 0.0)
    if not (is_dpi(across) and is_dpi(down)):
        raise DamagedFile(f"{_WHAT} hold a resolution that cannot be.")
    return across, down


def _from_text(entry: Any) -> bytes:
    try:
        return b64decode(entry, validate=True)
    except (TypeError, ValueError) as wrong:
        raise DamagedFile(f"{_WHAT} must be base64; they are not.") from wrong
