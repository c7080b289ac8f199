"""Stored weights → a net that runs on NumPy arrays, in batches of one fixed shape.

One fixed batch shape, because float arithmetic may differ between batch sizes; with it, encoding
twice gives the same bytes whatever the number of samples in a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from isthmus.bottlenecks import BOTTLENECKS
from isthmus.bottlenecks.base import Bottleneck
from isthmus.config import Config, NetConfig
from isthmus.errors import DamagedFile
from isthmus.nets.autoencoder import Autoencoder
from isthmus.spec import DataSpec

ENCODER, BOTTLENECK, DECODER = "net.encoder.", "bottleneck.", "net.decoder."
"""Prefixes under which a learner's state dict keeps the three parts."""


class EncoderRuntime:
    """Tensors in the samples' tensor layout → latents."""

    def __init__(self, spec: DataSpec, config: Config, weights: Mapping[str, np.ndarray]) -> None:
        family = BOTTLENECKS.find(config.bottleneck.name)
        self._net = Autoencoder.build(spec, config.net, heads=family.heads).eval()
        self._bottleneck: Bottleneck = family(config.net.latent, **config.bottleneck.options).eval()
        load_weights(self._net.encoder, under(ENCODER, weights))
        load_weights(self._bottleneck, under(BOTTLENECK, weights))

    def __call__(self, tensors: np.ndarray) -> np.ndarray:
        """float32 (batch, …) → float32 (batch, channel, *position)."""
        return in_fixed_batches(self._encode, tensors)

    def _encode(self, tensors: Tensor) -> Tensor:
        return self._bottleneck.latent(self._net.encode(tensors))


class DecoderRuntime:
    """Latents → tensors in the samples' tensor layout."""

    def __init__(self, spec: DataSpec, config: NetConfig, weights: Mapping[str, np.ndarray]) -> None:
        # The encoder is not needed, but its code must have the shape that the decoder takes.
        self._net = Autoencoder.build(spec, replace(config, encoder=config.decoder)).eval()
        load_weights(self._net.decoder, weights)

    def __call__(self, latents: np.ndarray, size: tuple[int, ...] | None = None) -> np.ndarray:
        """float32 (batch, channel, *position) → float32 (batch, …), images cropped to `size`."""
        return in_fixed_batches(lambda batch: self._net.decode(batch, size), latents)


def under(prefix: str, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights whose names start with `prefix`, without it."""
    return {name.removeprefix(prefix): w for name, w in weights.items() if name.startswith(prefix)}


def load_weights(module: nn.Module, weights: Mapping[str, np.ndarray]) -> None:
    """Put stored weights into a freshly built module; DamagedFile if they do not fit it."""
    try:
        module.load_state_dict({name: torch.from_numpy(w.copy()) for name, w in weights.items()})
    except RuntimeError as wrong:
        reason = str(wrong).splitlines()[-1].strip()
        raise DamagedFile(
            f"The model's weights do not fit its net ({reason}). Fetch the file again."
        ) from wrong


@torch.inference_mode()
def in_fixed_batches(run: Callable[[Tensor], Tensor], arrays: np.ndarray) -> np.ndarray:
    """Apply `run` in batches of one size, the last one filled up with zeros that are cut off again."""
    size = batch_size(arrays[:1].size)
    parts = [_run_padded(run, arrays[start : start + size], size) for start in range(0, len(arrays), size)]
    return np.concatenate(parts) if parts else _run_padded(run, arrays, 1)


def batch_size(values: int) -> int:
    """A power of two that keeps a batch near 64 thousand input values, 1 to 256 samples.

    >>> batch_size(784), batch_size(90_000)
    (64, 1)
    """
    return int(2 ** np.clip(np.floor(np.log2(_BATCH_VALUES / max(1, values))), 0, 8))


_BATCH_VALUES = 2**16


def _run_padded(run: Callable[[Tensor], Tensor], arrays: np.ndarray, size: int) -> np.ndarray:
    full = np.zeros((size, *arrays.shape[1:]), np.float32)
    full[: len(arrays)] = arrays
    return run(torch.from_numpy(full)).float().numpy()[: len(arrays)]
