"""tensor and tensor → how far apart: what training makes small.

Importing this room costs nothing: torch is loaded when a loss is first asked for.
"""

from isthmus.registry import Registry

LOSSES = Registry(
    "loss",
    {
        "binary_cross_entropy": "isthmus.losses.entropy:BinaryCrossEntropy",
        "categorical_cross_entropy": "isthmus.losses.entropy:CategoricalCrossEntropy",
        "huber": "isthmus.losses.pointwise:Huber",
        "mae": "isthmus.losses.pointwise:MeanAbsoluteError",
        "ms_ssim": "isthmus.losses.structural:MSSSIM",
        "mse": "isthmus.losses.pointwise:MeanSquaredError",
        "ssim": "isthmus.losses.structural:SSIM",
    },
    extra="train",
)

__all__ = ["LOSSES"]
