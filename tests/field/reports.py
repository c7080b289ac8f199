"""Kinds of faults that people report of software like this, and members of each kind as small programs.

A member writes its input into a folder, runs commands or public functions there, and asserts what must
happen. The first member of a kind is in the everyday tests, all of them in `make test-all` and in
`make bench NAME=field-reports`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

KINDS = {
    "K01": "CSV: a long cell in the first row",
    "K02": "CSV: rows that end with CR alone",
    "K03": "CSV: one stray quote",
    "K04": "tables: categories lose their order",
    "K05": "Parquet: columns of maps",
    "K06": "tables: a bound far above a column",
    "K07": "Parquet: whole numbers beyond 2^62 within a bound",
    "K08": "tables: numbers that are written otherwise than 1.5",
    "K09": "tables: a bound that does nothing",
    "K10": "series: stamps of ISO 8601 with zone or fraction",
    "K11": "series: stamps in nanoseconds",
    "K12": "tables: Windows-1252",
    "K13": "clean --skip-bad",
    "K14": "images: --skip-bad, then verify",
    "K15": "images: kinds of pixels that change",
    "K16": "folders: files of other kinds",
    "K17": "images: JPEG becomes larger",
    "K18": "audio: samples behind what the header counts",
    "K19": "what is dropped beside samples",
    "K20": "video: transparency of WebM",
    "K21": "video: times that do not ascend",
    "K22": "video: files that are cut short",
    "K23": "arrays: values beyond 1e154",
    "K24": "zarr: filters that round",
    "K25": "tables: .gz that is none or not whole",
    "K26": "Parquet: dates far from today",
    "K27": "Parquet: decimals of many digits",
    "K28": "Parquet: types that detect cannot read",
    "K29": "Python: the index of a DataFrame",
    "K30": "detect -m: a column that the model does not know",
    "K31": "tables: dates that there are not",
    "K32": "bytes that are no UTF-8, in a strict locale",
    "K33": "names near 255 bytes",
    "K34": "tables of few rows and many columns",
    "K35": "tables: how many columns",
    "K36": "detect: reasons",
    "K37": "denoise: values that a model never saw",
    "K38": "denoise -o NAME.csv",
    "K39": "tables: what Parquet alone would take",
    "K40": "detect: columns constant in training",
    "K41": "clean: free text, titles, lists of names, near-synonyms, capitals",
    "P01": "Python: exceptions of libraries",
}
MODULES = sorted(path.stem for path in Path(__file__).parent.glob("field_*.py"))


@dataclass(frozen=True)
class Member:
    """One program of a kind."""

    kind: str
    name: str
    check: Callable[[Path], None]
    """Writes into an empty folder, which is the current one too, and asserts."""
    everyday: bool
    timed: bool
    """It asserts how long something takes, so it belongs into the benchmark alone."""


MEMBERS: dict[tuple[str, str], Member] = {}
"""By file and name, since doctests import the files once more."""


def member(
    kind: str, *, everyday: bool = False, timed: bool = False
) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Make a function a member of a kind."""

    def register(check: Callable[[Path], None]) -> Callable[[Path], None]:
        assert kind in KINDS, kind
        place = Path(check.__code__.co_filename).stem, check.__name__
        MEMBERS[place] = Member(kind, check.__name__, check, everyday, timed)
        return check

    return register


def all_members() -> list[Member]:
    """Every member, by kind."""
    for module in MODULES:
        importlib.import_module(module)
    return sorted(MEMBERS.values(), key=lambda each: each.kind)
