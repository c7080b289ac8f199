"""The whole state of a run ⇄ one safetensors file that survives kill -9.

Random numbers need no place in it: every step seeds its own from (seed, step).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from isthmus.errors import ConfigError, DamagedFile
from isthmus.files import write_bytes
from isthmus.training import CHECKPOINT
from isthmus.training.history import Row, rows_from



@dataclass
class Progress:
    """Where a run stands, apart from its tensors."""

    step: int = 0
    """Steps taken."""
    seconds: float = 0.0
    """Spent training, over all resumptions."""
    best_loss: float = float("inf")
    best_step: int = 0
    since_best: int = 0
    """Evaluations since the best one."""
    reductions: int = 0
    """How often the plateau schedule has lowered the rate."""
    meter: list[float] = field(default_factory=list)
    """The running sums since the last look."""
    rows: list[Row] = field(default_factory=list)


def save_checkpoint(
    folder: Path,
    *,
    identity: dict[str, Any],
    progress: Progress,
    learner: nn.Module,
    optimiser: torch.optim.Optimizer,
    average: list[torch.Tensor],
    best: dict[str, torch.Tensor],
) -> None:
    """Write it all, or nothing.

    Args:
        folder: of the run.
        identity: what a resumed run must agree on (settings, plan, data); any JSON value.
        progress: where the run stands.
        learner: its weights are stored under "learner.".
        optimiser: its moments are stored under "optimiser.".
        average: the moving average, in the order of the learner's parameters.
        best: the best weights so far, as a state dict.
    """
    tensors = {f"learner.{name}": t.detach() for name, t in learner.state_dict().items()}
    tensors |= {f"average.{i}": t.detach() for i, t in enumerate(average)}
    tensors |= {f"best.{name}": t.detach() for name, t in best.items()}
    tensors |= _optimiser_tensors(optimiser)
    document = {"identity": identity, "progress": asdict(progress)}
    # A copy of each, because safetensors refuses two names for one piece of memory.
    owned = {name: t.to("cpu", copy=True).contiguous() for name, t in tensors.items()}
    write_bytes(folder / CHECKPOINT, save(owned, {"isthmus": json.dumps(document)}))


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint read back."""

    identity: dict[str, Any]
    progress: Progress
    tensors: dict[str, torch.Tensor]

    def restore(
        self, learner: nn.Module, optimiser: torch.optim.Optimizer, average: list[torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        """Put every tensor back in its place; return the best weights so far."""
        learner.load_state_dict(self._under("learner."))
        with torch.no_grad():
            for index, value in enumerate(average):
                value.copy_(self.tensors[f"average.{index}"])
        _restore_optimiser(optimiser, self._under("optimiser."))
        return self._under("best.")

    def require_identity(self, identity: dict[str, Any]) -> None:
        """Raise ConfigError where the resumed run would not be the same run."""
        for key, value in identity.items():
            if self.identity.get(key) != value:
                raise ConfigError(
                    f"--resume needs the same {key} as the interrupted run; it was {self.identity.get(key)!r} "
                    f"and is now {value!r}. Give the same again, or start anew without --resume."
                )

    def _under(self, prefix: str) -> dict[str, torch.Tensor]:
        return {n.removeprefix(prefix): t for n, t in self.tensors.items() if n.startswith(prefix)}


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read the checkpoint of a run; the run's folder must hold one."""
    path = folder / CHECKPOINT
    if not path.is_file():
        raise ConfigError(f"--resume needs a checkpoint at {path}; there is none. Start without --resume.")
    try:
        with safe_open(path, framework="pt") as file:
            document = json.loads((file.metadata() or {})["isthmus"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, json.JSONDecodeError) as wrong:
        raise DamagedFile(f"{path} is damaged ({wrong}). Start without --resume.") from wrong
    values = document["progress"]
    progress = Progress(**{**values, "rows": rows_from(values["rows"])})
    return Checkpoint(document["identity"], progress, tensors)


def _optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    state = optimiser.state_dict()["state"]
    return {
        f"optimiser.{index}.{name}": value
        for index, values in state.items()
        for name, value in values.items()
        if isinstance(value, torch.Tensor)
    }


def _restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    state: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    optimiser.load_state_dict(optimiser.state_dict() | {"state": state})
