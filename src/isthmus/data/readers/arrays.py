"""NumPy arrays given in Python, and what all readers of arrays share.

The first axis counts samples; `describe` decides what one sample is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from isthmus.data.source import Layout, Member, Skipped, Source
from isthmus.data.stacks import Stacks
from isthmus.errors import BadItem, NoData
from isthmus.spec import DataSpec

PIXEL_TYPES = ("uint8", "uint16")
LEAST_SIDE = 8  # many channels, or floats, count as an image from this height and width on
MOST_CHANNELS = 16  # of pixels: satellites have 13
CHUNK_BYTES = 1 << 24  # looked at in one go, so that a memory-mapped file need not fit into memory


class ArraySource(Source):
    """Samples along the first axis of an array, in memory or memory-mapped.

    Args:
        values: shape (samples, *sample), or () for a single number; any byte order.
        layout: over which members the samples are spread.
        name, file_bytes: see Source.
        skip_bad: leave samples with NaN or infinities out.
        trainable: see Source.open.
    Raises:
        NoData: no samples, or not of numbers.
        BadItem: NaN or infinities, and neither `skip_bad` nor `trainable` allows them.
    """

    def __init__(
        self,
        values: np.ndarray,
        layout: Layout,
        *,
        name: str,
        file_bytes: int,
        skip_bad: bool = False,
        trainable: bool = True,
    ) -> None:
        self.name = name
        _require_numbers(values, name)
        if trainable:
            _require_samples(values, name)
        values = values.reshape(1) if values.ndim == 0 else values
        bad = _not_finite(values) if trainable or skip_bad else np.zeros(0, np.int64)
        if len(bad) and not skip_bad:
            raise BadItem(
                f"{layout.item_name(int(bad[0]))} holds NaN or infinite values ({len(bad)} of {len(values)} "
                "samples do); they must be finite. Repair them, or leave those samples out with --skip-bad."
            )
        self.skipped = tuple(Skipped(layout.item_name(int(i)), "NaN or infinite values") for i in bad)
        self._values = values
        self._rows = np.delete(np.arange(len(values)), bad)  # sample i is row _rows[i]
        if len(bad) and not len(self._rows):
            raise NoData(f"Every sample of {name} holds NaN or infinite values, so none is left.")
        self.layout = _without(layout, bad)
        self.spec = describe(values.shape[1:], values.dtype, *_value_range(values, self._rows))
        self.raw_bytes = len(self._rows) * values[:1].nbytes
        self.file_bytes = file_bytes

    def read(self, indices: Sequence[int] | np.ndarray) -> list[np.ndarray]:
        """See Source."""
        return list(self.stack(indices))

    def stack(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """See Source."""
        found = self._values[self._places(indices)]
        if found.dtype == np.bool_:  # in memory any byte may stand for true; here only 1 does
            return np.asarray(found).view(np.uint8) != 0
        return np.array(found, dtype=self.spec.dtype)  # a copy in native byte order

    def _places(self, indices: Sequence[int] | np.ndarray) -> slice | np.ndarray:
        whole = len(self._rows) == len(self._values)
        if whole and isinstance(indices, range) and indices.step == 1 and len(indices):
            return slice(indices.start, indices.stop)  # read in one go
        rows: np.ndarray = self._rows[np.asarray(indices, dtype=np.int64)]
        return rows

    def shapes(self) -> Sequence[tuple[int, ...]]:
        """See Source."""
        return [self._values.shape[1:]] * len(self)


class Array(ArraySource):
    """An array given in Python; written, when asked to, as array.npy."""

    file_names = ()

    @classmethod
    def matches(cls, source: object) -> bool:
        """See Source."""
        return isinstance(source, np.ndarray)

    @classmethod
    def open(cls, source: np.ndarray, *, skip_bad: bool = False, trainable: bool = True) -> Array:
        """See Source."""
        layout = Layout("array", (member_of(source, "array.npy"),))
        size = source.nbytes
        return cls(source, layout, name="array", file_bytes=size, skip_bad=skip_bad, trainable=trainable)

    @classmethod
    def write(
        cls,
        layout: Layout,
        spec: DataSpec,
        samples: Iterable[np.ndarray],
        directory: Path,
        *,
        force: bool = False,
    ) -> list[Path]:
        """See Source."""
        from isthmus.data.readers.npy import Npy

        return Npy.write(layout, spec, samples, directory, force=force)


def member_of(values: np.ndarray, name: str) -> Member:
    """The array as a member: its first axis counts samples; a single number is one sample.

    >>> member_of(np.zeros((3, 2)), "a.npy").count, member_of(np.float64(1), "b.npy").count
    (3, None)
    """
    return Member(name, len(values) if values.ndim else None)


def describe(sample: tuple[int, ...], dtype: Any, low: float, high: float) -> DataSpec:
    """Decide whether samples of this shape and type are images, and name their axes.

    Bytes and 16-bit numbers in two axes, or in three of which the last is 1, 3 or 4 long, are
    images; so are those of up to 16 channels, and floats of up to 4, whose sides are long enough.

    >>> describe((28, 28), np.uint8, 0, 255).axes
    ('height', 'width')
    >>> describe((64, 64, 13), np.uint16, 0, 65535).axes
    ('height', 'width', 'channel')
    >>> describe((7, 7, 5), np.uint8, 0, 255).axes
    ('axis_0', 'axis_1', 'axis_2')
    >>> describe((30,), np.float32, -1, 1).axes
    ('feature',)
    """
    name = np.dtype(dtype).name
    if _is_image(sample, name):
        modality, axes = "image", ("height", "width", "channel")[: len(sample)]
    elif len(sample) == 1:
        modality, axes = "array", ("feature",)
    else:
        modality, axes = "array", tuple(f"axis_{i}" for i in range(len(sample)))
    return DataSpec(modality=modality, axes=axes, shape=tuple(sample), dtype=name, low=low, high=high)


def write_samples(file: BinaryIO, samples: Stacks, count: int, spec: DataSpec, stored: np.dtype) -> None:
    """Append the bytes of `count` samples to `file`, converted to the dtype `stored`."""
    for stack in samples.take(count):
        _require_kind(stack.dtype, stack.ndim - 1, spec)
        file.write(np.ascontiguousarray(stack, stored).data if stack.size else b"")


def take(samples: Iterator[np.ndarray], spec: DataSpec) -> np.ndarray:
    """Return the next sample, which must be one of `spec`."""
    sample = next(samples, None)
    if sample is None:
        raise ValueError("There are fewer samples than the layout counts.")
    _require_kind(sample.dtype, sample.ndim, spec)
    return sample


def _require_kind(dtype: np.dtype, axes: int, spec: DataSpec) -> None:
    if dtype != spec.dtype or axes != len(spec.shape):
        raise ValueError(f"Samples must be {spec.dtype} of shape {spec.shape}; got {dtype} with {axes} axes.")


def _is_image(sample: tuple[int, ...], dtype: str) -> bool:
    if len(sample) not in (2, 3):
        return False
    pixels, channels = dtype in PIXEL_TYPES, sample[2] if len(sample) == 3 else 1
    if pixels and channels in (1, 3, 4):
        return True
    # A third axis as long as the others is hardly one of channels.
    most = min(MOST_CHANNELS, *(side - 1 for side in sample[:2])) if pixels else 4
    known = pixels or dtype.startswith("float")
    return known and 1 <= channels <= most and min(sample[:2]) >= LEAST_SIDE


def _require_numbers(values: np.ndarray, name: str) -> None:
    if isinstance(values, np.ma.MaskedArray):
        raise NoData(f"{name} is masked, and a mask is not kept. Fill it: values.filled(…).")
    if values.dtype.kind not in "buif" or values.dtype.itemsize > 8:
        raise NoData(
            f"{name} must hold numbers of up to 64 bits; it holds {values.dtype}. Convert it with astype."
        )


def _require_samples(values: np.ndarray, name: str) -> None:
    if values.ndim < 2:
        raise NoData(
            f"{name} must have the samples along its first axis and at least one more; its shape is "
            f"{values.shape}. Reshape it: values.reshape(-1, 1) makes each number a sample."
        )
    if not values.size:
        raise NoData(f"{name} is empty: its shape is {values.shape}.")


def _not_finite(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind != "f":
        return np.zeros(0, np.int64)
    found = []
    for start, chunk in _chunks(values):
        finite = np.isfinite(chunk).all(axis=tuple(range(1, chunk.ndim)))
        found.append(start + np.flatnonzero(~finite))
    return np.concatenate(found)


def _value_range(values: np.ndarray, rows: np.ndarray) -> tuple[float, float]:
    """Return what the values can be: by their type if that is narrow, else as seen."""
    if values.dtype.name in PIXEL_TYPES:
        return 0.0, float(np.iinfo(values.dtype).max)
    kept = values if len(rows) == len(values) else values[rows]
    bounds = [(part.min(), part.max()) for part in map(_finite, _chunks(kept)) if part.size]
    if not bounds:
        return 0.0, 0.0
    return float(min(low for low, _ in bounds)), float(max(high for _, high in bounds))


def _finite(chunk: tuple[int, np.ndarray]) -> np.ndarray:
    values = chunk[1]
    return values[np.isfinite(values)] if values.dtype.kind == "f" else values


def _chunks(values: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    step = max(1, CHUNK_BYTES // max(1, values[:1].nbytes))
    for start in range(0, len(values), step):
        yield start, values[start : start + step]


def _without(layout: Layout, bad: np.ndarray) -> Layout:
    """Return the layout once the samples at `bad` are gone."""
    if not len(bad):
        return layout
    members, first = [], 0
    for member in layout.members:
        gone = int(((bad >= first) & (bad < first + len(member))).sum())
        members.append(Member(member.name, len(member) - gone))
        first += len(member)
    return Layout(layout.reader, tuple(m for m in members if m.count), layout.options)
