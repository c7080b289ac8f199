"""Images ⇄ bytes: one walk over all wavefronts, which either tells the answers or is told them."""

from __future__ import annotations

from typing import Any, Protocol

import constriction
import numpy as np

from isthmus.coding.contexts.artefact import Contexts, Plane
from isthmus.coding.contexts.features import columns
from isthmus.coding.contexts.forest import probabilities
from isthmus.coding.contexts.grid import Grid
from isthmus.coding.contexts.scan import Front, Planes, fronts
from isthmus.coding.contexts.search import State
from isthmus.errors import DamagedFile

_WORD = np.dtype("<u4")


def encode(images: np.ndarray, contexts: Contexts, grid: Grid | None = None) -> bytes:
    """Images (image, row, column, plane) of the contexts' type → bytes; on a grid, rounded to it."""
    values = contexts.to_walk(images)
    told = Planes.of(values if grid is None else grid.nearest(values), contexts.work_dtype)
    return _walk(images.shape, contexts, _Writer(told), grid).to_bytes()


def decode(
    payload: bytes, shape: tuple[int, int, int, int], contexts: Contexts, grid: Grid | None = None
) -> np.ndarray:
    """Undo `encode`, up to the rounding.

    Raises:
        DamagedFile: the bytes are not those of such images.
    """
    reader = _Reader(payload)
    planes = _walk(shape, contexts, reader, grid).planes
    reader.finish()
    return contexts.from_walk(planes.images_back())


class _Answers(Protocol):
    """Either end of the coder."""

    planes: Planes

    def begin(self, shape: tuple[int, int, int, int], dtype: np.dtype) -> None:
        """Make the planes that the walk looks at."""

    def symbols(self, plane: Plane, number: int, front: Front, predicted: np.ndarray) -> np.ndarray | None:
        """The symbols of a front, where they are known beforehand."""

    def ask(self, chances: np.ndarray, truth: np.ndarray | None) -> np.ndarray:
        """Code the answers to questions that are answered yes with these chances."""


def _walk(shape: tuple[int, int, int, int], contexts: Contexts, answers: Any, grid: Grid | None) -> Any:
    """Visit every pixel of every plane once."""
    answers.begin(shape, contexts.work_dtype)
    images, height, width, _ = shape
    for number, plane in enumerate(contexts.planes):
        for front in fronts(height, width):
            look = answers.planes.view(front)
            rows, cols = (np.repeat(at, images) for at in (front.rows, front.columns))
            predicted = plane.predict(look, number, contexts.levels)
            dtype = contexts.work_dtype
            known = [*columns(look, number, predicted, rows.astype(dtype), cols.astype(dtype)), rows]
            features = np.stack(known, dtype=dtype, casting="unsafe")
            told = answers.symbols(plane, number, front, predicted)
            wanted = _Every() if grid is None else _OnGrid(grid, predicted)
            symbols = _found(plane, features, answers, told, wanted)
            answers.planes.fill(number, front, plane.value(symbols, predicted, contexts.levels))
        answers.planes.close(number)
    return answers


