"""Images → a net that takes noise away, learned from clean images or from noisy ones alone."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from isthmus.data.noise import MISSING, NoiseModel, noise_level
from isthmus.exact.builder import Lowering
from isthmus.exact.ops import KINDS
from isthmus.exact.program import Program
from isthmus.exact.shapes import Shape
from isthmus.model.denoiser import Denoiser
from isthmus.nets.denoising import FINENESS, denoising_net
from isthmus.nets.lowering import lower
from isthmus.spec import DataSpec
from isthmus.training.session import has_bfloat16

MOST_GRADIENT = 0.05
SHARES = 0.3, 0.9
"""Of the noise in an image that is added to it once more, where there is no clean one."""
_SHARE = 0.98
"""Of a budget; the rest is for saving."""

Say = Callable[[str], None]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class DenoisingPlan:
    """How it is learned."""

    noise: NoiseModel
    from_noisy: bool = False
    """Whether the images are noisy themselves, and nobody has clean ones."""
    steps: int = 3000
    budget_s: float | None = None
    """Seconds; replaces steps."""
    channels: int = 64
    blocks: int = 8
    patch: int = 64
    batch: int = 16
    learning_rate: float = 1.5e-3
    seed: int = 0


@dataclass(frozen=True)
class Lesson:
    """One batch: what the net is given, what it should say, how much each image counts."""

    given: np.ndarray
    """float32 (batch, planes + 1, height, width)."""
    wanted: np.ndarray
    weights: np.ndarray
    """float32 (batch,)."""


def train_denoiser(
    images: Sequence[np.ndarray],
    spec: DataSpec,
    plan: DenoisingPlan,
    *,
    provenance: dict[str, Any] | None = None,
    say: Say = lambda line: None,
    progress: Progress | None = None,
) -> Denoiser:
    """Learn to take noise away.

    Args:
        images: (height, width[, planes]) of the spec's kind.
        spec: of the images.
        plan: how.
        provenance: for people; steps and seconds are added.
        say: told in a line each what is planned.
        progress: told how much is done, and of how much.
    """
    started = time.monotonic()
    torch.manual_seed(plan.seed)
    net = denoising_net(spec.channels, channels=plan.channels, blocks=plan.blocks)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    lessons = Lessons([_planes(image, spec) for image in images], plan)
    pace = Pace(plan.steps, plan.budget_s, started)
    size = f"{plan.batch} patches of {plan.patch}×{plan.patch}"
    say(
        f"{plan.steps:,} steps of {size}" if plan.budget_s is None else f"steps of {size} while there is time"
    )
    averaged, steps = carry_out(
        net, lambda step: _loss(net, lessons[step]), plan.learning_rate, pace, progress
    )
    made = {"images": len(images), "steps": steps, "seconds": round(time.monotonic() - started, 1)}
    filled = [image for image in images if image.size]
    least = min((float(image.min()) for image in filled), default=spec.low)
    greatest = max((float(image.max()) for image in filled), default=spec.high)
    return Denoiser(
        spec=spec,
        learned=(least, greatest),
        noise=plan.noise,
        program=as_program(averaged, (spec.channels + 1, None, None), FINENESS),
        from_noisy=plan.from_noisy,
        provenance=(provenance or {}) | made,
    )


class Lessons:
    """Batches to learn from: the same for the same seed and step.

    Args:
        images: float32 (planes, height, width), 0 to 1.
        plan: says how they are spoilt.
    """

    def __init__(self, images: Sequence[np.ndarray], plan: DenoisingPlan) -> None:
        self._images, self._plan = [_large_enough(image, plan.patch) for image in images], plan
        sizes = np.array([image[0].size for image in self._images], float)
        self._chances = sizes / sizes.sum()
        self._levels = np.zeros(len(images), np.float32)
        """That are seen in the images as they are: of clean ones, what their texture is taken for."""
        if plan.noise.kind == "gaussian":
            self._levels[:] = [noise_level(np.moveaxis(image, 0, -1)) for image in images]

    def __getitem__(self, step: int) -> Lesson:
        rng = np.random.default_rng((self._plan.seed, step))
        chosen = rng.choice(len(self._images), self._plan.batch, p=self._chances)
        patches = np.stack([_turned(_cut(self._images[n], self._plan.patch, rng), rng) for n in chosen])
        if not self._plan.from_noisy:
            return self._from_clean(patches, self._levels[chosen], rng)
        if self._plan.noise.kind == "gaussian":
            return self._noisier(patches, self._levels[chosen], rng)
        return self._neighbours(patches, rng)

    def _from_clean(self, patches: np.ndarray, seen: np.ndarray, rng: np.random.Generator) -> Lesson:
        """Half of the patches are told the level as it is, half as it would be seen in their image."""
        spoilt, told = self._plan.noise.spoil(patches, rng)
        seen = np.where(rng.random(len(seen)) < 0.5, seen, 0)[:, None, None, None]
        told = np.where(told < MISSING, np.sqrt(told**2 + seen**2), told).astype(np.float32)
        return Lesson(np.concatenate([spoilt, told], axis=1), patches, np.ones(len(patches), np.float32))

    def _noisier(self, patches: np.ndarray, levels: np.ndarray, rng: np.random.Generator) -> Lesson:
        """Two noisy images out of one whose noises are independent, where it is normal: y + σaz and y - σz/a.

        Source: Pang et al. 2021, Recorrupted-to-Recorrupted, CVPR.
        """
        share = rng.uniform(*SHARES, len(patches)).astype(np.float32)
        extra = rng.standard_normal(patches.shape, np.float32) * levels[:, None, None, None]
        by = share[:, None, None, None]
        told = np.broadcast_to((levels * np.sqrt(1 + share**2))[:, None, None, None], patches[:, :1].shape)
        given = np.concatenate([patches + by * extra, told.astype(np.float32)], axis=1)
        return Lesson(given, patches - extra / by, share**2 / (1 + share**2))

    def _neighbours(self, patches: np.ndarray, rng: np.random.Generator) -> Lesson:
        """Two images of half the size, of neighbouring pixels: whatever the noise, if pixels have it apart.

        Source: Huang et al. 2021, Neighbor2Neighbor, CVPR, without its regulariser.
        """
        cells = _cells(patches)
        order = rng.random(cells.shape[-1:] + cells.shape[2:4]).argsort(axis=0)[
            :2
        ]  # two of four in each cell
        first, second = (np.take_along_axis(cells, o[None, None, ..., None], axis=4)[..., 0] for o in order)
        told = np.zeros_like(first[:, :1])
        return Lesson(np.concatenate([first, told], axis=1), second, np.ones(len(patches), np.float32))


def _cells(patches: np.ndarray) -> np.ndarray:
    """(batch, planes, height/2, width/2, 4): squares of four pixels."""
    batch, planes, height, width = patches.shape
    parted = patches.reshape(batch, planes, height // 2, 2, width // 2, 2)
    return parted.transpose(0, 1, 2, 4, 3, 5).reshape(batch, planes, height // 2, width // 2, 4)


def _planes(image: np.ndarray, spec: DataSpec) -> np.ndarray:
    planes = np.moveaxis(image.reshape(*image.shape[:2], -1), -1, 0).astype(np.float32)
    return (planes - np.float32(spec.low)) / np.float32(spec.high - spec.low)


def _large_enough(image: np.ndarray, side: int) -> np.ndarray:
    """With at least so many pixels each way, mirrored outwards."""
    missing = [max(0, side - length) for length in image.shape[1:]]
    return np.pad(image, [(0, 0), *((0, n) for n in missing)], mode="symmetric") if any(missing) else image


def _cut(image: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    row, column = (int(rng.integers(0, length - side + 1)) for length in image.shape[1:])
    return image[:, row : row + side, column : column + side]


def _turned(patch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    patch = np.rot90(patch, int(rng.integers(4)), axes=(1, 2))
    return patch[:, :, ::-1] if rng.random() < 0.5 else patch


def carry_out(
    net: nn.Module,
    loss_of: Callable[[int], torch.Tensor],
    learning_rate: float,
    pace: Pace,
    progress: Progress | None,
) -> tuple[nn.Module, int]:
    """Train: the net with its weights averaged over the last steps, and how many there were.

    Args:
        net: what learns.
        loss_of: the loss of a step.
        learning_rate: the highest.
        pace: says when it is over.
        progress: told how much is done, and of how much.
    """
    weights = [p for p in net.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(weights, learning_rate, weight_decay=0.0, fused=True)
    averaged = torch.optim.swa_utils.AveragedModel(net, avg_fn=_averaged)
    step = 0
    while (done := pace.done(step)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate * _rate(done)
        loss = loss_of(step)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, MOST_GRADIENT)
        optimiser.step()
        averaged.update_parameters(net)
        step += 1
        if progress is not None:
            progress(round(1000 * min(1.0, pace.done(step))), 1000)
    return averaged.module, step


class Pace:
    """How much of the training is done: by steps, or, where there is a budget, by the clock.

    A busy machine takes fewer steps within a budget; the learning rate comes down in time all the same.
    """

    def __init__(self, steps: int, budget_s: float | None, started: float) -> None:
        self._steps, self._budget_s, self._started = steps, budget_s, started

    def done(self, step: int) -> float:
        """From 0 to 1 and beyond; the first step is always taken."""
        if self._budget_s is None:
            return step / self._steps
        return (time.monotonic() - self._started) / (_SHARE * self._budget_s) if step else 0.0


def _rate(done: float) -> float:
    """Of the learning rate: up within a fiftieth of the training, down along a cosine."""
    return min((done + 0.002) / 0.02, 0.5 + 0.5 * math.cos(math.pi * done))


def _averaged(average: torch.Tensor, new: torch.Tensor, count: torch.Tensor | int) -> torch.Tensor:
    """The mean over about the last tenth of the steps so far, but no more than 500."""
    weight = max(1 / 500, 10 / (float(count) + 10))
    return average + weight * (new - average)


def autocast() -> torch.autocast:
    """bfloat16 where the processor computes in it."""
    return torch.autocast("cpu", torch.bfloat16, enabled=has_bfloat16(cpu=True))


def _loss(net: nn.Module, lesson: Lesson) -> torch.Tensor:
    given = torch.from_numpy(lesson.given).to(memory_format=torch.channels_last)
    with autocast():
        made = net(given)
    errors = (made.float() - torch.from_numpy(lesson.wanted)).square().mean(dim=(1, 2, 3))
    return (errors * torch.from_numpy(lesson.weights)).mean()


def as_program(net: nn.Module, start: Shape, fineness: int = 1) -> Program:
    """The net as operations, for samples of any size that are first filled up to multiples of `fineness`."""
    made = Lowering()
    lower(net, made, made.add("pad", 0, numbers=(fineness,)) if fineness > 1 else 0, "")
    names = {f"{op.weight}.{tensor}" for op in made.ops for tensor in KINDS[op.kind].tensors}
    state = {name: tensor for name, tensor in net.state_dict().items() if name in names}
    tensors = {name: tensor.float().numpy().copy() for name, tensor in state.items()}
    return Program(start, tuple(made.ops), tensors)
