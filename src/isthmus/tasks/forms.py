"""Samples → the coded forms of one block, of which the archive will keep one.

Which form is smallest in the end depends on the whole archive: a form that needs a part of the
model only pays if the part's own bytes are saved elsewhere. So a block keeps its best form for
every set of parts, and the choice among them falls when all blocks are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from isthmus.coding.blocks import Layer
from isthmus.coding.bound import Bound
from isthmus.coding.coders.contexts import RoundedContextCoder
from isthmus.coding.contest import Contest, Entry, decode_groups, encode_groups
from isthmus.coding.contexts.grid import Grid
from isthmus.coding.latents import DEFAULT_QUALITY
from isthmus.data.distortion import Distortion
from isthmus.errors import UseError
from isthmus.model import Model
from isthmus.spec import DataSpec
from isthmus.tasks.blocks import Samples, Shapes, encode_preview, make_layer, show_preview, sizes_to_bytes
from isthmus.tasks.parts import AUTOENCODER, NEEDS, ROUNDED, Toolbox, parts_of
from isthmus.tasks.promise import BOUND, PREVIEW, Promise


@dataclass(frozen=True)
class Form:
    """One way to write a block."""

    plan: str
    layers: tuple[Layer, ...]
    needs: frozenset[str] = frozenset()
    """The parts of the model without which it cannot be read."""

    @property
    def size(self) -> int:
        """Of its payloads."""
        return sum(len(layer.payload) for layer in self.layers)


@dataclass(frozen=True)
class Coded:
    """What one block became."""

    forms: tuple[Form, ...]
    """The smallest for each set of needs; at least one."""
    rivals: Mapping[str, int]
    """What each classical coder alone would take for it, in bytes."""
    preview_bytes: int | None
    """Of the latents, whether they are kept or not; None where they were not computed."""
    distortion: Distortion
    """Between the samples and what the coarsest layer within the bound restores; for a PSNR."""


@dataclass(frozen=True)
class BlockCoder:
    """All it takes to code a block; sent to worker processes once."""

    spec: DataSpec
    promise: Promise
    coders: tuple[str, ...]
    """Those that run on every block, by name, classical ones and a model's own."""
    model: Model | None = None
    quality: int = DEFAULT_QUALITY
    """Of the latents, where the model has several."""
    rounds: bool = False
    """Whether a lossy block is told by contexts, its pixels rounded, in place of the latents."""
    thrifty: bool = False
    """Whether each symbol is weighed against its bits, which takes the encoder longer."""
    preview: str = "never"
    """Whether blocks have the latents: "always", "if smaller", or "never"."""
    measure: bool = False
    """Whether distortions are wanted."""
    toolbox: Toolbox = field(default_factory=Toolbox)

    def __call__(self, samples: Samples) -> Coded:
        """Code one block."""
        shapes = Shapes.of(samples)
        groups = shapes.split(samples)
        sizes = sizes_to_bytes(shapes, self.spec)
        trials = _Trials(self, groups)
        chains: list[_Chain] = []
        preview_bytes = None
        if self.rounds:
            chains.append(self._rounded(groups))
        elif self.preview != "never":
            first = self._preview(groups, sizes)
            preview_bytes = len(first.layers[0][1])
            chains += trials.extend(first, self.promise.targets)
        if self.preview != "always":
            chains += trials.extend(_Chain(), self.promise.targets)
        best = _best_by_needs(chains)
        if not best:
            raise UseError(
                f"None of {', '.join(self.coders)} can code these data ({self.spec.summary()}). "
                "Leave out --coder."
            )
        forms = tuple(chain.form(sizes, shapes) for chain in best)
        return Coded(forms, trials.rivals(), preview_bytes, self._distortion(groups, best[0]))

    def _preview(self, groups: list[np.ndarray], sizes: bytes) -> _Chain:
        assert self.model is not None
        payload, symbols = encode_preview(
            self.model, [_without_gaps(group) for group in groups], self.quality, thrifty=self.thrifty
        )
        shapes = [group.shape for group in groups]
        restored = show_preview(self.model.decoder, symbols, self.quality, shapes)
        return _Chain().plus(PREVIEW, Entry(AUTOENCODER, payload, tuple(restored)))

    def _rounded(self, groups: list[np.ndarray]) -> _Chain:
        contexts = self.toolbox.parts.contexts
        assert contexts is not None
        coder = RoundedContextCoder(contexts, Grid.at_quality(self.quality, contexts.levels))
        payload = encode_groups(coder, groups, None, None)
        assert payload is not None, "tasks/campaign.py asks only for images that contexts accept"
        shapes = [group.shape for group in groups]
        restored = decode_groups(coder, payload, shapes, groups[0].dtype, None)
        return _Chain().plus(BOUND, Entry(ROUNDED, payload, tuple(restored)))

    def _distortion(self, groups: list[np.ndarray], chain: _Chain) -> Distortion:
        total = Distortion.none()
        if not self.measure:
            return total
        finer = [restored for name, _, restored in chain.layers if name != PREVIEW]
        within = finer[0] if finer else chain.layers[0][2]
        for group, back in zip(groups, within, strict=True):
            finite = np.isfinite(group) if group.dtype.kind == "f" else ...
            total = total + Distortion.between(group[finite], back[finite], self.spec)
        return total


