"""Conformance checks: the laws each kind of part must keep, for yours as for ours.

Plain functions that raise AssertionError; call them from any test runner:

    from isthmus.testing import check_net

    def test_my_net():
        check_net("mine")  # registered by entry point, or the class itself
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isthmus.testing.bottlenecks import check_bottleneck
    from isthmus.testing.losses import check_loss
    from isthmus.testing.nets import check_net

# Imported on first use: whoever checks a reader need not have torch.
_HOMES = {
    "check_bottleneck": "isthmus.testing.bottlenecks",
    "check_loss": "isthmus.testing.losses",
    "check_net": "isthmus.testing.nets",
}

__all__ = ["check_bottleneck", "check_loss", "check_net"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
