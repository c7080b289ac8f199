"""The trained decoder on its way to integers: its operations, and its weights as they will be stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isthmus.bottlenecks import Quantiser, quantiser
from isthmus.config import Config
from isthmus.errors import ConfigError
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.integers import to_integers
from isthmus.exact.numpy_runner import IntegerRunner
from isthmus.exact.ops import Op
from isthmus.exact.program import IntegerProgram, Program
from isthmus.exact.shapes import Shape
from isthmus.exact.weights import IntegerWeights
from isthmus.exact.weights import to_integers as to_integer_weights
from isthmus.nets.lowering import QUANTISER, decoder_ops
from isthmus.training.objective import Learner

TOLERATED = 1.01
"""By how much integers may raise the squared error, 0.04 dB, before they get more digits at half speed."""
Pairs = Sequence[tuple[np.ndarray, np.ndarray]]
"""Codes of some samples, and the tensors that they come from."""


@dataclass(frozen=True)
class Draft:
    """A decoder without scales and quantiser."""

    code: Shape
    """As the decoder is given it, with what is told beside the latent."""
    ops: tuple[Op, ...]
    weights: Mapping[str, IntegerWeights]

    @classmethod
    def of(cls, learner: Learner, config: Config) -> Draft:
        """The learner's decoder, its weights rounded."""
        arrays = {
            name: t.detach().float().cpu().numpy() for name, t in learner.net.decoder.state_dict().items()
        }
        bits = dict.fromkeys(arrays, config.net.weight_bits) | dict.fromkeys(_fixed(learner), _FIXED_BITS)
        weights = {n: to_integer_weights(w, bits=bits[n]) for n, w in arrays.items()}
        channels, *positions = learner.net.code_shape
        code = ((channels or 0) + learner.bottleneck.told, *positions)
        return cls(code, decoder_ops(learner.net), weights)

    def program(self, steps: Quantiser) -> Program:
        """Symbols → tensors in float32."""
        tensors = {name: stored.to_float() for name, stored in self.weights.items()}
        tensors |= {f"{QUANTISER}.step": steps.step, f"{QUANTISER}.offset": steps.offset}
        return Program(self.code, self.ops, tensors)

    def choose_quantiser(self, latents: np.ndarray, target: np.ndarray, config: Config) -> Quantiser:
        """The coarsest steps that keep to the tolerance in the settings."""
        any_steps = Quantiser(np.ones(latents.shape[1], np.float32), np.zeros(latents.shape[1], np.float32))
        run = FloatRunner(self.program(any_steps).without_first())
        tolerance = config.bottleneck.options.get("tolerance", 0.05)
        return quantiser.choose_quantiser(
            latents,
            lambda z: cropped(run.in_fixed_batches(z), target),
            tolerance=tolerance,
            target=target,
        )

    def in_integers(self, steps: Quantiser, pairs: Pairs) -> IntegerProgram:
        """Symbols → tensors in integers, carried in float32 where that costs next to nothing.

        Args:
            steps: of the code.
            pairs: symbols and targets of samples like those to come.
        Raises:
            ConfigError: the net has an operation without an integer form.
        """
        program, symbols = self.program(steps), [some for some, _ in pairs]
        try:
            narrow = to_integers(program, self.weights, symbols, narrow=True)
            exact = squared_error(FloatRunner(program).in_fixed_batches, pairs)
            if squared_error(_tensors_of(narrow), pairs) <= TOLERATED * exact:
                return narrow
            return to_integers(program, self.weights, symbols, narrow=False)
        except ValueError as wrong:
            raise ConfigError(
                f"The decoder cannot run in integers: {wrong}. Use other settings under net.decoder."
            ) from wrong


_FIXED_BITS = 16
"""Of weights that no training has adapted to their rounding: at high quality it would be felt."""


def _fixed(learner: Learner) -> list[str]:
    """The names of weights that training left as they were."""
    return [name for name, weights in learner.net.decoder.named_parameters() if not weights.requires_grad]


def _tensors_of(program: IntegerProgram) -> Callable[[np.ndarray], np.ndarray]:
    run, unit = IntegerRunner(program), np.float32(2.0**program.result.exponent)
    return lambda symbols: run(symbols) * unit


def squared_error(decode: Callable[[np.ndarray], np.ndarray], pairs: Pairs) -> float:
    """Mean over all values of what `decode` makes of the codes."""
    errors = [np.square(cropped(decode(code), target) - target, dtype=np.float64) for code, target in pairs]
    return sum(float(each.sum()) for each in errors) / max(1, sum(each.size for each in errors))


def cropped(tensors: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Images cut to the height and width of others."""
    return tensors[..., : like.shape[2], : like.shape[3]] if like.ndim == 4 else tensors
