"""Values ⇄ bytes: one way of coding a block a module, each with both directions side by side.

A new coder is a new module with a subclass of Coder, and its line in CODERS.
"""

from isthmus.coding.coders.base import Coder
from isthmus.registry import Registry

__all__ = ["CODERS", "Coder"]

CODERS = Registry(
    "coder",
    {
        "interpolation": "isthmus.coding.coders.interpolation:Interpolation",
        "pcodec": "isthmus.coding.coders.pcodec:Pcodec",
        "predictors": "isthmus.coding.coders.predictors:Predictors",
        "residual": "isthmus.coding.coders.residual:Residual",
        "shuffled": "isthmus.coding.coders.shuffled:Shuffled",
        "stored": "isthmus.coding.coders.stored:Stored",
        "xz": "isthmus.coding.coders.xz:Xz",
        "zstd": "isthmus.coding.coders.zstd:Zstd",
    },
)
