"""How many threads compute, and how they wait; settled before PyTorch is first imported.

Its OpenMP threads spin while they wait for one another. On a machine with one of two cores busy
elsewhere that made a training step of 46 ms take 700 ms; threads that sleep instead cost 15 % on
an idle machine and nothing on a busy one.
"""

from __future__ import annotations

import os


def let_waiting_threads_sleep() -> None:
    """Ask OpenMP for passive waiting, unless the user has decided; works only before PyTorch loads.

    >>> let_waiting_threads_sleep()
    >>> "OMP_WAIT_POLICY" in os.environ or "GOMP_SPINCOUNT" in os.environ
    True
    """
    if "GOMP_SPINCOUNT" not in os.environ:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def limit_threads(count: int | None) -> None:
    """Compute on `count` threads; None leaves the choice to the libraries. Before PyTorch loads."""
    if count is not None:
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ[name] = str(count)
