"""tensor ⇄ latent: the two halves of an autoencoder, as families of PyTorch nets.

Importing this room costs nothing: torch is loaded when a net is first asked for.
"""

from isthmus.registry import Registry

NETS = Registry(
    "net",
    {
        "conv": "isthmus.nets.conv:Conv",
        "filtered": "isthmus.nets.filtered:Filtered",
        "mlp": "isthmus.nets.mlp:MLP",
        "residual": "isthmus.nets.residual:Residual",
    },
    extra="train",
)

__all__ = ["NETS"]
