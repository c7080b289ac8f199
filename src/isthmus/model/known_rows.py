"""Rows of a kind of table that a model holds, so that the archives of such tables begin knowing them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class KnownRows:
    """A block of a table's archive, as tasks/tables/blocks.py reads it.

    Args:
        plan: of the block.
        payload: of its only layer.
    """

    plan: str
    payload: bytes

    @property
    def hash(self) -> str:
        """Names them in an archive."""
        return hashlib.sha256(self.plan.encode() + b"\0" + self.payload).hexdigest()
