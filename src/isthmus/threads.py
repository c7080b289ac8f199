"""How many threads compute, and how they wait; settled before PyTorch is first imported.

Its OpenMP threads spin while they wait for one another. On a machine with one of two cores busy
elsewhere that made a training step of 46 ms take 700 ms. Threads that sleep at once do no harm
there, but waking them costs small nets more than the second core brings. A short spin keeps the
gain on an idle machine and most of the calm on a busy one (docs/decisions/0006).
"""

from __future__ import annotations

import os


def let_waiting_threads_spin_briefly() -> None:
    """Ask OpenMP to spin only briefly, unless the user has decided; works only before PyTorch loads.

    >>> let_waiting_threads_spin_briefly()
    >>> "OMP_WAIT_POLICY" in os.environ or "GOMP_SPINCOUNT" in os.environ
    True
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)


_SPINS = "2000"  # some tens of microseconds: longer than the gap between two layers of a small net


def limit_threads(count: int | None) -> None:
    """Compute on `count` threads; None leaves the choice to the libraries. Before PyTorch loads."""
    if count is not None:
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[name] = str(count)


def thread_count() -> int:
    """How many threads may compute: what `limit_threads` or the user's OMP_NUM_THREADS says, else all."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdigit() and int(told):
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
