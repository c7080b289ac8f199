"""Some words as part of a sentence."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 8


def listed(words: Sequence[str]) -> str:
    """Words with commas and an "and"; of many, the first.

    >>> listed(["a"]), listed(["a", "b", "c"]), listed([str(n) for n in range(12)])
    ('a', 'a, b and c', '0, 1, 2, 3, 4, 5, 6, 7 and 4 more')
    """
    told = [*words[:MOST], *([f"{len(words) - MOST:,} more"] if len(words) > MOST else [])]
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