@dataclass(frozen=True)
class _Chain:
    """Layers one upon the other; each is a name, a payload and what it restores."""

    names: tuple[str, ...] = ()
    layers: tuple[tuple[str, bytes, tuple[np.ndarray, ...]], ...] = ()
    needs: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        return sum(len(payload) for _, payload, _ in self.layers)

    def plus(self, role: str, entry: Entry) -> _Chain:
        return replace(
            self,
            names=(*self.names, entry.name),
            layers=(*self.layers, (role, entry.payload, entry.restored)),
            needs=self.needs | ({NEEDS[entry.name]} if entry.name in NEEDS else set()),
        )

    def form(self, sizes: bytes, shapes: Shapes) -> Form:
        layers = tuple(
            make_layer(role, sizes + payload, shapes.join(restored))
            for role, payload, restored in self.layers
        )
        return Form("+".join(self.names), layers, self.needs)


class _Trials:
    """The contests of one block."""

    def __init__(self, job: BlockCoder, groups: list[np.ndarray]) -> None:
        self.groups = groups
        self._contest = Contest({name: job.toolbox.coder(name) for name in job.coders})
        self._targets = job.promise.targets
        self._keeps_preview = job.preview == "always"
        self._found: dict[Bound | None, list[Entry]] = {}
        self._sizes: dict[Bound | None, dict[str, int]] = {}

    def rivals(self) -> dict[str, int]:
        """The bytes of each coder that needs no part, where one of them alone could do it all."""
        if len(self._targets) != 1:
            return {}
        return self._sizes.get(self._targets[0][1], {})

    def extend(self, chain: _Chain, targets: Sequence[tuple[str, Bound | None]]) -> list[_Chain]:
        """Every set of needs' best way to reach the targets, from layers that are there."""
        chains = [chain]
        for role, bound in targets:
            chains = _best_by_needs(
                longer for shorter in chains for longer in self._one_more(shorter, role, bound)
            )
        return chains

    def _one_more(self, chain: _Chain, role: str, bound: Bound | None) -> list[_Chain]:
        found: list[Entry] = []
        # Beside latents that nothing builds on, the same layer alone is always smaller.
        if not chain.layers or chain.layers[-1][0] != PREVIEW or self._keeps_preview:
            found += self._alone(bound)
        if chain.layers:
            found += self._smallest(bound, chain.layers[-1][2])[0]
        return [chain.plus(role, entry) for entry in found]

    def _alone(self, bound: Bound | None) -> list[Entry]:
        """What needs no prediction is the same for every chain, so it is made once."""
        if bound not in self._found:
            self._found[bound], self._sizes[bound] = self._smallest(bound, None)
        return self._found[bound]

    def _smallest(
        self, bound: Bound | None, given: tuple[np.ndarray, ...] | None
    ) -> tuple[list[Entry], dict[str, int]]:
        """The smallest entry that is right; where a part of the model made it, the smallest without too.

        Beside them, the bytes of all that need no part.
        """
        payloads = self._contest.payloads(self.groups, bound, given)
        entries = []
        for name, payload in payloads.items():
            entry = self._contest.checked(name, payload, self.groups, bound, given)
            if entry is not None:
                entries.append(entry)
                if name not in NEEDS:
                    break
        return entries, {name: len(data) for name, data in payloads.items() if name not in NEEDS}


def _best_by_needs(chains: Iterable[_Chain]) -> list[_Chain]:
    """The smallest chain for each set of needs, smallest first; ties go to the earlier."""
    best: dict[frozenset[str], _Chain] = {}
    for chain in chains:
        held = best.get(chain.needs)
        if held is None or chain.size < held.size:
            best[chain.needs] = chain
    return sorted(best.values(), key=lambda chain: chain.size)


def _without_gaps(values: np.ndarray) -> np.ndarray:
    """The values as a net can take them: the mean of the finite ones stands for NaN and infinities."""
    if values.dtype.kind != "f" or (finite := np.isfinite(values)).all():
        return values
    middle = values[finite].astype(np.float64).mean() if finite.any() else 0.0
    return np.where(finite, values, np.array(middle).astype(values.dtype))


def block_coder(
    spec: DataSpec,
    promise: Promise,
    coders: Sequence[str],
    model: Model | None,
    *,
    preview: str,
    measure: bool,
) -> BlockCoder:
    """A BlockCoder with the coders of `model`."""
    parts = parts_of(model)
    return BlockCoder(
        spec, promise, tuple(coders), model, preview=preview, measure=measure, toolbox=Toolbox(parts)
    )
