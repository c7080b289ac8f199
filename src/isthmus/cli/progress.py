"""How far a long task is, on standard error: a bar with rate and time left."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from isthmus.cli.voice import Voice

LEAST_BYTES = 16 << 20  # below, the task is over before a bar could be read


@contextmanager
def progress_bar(voice: Voice, what: str, raw_bytes: int) -> Iterator[Callable[[int, int], None] | None]:
    """Show a bar of bytes while inside; give the function to tell it how much is done, and of how much.

    Nothing is shown for small data, with --quiet, or where standard error is no terminal.
    """
    if voice.quiet or raw_bytes < LEAST_BYTES or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.progress import TransferSpeedColumn as Speed

    columns = (TextColumn(what), BarColumn(), DownloadColumn(), Speed(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=raw_bytes)
        yield lambda done, total: bar.update(task, completed=raw_bytes * done // max(1, total))


@contextmanager
def learning_bar(voice: Voice, what: str) -> Iterator[Callable[[int, int], None] | None]:
    """Show how far learning is, and the time left; as `progress_bar`, in shares of the whole."""
    if voice.quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda done, total: bar.update(task, completed=done / max(1, total))
