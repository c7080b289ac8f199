"""The whole state of a run ⇄ one safetensors file that survives kill -9.

Random numbers need no place in it: every step seeds its own from (seed, step).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
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
    stopped: str = ""
    """Why the run is over: "all steps", "early", "budget"; "" while it is not."""
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
    told = json.dumps(document)
    write_bytes(folder / CHECKPOINT, save(owned, {"isthmus": told, "crc32": _crc(told, owned)}))


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
        asked = json.loads(json.dumps(identity))  # tuples are lists in the file
        for key, value in asked.items():
            for name, was, now in _differences(self.identity.get(key), value, key):
                raise ConfigError(
                    f"--resume needs the same {key} as the interrupted run; {name} was {was!r} and is now "
                    f"{now!r}. Give the same again, or start anew without --resume."
                )

    def _under(self, prefix: str) -> dict[str, torch.Tensor]:
        return {n.removeprefix(prefix): t for n, t in self.tensors.items() if n.startswith(prefix)}


def _differences(was: Any, now: Any, name: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted({*was, *now}):
            yield from _differences(was.get(key), now.get(key), f"{name}.{key}")
    elif was != now:
        yield name, was, now


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read the checkpoint of a run; the run's folder must hold one."""
    path = folder / CHECKPOINT
    if not path.is_file():
        raise ConfigError(f"--resume needs a checkpoint at {path}; there is none. Start without --resume.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if metadata["crc32"] != _crc(metadata["isthmus"], tensors):
            raise ValueError("its contents do not match their checksum")
        document = json.loads(metadata["isthmus"])
        values = document["progress"]
        progress = Progress(**{**values, "rows": rows_from(values["rows"])})
        return Checkpoint(document["identity"], progress, tensors)
    except (SafetensorError, KeyError, ValueError, TypeError, OSError) as wrong:
        raise DamagedFile(f"{path} is damaged ({wrong}). Start without --resume.") from wrong


def _crc(document: str, tensors: dict[str, torch.Tensor]) -> str:
    """CRC-32 of all that is stored, because safetensors files carry no checksum of their own."""
    crc = zlib.crc32(document.encode())
    for name in sorted(tensors):
        crc = zlib.crc32(tensors[name].numpy().tobytes(), zlib.crc32(name.encode(), crc))
    return f"{crc:08x}"


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
