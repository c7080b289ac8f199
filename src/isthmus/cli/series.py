"""Whether a source is a series: as the commands are told, or as it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isthmus.errors import UseError

if TYPE_CHECKING:
    from isthmus.model import AnyModel

KINDS = ("series", "table")


def takes_series(source: str, asked: str | None, model: AnyModel | None = None, **opening: Any) -> bool:
    """Whether SOURCE is treated as a series: as asked, as the model knows it, or as it looks.

    Raises:
        UseError: the model is one for the other kind.
    """
    from isthmus.data.series import is_series
    from isthmus.model import SeriesDetector

    if asked is not None and asked not in KINDS:
        raise UseError(f"--as must be series or table; got {asked!r}.")
    if model is None:
        return is_series(source, **opening) if asked is None else asked == "series"
    known = isinstance(model, SeriesDetector)
    if asked is not None and known != (asked == "series"):
        raise UseError(f"The model was made for a {KINDS[not known]}: leave out --as {asked}.")
    return known
