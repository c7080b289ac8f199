"""A run of frames ⇄ the payload of a block, by whichever plan takes fewer bytes.

A payload of integers begins with its head: varints of what one step of the samples is, of the lowest and
the highest sample in such steps, and, for floats that are multiples of a power of two, of that power.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from isthmus.coding.audio import stored, walk
from isthmus.coding.coders.pcodec import numbers_from_bytes, numbers_to_bytes
from isthmus.coding.varints import ByteReader, unzigzag, write_varint, zigzag
from isthmus.errors import DamagedFile
from isthmus.limits import DEFAULT_LIMITS, Limits

BLOCK_SAMPLES = 1 << 22
"""Of all channels: what a block has at most."""
SAMPLE_BYTES = 64
"""That a sample takes in memory while it is decoded, about."""
ADAPTIVE, STORED, PCODEC = "adaptive", "stored-predictors", "pcodec"
"""Plans of a block."""
QUICK_EFFORT, LONG_EFFORT = 2, 8
"""Up to the first, only the quick plan is tried; from the second on, lanes are longer, and slower."""
_POWERS = (15, 23)  # floats that were integers of 16 or 24 bits


@dataclass(frozen=True)
class Coded:
    """The payload of a block."""

    plan: str
    payload: bytes
    rivals: dict[str, int]
    """What each other plan that was tried takes: stored predictors, pcodec."""


def encode_block(samples: np.ndarray, *, effort: int = 5) -> Coded:
    """Samples → a payload.

    Args:
        samples: (frame, channel), at least one frame; int32, float32 or float64.
        effort: 1 to 9.

    >>> samples = np.array([[0], [300], [500], [600]], np.int32)
    >>> coded = encode_block(samples)
    >>> decode_block(coded.plan, coded.payload, 4, 1, samples.dtype).ravel().tolist()
    [0, 300, 500, 600]
    """
    if samples.dtype.kind != "f":
        return _encode_integers(samples.astype(np.int64), 0, effort)
    found = {PCODEC: b"".join(map(_sized, map(numbers_to_bytes, samples.T)))}
    for power in _POWERS:
        if (whole := _whole(samples, power)) is not None:
            coded = _encode_integers(whole, power, effort)
            found[coded.plan] = coded.payload
            break
    return _smallest(found)


def decode_block(
    plan: str,
    payload: bytes,
    frames: int,
    channels: int,
    dtype: np.dtype,
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> np.ndarray:
    """Undo `encode_block`: (frame, channel), of that type.

    Raises:
        DamagedFile: the bytes are no such samples.
        TooLarge: they would take more than `limits` allow.
    """
    require_size(frames, channels, limits)
    fields = ByteReader(payload, "A block of audio")
    if plan == PCODEC and dtype.kind == "f":
        columns = [numbers_from_bytes(fields.sized(), frames, dtype) for _ in range(channels)]
        fields.finish()
        return np.stack(columns, axis=1)
    if plan not in (ADAPTIVE, STORED):
        raise DamagedFile(
            "A block is coded in a way this version does not know. Update with `pip install -U isthmus`."
        )
    found, power = _decode_integers(plan, fields, frames, channels)
    if dtype.kind == "f":
        return (found / float(1 << power)).astype(dtype)
    if power:
        raise DamagedFile("A block of audio holds floats where integers should be.")
    return found.astype(dtype)


def require_size(frames: int, channels: int, limits: Limits) -> None:
    """Raise DamagedFile, or TooLarge, unless a block may have so many samples."""
    if not 1 <= frames * channels <= BLOCK_SAMPLES:
        raise DamagedFile(f"A block of audio must have 1 to {BLOCK_SAMPLES:,} samples.")
    limits.require("block_bytes", SAMPLE_BYTES * frames * channels, "A block of audio")


def _encode_integers(samples: np.ndarray, power: int, effort: int) -> Coded:
    unit = max(1, int(np.gcd.reduce(samples, axis=None)))
    steps = samples // unit
    low, high = int(steps.min()), int(steps.max())
    head = write_varint(unit) + b"".join(write_varint(zigzag(each)) for each in (low, high))
    head += write_varint(power)
    if low == high:
        return Coded(STORED, head, {STORED: len(head)})
    found = {STORED: head + stored.encode(steps)}
    if effort > QUICK_EFFORT:
        plan = walk.LONG_PLAN if effort >= LONG_EFFORT else walk.PLAN
        found[ADAPTIVE] = head + walk.encode(steps, low, high, plan)
    return _smallest(found)


def _decode_integers(plan: str, fields: ByteReader, frames: int, channels: int) -> tuple[np.ndarray, int]:
    unit, low, high = fields.varint(), unzigzag(fields.varint()), unzigzag(fields.varint())
    power = fields.varint()
    reach = unit * max(abs(low), abs(high), 1)
    if unit < 1 or not low <= high or reach > 1 << 31 or power not in (0, *_POWERS):
        raise DamagedFile("A block of audio has a range that cannot be.")
    body = fields.rest()
    if low == high:
        if body:
            raise DamagedFile("A block of audio is longer than its frames.")
        return np.full((frames, channels), low * unit), power
    if plan == STORED:
        found = stored.decode(body, frames, channels)
    else:
        found = walk.decode(body, frames, channels, low, high)
    if found.min() < low or found.max() > high:
        raise DamagedFile("A block of audio holds samples outside its range.")
    return found * unit, power


def _whole(samples: np.ndarray, power: int) -> np.ndarray | None:
    """Floats as whole numbers of 2**-power, int64; None where some are none."""
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = samples.astype(np.float64) * (1 << power)
        if not (np.abs(scaled) <= 1 << 30).all():  # NaN is not, either
            return None
        whole = scaled.astype(np.int64)
        same = (whole == scaled) & ~(np.signbit(samples) & (whole == 0))
    return whole if same.all() else None


def _smallest(found: dict[str, bytes]) -> Coded:
    plan = min(found, key=lambda name: (len(found[name]), name))
    rivals = {name: len(payload) for name, payload in found.items() if name != ADAPTIVE}
    return Coded(plan, found[plan], rivals)


def _sized(data: bytes) -> bytes:
    return write_varint(len(data)) + data
