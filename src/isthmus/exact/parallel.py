"""Work in parts on several threads, each part on one: NumPy lets go of Python's lock while it computes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

from isthmus.threads import thread_count

T = TypeVar("T")


def in_parts(work: Callable[[T], None], parts: Sequence[T]) -> None:
    """Call `work` on each part, on as many threads as may compute."""
    threads = min(thread_count(), len(parts))
    with one_blas_thread():
        if threads <= 1:
            for part in parts:
                work(part)
            return
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(work, parts):  # asking for results raises what was raised
                pass


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let matrix products run on the calling thread; several may be inside at once."""
    _ENTRANCE.enter()
    try:
        yield
    finally:
        _ENTRANCE.leave()


class _Entrance:
    """The first in sets the limit, the last out lifts it."""

    def __init__(self) -> None:
        self._lock, self._inside, self._limit = threading.Lock(), 0, _no_limit()

    def enter(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limit = _controller().limit(limits=1, user_api="blas")
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limit.restore_original_limits()


def _no_limit() -> Any:
    return None


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks through all loaded libraries, which takes milliseconds


_ENTRANCE = _Entrance()
