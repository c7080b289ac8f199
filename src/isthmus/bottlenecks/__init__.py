"""Latent ⇄ symbols: what stands between the two halves of the net.

Each bottleneck has a training half (PyTorch; one file each, listed below) that decides what the
decoder sees while the net learns. All share one NumPy half: a `Quantiser` and its integer tables.
"""

from isthmus.bottlenecks.quantiser import Quantiser
from isthmus.registry import Registry

__all__ = ["BOTTLENECKS", "Quantiser"]

BOTTLENECKS = Registry(
    "bottleneck",
    {
        "graded": "isthmus.bottlenecks.graded:Graded",
        "plain": "isthmus.bottlenecks.plain:Plain",
        "rate": "isthmus.bottlenecks.rate:Rate",
        "variational": "isthmus.bottlenecks.variational:Variational",
    },
    extra="train",
)
