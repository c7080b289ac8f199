"""A sound table → one with errors of which it is known what was there before."""

from __future__ import annotations

import string

import numpy as np

Rows = list[list[str]]
ERRORS = ("typo", "swap", "missing", "digit")
"""A letter changed, added, lost or moved; another value of the column; nothing; a letter for a digit."""
LOOK_ALIKE = {"0": "O", "1": "l"}


def spoiled(rows: Rows, share: float, seed: int) -> Rows:
    """Put errors of all kinds into a share of the cells.

    Args:
        rows: the first names the columns; empty cells stay.
        share: of all cells.
        seed: of the errors.
    """
    g = np.random.default_rng(seed)
    head, *body = (list(row) for row in rows)
    columns, wrong = list(zip(*body, strict=True)), int(share * len(body) * len(head))
    tries, spoilt = 0, set[tuple[int, int]]()
    while len(spoilt) < wrong and tries < 20 * wrong:
        tries += 1
        at = row, place = int(g.integers(len(body))), int(g.integers(len(head)))
        old = body[row][place]
        new = _wrong(g, old, columns[place])
        if at not in spoilt and old.strip() and new != old:
            body[row][place] = new
            spoilt.add(at)
    return [head, *body]


def _wrong(g: np.random.Generator, text: str, column: tuple[str, ...]) -> str:
    """The text with one error; itself where that error cannot be made."""
    error = str(g.choice(ERRORS))
    if error == "swap":
        return column[int(g.integers(len(column)))]
    if error == "missing":
        return ""
    if error == "digit":
        return _with_a_letter(g, text)
    return _mistyped(g, text)


def _with_a_letter(g: np.random.Generator, text: str) -> str:
    places = [place for place, sign in enumerate(text) if sign.isdigit()]
    if not places:
        return text
    at = int(g.choice(places))
    return text[:at] + (LOOK_ALIKE.get(text[at]) or str(g.choice(list("xq?")))) + text[at + 1 :]


def _mistyped(g: np.random.Generator, text: str) -> str:
    places = [place for place, sign in enumerate(text) if sign.isalpha()]
    if len(places) < 2:
        return text
    at, letter = int(g.choice(places)), str(g.choice(list(string.ascii_lowercase)))
    front, sign, back = text[:at], text[at], text[at + 1 :]
    ways = (
        front + letter + back,
        front + letter + sign + back,
        front + back,
        front + back[:1] + sign + back[1:],
    )
    return ways[int(g.integers(len(ways)))]
