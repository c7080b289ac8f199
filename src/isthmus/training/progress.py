"""How a person follows a run: a live bar on a terminal, one plain line a look elsewhere."""

from __future__ import annotations

import sys
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from isthmus.training.history import Row


class Watcher(Protocol):
    """Told of every step and of every look at the held-out data."""

    def start(self, steps: int, done: int) -> None:
        """Training begins, `done` of `steps` being behind it."""

    def step(self, done: int) -> None:
        """`done` steps are behind it."""

    def row(self, row: Row) -> None:
        """A look was taken."""

    def stop(self) -> None:
        """Training is over, well or not."""


class Silent:
    """Says nothing."""

    def start(self, steps: int, done: int) -> None:
        """Say nothing."""

    def step(self, done: int) -> None:
        """Say nothing."""

    def row(self, row: Row) -> None:
        """Say nothing."""

    def stop(self) -> None:
        """Say nothing."""


class Lines(Silent):
    """One plain line a look, on standard error."""

    def row(self, row: Row) -> None:
        """Print the row."""
        print(row.line(), file=sys.stderr, flush=True)  # noqa: T201


class Bar(Silent):
    """Rate, time left, losses and the best mark, redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console,
        )
        self._figures = ""

    def start(self, steps: int, done: int) -> None:
        """Draw the bar."""
        self._task = self._progress.add_task("training", total=steps, completed=done, figures="")
        self._progress.start()

    def step(self, done: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=done)

    def row(self, row: Row) -> None:
        """Show the newest figures beside the bar."""
        held = "" if row.held_out_loss is None else f" held-out {row.held_out_loss:.5g}"
        mark = " [green]best[/]" if row.best else ""
        figures = f"{row.samples_per_s:,.0f}/s  train {row.train_loss:.5g}{held}{mark}"
        self._progress.update(self._task, figures=figures)

    def stop(self) -> None:
        """Leave the last state on the screen."""
        self._progress.stop()


def watcher_for(*, quiet: bool) -> Watcher:
    """The one that suits standard error."""
    if quiet:
        return Silent()
    console = Console(stderr=True)
    return Bar(console) if console.is_terminal else Lines()
