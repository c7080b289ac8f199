"""Sizes for people, the files' own before all others: how many bytes were there, and how many are now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import PurePosixPath

from isthmus.tasks.results import size


def before(file_bytes: int, raw_bytes: int) -> str:
    """What was there: the bytes of the files, and those of plain values where they are many more or fewer.

    >>> before(833_000, 5_560_000), before(8_128, 8_000)
    ('833 kB (5.56 MB as plain values)', '8.13 kB')
    """
    alike = _ALIKE * raw_bytes <= file_bytes and _ALIKE * file_bytes <= raw_bytes
    return size(file_bytes) if alike else f"{size(file_bytes)} ({size(raw_bytes)} as plain values)"


_ALIKE = 0.9


def ratio(file_bytes: int, archive_bytes: int) -> str:
    """How many times smaller an archive is than the files.

    >>> ratio(1000, 100), ratio(833, 1930)
    ('10.0×', '0.43×')
    """
    times = file_bytes / max(1, archive_bytes)
    return f"{times:.1f}×" if times >= 1 else f"{times:.2f}×"


def larger(archive_bytes: int, file_bytes: int, names: Collection[str]) -> str:
    """The sentence about an archive that is larger than its files; "" where it is not.

    Args:
        archive_bytes: of the whole archive.
        file_bytes: of the files together, or of values that were in memory.
        names: of the files; none where the values were in memory.

    >>> larger(1930, 833, ["a.jpg", "b.JPG"])
    'The archive is larger than the files, which are JPEGs already.'
    >>> larger(300, 200, ["a.npy"]), larger(300, 200, [])
    ('The archive is larger than the file.', 'The archive is larger than the values.')
    """
    if archive_bytes <= file_bytes:
        return ""
    if not names:
        return "The archive is larger than the values."
    one = len(names) == 1
    kind = _kind_of(names)
    already = "" if kind is None else f", which {'is' if one else 'are'} {kind[not one]} already"
    return f"The archive is larger than the {'file' if one else 'files'}{already}."


def _kind_of(names: Collection[str]) -> tuple[str, str] | None:
    """What most of them are, one and many, where that is compressed."""
    found = Counter(_COMPRESSED.get(PurePosixPath(name).suffix.lower()) for name in names)
    kind, count = found.most_common(1)[0]
    return kind if 2 * count > len(names) else None


_COMPRESSED = {
    suffix: kind
    for kind, suffixes in {
        ("a JPEG", "JPEGs"): ".jpg .jpeg",
        ("a PNG", "PNGs"): ".png",
        ("a WebP", "WebPs"): ".webp",
        ("an MP3", "MP3s"): ".mp3",
        ("an Ogg file", "Ogg files"): ".ogg .oga .opus",
        ("a FLAC file", "FLAC files"): ".flac",
        ("a gzip file", "gzip files"): ".gz",
        ("a zip file", "zip files"): ".zip .npz",
        ("a Parquet file", "Parquet files"): ".parquet",
        ("compressed video", "compressed video"): ".mp4 .m4v .mkv .mov .webm .avi",
    }.items()
    for suffix in suffixes.split()
}
