"""Ctrl-C → a flag that the loop looks at between two steps.

A step cut in half would leave weights that no uninterrupted run ever has; so the first Ctrl-C only
raises the flag, and the loop saves a whole checkpoint before it stops. A second one stops at once.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class Interrupt:
    """Whether Ctrl-C was pressed."""

    asked: bool = False

    def note(self, number: int, frame: FrameType | None) -> None:
        """Remember the first; obey the second."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def delayed_interrupt() -> Iterator[Interrupt]:
    """While inside, the first Ctrl-C only raises the flag; only Python's main thread can watch for it."""
    interrupt = Interrupt()
    watches = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, interrupt.note) if watches else None
    try:
        yield interrupt
    finally:
        if watches:
            signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)
