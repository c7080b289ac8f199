"""A block of values → its smallest coded form: every coder may try, and what it made is decoded again.

A block is a list of groups, one array for each shape among its samples. A coder's payload for
several groups is each group's own, after its length; for one group there is nothing around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.coding.bound import Bound, same_bits
from isthmus.coding.coders import Coder
from isthmus.coding.varints import ByteReader, write_varint

Groups = Sequence[np.ndarray]


@dataclass(frozen=True)
class Entry:
    """What one coder made of a block."""

    name: str
    payload: bytes
    restored: tuple[np.ndarray, ...]
    """What decoding gives, group by group; known to keep the bound."""


class Contest:
    """Lets coders compete for a block.

    Args:
        coders: by name; those with `uses_given` compete where there is a prediction.

    >>> from isthmus.coding.coders import CODERS
    >>> contest = Contest({name: CODERS.find(name)() for name in ("stored", "zstd")})
    >>> [entry.name for entry in contest.entries([np.zeros((4, 100), np.int16)], None)]
    ['zstd', 'stored']
    """

    def __init__(self, coders: Mapping[str, Coder]) -> None:
        self.coders = dict(coders)

    def payloads(self, groups: Groups, bound: Bound | None, given: Groups | None = None) -> dict[str, bytes]:
        """Each coder's payload, in the order of sizes; coders that cannot do it are missing.

        Args:
            groups: the values.
            bound: None asks for equal bits.
            given: predictions; only coders that use them compete, and without them only the others.
        """
        made = {
            name: payload
            for name, coder in self.coders.items()
            if coder.uses_given == (given is not None)
            and (payload := encode_groups(coder, groups, bound, given)) is not None
        }
        return dict(sorted(made.items(), key=lambda pair: (len(pair[1]), pair[0])))

    def entries(self, groups: Groups, bound: Bound | None, given: Groups | None = None) -> Iterator[Entry]:
        """What decodes to values within the bound, smallest first; see `payloads`."""
        for name, payload in self.payloads(groups, bound, given).items():
            entry = self.checked(name, payload, groups, bound, given)
            if entry is not None:
                yield entry

    def checked(
        self, name: str, payload: bytes, groups: Groups, bound: Bound | None, given: Groups | None = None
    ) -> Entry | None:
        """Decode a payload, as any reader will; None unless every value keeps the bound."""
        shapes, dtype = [group.shape for group in groups], groups[0].dtype
        restored = decode_groups(self.coders[name], payload, shapes, dtype, given)
        kept = (
            same_bits(group, back).all() if bound is None else bound.kept(group, back).all()
            for group, back in zip(groups, restored, strict=True)
        )
        return Entry(name, payload, tuple(restored)) if all(kept) else None


def encode_groups(coder: Coder, groups: Groups, bound: Bound | None, given: Groups | None) -> bytes | None:
    """One payload for all groups; None where the coder cannot do one of them."""
    payloads = []
    for number, group in enumerate(groups):
        payload = coder.encode(group, bound, None if given is None else given[number])
        if payload is None:
            return None
        payloads.append(payload)
    if len(payloads) == 1:
        return payloads[0]
    return b"".join(write_varint(len(payload)) + payload for payload in payloads)


def decode_groups(
    coder: Coder,
    payload: bytes,
    shapes: Sequence[tuple[int, ...]],
    dtype: np.dtype,
    given: Groups | None,
) -> list[np.ndarray]:
    """Undo `encode_groups`.

    Raises:
        DamagedFile: the bytes are none that the coder would have written.
    """
    payloads = [payload]
    if len(shapes) > 1:
        fields = ByteReader(payload, "A block of several shapes")
        payloads = [fields.sized() for _ in shapes]
        fields.finish()
    predictions = [None] * len(shapes) if given is None or not coder.uses_given else list(given)
    return [
        coder.decode(part, shape, dtype, prediction)
        for part, shape, prediction in zip(payloads, shapes, predictions, strict=True)
    ]
