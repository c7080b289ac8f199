"""Some frames ⇄ the payload of a block at a quality, by a model of video.

The first frame is told by the model's half for pictures. Each later one is what is expected, the frame before
as it came back and moved by its blocks, and the difference, told by the other half; where what is expected is
no better than nothing, as after a cut, the frame is told as a picture. Reader and writer do the same in
integers, so what comes back is the same everywhere, and errors do not add up.

The payload: varint, the quality; for each frame 1 if it is a picture, else 0; sized, one message of the
motion of all frames that are none; then of each frame, sized, its latents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.coding.latents import MAX_QUALITY
from isthmus.coding.varints import ByteReader, write_varint
from isthmus.coding.video import BLOCK_FRAMES, BLOCK_SAMPLES, Form
from isthmus.coding.video.choices import tell_motion
from isthmus.coding.video.motion import BLOCK, FARTHEST
from isthmus.coding.video.moving import QUARTERS, Moved, find_quarters, is_inside, scaled
from isthmus.coding.video.telling import Reader, Writer
from isthmus.errors import DamagedFile
from isthmus.limits import Limits
from isthmus.model import VideoModel
from isthmus.model.video_model import NOTHING, VideoDecoder
from isthmus.tasks.blocks import decode_preview, encode_preview

PREDICTED = "predicted"
"""The plan of such a block."""
FINER = 10
"""By how much the quality of pictures is higher: frames that follow are built upon them."""
_REACH = QUARTERS * (FARTHEST + 1)
_SAMPLE_BYTES = 128
Planes = list[np.ndarray]
"""Of one frame: uint8 (row, column) each."""


@dataclass(frozen=True)
class Lossy:
    """A payload, and what it restores."""

    payload: bytes
    planes: list[np.ndarray]
    """uint8 (frame, row, column) each."""


def encode_lossy(
    planes: Sequence[np.ndarray], model: VideoModel, quality: int, *, thrifty: bool = True
) -> Lossy:
    """Frames → a payload.

    Args:
        planes: uint8 (frame, row, column) each.
        quality: 1 to 100.
        thrifty: round symbols that are not worth their bits toward 0.
    """
    decoder = model.decoder
    pictures, motions, told, restored = [], [], [], list[Planes]()
    for number in range(len(planes[0])):
        frame = [each[number] for each in planes]
        expected: Planes | None = None
        if number:
            motion, expected = _searched(frame, restored[-1])
            if _is_picture(frame[0], expected[0]):
                expected = None
            else:
                motions.append(motion)
        pictures.append(expected is None)
        half, own = model.later, quality
        if expected is None:
            half, own = model.first, min(quality + FINER, MAX_QUALITY)
        groups = _groups(frame if expected is None else _less(frame, expected))
        payload = encode_preview(half, groups, own, thrifty=thrifty)[0]
        told.append(payload)
        restored.append(_shown(decoder, payload, frame, expected))
    head = write_varint(quality) + bytes(pictures)
    moves = Writer()
    if motions:
        high, wide = motions[0].shape[:2]
        tell_motion(moves, len(motions), high, wide, _REACH, np.stack(motions))
    payload = head + b"".join(map(_sized, [moves.to_bytes() if motions else b"", *told]))
    return Lossy(payload, [np.stack(each) for each in zip(*restored, strict=True)])


def decode_lossy(
    payload: bytes, decoder: VideoDecoder, form: Form, frames: int, limits: Limits
) -> list[np.ndarray]:
    """Undo `encode_lossy`: the planes, each (frame, row, column).

    Raises:
        DamagedFile: the bytes are no such frames.
        TooLarge: they would take more than `limits` allow.
    """
    if (
        not 1 <= frames <= BLOCK_FRAMES
        or (frames > 1 and frames * form.samples > BLOCK_SAMPLES)
        or form.top != 255
    ):
        raise DamagedFile("A block of video is of frames that no model tells.")
    limits.require("block_bytes", frames * form.samples + _SAMPLE_BYTES * form.samples, "A block of video")
    fields = ByteReader(payload, "A block of video")
    if not 1 <= fields.varint() <= MAX_QUALITY:
        raise DamagedFile("A block of video has a quality that cannot be.")
    pictures = fields.take(frames)
    if not pictures[0] or max(pictures) > 1:
        raise DamagedFile("A block of video begins with a frame that needs another.")
    motions = _read_motions(fields.sized(), form, pictures.count(0))
    found = list[Planes]()
    blank = [np.empty(shape, np.uint8) for shape in form.planes]
    for picture in pictures:
        expected = None if picture else moved(found[-1], next(motions))
        found.append(_shown(decoder, fields.sized(), blank, expected))
    fields.finish()
    return [np.stack(each) for each in zip(*found, strict=True)]


def _read_motions(data: bytes, form: Form, count: int) -> Iterator[np.ndarray]:
    if not count:
        return iter(())
    high, wide = form.planes[0]
    reader = Reader(data)
    found = tell_motion(reader, count, -(-high // BLOCK), -(-wide // BLOCK), _REACH, None)
    reader.finish()
    if not all(is_inside(each, high, wide) for each in found):
        raise DamagedFile("A block of video moves out of its frame.")
    return iter(found)


def _searched(frame: Planes, before: Planes) -> tuple[np.ndarray, Planes]:
    motion = find_quarters(frame[0], before[0], Moved(before[0]))
    return motion, moved(before, motion)


def moved(before: Planes, motion: np.ndarray) -> Planes:
    """What is expected of a frame."""
    found = []
    high, wide = before[0].shape
    for plane in before:
        down, over = -(-high // plane.shape[0]), -(-wide // plane.shape[1])
        if down == over:
            found.append(Moved(plane).taken(scaled(motion, down, over), BLOCK // down))
            continue
        spread = np.repeat(np.repeat(motion, BLOCK // down, 0), BLOCK // over, 1)
        found.append(Moved(plane).taken(scaled(spread, down, over), 1))
    return found


def _is_picture(plane: np.ndarray, expected: np.ndarray) -> bool:
    """Whether a plane lies nearer to the means of its own small blocks than to what is expected."""
    missed = np.abs(plane.astype(np.int16) - expected).mean()
    high, wide = (side // 8 * 8 for side in plane.shape)
    if not high or not wide:
        return False
    blocks = plane[:high, :wide].reshape(high // 8, 8, wide // 8, 8).astype(np.float32)
    return bool(missed > np.abs(blocks - blocks.mean(axis=(1, 3), keepdims=True)).mean() + 2)


def _less(frame: Planes, expected: Planes) -> Planes:
    """Differences, 128 for none; those beyond ±128 are told as far as they go."""
    return [
        np.clip(mine.astype(np.int16) - theirs + NOTHING, 0, 255).astype(np.uint8)
        for mine, theirs in zip(frame, expected, strict=True)
    ]


def _shown(decoder: VideoDecoder, payload: bytes, like: Planes, expected: Planes | None) -> Planes:
    """What a frame's latents restore."""
    half = decoder.first if expected is None else decoder.later
    shapes = [group.shape for group in _groups(like)]
    made = [plane for group in decode_preview(half, payload, shapes) for plane in group]
    if expected is None:
        return made
    return [
        np.clip(mine.astype(np.int16) + theirs - NOTHING, 0, 255).astype(np.uint8)
        for mine, theirs in zip(made, expected, strict=True)
    ]


def _groups(planes: Planes) -> list[np.ndarray]:
    """Neighbouring planes of one size, stacked."""
    found = [[planes[0]]]
    for plane in planes[1:]:
        if plane.shape == found[-1][0].shape:
            found[-1].append(plane)
        else:
            found.append([plane])
    return [np.stack(each) for each in found]


def _sized(data: bytes) -> bytes:
    return write_varint(len(data)) + data
