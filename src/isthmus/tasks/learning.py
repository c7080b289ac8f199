"""What learning needs before it begins."""

from __future__ import annotations

from importlib.util import find_spec

from isthmus.errors import MissingExtra
from isthmus.threads import let_waiting_threads_spin_briefly

NAMES = {"torch": "PyTorch", "accelerate": "Accelerate"}


def require_training(*packages: str) -> None:
    """That the packages can be imported; none is loaded by asking.

    Raises:
        MissingExtra: one is not installed.
    """
    let_waiting_threads_spin_briefly()  # only heeded while PyTorch is not loaded yet
    for package in packages:
        if not _is_there(package):
            raise MissingExtra(
                f"Learning takes {NAMES[package]}, which is not installed: pip install 'isthmus[train]'."
            )


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ImportError:  # a finder that refuses it
        return False
