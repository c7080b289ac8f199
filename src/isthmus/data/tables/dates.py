"""Texts → moments in time: the one reader of dates and times, for columns of tables and stamps of series.

A form says how moments are written, as strptime has it, with two liberties: ".%f" is a fraction of a second
of 1 to 9 digits behind a point or a comma, which may be missing; "%z" is Z, UTC, GMT or an offset such as
+01:00, +0100 or +01. A date that no calendar has, such as 30 February, is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

_ISO_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d")
_DATES = (*_ISO_DATES, "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y")
_TIMES = (" %H:%M:%S", " %H:%M", "T%H:%M:%S", "T%H:%M")
_ZONED = ("", ".%f", "%z", ".%f%z")
_COMPACT = "%Y%m%dT%H%M%S"


def _forms(dates: Iterable[str]) -> tuple[str, ...]:
    """Dates alone, and with every way to write the time of day."""
    days = tuple(dates)
    times = [time + more for more in _ZONED for time in _TIMES if not more.startswith(".") or "%S" in time]
    return *days, *(day + time for time, day in product(times, days))


ISO_FORMATS = (*_forms(_ISO_DATES), *(_COMPACT + more for more in _ZONED))
"""Year first: a column may mix them, as none can be mistaken for another."""
FORMATS = (
    *_forms(_DATES),
    *(_COMPACT + more for more in _ZONED),
    "%Y-%m",
    "%H:%M:%S",
    "%H:%M",
    "%H:%M:%S.%f",
)
"""Tried in this order; the first that reads every text is taken, else the one that reads most."""
LEAST_WORDS = 0.5
"""Share of the different texts of a column of dates that must be dates."""
_TRIED = 20
"""Texts of which a form must read one to be tried on all."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAFE_S = 9_200_000_000
"""Seconds from 1970 that int64 nanoseconds hold."""

_DIRECTIVES = {
    "%Y": "(?P<year>[0-9]{4})",
    "%m": "(?P<month>[0-9]{1,2})",
    "%d": "(?P<day>[0-9]{1,2})",
    "%H": "(?P<hour>[0-9]{1,2})",
    "%M": "(?P<minute>[0-9]{1,2})",
    "%S": "(?P<second>[0-9]{1,2})",
    ".%f": "(?:[.,](?P<fraction>[0-9]{1,9}))?",
    "%z": " ?(?P<zone>Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)",
    " ": " +",
}
_PIECE = re.compile(r"\.%f|%.|.", re.DOTALL)
_FIRST = {"year": "1970", "month": "1", "day": "1"}
"""What a form that does not say it means."""


