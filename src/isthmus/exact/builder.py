"""Where modules put the operations that they are, one after the other."""

from __future__ import annotations

from dataclasses import replace

from isthmus.exact.ops import Op


class Lowering:
    """The operations so far; values are known by their numbers.

    >>> net = Lowering()
    >>> net.add("relu", net.add("flatten", 0))
    2
    """

    def __init__(self) -> None:
        self.ops: list[Op] = []

    def add(self, kind: str, *inputs: int, weight: str = "", numbers: tuple[int, ...] = ()) -> int:
        """Append an operation and return the number of the value it makes."""
        self.ops.append(Op(kind, inputs, weight, numbers))
        return len(self.ops)

    def sum_of(self, short: int, deep: int) -> int:
        """The sum of two values; a layer that has just made the second takes the first in, unrounded."""
        if deep == len(self.ops) and short < deep:
            last = self.ops[-1]
            if last.kind in ("linear", "conv", "line") and len(last.inputs) == 1:
                self.ops[-1] = replace(last, inputs=(*last.inputs, short))
                return deep
        return self.add("add", short, deep)
