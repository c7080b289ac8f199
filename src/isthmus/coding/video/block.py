"""Some frames ⇄ the payload of a block that stands alone: nothing outside it is looked at.

The payload: varint, the bound on errors; for each plane, varint, how many ways it is predicted; then one
message: the motion of all blocks, and for each plane its ways, which block goes which, and residuals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.coding.varints import ByteReader, write_varint
from isthmus.coding.video.choices import tell_motion, tell_ways
from isthmus.coding.video.fitting import MOST_WEIGHT, Ways, find_ways
from isthmus.coding.video.motion import BLOCK as MOVED
from isthmus.coding.video.motion import FARTHEST, find_motion
from isthmus.coding.video.scan import Shape, blocks_of, with_borders
from isthmus.coding.video.taps import BLOCK, Shifts, Sight, lag_of, shifts_of
from isthmus.coding.video.telling import Guess, Reader, Tables, Teller, Writer, alphabet_of
from isthmus.coding.video.walk import Plan, walk
from isthmus.errors import DamagedFile
from isthmus.limits import DEFAULT_LIMITS, Limits

BLOCK_FRAMES = 64
BLOCK_SAMPLES = 1 << 26
"""Of all planes: what a block has at most, but for a single frame."""
SAMPLE_BYTES = 16
"""That a sample takes in memory while it is decoded, about."""
ADAPTIVE = "adaptive"
"""The plan of such a block."""
MOST_WAYS = 120
_COLOURS = 3  # planes of which the later ones look at the earlier ones; a fourth says what is transparent


@dataclass(frozen=True)
class Form:
    """Of the frames of a block.

    Args:
        planes: rows and columns of each; none larger than the first.
        top: the largest value of a sample.
    """

    planes: tuple[tuple[int, int], ...]
    top: int

    @property
    def samples(self) -> int:
        """Of a frame."""
        return sum(high * wide for high, wide in self.planes)

    @property
    def dtype(self) -> np.dtype:
        """Of samples."""
        return np.dtype(np.uint8 if self.top < 256 else np.uint16)


def encode_block(planes: Sequence[np.ndarray], top: int, *, error: int = 0, effort: int = 5) -> bytes:
    """Frames → a payload.

    Args:
        planes: (frame, row, column) each, at least one frame, whole numbers of 0 to `top`.
        top: at most 65,535.
        error: how far a sample that comes back may be from what it was.
        effort: 1 to 9: how many ways of prediction there may be.

    >>> frames = [np.arange(60, dtype=np.uint8).reshape(3, 4, 5)]
    >>> back = decode_block(encode_block(frames, 255), Form(((4, 5),), 255), 3)
    >>> bool((back[0] == frames[0]).all())
    True
    """
    form = Form(tuple((each.shape[1], each.shape[2]) for each in planes), top)
    frames = len(planes[0])
    motion = _find_motions(planes[0], top)
    writer, counts = Writer(), []
    _tell_motion(writer, form, motion, frames)
    walker = _Walker(form, frames, motion, error)
    for number, plane in enumerate(planes):
        truth = walker.bordered(number, plane)
        sight, shifts, _ = walker.looks(number)
        first, later = _how_many(plane.shape, effort, guided=bool(sight.guides))
        filled = np.concatenate([truth, *walker.guides(number)])
        ways = find_ways(sight, filled, shifts, first=first, later=later, still=not error)
        counts.append(len(ways.weights))
        _tell_weights(writer, sight, len(ways.weights), ways.weights)
        tell_ways(writer, frames, *blocks_of(sight.shape, BLOCK), len(ways.weights) + 1, ways.chosen)
        walker.walk(number, ways, writer, truth)
    return write_varint(error) + b"".join(map(write_varint, counts)) + writer.to_bytes()


def decode_block(
    payload: bytes, form: Form, frames: int, *, limits: Limits = DEFAULT_LIMITS
) -> list[np.ndarray]:
    """Undo `encode_block`: the planes, each (frame, row, column).

    Raises:
        DamagedFile: the bytes are no such frames.
        TooLarge: they would take more than `limits` allow.
    """
    if not 1 <= frames <= BLOCK_FRAMES or (frames > 1 and frames * form.samples > BLOCK_SAMPLES):
        raise DamagedFile(f"A block of video must have 1 to {BLOCK_FRAMES} frames, and not so many samples.")
    limits.require("block_bytes", SAMPLE_BYTES * frames * form.samples, "A block of video")
    fields = ByteReader(payload, "A block of video")
    error, counts = fields.varint(), [fields.varint() for _ in form.planes]
    if error >= form.top or max(counts) > MOST_WAYS:
        raise DamagedFile("A block of video is predicted in ways that cannot be.")
    reader = Reader(fields.rest())
    walker = _Walker(form, frames, _tell_motion(reader, form, None, frames), error)
    found = []
    for number, count in enumerate(counts):
        sight = walker.looks(number)[0]
        weights = _tell_weights(reader, sight, count, None)
        chosen = tell_ways(reader, frames, *blocks_of(sight.shape, BLOCK), count + 1, None)
        found.append(walker.walk(number, Ways(weights, chosen), reader, None))
    reader.finish()
    return found


class _Walker:
    """Walks through one plane after another, each with those before it in sight."""

    def __init__(self, form: Form, frames: int, motion: np.ndarray, error: int) -> None:
        self._form, self._frames, self._motion, self._error = form, frames, motion, error
        self._told: list[np.ndarray] = []
        self._missed: list[np.ndarray] = []
        self._dtype = np.dtype(np.int16 if form.top < 1 << 15 else np.int32)

    def looks(self, number: int) -> tuple[Sight, Shifts, int]:
        """What a plane is predicted from, the shifts of its blocks, and the lag of its frames."""
        shape = self._shape(number)
        motion = _motion_of(shape, self._motion, self._form.planes[0])
        return Sight(shape, len(self._guiding(number))), shifts_of(shape, motion), lag_of(motion)

    def bordered(self, number: int, plane: np.ndarray) -> np.ndarray:
        """A plane, flat and padded."""
        return with_borders(self._shape(number), plane, self._dtype)

    def guides(self, number: int) -> list[np.ndarray]:
        """The planes in sight, flat and padded, each of this plane's size."""
        shape = self._shape(number)
        return [
            self.bordered(number, _shrunk(self._told[each], shape.height, shape.width))
            for each in self._guiding(number)
        ]

    def walk(self, number: int, ways: Ways, teller: Teller, truth: np.ndarray | None) -> np.ndarray:
        """Tell a plane, or be told it: (frame, row, column)."""
        shape = self._shape(number)
        sight, shifts, lag = self.looks(number)
        planes = np.concatenate([shape.padded(self._dtype), *self.guides(number)])
        missed = np.zeros(len(planes), np.uint16)
        for place, each in enumerate(self._guiding(number), 1):
            part = missed[place * shape.places : (place + 1) * shape.places]
            shape.inside(part)[:] = _shrunk(self._missed[each], shape.height, shape.width)
        plan = Plan(sight, shifts, ways, lag, self._form.top, 2 * self._error + 1)
        walk(plan, planes, missed, teller, truth)
        found = shape.inside(planes[: shape.places]).astype(self._form.dtype)
        if number + 1 < min(_COLOURS, len(self._form.planes)):
            self._told.append(found)
            self._missed.append(shape.inside(missed[: shape.places]).copy())
        return found

    def _shape(self, number: int) -> Shape:
        return Shape(self._frames, *self._form.planes[number])

    def _guiding(self, number: int) -> range:
        return range(number if number < _COLOURS else 0)


