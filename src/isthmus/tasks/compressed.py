"""What compressing gave: every byte accounted for, and who won."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from isthmus.tasks.promise import LOSSY
from isthmus.tasks.results import Result, size
from isthmus.tasks.sizes import before, larger, ratio


@dataclass(frozen=True)
class Winner:
    """What one plan won."""

    blocks: int
    """Or columns."""
    bytes: int
    """Of its blocks' payloads, or about of its columns."""


class Totals:
    """Sums by name, of names that were there every time."""

    def __init__(self) -> None:
        self.bytes: dict[str, int] = {}
        self._times, self._seen = 0, dict[str, int]()

    def add(self, sizes: Mapping[str, int]) -> None:
        """One more block."""
        self._times += 1
        for name, count in sizes.items():
            self.bytes[name] = self.bytes.get(name, 0) + count
            self._seen[name] = self._seen.get(name, 0) + 1

    def whole(self) -> dict[str, int]:
        """The sums of those that every block had."""
        return {name: count for name, count in self.bytes.items() if self._seen[name] == self._times}


class Tally:
    """What blocks add up to while an archive is written."""

    def __init__(self) -> None:
        self.payload_bytes = 0
        self.rivals = Totals()
        self._won: dict[str, Winner] = {}

    def add(self, plan: str, payload_bytes: int, rivals: Mapping[str, int] | None = None) -> None:
        """Take in a block, and what each coder that was tried would have taken."""
        self.payload_bytes += payload_bytes
        self.add_winner(plan, Winner(1, payload_bytes))
        self.rivals.add(rivals or {})

    def add_winner(self, name: str, won: Winner) -> None:
        """Take in what one coder won."""
        before = self._won.get(name, Winner(0, 0))
        self._won[name] = Winner(before.blocks + won.blocks, before.bytes + won.bytes)

    @property
    def winners(self) -> dict[str, Winner]:
        """By name, those first that won most."""
        return dict(sorted(self._won.items(), key=lambda pair: (-pair[1].blocks, pair[0])))


def path_of(target: Path | BinaryIO) -> Path | None:
    """Where an archive is written; None where it is no file of ours."""
    return target if isinstance(target, Path) else None


@dataclass(frozen=True, kw_only=True)
class CompressResult(Result):
    """What `compress` made; every byte of the file is in one of the sizes."""

    output: Path | None
    mode: str
    promise: str
    """In words: "lossless, bit for bit", "every error at most 0.01" …"""
    samples: int
    original_bytes: int
    """The samples as plain arrays."""
    source_bytes: int
    """The original files on the disk; the values where they were in memory."""
    source_names: Collection[str] = field(default=(), repr=False)
    """Of the files."""
    archive_bytes: int
    payload_bytes: int
    model_bytes: int = 0
    metadata_bytes: int = 0
    """Of the rest, about: what is kept of the files beside their samples."""
    winners: dict[str, Winner]
    """By plan: who coded how many blocks."""
    rivals: dict[str, int]
    """The payloads of each classical coder that ran on every block, had it been the only one."""
    quality: int | None = None
    """Of a lossy archive, where the model has several."""
    psnr_db: float | None = None
    """Reached, where a PSNR was asked for."""
    advice: tuple[str, ...] = ()
    """Sentences for the user: what training might gain, data that no longer fit the model."""
    items: str = "samples"
    """What is counted: samples, rows, recordings …"""
    contested: str = "block"
    """What coders competed for: blocks, or columns of blocks."""

    @property
    def overhead_bytes(self) -> int:
        """All but model and payloads: header, block headers, index, footer."""
        return self.archive_bytes - self.model_bytes - self.payload_bytes

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with what follows from the rest."""
        return super().to_dict() | {"overhead_bytes": self.overhead_bytes}

    def summary(self) -> str:
        """One line for a terminal, and one for each piece of advice."""
        where = f" → {self.output}" if self.output else ""
        kept = f", metadata in it about {size(self.metadata_bytes)}" if self.metadata_bytes else ""
        line = (
            f"{self.promise[:1].upper()}{self.promise[1:]}: {self.samples:,} {self.items}, "
            f"{before(self.source_bytes, self.original_bytes)} → {size(self.archive_bytes)} "
            f"({ratio(self.source_bytes, self.archive_bytes)}; of it model {size(self.model_bytes)}, "
            f"codes {size(self.payload_bytes)}, headers and index {size(self.overhead_bytes)}{kept}){where}"
        )
        grown = larger(self.archive_bytes, self.source_bytes, self.source_names)
        contest = [] if self.mode == LOSSY or not self.winners else [self.won()]
        return "\n".join([line, *([grown] if grown else []), *contest, *self.advice])

    def won(self) -> str:
        """Who won how much, and what that saved; a sentence."""
        blocks = sum(winner.blocks for winner in self.winners.values())
        won = ", ".join(f"{plan} {winner.blocks:,}" for plan, winner in self.winners.items())
        line = f"{blocks:,} {self.contested}{'' if blocks == 1 else 's'}, won by {won}"
        return line + compared(self.rivals, self.payload_bytes + self.model_bytes) + "."


def compared(rivals: dict[str, int], ours: int) -> str:
    """How we are beside the best single classical coder, as the end of a sentence.

    >>> compared({"xz": 200, "zstd": 300}, 150)
    '; 25% smaller than xz alone'
    >>> compared({"xz": 200, "zstd": 300}, 220)
    '; 10% larger than xz alone'
    """
    if not rivals:
        return ""
    best = min(rivals, key=lambda name: (rivals[name], name))
    saved = 1 - ours / max(1, rivals[best])
    if abs(saved) <= 0.005:
        return f"; as small as {best} alone"
    return f"; {abs(saved):.0%} {'smaller' if saved > 0 else 'larger'} than {best} alone"
