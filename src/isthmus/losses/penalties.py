"""What is added to the distortion to keep weights small, or codes sparse. Each is one number."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn


def weights_l1(module: nn.Module) -> torch.Tensor:
    """Σ |w| over all weight matrices and kernels; drives weights to exactly 0.

    >>> layer = nn.Linear(2, 1)
    >>> _ = nn.init.constant_(layer.weight, -3.0)
    >>> weights_l1(layer).item(), weights_l2(layer).item()
    (6.0, 18.0)
    """
    return torch.stack([weight.abs().sum() for weight in _weights(module)]).sum()


def weights_l2(module: nn.Module) -> torch.Tensor:
    """Σ w² over all weight matrices and kernels; keeps any one weight from growing large."""
    return torch.stack([weight.square().sum() for weight in _weights(module)]).sum()


def code_l1(code: torch.Tensor) -> torch.Tensor:
    """Mean of |z| over a batch of codes, of any shape; few numbers of a code differ from 0.

    >>> code_l1(torch.tensor([[1.0, -3.0]])).item()
    2.0
    """
    return code.abs().mean()


def code_kl(code: torch.Tensor, target: float) -> torch.Tensor:
    """Σ over code units of KL(target ‖ mean activation), in nats; each unit is seldom active.

    Args:
        code: (batch, unit, …); a unit's activation is sigmoid(code), its mean is taken over the
            batch and the positions.
        target: the wished mean activation, between 0 and 1.

    Source: Ng 2011, CS294A lecture notes "Sparse autoencoder".

    >>> code_kl(torch.zeros(8, 3), target=0.5).item()  # sigmoid(0) is the target
    0.0
    """
    active = torch.sigmoid(code.float()).transpose(0, 1).flatten(1).mean(dim=1)  # (unit,)
    # A saturated unit must cost much, not infinitely much.
    active = active.clamp(1e-6, 1 - 1e-6)
    wished = torch.tensor(target, device=code.device)
    on, off = wished * (wished / active).log(), (1 - wished) * ((1 - wished) / (1 - active)).log()
    return (on + off).sum()


def _weights(module: nn.Module) -> Iterator[torch.Tensor]:
    # Biases and normalisation gains are vectors; shrinking those would only shift the output.
    return (parameter for parameter in module.parameters() if parameter.ndim >= 2)
