"""What to try on every block, settled before the first is coded: coders, preview, bound."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from isthmus.coding.bound import Bound
from isthmus.data import Source
from isthmus.data.distortion import Distortion
from isthmus.errors import UseError
from isthmus.model import Model
from isthmus.tasks.choose import choose_coders, coder_names, sample_pieces
from isthmus.tasks.forms import BlockCoder, block_coder
from isthmus.tasks.parts import AUTOENCODER, CONTEXTS, Parts, Toolbox, pack_parts, parts_of
from isthmus.tasks.promise import LOSSY, Promise
from isthmus.tasks.quality import Aim, first_quality
from isthmus.tasks.rounding import rounding_pays


@dataclass(frozen=True)
class Wishes:
    """What the caller asked for beside the promise."""

    effort: int = 5
    coder: str | None = None
    """Force this one."""
    embed_model: bool = True
    keep_preview: bool = False
    aim: Aim = field(default_factory=Aim)
    """Of a lossy archive."""
    parts: frozenset[str] | None = None
    """Of the model, as the archive that is added to names them; None for a new one."""


@dataclass(frozen=True)
class Campaign:
    """What runs on every block, and what the sample showed."""

    job: BlockCoder
    preview_bits: float | None = None
    """Bits per value of the latents on the sample, where they were tried."""


def plan_campaign(source: Source, promise: Promise, model: Model | None, wishes: Wishes) -> Campaign:
    """Choose the coders, whether the autoencoder may compete, and how wide a bound for a PSNR may be.

    Raises:
        UseError: a coder that is not known, or not with this model, was forced.
    """
    parts = parts_of(model)
    if promise.mode == LOSSY:
        return Campaign(_lossy(source, promise, model, wishes))
    forced = None if wishes.coder is None else _forced(wishes.coder, model)
    names = choose_coders(source, promise.targets, parts, wishes.effort) if forced is None else forced
    measure = promise.asked is not None and promise.asked[0] == "psnr"
    job = block_coder(source.spec, promise, names, model, preview=_preview(model, wishes), measure=measure)
    campaign = _judge_model(source, job, model, wishes) if job.preview == "if smaller" else Campaign(job)
    return replace(campaign, job=_loosened(source, campaign.job)) if measure else campaign


def _lossy(source: Source, promise: Promise, model: Model | None, wishes: Wishes) -> BlockCoder:
    measure = wishes.aim.target_psnr is not None
    job = block_coder(source.spec, promise, (), model, preview="always", measure=measure)
    job = replace(job, thrifty=wishes.effort >= _THRIFTY_EFFORT)
    job = replace(job, quality=wishes.aim.quality or job.quality)
    price = partial(_price, job.toolbox.parts, wishes)
    if wishes.parts is None:
        job = replace(job, rounds=job.thrifty and rounding_pays(source, job, price))
    else:
        job = replace(job, rounds=AUTOENCODER not in wishes.parts)
    fixed = price(CONTEXTS if job.rounds else AUTOENCODER) if wishes.aim.is_search else 0
    return replace(job, quality=first_quality(source, job, wishes.aim, fixed))


_THRIFTY_EFFORT = 3


def _forced(name: str, model: Model | None) -> tuple[str, ...]:
    toolbox = Toolbox(parts_of(model))
    known = coder_names(toolbox.parts, effort=9)
    if name == AUTOENCODER and model is not None:
        return tuple(other for other in known if toolbox.coder(other).uses_given)
    if name not in known:
        raise UseError(
            f"--coder must be one of {', '.join(known)}, or with a model {AUTOENCODER}; got {name!r}."
        )
    return (name,)


def _preview(model: Model | None, wishes: Wishes) -> str:
    if model is None:
        return "never"
    if wishes.keep_preview or wishes.coder == AUTOENCODER:
        return "always"
    return "if smaller" if wishes.coder is None else "never"


def _judge_model(source: Source, job: BlockCoder, model: Model | None, wishes: Wishes) -> Campaign:
    """Let the autoencoder compete only where, by the sample, it may save a good part of its bytes.

    Whether it saved them all is known, and decided, when every block is coded.
    """
    saved, values, preview, raw = 0, 0, 0, 0
    for piece in sample_pieces(source, whole=True):
        coded = job(piece)
        least = min(form.size for form in coded.forms)
        saved += next(form.size for form in coded.forms if AUTOENCODER not in form.needs) - least
        preview += coded.preview_bytes or 0
        raw += sum(sample.nbytes for sample in piece)
        values += sum(sample.size for sample in piece)
    bits = 8 * preview / max(1, values)
    if saved > 0 and saved * source.raw_bytes >= _HOPE * _price(job.toolbox.parts, wishes) * raw:
        return Campaign(job, bits)
    return Campaign(replace(job, preview="never"), bits)


def _price(parts: Parts, wishes: Wishes, name: str = AUTOENCODER) -> int:
    """The bytes that a part of the model adds to an archive."""
    return len(pack_parts(parts, frozenset({name})) or b"") if wishes.embed_model else 0


_HOPE = 0.5  # a sample is a guess; half of the cost in sight is worth trying


def _loosened(source: Source, job: BlockCoder) -> BlockCoder:
    """The widest bound whose PSNR on the sample is the one that was asked for."""
    assert job.promise.bound is not None
    assert job.promise.asked is not None
    pieces = sample_pieces(source, whole=job.preview != "never")
    wanted, first = job.promise.asked[1], job.promise.bound.value
    low, high = 0.0, 2.0  # binary digits of the factor; errors are rarely a quarter of the bound
    for _ in range(_SEARCH_STEPS):
        middle = (low + high) / 2
        tried = with_bound(job, first * 2**middle)
        total = sum((tried(piece).distortion for piece in pieces), Distortion.none())
        low, high = (middle, high) if total.psnr_db >= wanted else (low, middle)
    return with_bound(job, first * 2**low)


_SEARCH_STEPS = 7


def with_bound(job: BlockCoder, value: float) -> BlockCoder:
    """The same job under another absolute bound."""
    return replace(job, promise=replace(job.promise, bound=Bound(float(np.float64(value)))))


def tightened(job: BlockCoder, reached_db: float) -> BlockCoder:
    """The same job, its bound narrowed by what the PSNR fell short of what was asked."""
    assert job.promise.bound is not None
    assert job.promise.asked is not None
    short = min(0.0, reached_db - job.promise.asked[1])
    return with_bound(job, job.promise.bound.value * 10 ** (short / 20) * 0.99)
