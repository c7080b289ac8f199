"""What all learning shares: what it needs before it begins, and what came of learning to denoise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from isthmus.errors import MissingExtra
from isthmus.files import refuse_existing
from isthmus.tasks.results import Result
from isthmus.threads import let_waiting_threads_spin_briefly

Say = Callable[[str], None]
"""Told in a line each what is planned, or seen."""
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


def model_path(output: str | Path | None, *, force: bool) -> Path | None:
    """Where a model is to be saved, if anywhere; OutputExists where that is taken, before work begins."""
    if output is None:
        return None
    refuse_existing(Path(output), force=force)
    return Path(output)


@dataclass(frozen=True, kw_only=True)
class TaughtResult(Result):
    """What learning to take noise made; a kind of data says from what."""

    model_path: Path | None
    noise: str
    from_noisy: bool = False
    steps: int
    seconds: float
    denoiser: Any = field(repr=False)

    @property
    def learned_from(self) -> str:
        """So many of what, for people."""
        raise NotImplementedError(f"{type(self).__name__} must say what it learned from")

    def summary(self) -> str:
        """One line for a terminal."""
        where = f" → {self.model_path}" if self.model_path else ""
        how = "from noisy ones alone" if self.from_noisy else self.noise
        return (
            f"Learned to take noise ({how}) from {self.learned_from} in {self.steps:,} steps, "
            f"{self.seconds:.0f} s{where}"
        )
