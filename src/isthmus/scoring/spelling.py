"""Words of a column → which looks like another mistyped, and which has a shape that hardly ever comes.

That two words look alike is no evidence: sound tables are full of such pairs. `Typos` therefore leaves out
whatever people write on purpose (capitals, accents, plurals, British beside American, initials, other
digits), and words that the column holds more often than by mistake; callers must ask other columns besides.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

MOST_NOVEL, NOVEL_SHARE = 2, 0.001
"""A mistyped word stands in at most so many rows, and this share of all rows more."""
EDITED_SHARE = 0.25
"""Of the letters that were meant, that may be wrong."""
LEAST_LETTERS = 3
"""Shorter words of letters alone are initials and codes: S beside O, OR beside OH."""

MOST_WORDS, FREQUENT_SHARE = 20, 0.95
"""Where so few frequent words are so many of all, a rare one is judged by spelling alone."""
MANY, MANY_TIMES = 10, 20
"""Rows of a frequent word, and how many times as frequent as a mistyped one it is."""
LONG_ENOUGH = 5
"""Letters of a word that is judged by spelling alone."""

SHAPES_SHARE, RARE_SHAPE = 0.97, 0.02
"""Where the frequent shapes make up so much of a column, one that is rarer than this is a mistake."""

_WORD = re.compile(r"[^\W_]+")


class Typos:
    """Which values of a column look like another one of them, mistyped.

    >>> typos = Typos(["Portland", "Portlamd", "Portage", "portland"], [40, 1, 1, 1])
    >>> typos.meant_by("Portlamd", "Portland"), typos.meant_by("Portage", "Portland")
    (True, False)
    >>> typos.meant_by("portland", "Portland")
    False
    """

    def __init__(self, values: Sequence[str], counts: Sequence[int]) -> None:
        self.values = values
        self.most_rows = MOST_NOVEL + NOVEL_SHARE * sum(counts)
        """In which a mistyped word may stand."""
        self._rows: Counter[str] = Counter()
        for value, count in zip(values, counts, strict=True):
            for word in set(_WORD.findall(value)):
                self._rows[word] += count
        self._known: dict[tuple[str, str], bool] = {}

    def meant_by(self, value: str, meant: str) -> bool:
        """Whether `value` looks like `meant` with some letters gone wrong, in words that are new."""
        if (value, meant) not in self._known:
            self._known[value, meant] = self._judged(value, meant)
        return self._known[value, meant]

    def _judged(self, value: str, meant: str) -> bool:
        if not looks_like(value, meant):
            return False
        mine, theirs = Counter(_WORD.findall(value)), Counter(_WORD.findall(meant))
        if not mine - theirs or not theirs - mine:  # a word left out or added, as "&" for "and"
            return False
        return all(
            self._rows[word] <= self.most_rows and (len(word) >= LEAST_LETTERS or not word.isalpha())
            for word in mine - theirs
        )


def looks_like(value: str, meant: str) -> bool:
    """Whether some letters went wrong, as nobody writes on purpose.

    >>> looks_like("hospixl", "hospital"), looks_like("hospitals", "hospital"), looks_like("12 oz", "16 oz")
    (True, False, False)
    """
    if edits(value, meant, max(1, int(EDITED_SHARE * len(meant)))) is None:
        return False
    return not same_words(value, meant) and _same_digits(value, meant)


def misspelt(values: Sequence[str], counts: Sequence[int]) -> dict[str, str]:
    """Values with a rare word, in a column of few words → what each looks like; a guess, no evidence.

    >>> misspelt(["female", "male", "femxle"], [300, 200, 1])
    {'femxle': 'female'}
    """
    often: Counter[str] = Counter()
    for value, count in zip(values, counts, strict=True):
        for word in filter(str.isalpha, set(_WORD.findall(value))):
            often[word] += count
    frequent = [word for word, count in often.items() if count >= MANY]
    covered = sum(often[word] for word in frequent)
    if not frequent or len(frequent) > MOST_WORDS or covered < FREQUENT_SHARE * often.total():
        return {}
    meant = {}
    for word in often:
        near = [one for one in frequent if often[one] >= MANY_TIMES * often[word] and looks_like(word, one)]
        if len(word) >= LONG_ENOUGH and len(near) == 1:
            meant[word] = near[0]
    found = {value: _WORD.sub(lambda word: meant.get(word[0], word[0]), value) for value in values}
    return {value: mended for value, mended in found.items() if mended != value}


def edits(value: str, other: str, most: int) -> int | None:
    """Letters to change, add or take away (Levenshtein's distance); None for more than `most`.

    >>> edits("hospixl", "hospital", 2), edits("clinic", "hospital", 2)
    (2, None)
    """
    if abs(len(value) - len(other)) > most:
        return None
    row = list(range(len(other) + 1))
    for place, letter in enumerate(value, 1):
        before, row[0] = row[0], place
        for at, theirs in enumerate(other, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (letter != theirs))
        if min(row) > most:
            return None
    return row[-1] if row[-1] <= most else None


def same_words(value: str, other: str) -> bool:
    """Whether two texts differ only as people write on purpose.

    >>> same_words("Randomised trials, 2", "randomized trial (2)"), same_words("Müller", "Muller")
    (True, True)
    >>> same_words("analysis", "analysing"), same_words("analysis", "analysxs")
    (True, False)
    """
    return [*map(_folded, _WORD.findall(value))] == [*map(_folded, _WORD.findall(other))]


def _folded(word: str) -> str:
    """Without capitals, accents, doubled letters, endings, and what is spelt differently here and there."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    for one, other in _SPELLINGS:
        plain = plain.replace(one, other)
    return re.sub(_ENDING, "", re.sub(r"re$", "er", re.sub(r"(.)\1", r"\1", plain)))


_SPELLINGS = (
    ("ence", "ense"), ("ogue", "og"), ("ou", "o"), ("ae", "e"), ("oe", "e"), ("z", "s"),  # British, American
    ("ck", "k"), ("c", "k"), ("ph", "f"), ("th", "t"), ("y", "i"),  # Catherine, Kathryn
)  # fmt: skip
_ENDING = r"(ings?|ed|ers?|als?|is|es|s|e)$"


def _same_digits(value: str, meant: str) -> bool:
    """Whether no digit became another; a letter in the place of one may be a mistake."""
    mine, theirs = re.sub(r"\D", "", value), re.sub(r"\D", "", meant)
    if mine == theirs:
        return True
    if len(value) != len(meant):
        return False
    differ = [(one, two) for one, two in zip(value, meant, strict=True) if one != two]
    return not any(one.isdigit() for one, _ in differ)


def shape(word: str) -> str:
    """Digits as 0, letters as a, in runs; what else there is as it is.

    >>> shape("AA-3859-IAH"), shape("x7%")
    ('a-0-a', 'a0%')
    """
    return re.sub(r"0+", "0", re.sub(r"\d", "0", re.sub(r"[^\W\d_]+", "a", word)))


def misshapen(often: Mapping[str, int]) -> list[str]:
    """Words of a shape that hardly any other has, where shapes are few and have digits.

    >>> misshapen({"12%": 100, "34%": 100, "x7%": 1})
    ['x7%']
    """
    rows = sum(often.values())
    shapes: Counter[str] = Counter()
    for word, count in often.items():
        shapes[shape(word)] += count
    rare = {one for one, count in shapes.items() if count < RARE_SHAPE * rows}
    usual = [one for one in shapes if one not in rare]
    if sum(shapes[one] for one in usual) < SHAPES_SHARE * rows or not any("0" in one for one in usual):
        return []
    amounts = all("0" in one for one in usual)  # where words are usual too, another word is no mistake
    return [word for word in often if shape(word) in rare and (amounts or "0" in shape(word))]


LOOK_ALIKE = str.maketrans({"O": "0", "o": "0", "l": "1", "I": "1", "|": "1"})
"""Letters that are taken for digits, and typed for them."""


def with_digits(text: str) -> str:
    """The text with digits in the place of letters that look like them.

    >>> with_digits("4O.l")
    '40.1'
    """
    return text.translate(LOOK_ALIKE)
