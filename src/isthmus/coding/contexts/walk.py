"""Images ⇄ bytes: one walk over all wavefronts, which either tells the answers or is told them."""

from __future__ import annotations

from typing import Any, Protocol

import constriction
import numpy as np

from isthmus.coding.contexts.artefact import Contexts, Plane
from isthmus.coding.contexts.features import columns
from isthmus.coding.contexts.forest import probabilities
from isthmus.coding.contexts.scan import Front, Planes, fronts
from isthmus.coding.contexts.search import State
from isthmus.errors import DamagedFile

_WORD = np.dtype("<u4")


def encode(images: np.ndarray, contexts: Contexts) -> bytes:
    """Images (image, row, column, plane) of the contexts' type → bytes."""
    told = Planes.of(contexts.to_walk(images), contexts.work_dtype)
    return _walk(images.shape, contexts, _Writer(told)).to_bytes()


def decode(payload: bytes, shape: tuple[int, int, int, int], contexts: Contexts) -> np.ndarray:
    """Undo `encode`.

    Raises:
        DamagedFile: the bytes are not those of such images.
    """
    reader = _Reader(payload)
    planes = _walk(shape, contexts, reader).planes
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


def _walk(shape: tuple[int, int, int, int], contexts: Contexts, answers: Any) -> Any:
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
            symbols = _found(plane, features, answers, told)
            answers.planes.fill(number, front, plane.value(symbols, predicted, contexts.levels))
        answers.planes.close(number)
    return answers


def _found(plane: Plane, features: np.ndarray, answers: _Answers, told: np.ndarray | None) -> np.ndarray:
    """Search for the symbols of a front, each question coded with the chance of a yes."""
    search, count, depth = plane.search, features.shape[1], 0
    found, searching, state = np.empty(count, np.int64), np.arange(count), plane.search.start(count)
    while searching.size:
        truth = None if told is None else told[searching] > search.middles(state)
        replies = answers.ask(_chances(plane, state, features, depth), truth)
        state, depth = search.follow(state, replies), depth + 1
        still = state.open
        if not still.all():
            found[searching[~still]] = state.low[~still]
            searching, state, features = searching[still], state[still], features[:, still]
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
