"""Bytes ⇄ fewer bytes, by zstd: for JSON and for what is too small to deserve a table.

Whatever is read back says its size first, and is refused before anything of that size is allocated.
"""

from __future__ import annotations

import zstandard

from isthmus.errors import DamagedFile

LEVEL = 19  # the slowest that keeps memory ordinary; these parts are small, and read far more often


def squeeze(data: bytes) -> bytes:
    """Compress to one zstd frame that states the size of its content.

    >>> expand(squeeze(b"la" * 100), 200, "a song") == b"la" * 100
    True
    """
    # The container has its own checksums, so the frame needs none.
    return zstandard.ZstdCompressor(level=LEVEL, write_checksum=False, write_content_size=True).compress(data)


def expand(data: bytes, max_bytes: int, what: str) -> bytes:
    """Undo `squeeze`.

    Args:
        data: exactly one frame.
        max_bytes: the most the content may take.
        what: the part's name, for messages ("the index").

    Raises:
        DamagedFile: not such a frame, or its content is larger than `max_bytes`.
    """
    try:
        size = zstandard.frame_content_size(data)
        if not 0 <= size <= max_bytes:
            raise DamagedFile(f"{what} must take at most {max_bytes} bytes; it claims {size}.")
        content = zstandard.ZstdDecompressor().decompress(
            data, max_output_size=size, read_across_frames=False, allow_extra_data=False
        )
    except zstandard.ZstdError as wrong:
        raise DamagedFile(f"{what} cannot be decompressed: {wrong}.") from wrong
    if len(content) != size:
        raise DamagedFile(f"{what} does not have the size it claims.")
    return content