def _find_motions(plane: np.ndarray, top: int) -> np.ndarray:
    """int64 (frame, row of blocks, column of blocks, 2); none of the first frame."""
    found = np.zeros((len(plane), -(-plane.shape[1] // MOVED), -(-plane.shape[2] // MOVED), 2), np.int64)
    seen = plane.astype(np.int16) if top < 1 << 8 else (plane >> (top.bit_length() - 8)).astype(np.int16)
    for frame in range(1, len(plane)):
        found[frame] = find_motion(seen[frame], seen[frame - 1])
    return found


def _tell_motion(teller: Teller, form: Form, motion: np.ndarray | None, frames: int) -> np.ndarray:
    high, wide = form.planes[0]
    rows, columns = -(-high // MOVED), -(-wide // MOVED)
    found = np.zeros((frames, rows, columns, 2), np.int64)
    if frames > 1:
        told = None if motion is None else motion[1:]
        found[1:] = tell_motion(teller, frames - 1, rows, columns, FARTHEST, told)
    top, left = np.arange(rows)[:, None] * MOVED, np.arange(columns) * MOVED
    low, right = np.minimum(top + MOVED, high), np.minimum(left + MOVED, wide)
    down, over = found[..., 0], found[..., 1]
    if (
        (top + down < 0).any()
        or (left + over < 0).any()
        or (low + down > high).any()
        or (right + over > wide).any()
    ):
        raise DamagedFile("A block of video moves out of its frame.")
    return found


def _motion_of(shape: Shape, motion: np.ndarray, first: tuple[int, int]) -> np.ndarray:
    """The motion of the blocks of a plane: of those of the first plane, scaled."""
    smaller = -(-first[0] // shape.height), -(-first[1] // shape.width)
    rows, columns = (
        np.minimum(np.arange(count) * BLOCK * scale // MOVED, most - 1)
        for count, scale, most in zip(blocks_of(shape, BLOCK), smaller, motion.shape[1:3], strict=True)
    )
    spread = motion[:, rows][:, :, columns]
    return np.stack([spread[..., 0] // smaller[0], spread[..., 1] // smaller[1]], axis=-1)


def _shrunk(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """A plane in another's size: means, rounded; int32."""
    down, over = -(-plane.shape[1] // height), -(-plane.shape[2] // width)
    if (down, over) == (1, 1):
        return plane
    rest = (0, 0), (0, height * down - plane.shape[1]), (0, width * over - plane.shape[2])
    padded = np.pad(plane, rest, "edge") if any(map(any, rest)) else plane
    sums = padded.reshape(len(plane), height, down, width, over).sum(axis=(2, 4), dtype=np.int32)
    return (sums + down * over // 2) // (down * over)


def _how_many(shape: tuple[int, ...], effort: int, *, guided: bool) -> tuple[int, int]:
    """Ways of the first frame, and of later ones: each must be worth telling."""
    frames, high, wide = shape
    most = (8, 16, 24, 32, 40, 40, 40, 56, 72)[effort - 1] // (2 if guided else 1)
    first, later = (high * wide) >> 12, (frames - 1) * high * wide >> 14
    return min(max(first, 1), most // 3 + 1), min(max(later, 1), most)


def _tell_weights(teller: Teller, sight: Sight, count: int, weights: np.ndarray | None) -> np.ndarray:
    tables = Tables(alphabet_of(MOST_WEIGHT), (Guess(np.array([11.0, 12.0]), 0),))
    found = np.zeros((count, sight.count), np.int64)
    rows = (np.arange(sight.count) < 2).astype(np.int64)
    for way in range(count):
        found[way] = teller.numbers(tables, (rows,), None if weights is None else weights[way])
    if (np.abs(found) > MOST_WEIGHT).any():
        raise DamagedFile("A block of video is predicted with weights that cannot be.")
    return found