class Moments(NamedTuple):
    """Moments, by row."""

    seconds: np.ndarray
    """int64 (rows,): since 1970 …"""
    nanos: np.ndarray
    """int64 (rows,): … and nanoseconds beyond them; those of a text without a zone as if it were UTC."""
    known: np.ndarray
    """bool (rows,): whether the text is such a moment; if not, the others are 0."""

    def floats(self) -> np.ndarray:
        """float64 (rows,): seconds since 1970, NaN where there is no moment."""
        return np.where(self.known, self.seconds + self.nanos / 1e9, np.nan)

    def times(self) -> np.ndarray:
        """datetime64 (rows,): to the nanosecond where years allow it, else to the microsecond."""
        if (np.abs(self.seconds) < _SAFE_S).all():
            found = (self.seconds * 1_000_000_000 + self.nanos).view("datetime64[ns]")
        else:
            found = (self.seconds * 1_000_000 + self.nanos // 1000).view("datetime64[us]")
        return np.where(self.known, found, np.datetime64("NaT"))


def form_of(texts: pa.Array, strays: float = 0.0, *, first: str | None = None) -> str | None:
    """The form of a column of dates, if it is one.

    Args:
        texts: as they stand, without nulls.
        strays: share of them that need not be dates.
        first: a form that is tried before all others, as a model knows it.

    >>> import pyarrow
    >>> form_of(pyarrow.array(["2024-03-31 01:00:00+01:00", "2024-03-31T01:00:00Z"])) is None
    True
    >>> form_of(pyarrow.array(["2024-03-31 01:00:00+01:00", "2024-03-31 03:00:00+02:00"]))
    '%Y-%m-%d %H:%M:%S%z'
    """
    import pyarrow.compute as pc

    counted = pc.value_counts(texts)
    words, counts = counted.field("values"), counted.field("counts").to_numpy()
    tried = words.slice(0, _TRIED).to_pylist()
    best, most = None, -1
    for form in FORMATS if first is None else (first, *FORMATS):
        if not any(_pattern_of(form).match(word) for word in tried):
            continue
        known = moments(words, form).known
        read = int(counts[known].sum())
        if read == len(texts):
            return form
        if read > most and read >= (1 - strays) * len(texts) and known.mean() >= LEAST_WORDS:
            best, most = form, read
    return best


def iso_form(texts: Sequence[str]) -> str | None:
    """The form of the first of some texts, if all of them are dates with the year first, in whatever form.

    >>> iso_form(["2024-03-31", "2024-03-31T01:00:00.5"]), iso_form(["2024-03-31", "soon"])
    ('%Y-%m-%d', None)
    """
    forms = [next((form for form in ISO_FORMATS if _pattern_of(form).match(text)), None) for text in texts]
    return forms[0] if forms and None not in forms else None


def moments(texts: pa.Array, form: str) -> Moments:
    """Read texts of one form; a null is no moment."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if _pattern(form) is None:
        found = pc.strptime(texts, format=form, unit="s", error_is_null=True)
        known = found.is_valid().to_numpy(zero_copy_only=False)
        seconds = pc.fill_null(found.cast(pa.int64()), 0).to_numpy()
        return Moments(seconds, np.zeros(len(texts), np.int64), known)
    parts = pc.extract_regex(texts, _pattern(form))
    there = parts.is_valid().to_numpy(zero_copy_only=False)
    fields = {
        each.name: pc.fill_null(pc.struct_field(parts, each.name), _FIRST.get(each.name, ""))
        for each in parts.type
    }
    zones = fields.pop("zone", None)
    offsets = np.zeros(len(texts), np.int64)
    if zones is not None:
        coded = zones.dictionary_encode()
        offsets = np.array([*map(_offset_s, coded.dictionary.to_pylist()), 0], np.int64)[
            coded.indices.to_numpy()
        ]
    if "fraction" in fields:
        fields["fraction"] = pc.utf8_rpad(fields["fraction"], 9, "0")
    numbers = {
        name: pc.utf8_lpad(cells, 1, "0").cast(pa.int64()).to_numpy() for name, cells in fields.items()
    }
    return _combined(numbers, offsets, there)


def moments_alike(texts: pa.Array, form: str) -> Moments:
    """Read texts of one form, and those of any other with the year first, all with a zone or all without."""
    found = moments(texts, form)
    for other in ISO_FORMATS:
        left = np.flatnonzero(~found.known)
        if not len(left):
            break
        if ("%z" in other) == ("%z" in form):
            for mine, theirs in zip(found, moments(texts.take(left), other), strict=True):
                mine[left] = theirs
    return found


def nanoseconds(text: str, forms: Sequence[str] = ()) -> int:
    """One text → nanoseconds since 1970; needs no PyArrow.

    Args:
        text: of one of the forms, or of FORMATS.
        forms: tried first.
    Raises:
        ValueError: it is no moment.

    >>> nanoseconds("1970-01-01T00:00:01.5Z"), nanoseconds("02.01.1970")
    (1500000000, 86400000000000)
    """
    for form in (*forms, *FORMATS):
        if _pattern(form) is None:
            with suppress(ValueError):
                when = datetime.strptime(text.strip(), form)
                when = when if when.tzinfo else when.replace(tzinfo=UTC)
                return (when - _EPOCH) // timedelta(microseconds=1) * 1000
            continue
        match = _pattern_of(form).match(text.strip())
        if match is None:
            continue
        parts = {name: part or "" for name, part in match.groupdict().items()}
        offset = _offset_s(parts.pop("zone", "Z"))
        if "fraction" in parts:
            parts["fraction"] = parts["fraction"].ljust(9, "0")
        numbers = {name: np.array([int(part or 0)]) for name, part in parts.items()}
        found = _combined(numbers, np.array([offset]), np.ones(1, bool))
        if found.known[0]:
            return int(found.seconds[0]) * 1_000_000_000 + int(found.nanos[0])
    raise ValueError(f"{text!r} is no date")


def literal(form: str, text: str) -> str:
    """A form with the fraction and the zone of one text in it, letter by letter: strftime prints them, too.

    >>> literal("%Y-%m-%d %H:%M:%S.%f%z", "2024-03-31 01:00:00.000+01:00")
    '%Y-%m-%d %H:%M:%S.000+01:00'
    """
    core = form.removesuffix("%z").removesuffix(".%f")
    if core == form:
        return form
    found = re.match((_pattern(core) or "").removesuffix("$"), text)
    return core if found is None else core + text[found.end() :].replace("%", "%%")


def _combined(numbers: Mapping[str, np.ndarray], offsets: np.ndarray, there: np.ndarray) -> Moments:
    """Parts of moments → moments, where the calendar and the clock have them."""
    nothing = np.zeros(len(there), np.int64)
    year, month, day = (numbers.get(name, nothing + int(first)) for name, first in _FIRST.items())
    hour, minute, second, nanos = (numbers.get(n, nothing) for n in ("hour", "minute", "second", "fraction"))
    begins = (12 * (year - 1970) + month - 1).astype("datetime64[M]")
    first, behind = (each.astype("datetime64[D]").astype(np.int64) for each in (begins, begins + 1))
    known = there & (month >= 1) & (month <= 12) & (day >= 1) & (day <= behind - first)
    known &= (hour < 24) & (minute < 60) & (second < 60)
    seconds = ((first + day - 1) * 24 + hour) * 3600 + minute * 60 + second - offsets
    return Moments(np.where(known, seconds, 0), np.where(known, nanos, 0), known)


def _offset_s(zone: str) -> int:
    """Of a zone: how many seconds its clocks are ahead of UTC."""
    if not zone or zone[0] not in "+-":
        return 0
    digits = zone[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -seconds if zone[0] == "-" else seconds


@lru_cache(maxsize=512)
def _pattern(form: str) -> str | None:
    """A regular expression for the texts of a form; None where it has parts that only strptime knows."""
    pieces = _PIECE.findall(form)
    if any(piece.startswith("%") and piece not in _DIRECTIVES for piece in pieces):
        return None
    made = "".join(
        _DIRECTIVES.get(piece) or re.sub(r"([\\.^$*+?()\[\]{}|])", r"\\\1", piece) for piece in pieces
    )
    return "^" + (made.replace("{1,2}", "{2}") if form.startswith(_COMPACT) else made) + "$"


@lru_cache(maxsize=512)
def _pattern_of(form: str) -> Any:
    return re.compile((_pattern(form) or "(?!)").removesuffix("$") + r"\Z")
