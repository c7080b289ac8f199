"""What was asked of `compress` and `decompress`, as one value that travels to whom it concerns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from isthmus.config import changed
from isthmus.data.metadata import EMBEDDED
from isthmus.errors import UseError
from isthmus.limits import DEFAULT_LIMITS, Limits
from isthmus.model import AnyModel

Progress = Callable[[int, int], None]
DEFAULT_EFFORT = 5
_HOW = frozenset(
    {"effort", "embed_model", "error_mode", "metadata", "workers", "skip_bad", "strict", "force"}
)
"""How something is done; means the same to everybody, or nothing."""
_ALWAYS = _HOW | {"progress", "limits"}


class _Order:
    def only(self, known: Collection[str], why: str) -> None:
        """Raise UseError, with the sentence `why`, where something was asked that is not known there."""
        names = changed(self, but=_ALWAYS.union(known))
        asked = [f"--{_OPTIONS.get(name, name.replace('_', '-'))}" for name in names]
        if asked:
            raise UseError(f"{why}: leave out {', '.join(asked)}.")


_OPTIONS = {"mode": "lossy", "bounds": "bound", "variables": "variable"}


@dataclass(frozen=True, kw_only=True)
class CompressOrder(_Order):
    """See `compress` for each.

    >>> CompressOrder(quality=75).only({"mode"}, "A table is kept whole")
    Traceback (most recent call last):
        ...
    isthmus.errors.UseError: A table is kept whole: leave out --quality.
    """

    model: AnyModel | None = None
    mode: str | None = None
    max_error: float | None = None
    error_mode: str = "abs"
    bounds: Mapping[str, float] | None = None
    target_psnr: float | None = None
    quality: int | None = None
    max_bytes: int | None = None
    effort: int = DEFAULT_EFFORT
    coder: str | None = None
    embed_model: bool = True
    preview: bool = False
    append: bool = False
    metadata: str = EMBEDDED
    workers: int | None = 1
    skip_bad: bool = False
    strict: bool = False
    force: bool = False
    progress: Progress | None = None


@dataclass(frozen=True, kw_only=True)
class DecompressOrder(_Order):
    """See `decompress` for each."""

    model: AnyModel | None = None
    items: tuple[int, int] | None = None
    time: tuple[float, float] | None = None
    layer: str | None = None
    variables: tuple[str, ...] | None = None
    workers: int | None = 1
    skip_damaged: bool = False
    approximate: bool = False
    force: bool = False
    limits: Limits = DEFAULT_LIMITS

    def range_of(self, count: int) -> range:
        """Those of `count` items that are wanted; UseError where there are none such."""
        start, stop = self.items or (0, count)
        if self.items is not None and not 0 <= start < stop <= count:
            raise UseError(f"--items must lie within 0:{count} and not be empty; got {start}:{stop}.")
        return range(start, stop)


def checked(order: Any) -> Any:
    """The same; UseError where no task could do what it asks for."""
    if not 1 <= order.effort <= 9:
        raise UseError(f"--effort must be 1 to 9; got {order.effort}.")
    return order
