"""Stacks of codes ⇄ one message, at a quality; and what the model keeps for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.coding.latents.levels import MAX_QUALITY, Levels
from isthmus.coding.latents.neighbours import Neighbours, Walk
from isthmus.coding.latents.pieces import pieces
from isthmus.coding.latents.thrift import Thrift
from isthmus.coding.stepwise import StepReader, encode_steps
from isthmus.coding.tables import Table, tables_from_bytes, tables_to_bytes
from isthmus.coding.varints import ByteReader


@dataclass(frozen=True, eq=False)
class Grades:
    """How one latent is coded at every quality."""

    levels: Levels
    neighbours: Neighbours
    tables: tuple[Table, ...]
    """Of the symbols' distances to what was expected: a set for each band of qualities, lowest first.

    Neighbours tell how far off a symbol may be; how often it is 0 nevertheless, a coarse rounding decides.
    """

    def __post_init__(self) -> None:
        bands, rest = divmod(len(self.tables), self.neighbours.tables)
        if rest or not 1 <= bands <= MAX_QUALITY:
            raise ValueError("grades without a table for each class")
        if self.levels.parts.shape[1] != self.neighbours.channels:
            raise ValueError("grades without a step for each channel")

    def tables_at(self, quality: int) -> tuple[Table, ...]:
        """The set of a quality's band; bands are equally wide."""
        each = self.neighbours.tables
        band = band_of(quality, len(self.tables) // each)
        return self.tables[band * each : (band + 1) * each]

    def encode(self, stacks: Sequence[np.ndarray], quality: int) -> bytes:
        """Code stacks of symbols: int32 (sample, channel, height, width) each."""
        steps = (one for stack in stacks for one in _distances(self.neighbours, stack, quality))
        return encode_steps(steps, self.tables_at(quality))

    def decode(self, data: bytes, shapes: Sequence[tuple[int, ...]], quality: int) -> list[np.ndarray]:
        """Undo `encode`, given the shapes of the stacks.

        Raises:
            DamagedFile: the bytes are not such stacks.
        """
        reader = StepReader(ByteReader(data, "A coded grid"), self.tables_at(quality))
        stacks = []
        for shape in shapes:
            stack = room_for(shape)
            for rows, columns in pieces(shape):
                part = stack[:, :, rows, columns]
                part[...] = self._read(reader, part.shape, quality)
            stacks.append(stack)
        reader.finish()
        return stacks

    def _read(self, reader: StepReader, shape: tuple[int, ...], quality: int) -> np.ndarray:
        walk = Walk(self.neighbours, shape, quality)
        for step in walk.steps():
            numbers, whole = walk.expected(step)
            walk.fill(step, reader.take(numbers) + whole)
        return walk.symbols.transpose(0, 3, 1, 2)

    def encode_thriftily(
        self, stacks: Sequence[np.ndarray], quality: int, worth: np.ndarray
    ) -> tuple[bytes, list[np.ndarray]]:
        """Choose symbols and code them, in one walk: see thrift.py.

        Args:
            stacks: float32 latents in steps, (sample, channel, height, width) each.
            quality: 1 to 100.
            worth: (channel,): how many bits an error of one step is worth, squared.

        Returns:
            What `decode` takes, and the stacks of symbols that it gives.
        """
        chosen = [room_for(stack.shape) for stack in stacks]
        steps = (
            one
            for stack, symbols in zip(stacks, chosen, strict=True)
            for one in self._choices(stack, quality, worth, symbols)
        )
        return encode_steps(steps, self.tables_at(quality)), chosen

    def thrifty(self, stack: np.ndarray, quality: int, worth: np.ndarray) -> np.ndarray:
        """The symbols alone."""
        symbols = room_for(stack.shape)
        deque(self._choices(stack, quality, worth, symbols), maxlen=0)
        return symbols

    def _choices(
        self, stack: np.ndarray, quality: int, worth: np.ndarray, into: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return _distances(self.neighbours, stack, quality, Thrift(self.tables_at(quality), worth), into)

    def tensors(self) -> dict[str, np.ndarray]:
        """All of it, as integer arrays by name; `from_tensors` undoes it."""
        tables = np.frombuffer(tables_to_bytes(list(self.tables)), np.uint8)
        return {"levels": self.levels.parts, "tables": tables, **self.neighbours.tensors()}

    @classmethod
    def from_tensors(cls, named: Mapping[str, np.ndarray]) -> Grades:
        """Undo `tensors`; ValueError or KeyError for what it would not have given."""
        rest = dict(named)
        levels = Levels(rest.pop("levels").astype(np.int16))
        tables = tuple(tables_from_bytes(rest.pop("tables").tobytes()))
        return cls(levels, Neighbours.from_tensors(rest), tables)


def distances(neighbours: Neighbours, stack: np.ndarray, quality: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each step of a stack: every symbol's distance to what was expected, and its table's number."""
    return list(_distances(neighbours, stack, quality))


def _distances(
    neighbours: Neighbours,
    stack: np.ndarray,
    quality: int,
    choose: Thrift | None = None,
    into: np.ndarray | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The same one by one; with `choose`, of latents in steps, whose symbols are put into a stack."""
    for rows, columns in pieces(stack.shape):
        placed = stack[:, :, rows, columns].transpose(0, 2, 3, 1)
        walk = Walk(neighbours, stack[:, :, rows, columns].shape, quality)
        for step in walk.steps():
            numbers, whole = walk.expected(step)
            symbols = placed[(*step.positions, step.channels)]
            if choose is not None:
                symbols = choose(symbols, numbers, whole, step.channels)
            walk.fill(step, symbols)
            yield symbols - whole, numbers
        if into is not None:
            into[:, :, rows, columns] = walk.symbols.transpose(0, 3, 1, 2)


def band_of(quality: int, bands: int) -> int:
    """Which of some equally wide bands a quality is in.

    >>> [band_of(quality, 5) for quality in (1, 20, 21, 100)]
    [0, 0, 1, 4]
    """
    return (quality - 1) * bands // MAX_QUALITY


def fit_tables(
    neighbours: Neighbours, stacks: Sequence[tuple[np.ndarray, int]], bands: int = 1
) -> tuple[Table, ...]:
    """The tables that suit some stacks, each at a quality, at least one of each band's."""
    shared: list[list[tuple[np.ndarray, int]]] = [[] for _ in range(bands)]
    for stack, quality in stacks:
        shared[band_of(quality, bands)].append((stack, quality))
    return tuple(table for theirs in shared for table in _fit_band(neighbours, theirs))


def _fit_band(neighbours: Neighbours, stacks: Sequence[tuple[np.ndarray, int]]) -> Iterator[Table]:
    parts = [part for stack, quality in stacks for part in distances(neighbours, stack, quality)]
    values = np.concatenate([one.ravel() for one, _ in parts])
    numbers = np.concatenate([one.ravel() for _, one in parts])
    order = np.argsort(numbers.astype(np.uint16), kind="stable")
    ends = np.cumsum(np.bincount(numbers, minlength=neighbours.tables))
    yield from (Table.fit(part) for part in np.split(values[order], ends[:-1]))


def room_for(shape: tuple[int, ...]) -> np.ndarray:
    """An empty int32 (sample, channel, height, width); the channels of a position lie side by side."""
    samples, channels, height, width = shape
    return np.empty((samples, height, width, channels), np.int32).transpose(0, 3, 1, 2)


def as_grid(symbols: np.ndarray) -> np.ndarray:
    """(sample, channel, …) → (sample, channel, height, width): a code without positions is a grid of one."""
    return symbols.reshape(*symbols.shape, *[1] * (4 - symbols.ndim))
