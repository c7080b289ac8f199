"""Which frames of which clip stand in which block: blocks are whole frames of one clip.

The archive's items are frames, in the order of clips; behind them, an item for the audio of each clip that
has some.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from isthmus.coding.video import BLOCK_FRAMES, BLOCK_SAMPLES
from isthmus.data.names import fault_in
from isthmus.data.video import Frame, Kind, Times
from isthmus.errors import DamagedFile

_MOST_FRAMES = 1 << 40


@dataclass(frozen=True)
class Told:
    """What an archive says of a clip."""

    name: str
    kind: Kind
    times: Times
    has_sound: bool

    def to_list(self) -> list[Any]:
        """JSON-ready."""
        return [self.name, self.kind.to_list(), self.times.to_list(), self.has_sound]

    @classmethod
    def from_list(cls, values: Any) -> Told:
        """Undo `to_list`; DamagedFile for what no writer tells."""
        try:
            name, kind, times, has_sound = values
        except (TypeError, ValueError):
            raise DamagedFile("A clip is not told as it must be.") from None
        if not isinstance(name, str) or fault_in(name) or type(has_sound) is not bool:
            raise DamagedFile("A clip is not told as it must be.")
        return cls(name, Kind.from_list(kind), Times.from_list(times, _MOST_FRAMES), has_sound)


@dataclass(frozen=True)
class Cut:
    """The frames of a block."""

    clip: int
    first: int
    """The number of its first frame in the clip."""
    frames: int


def frames_at_once(kind: Kind, most: int = BLOCK_FRAMES) -> int:
    """How many frames a block takes."""
    samples = sum(high * wide for high, wide in kind.shapes)
    return max(1, min(most, BLOCK_SAMPLES // samples))


def gathered(frames: Iterable[Frame], count: int) -> Iterator[tuple[Frame, ...]]:
    """Frames → runs of so many, the last one shorter."""
    taken: list[Frame] = []
    for frame in frames:
        taken.append(frame)
        if len(taken) == count:
            yield tuple(taken)
            taken = []
    if taken:
        yield tuple(taken)
