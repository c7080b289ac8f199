"""The options of a command as one value, which the face of each kind of data checks for what it knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from isthmus.errors import UseError

if TYPE_CHECKING:
    from isthmus.data.tables import Schema
    from isthmus.model import AnyModel
    from isthmus.tasks.detect import Alarm

_EVERYWHERE = frozenset({"source", "alarm", "output", "skip_bad", "force", "seed", "threads"})


class Wishes:
    """Of one command; its fields are called like the options."""

    def only(self, what: str, *known: str) -> None:
        """Raise UseError where something was asked that `what` knows nothing of."""
        from isthmus.config import changed

        names = changed(self, but=_EVERYWHERE.union(known))
        asked = [f"--{name.strip('_').removesuffix('_s').replace('_', '-')}" for name in names]
        if asked:
            raise UseError(f"{what} is not changed by {', '.join(asked)}. Leave it out.")


@dataclass(frozen=True, kw_only=True)
class FitWishes(Wishes):
    """Of `isthmus fit`.

    >>> FitWishes(source="a.csv", output=Path("a.ism"), budget_s=9.0).only("A detector of series", "mode")
    Traceback (most recent call last):
        ...
    isthmus.errors.UseError: A detector of series is not changed by --budget. Leave it out.
    """

    source: str
    output: Path
    recipe: str | None = None
    set_: list[str] | None = None
    budget_s: float | None = None
    for_: str | None = None
    from_: Path | None = None
    noise: str | None = None
    levels: tuple[float, float] | None = None
    noisy: bool = False
    mode: str = "contaminated"
    as_: str | None = None
    stamp: str | None = None
    schema: Schema | None = None
    ignore: tuple[str, ...] = ()
    header: bool | None = None
    resume: bool = False
    skip_bad: bool = False
    force: bool = False
    seed: int | None = None
    threads: int | None = None
    device: str | None = None


@dataclass(frozen=True, kw_only=True)
class DenoiseWishes(Wishes):
    """Of `isthmus denoise`, but for the model."""

    source: str
    output: Path | None = None
    level: float | None = None
    mask: str | None = None
    clean: str | None = None
    report: Path | None = None
    fill: bool = False
    skip_bad: bool = False
    force: bool = False


@dataclass(frozen=True, kw_only=True)
class DetectWishes(Wishes):
    """Of `isthmus detect`."""

    source: str
    alarm: Alarm
    """What the three shares say."""
    model: AnyModel | None = None
    output: str | None = None
    mode: str = "contaminated"
    false_alarms: float | None = None
    discoveries: float | None = None
    contamination: float | None = None
    report: Path | None = None
    as_: str | None = None
    stamp: str | None = None
    follow: bool = False
    schema: Schema | None = None
    ignore: tuple[str, ...] = ()
    header: bool | None = None
    budget_s: float | None = None
    skip_bad: bool = False
    force: bool = False
    seed: int | None = None

    @property
    def to_stdout(self) -> bool:
        """Whether the scores themselves go there."""
        return self.output == "-"

    @property
    def file(self) -> str | None:
        """That the scores are written to, if any."""
        return None if self.to_stdout else self.output
