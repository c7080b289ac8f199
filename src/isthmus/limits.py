"""The most that a file from elsewhere may ask of this machine; checked before anything is allocated."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.errors import TooLarge


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a reader is ready to take; docs/security.md says why these are the defaults.

    >>> Limits(output_bytes=1000).require("output_bytes", 999, "The output")
    >>> Limits(output_bytes=1000).require("output_bytes", 1001, "The output")
    Traceback (most recent call last):
        ...
    isthmus.errors.TooLarge: The output must be at most 1,000; it would be 1,001. Where you trust ...
    """

    output_bytes: int = 64 << 30
    """Of all samples restored in one call."""
    items: int = 1 << 32
    """Of an archive."""
    blocks: int = 1 << 20
    """Of an archive: each takes about a kilobyte of memory when the index is read."""
    block_items: int = 1 << 24
    """Of one block."""
    block_bytes: int = 4 << 30
    """Of one block: its payloads, and the samples made of them."""
    model_bytes: int = 1 << 28
    """Of the embedded model, packed or unpacked."""
    index_bytes: int = 1 << 26
    """Of the index, unpacked."""
    metadata_bytes: int = 1 << 28
    """Of what an archive keeps of its files beside the samples, unpacked."""
    header_bytes: int = 1 << 20
    """Of the JSON at the start of an archive, and of the fields before a block."""

    def require(self, name: str, size: int, what: str) -> None:
        """Raise TooLarge if `size` is above the limit called `name`."""
        limit: int = getattr(self, name)
        if size > limit:
            option = "--max-output-bytes" if name == "output_bytes" else f"Limits({name}=…)"
            raise TooLarge(
                f"{what} must be at most {limit:,}; it would be {size:,}. "
                f"Where you trust the file, allow more with {option}."
            )


DEFAULT_LIMITS = Limits()