class _Every:
    """Every symbol is possible."""

    def still(self, state: State) -> np.ndarray:
        """Which symbols are not known yet."""
        return state.open

    def found(self, state: State) -> np.ndarray:
        """The only symbol that is left, where they are known."""
        return state.low

    def unsure(self, state: State, middles: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Which questions have two possible answers, None for all; and the answers to the others."""
        return None, None

    def __getitem__(self, which: np.ndarray) -> _Every:
        return self


class _OnGrid(_Every):
    """Only symbols whose values are on the grid are possible.

    Args:
        grid: of values.
        predicted: what each symbol is a difference to.
    """

    def __init__(self, grid: Grid, predicted: np.ndarray) -> None:
        self._grid, self._predicted = grid, predicted.astype(np.int64)

    def still(self, state: State) -> np.ndarray:
        return self._count(state.low, state.high) > 1

    def found(self, state: State) -> np.ndarray:
        return self._grid.next_from(state.low + self._predicted) - self._predicted

    def unsure(self, state: State, middles: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
        above = self._count(middles + 1, state.high) > 0
        return above & (self._count(state.low, middles) > 0), above

    def _count(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return self._grid.possible(low + self._predicted, high + self._predicted)

    def __getitem__(self, which: np.ndarray) -> _OnGrid:
        return _OnGrid(self._grid, self._predicted[which])


def _found(
    plane: Plane, features: np.ndarray, answers: _Answers, told: np.ndarray | None, wanted: _Every
) -> np.ndarray:
    """Search for the symbols of a front, each question coded with the chance of a yes."""
    search, count, depth = plane.search, features.shape[1], 0
    found, searching, state = np.empty(count, np.int64), np.arange(count), plane.search.start(count)
    while searching.size:
        middles = search.middles(state)
        truth = None if told is None else told[searching] > middles
        unsure, replies = wanted.unsure(state, middles)
        if unsure is None or replies is None:
            replies = answers.ask(_chances(plane, state, features, depth), truth)
        elif unsure.any():
            chances = _chances(plane, state[unsure], features[:, unsure], depth)
            replies[unsure] = answers.ask(chances, None if truth is None else truth[unsure])
        state, depth = search.follow(state, replies), depth + 1
        still = wanted.still(state)
        if not still.all():
            found[searching[~still]] = wanted[~still].found(state[~still])
            searching, state, features, wanted = (
                searching[still],
                state[still],
                features[:, still],
                wanted[still],
            )
    return found


def _chances(plane: Plane, state: State, features: np.ndarray, depth: int) -> np.ndarray:
    """By the forest of this depth, or, where there is none, by the counts alone."""
    if depth >= len(plane.forests) or not len(plane.forests[depth].leaves):
        return plane.search.shares(state)
    features[-1] = state.low  # the last feature says where in the search we are
    return probabilities(plane.forests[depth].scores(features))


class _Writer:
    def __init__(self, told: Planes) -> None:
        self.planes = told
        self._coder = constriction.stream.queue.RangeEncoder()

    def begin(self, shape: tuple[int, int, int, int], dtype: np.dtype) -> None:
        """The planes are whole already, and every border shows only what is known by then."""

    def symbols(self, plane: Plane, number: int, front: Front, predicted: np.ndarray) -> np.ndarray:
        return plane.symbol(self.planes.view(front)(0, 0, number), predicted)

    def ask(self, chances: np.ndarray, truth: np.ndarray) -> np.ndarray:
        self._coder.encode(truth.astype(np.int32), _YES_OR_NO, chances)
        return truth

    def to_bytes(self) -> bytes:
        return self._coder.get_compressed().astype(_WORD).tobytes()


class _Reader:
    planes: Planes

    def __init__(self, payload: bytes) -> None:
        if len(payload) % _WORD.itemsize:
            raise DamagedFile("A block of contexts is not a whole number of words.")
        words = np.frombuffer(payload, _WORD).astype(np.uint32)
        self._coder = constriction.stream.queue.RangeDecoder(words)

    def begin(self, shape: tuple[int, int, int, int], dtype: np.dtype) -> None:
        self.planes = Planes(shape, dtype)

    def symbols(self, plane: Plane, number: int, front: Front, predicted: np.ndarray) -> None:
        return None

    def ask(self, chances: np.ndarray, truth: None) -> np.ndarray:
        try:
            return self._coder.decode(_YES_OR_NO, chances)
        except (AssertionError, ValueError) as wrong:
            raise DamagedFile("A block of contexts holds what no encoder writes.") from wrong

    def finish(self) -> None:
        if not self._coder.maybe_exhausted():
            raise DamagedFile("A block of contexts is longer than its images.")


_YES_OR_NO = constriction.stream.model.Bernoulli(perfect=False)
