"""What decompressing gave."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from isthmus.tasks.results import Result


@dataclass(frozen=True)
class DecompressResult(Result):
    """What `decompress` restored."""

    files: tuple[Path, ...]
    samples: int
    directory: Path
    missing: tuple[str, ...] = ()
    """The names of samples that were damaged and left out."""
    damage: tuple[str, ...] = ()
    """What was found wrong, where damage was to be skipped."""
    items: str = "samples"
    """What is counted."""

    def summary(self) -> str:
        """One line for a terminal."""
        what = self.files[0].name if len(self.files) == 1 else f"{len(self.files):,} files"
        lost = f"; {len(self.missing):,} are damaged and missing" if self.missing else ""
        return f"Restored {self.samples:,} {self.items} as {what} in {self.directory}{lost}"
