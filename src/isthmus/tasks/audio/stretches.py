"""Which frames of which recording stand in which block: the same for writer and reader.

Recordings follow one another, sorted by kind; a block takes as many frames as it may have, all of one
kind, and a recording that does not fit goes on in the next. What a block has of one recording is a
stretch: the archive's item.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from isthmus.coding.audio import BLOCK_SAMPLES
from isthmus.data.audio import Kind, Recording


@dataclass(frozen=True)
class Stretch:
    """Neighbouring frames of a recording."""

    recording: int
    frames: int


@dataclass(frozen=True)
class Block:
    """What stands in a block."""

    first: int
    """The number of its first stretch among all."""
    kind: Kind
    stretches: tuple[Stretch, ...]

    @property
    def items(self) -> range:
        """The numbers of its stretches."""
        return range(self.first, self.first + len(self.stretches))

    @property
    def last(self) -> int:
        """The number of the last recording that it has frames of."""
        return self.stretches[-1].recording

    @property
    def frames(self) -> int:
        """Of all stretches."""
        return sum(each.frames for each in self.stretches)


def blocks_of(recordings: Sequence[Recording], most: int = BLOCK_SAMPLES) -> Iterator[Block]:
    """The blocks of recordings sorted by kind; `most`: samples of a block.

    >>> mono = Kind("WAV", "PCM_16", 8000, 1)
    >>> told = [Recording(name, mono, frames) for name, frames in (("a", 5), ("b", 0), ("c", 4))]
    >>> blocks = blocks_of(told, most=6)
    >>> [[(each.recording, each.frames) for each in block.stretches] for block in blocks]
    [[(0, 5), (2, 1)], [(2, 3)]]
    """
    first = 0
    numbered = enumerate(recordings)
    for kind, group in groupby(numbered, key=lambda pair: pair[1].kind.restored):
        room = most // kind.channels
        taken: list[Stretch] = []
        left = room
        for number, recording in group:
            frames = recording.frames
            while frames:
                taken.append(Stretch(number, min(frames, left)))
                frames, left = frames - taken[-1].frames, left - taken[-1].frames
                if not left:
                    yield Block(first, kind, tuple(taken))
                    first, taken, left = first + len(taken), [], room
        if taken:
            yield Block(first, kind, tuple(taken))
            first += len(taken)


class Tape:
    """Pieces of any length → runs of the lengths that are asked for.

    >>> tape = Tape(iter([np.zeros((3, 1)), np.ones((2, 1))]))
    >>> len(tape.take(1)), len(tape.peek(9, np.empty((0, 1)))), tape.take(4).ravel().tolist()
    (1, 4, [0.0, 0.0, 1.0, 1.0])
    """

    def __init__(self, pieces: Iterator[np.ndarray]) -> None:
        self._pieces = pieces
        self._held: list[np.ndarray] = []

    def take(self, frames: int) -> np.ndarray:
        """The next frames; there must be so many."""
        taken = []
        while frames:
            piece = self._held.pop(0) if self._held else next(self._pieces)
            taken.append(piece[:frames])
            if len(piece) > frames:
                self._held.insert(0, piece[frames:])
            frames -= len(taken[-1])
        return np.concatenate(taken)

    def peek(self, most: int, none: np.ndarray) -> np.ndarray:
        """The next frames, which stay there: as many as asked for, or as there are; or `none`."""
        while sum(map(len, self._held)) < most and (piece := next(self._pieces, None)) is not None:
            self._held.append(piece)
        return np.concatenate([none, *self._held])[:most].astype(none.dtype, copy=False)


def by_recording(
    count: int, stretches: Iterable[tuple[int, np.ndarray]], wanted: range
) -> Iterator[Iterator[np.ndarray]]:
    """Numbered runs of frames, in order → the runs of each recording that is wanted, to be used at once."""
    groups = groupby(stretches, key=lambda pair: pair[0])
    number, group = next(groups, (count, iter(())))
    for recording in wanted:
        while number < recording:
            number, group = next(groups, (count, iter(())))
        if number > recording:
            yield iter(())
            continue
        yield (run for _, run in group)
        number, group = next(groups, (count, iter(())))
