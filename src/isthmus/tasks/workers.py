"""The same function on many blocks, on several processes; the results come in order, whoever made them.

Processes are spawned, not forked: a fork of a program whose libraries run threads may hang. So a
script that asks for workers must guard its entry, `if __name__ == "__main__":`, as Python says.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from isthmus.errors import MachineError
from isthmus.exact.parallel import one_blas_thread

T = TypeVar("T")
R = TypeVar("R")

LEAST_BYTES = 32 << 20  # of raw samples: below, starting processes takes longer than the work …
LEAST_BYTES_SLOW = 2 << 20  # … and by coders of about 1 MB/s
AHEAD = 2  # blocks in flight for each worker, which bounds the memory


def worker_count(asked: int | None, raw_bytes: int, *, slow: bool = False) -> int:
    """How many processes: as asked, or one a core, or none besides this for small data.

    >>> worker_count(3, 10), worker_count(None, 10)
    (3, 1)
    """
    if asked is not None:
        return max(1, asked)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if raw_bytes >= (LEAST_BYTES_SLOW if slow else LEAST_BYTES) else 1


def map_blocks(work: Callable[[T], R], blocks: Iterable[T], workers: int = 1) -> Iterator[R]:
    """Yield work(block) for each block, in order.

    Args:
        work: picklable where there are several workers, to which it is sent once.
        blocks: taken one by one, a few ahead of the results.
        workers: processes; with 1 this one does it all. The results do not depend on it.

    Raises:
        MachineError: a worker ended before its work was done.
    """
    if workers == 1:
        with one_blas_thread():
            yield from map(work, blocks)
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start, (work,))
    waiting: deque[Future[R]] = deque()
    try:
        for block in blocks:
            waiting.append(pool.submit(_do, block))
            if len(waiting) > AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as ended:
        raise MachineError(
            "A worker process ended before its work was done: memory may be short, or a script lacks "
            '`if __name__ == "__main__":`. Try one worker.'
        ) from ended
    finally:  # also when the caller stops early, or a block turns out to be damaged
        pool.shutdown(wait=True, cancel_futures=True)


_WORK: list[Callable[[Any], Any]] = []


def _start(work: Callable[[Any], Any]) -> None:
    # Ctrl-C reaches every process of a terminal; the first one decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"
    _WORK[:] = [work]


def _do(block: Any) -> Any:
    with one_blas_thread():
        return _WORK[0](block)
