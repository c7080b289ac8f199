"""Words of a column → slips: a frequent word with a letter gone wrong, or a shape that hardly ever comes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

RARE_SHARE = 0.005
"""Of the rows, that a slip may be in at most …"""
MANY = 10
"""… and the word that was meant is at least so many times as frequent."""
MOST_FREQUENT = 300
SHAPES_SHARE, RARE_SHAPE = 0.97, 0.02
"""Where the frequent shapes make up so much of a column, one that is rarer than this is a slip."""


def slips(words: Sequence[str], counts: Sequence[int]) -> dict[str, str | None]:
    """Word → what was meant; None where that cannot be said.

    Args:
        words: the different ones of a column.
        counts: how often each stands there.

    >>> slips(["hospital", "hospixal", "clinic"], [300, 1, 200])
    {'hospixal': 'hospital'}
    >>> slips(["12%", "34%", "56%", "x7%"], [100, 100, 100, 1])
    {'x7%': None}
    """
    rows = sum(counts)
    often = Counter(dict(zip(words, counts, strict=True)))
    found = _misspelt(often, rows)
    parts: Counter[str] = Counter()
    for word, count in often.items():
        for part in set(word.split()):
            parts[part] += count
    wrong = _misspelt(parts, rows) if any(" " in word for word in words) else {}
    for word in words:
        mended = " ".join(wrong.get(part, part) for part in word.split(" "))
        if mended != word and word not in found and often[word] <= RARE_SHARE * rows + 1:
            found[word] = mended
    return {**dict.fromkeys(_misshapen(often, rows)), **found}


def _misspelt(often: Mapping[str, int], rows: int) -> dict[str, str]:
    frequent = [word for word, count in Counter(often).most_common(MOST_FREQUENT) if count >= MANY]
    found = {}
    for word, count in often.items():
        if count <= RARE_SHARE * rows + 1:
            meant = _nearest(word, [one for one in frequent if often[one] >= MANY * count])
            if meant is not None:
                found[word] = meant
    return found


def _nearest(word: str, others: Sequence[str]) -> str | None:
    """The one word within a slip or two of letters; None where there is none, or several as near."""
    most = 1 if len(word) < 8 else 2 if len(word) < 20 else 3
    near = [(gap, other) for other in others if (gap := _gap(word, other, most)) is not None]
    best = min(near, default=None)
    if best is None or sum(gap == best[0] for gap, _ in near) > 1:
        return None
    return best[1]


def _gap(word: str, other: str, most: int) -> int | None:
    """Letters to change, at most `most`; None for more, or where a digit became another digit."""
    if word.startswith(other) or other.startswith(word):  # a plural, say
        return None
    if abs(len(word) - len(other)) > most or len(word) < 2:
        return None
    if len(word) == len(other):
        differ = [(one, two) for one, two in zip(word, other, strict=True) if one != two]
        amounts = any(one.isdigit() and two.isdigit() for one, two in differ)
        names = len(word) < 3 and not any(one.isdigit() or two.isdigit() for one, two in differ)
        return None if amounts or names or len(differ) > most else len(differ)
    if re.search(r"\d", word) or re.search(r"\d", other) or len(word) < 5:
        return None
    return _edits(word, other, most)


def _edits(word: str, other: str, most: int) -> int | None:
    """Levenshtein's distance, up to a limit."""
    row = list(range(len(other) + 1))
    for place, letter in enumerate(word, 1):
        before, row[0] = row[0], place
        for at, theirs in enumerate(other, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (letter != theirs))
        if min(row) > most:
            return None
    return row[-1] if row[-1] <= most else None


def shape(word: str) -> str:
    """Digits as 0, letters as a, in runs; what else there is as it is.

    >>> shape("AA-3859-IAH"), shape("x7%")
    ('a-0-a', 'a0%')
    """
    return re.sub(r"0+", "0", re.sub(r"\d", "0", re.sub(r"[^\W\d_]+", "a", word)))


def _misshapen(often: Mapping[str, int], rows: int) -> list[str]:
    shapes: Counter[str] = Counter()
    for word, count in often.items():
        shapes[shape(word)] += count
    rare = {one for one, count in shapes.items() if count < RARE_SHAPE * rows}
    usual = [one for one in shapes if one not in rare]
    if sum(shapes[one] for one in usual) < SHAPES_SHARE * rows or not any("0" in one for one in usual):
        return []
    amounts = all("0" in one for one in usual)  # where words are usual too, another word is no slip
    return [word for word in often if shape(word) in rare and (amounts or "0" in shape(word))]
