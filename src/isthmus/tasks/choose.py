"""Which coders are worth running on every block, judged on a sample of the source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from isthmus.coding.bound import Bound
from isthmus.coding.coders import CODERS, Coder
from isthmus.coding.contest import Contest
from isthmus.data import Source
from isthmus.data.grouping import archive_blocks
from isthmus.tasks.blocks import Samples, Shapes
from isthmus.tasks.compressed import Totals
from isthmus.tasks.parts import Parts, Toolbox

SAMPLE_SHARE = 0.02
LEAST_SAMPLE_BYTES = 1 << 20  # less would not show what longer blocks can gain
PIECES = 4
SMALL_BYTES = 8 << 20  # sources that are coded by all coders sooner than they are sampled
ALL_EFFORT = 9
SLOW = {"xz": 3}
"""The least effort at which a slow coder may compete."""


def coder_names(parts: Parts, effort: int) -> list[str]:
    """All that may compete: the coders of the table, and the model's own."""
    return [*(name for name in CODERS if SLOW.get(name, 0) <= effort), *parts.coders()]


def choose_coders(
    source: Source, targets: Sequence[tuple[str, Bound | None]], parts: Parts, effort: int
) -> tuple[str, ...]:
    """The names of the coders to run on every block.

    With effort 9, or little data, all of them. Otherwise the two (from effort 6 on: three) that
    made the sample smallest for each target, all that need a prediction, and the model's own.
    """
    toolbox = Toolbox(parts)
    names = coder_names(parts, effort)
    if effort >= ALL_EFFORT or source.raw_bytes <= SMALL_BYTES:
        return tuple(names)
    always = [name for name in names if toolbox.coder(name).uses_given or name in parts.coders()]
    coders = {name: toolbox.coder(name) for name in names if name not in always}
    kept = {*always, *smallest_coders(coders, sample_pieces(source), targets, effort)}
    return tuple(name for name in names if name in kept)


def smallest_coders(
    coders: Mapping[str, Coder],
    pieces: Sequence[Samples],
    targets: Sequence[tuple[str, Bound | None]],
    effort: int,
) -> set[str]:
    """`stored`, and for each target the two coders (from effort 6 on: three) that did best on the pieces."""
    kept = {"stored"}
    for _, bound in targets:
        kept |= set(_smallest(coders, pieces, bound, 2 if effort <= _TWO_UP_TO else 3))
    return kept


_TWO_UP_TO = 5


def _smallest(
    coders: Mapping[str, Coder], pieces: Iterable[Samples], bound: Bound | None, count: int
) -> list[str]:
    """The `count` coders that make the pieces smallest; those far behind skip the later pieces."""
    totals, left = Totals(), list(coders)
    for piece in pieces:
        contest = Contest({name: coders[name] for name in left})
        payloads = contest.payloads(Shapes.of(piece).split(piece), bound)
        totals.add({name: len(payload) for name, payload in payloads.items()})
        sizes = totals.whole()
        ranked = sorted(sizes, key=lambda name: (sizes[name], name))
        left = ranked[:count] + [name for name in ranked[count:] if sizes[name] <= _HOPE * sizes[ranked[0]]]
    return left[:count]


_HOPE = 1.5  # times the bytes of the best so far: who needs more is out


def sample_pieces(source: Source, *, whole: bool = False) -> list[Samples]:
    """Pieces of neighbouring samples, evenly spread: a fiftieth of the source, at least 1 MiB.

    Args:
        source: what is to be coded.
        whole: never cut a sample, since a net takes nothing less.
    """
    wanted = max(LEAST_SAMPLE_BYTES, int(SAMPLE_SHARE * source.raw_bytes)) // PIECES
    blocks = list(archive_blocks(source))
    picked = [blocks[place * len(blocks) // PIECES] for place in range(min(PIECES, len(blocks)))]
    return [_piece(source, block, wanted, whole=whole) for block in picked]


def _piece(source: Source, block: range, wanted_bytes: int, *, whole: bool) -> Samples:
    """The first samples of a block; of a single large one, its first rows."""
    each = max(1, source.raw_bytes // max(1, len(source)))
    some = block[: max(1, wanted_bytes // each)]
    if not source.spec.is_fixed:
        return source.read(some)
    stack = source.stack(some)
    if whole or len(stack) > 1 or stack.ndim == 1 or stack.nbytes <= 2 * wanted_bytes:
        return stack
    rows = max(1, stack.shape[1] * wanted_bytes // stack.nbytes)
    return np.ascontiguousarray(stack[:, :rows])
