"""Times of frames → how a file can hold them.

Matroska holds whatever times are not below 0, in any order, to a millisecond. NUT holds finer ones, if each
is later than the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from isthmus.data.video.kinds import Kind
from isthmus.data.video.times import Times

_MATROSKA_TICK_S = Fraction(1, 1000)
MATROSKA, NUT = ".mkv", ".nut"


@dataclass(frozen=True)
class Placing:
    """How the frames of a clip are timed in a file.

    >>> kind = Kind("gray", 8, 8, Fraction(1, 90000), Fraction(0))
    >>> [Placing.of(Times.of(ticks), kind).ending for ticks in ([0, 3003, 6006], [0, 3, 6], [0, 0, 3003])]
    ['.mkv', '.nut', '.mkv']
    """

    ending: str
    """Of the file's name."""
    shift: int
    """Ticks that are added to all, so that none is below 0."""
    shown: tuple[int, ...]
    """When each frame is shown, in ticks, shifted."""
    tick_s: Fraction
    together: int
    """Frames that are shown at the time of another, though they were not."""
    backward: int
    """Frames that are not shown later than the one before."""

    @classmethod
    def of(cls, times: Times, kind: Kind) -> Placing:
        """What suits them."""
        ticks: list[int] = times.ticks.tolist()
        shift = max(0, -min(ticks))
        shown = tuple(each + shift for each in ticks)
        steps = [after - before for before, after in pairwise(shown)]
        rounded = [_milliseconds(each * kind.tick_s) for each in shown]
        together = sum(a == b for (a, b), step in zip(pairwise(rounded), steps, strict=True) if step)
        backward = sum(step <= 0 for step in steps)
        if together and not backward:
            return cls(NUT, shift, shown, kind.tick_s, 0, 0)
        return cls(MATROSKA, shift, shown, kind.tick_s, together, backward)

    @property
    def container(self) -> str:
        """As FFmpeg calls it."""
        return "nut" if self.ending == NUT else "matroska"

    @property
    def decoded(self) -> list[int]:
        """When each frame is decoded: never after it or a later one is shown."""
        found = list(self.shown)
        for place in range(len(found) - 2, -1, -1):
            found[place] = min(found[place], found[place + 1])
        return found

    def holds(self, shown: Sequence[Fraction]) -> bool:
        """Whether frames that a file shows at these seconds are shown when they should be."""
        most_s = _MATROSKA_TICK_S / 2 if self.ending == MATROSKA else Fraction(0)
        wanted = [each * self.tick_s for each in self.shown]
        return len(shown) == len(wanted) and all(
            abs(mine - theirs) <= most_s for mine, theirs in zip(shown, wanted, strict=True)
        )

    def notices(self) -> tuple[str, ...]:
        """What the file does not say as the original did, or says to surprise: what follows its name."""
        found = []
        count = len(self.shown)
        if self.shift:
            found.append(
                f"begins {float(self.shift * self.tick_s):.4g} s before time 0, which no file can; it "
                "comes back that much later"
            )
        if self.backward:
            found.append(
                f"has {self.backward:,} of {count:,} frames that are not shown later than the one before; "
                "they come back so, to a millisecond"
            )
        if self.together:
            found.append(
                f"has {self.together:,} of {count:,} frames less than a millisecond after another, which "
                "come back at the same time"
            )
        return tuple(found)


def _milliseconds(time_s: Fraction) -> int:
    """Rounded as FFmpeg does: halves up."""
    scaled = time_s / _MATROSKA_TICK_S
    return (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
