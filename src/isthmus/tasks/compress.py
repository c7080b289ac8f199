"""Files → archive: `compress`; its inverse `decompress` is in decompress.py."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, BinaryIO

from isthmus.coding.container import ArchiveReader, ArchiveWriter, Sizes
from isthmus.coding.latents import DEFAULT_QUALITY
from isthmus.data import Source, open_source
from isthmus.data.distortion import Distortion
from isthmus.data.grouping import archive_blocks
from isthmus.data.metadata import EMBEDDED, require_level
from isthmus.errors import UseError
from isthmus.files import Nowhere
from isthmus.model import Model, as_model
from isthmus.tasks.advice import advice
from isthmus.tasks.appending import Old, holds_stored, old_archive
from isthmus.tasks.blocks import Samples
from isthmus.tasks.campaign import Campaign, Wishes, plan_campaign, tightened
from isthmus.tasks.compressed import CompressResult, Tally, Totals, path_of
from isthmus.tasks.decompress import decompress, restore
from isthmus.tasks.forms import BlockCoder
from isthmus.tasks.metadata import pack_metadata, packed_bytes
from isthmus.tasks.modalities import modality_for
from isthmus.tasks.orders import CompressOrder, Progress, checked
from isthmus.tasks.parts import CONTEXTS, Parts, pack_parts
from isthmus.tasks.promise import LOSSLESS, LOSSY, Promise, choose_mode, make_bound
from isthmus.tasks.quality import Aim, by_quality, has_qualities, next_quality
from isthmus.tasks.restored import DecompressResult
from isthmus.tasks.results import notices_of, refuse_notices
from isthmus.tasks.spool import Spool
from isthmus.tasks.workers import map_blocks, worker_count

__all__ = ["CompressResult", "DecompressResult", "compress", "compress_bytes", "decompress", "restore"]


def compress(
    source: Any,
    output: str | Path | BinaryIO,
    *,
    model: Any = None,
    mode: str | None = None,
    max_error: float | None = None,
    error_mode: str = "abs",
    bounds: Mapping[str, float] | None = None,
    target_psnr: float | None = None,
    quality: int | None = None,
    max_bytes: int | None = None,
    effort: int = 5,
    coder: str | None = None,
    embed_model: bool = True,
    preview: bool = False,
    append: bool = False,
    metadata: str = EMBEDDED,
    workers: int | None = 1,
    skip_bad: bool = False,
    strict: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> CompressResult:
    """Write `source` as an archive.

    Args:
        source: a path, a name, an array, an opened Source, or data of a kind with archives of its own, see
            tasks/modalities.py: a table, audio, gridded arrays, video.
        output: the .isz file, or a binary file object.
        model: made by `fit` on data of this kind, its path, or an estimator; it competes with the classical
            coders.
        mode: "lossy" (the default with a model), "bounded" (the default with a bound) or "lossless"
            (the default without either). "lossless" with a bound gives both layers.
        max_error: how far any restored value may be from its original.
        error_mode: "abs"; "rel", times the range of all finite values; "pointwise", times each value.
        bounds: of a table or of gridded arrays: how far the numbers of a column or variable may be, by its
            name; 0: equal.
        target_psnr: dB to reach over all samples: by the least quality of a model that has several, else
            by a bound.
        quality: 1 to 100, of a lossy archive; 50 where nothing is said.
        max_bytes: of a lossy archive, its model included: the best quality that fits.
        effort: 1 to 9; up to 8, a sample decides which coders run on every block, 9 runs all. Of lossy
            images, from 3 on symbols that are not worth their bits are rounded toward 0: at the same
            quality smaller and less close, better at equal bytes, slower.
        coder: force this one.
        embed_model: keep the parts of the model that blocks use in the archive, so that it needs
            nothing else; without them, `decompress` wants the model again.
        preview: keep the latents in every block, even where they do not pay.
        append: add to the archive `output` instead of writing a new one, in its mode.
        metadata: what is kept of image files beside their pixels: "all"; "embedded", all but the
            times of the files; "display", orientation and colour profile; "none".
        workers: processes; None takes one a core where the data are large. Same bytes for any.
        skip_bad: leave unreadable items out.
        strict: refuse, before anything is written, what would leave anything out or change it unasked;
            without it, the result's `notices` name it.
        force: replace an existing output.
        progress: told samples done and in all, after each block.
    Raises:
        UseError: the wishes contradict each other, or the data.
        SpecMismatch: the model was made for other data.
        OutputExists, MachineError: nothing was written.
    """
    order = checked(
        CompressOrder(
            model=as_model(model), mode=mode, max_error=max_error, error_mode=error_mode, bounds=bounds,
            target_psnr=target_psnr, quality=quality, max_bytes=max_bytes, effort=effort, coder=coder,
            embed_model=embed_model, preview=preview, append=append, metadata=metadata, workers=workers,
            skip_bad=skip_bad, strict=strict, force=force, progress=progress,
        )
    )  # fmt: skip
    modality = modality_for(source)
    if modality is not None:
        return modality.compress(source, output, order)
    return _compress_samples(source, output, order)


def _compress_samples(source: Any, output: str | Path | BinaryIO, order: CompressOrder) -> CompressResult:
    """Arrays and images."""
    model = order.model
    if not isinstance(model, Model | None) or order.bounds:
        raise UseError(
            "A detector is for tables (.csv, .tsv, .jsonl, .parquet, .arrow), --bound for these and for "
            "gridded arrays (.nc, .zarr), and a denoiser compresses nothing: give a model of such samples."
        )
    source = _opened(source, order)
    mode, aim, target_psnr = _wanted(source, model, order)
    require_level(order.metadata)
    _require_sense(mode, model, order, aim)
    target = Path(output) if isinstance(output, (str, Path)) else output
    if holds_stored(target) if order.append else mode == LOSSLESS and not _bounded(order) and model is None:
        source = source.as_stored()
    if model is not None:
        model.require_fits(source.spec)
    layout, notes = source.described(order.metadata)
    notices = (*notices_of(source), *source.changed(), *notes)
    refuse_notices(notices, strict=order.strict)
    old = old_archive(target, source, layout, model) if order.append else None
    there = None if old is None else frozenset(old.header["parts"])
    wishes = Wishes(order.effort, order.coder, order.embed_model, order.preview, aim, there)
    bound, asked = make_bound(source, order.max_error, order.error_mode, target_psnr)
    described = layout if old is None else old.layout
    extras = {"layout": described.to_dict(), **pack_metadata(described)}
    promise = old.promise if old is not None else Promise(mode, bound, asked)
    campaign = plan_campaign(source, promise, model if old is None else old.usable(model), wishes)
    beside = target.parent if isinstance(target, Path) else None
    count = worker_count(
        order.workers, source.raw_bytes, slow=campaign.job.rounds or CONTEXTS in campaign.job.coders
    )
    with Spool(beside) as spool:
        while True:
            campaign, tally = _code(source, campaign, spool, count, order.progress)
            if not aim.is_search:
                break
            made = _write(source, Nowhere(), campaign, spool, tally, None, wishes, extras, force=order.force)
            better = next_quality(aim, campaign.job.quality, made.archive_bytes, tally.distortion.psnr_db)
            if better is None:
                break
            campaign = replace(campaign, job=replace(campaign.job, quality=better))
            spool.clear()
        result = _write(source, target, campaign, spool, tally, old, wishes, extras, force=order.force)
    return replace(result, notices=notices)


def _opened(source: Any, order: CompressOrder) -> Source:
    if isinstance(source, Source):
        return source
    lossy = order.mode == LOSSY or (order.mode is None and order.model is not None and not _bounded(order))
    return open_source(source, skip_bad=order.skip_bad, trainable=lossy)


def _bounded(order: CompressOrder) -> bool:
    return order.max_error is not None or order.target_psnr is not None


def _wanted(source: Source, model: Model | None, order: CompressOrder) -> tuple[str, Aim, float | None]:
    """The mode, what a lossy archive aims at, and the PSNR that a bound has to reach."""
    mode, target_psnr = order.mode, order.target_psnr
    aim = Aim(order.quality, order.max_bytes)
    if target_psnr is not None and order.max_error is None and by_quality(source, model, mode, target_psnr):
        aim, target_psnr = Aim(order.quality, order.max_bytes, target_psnr), None
    mode = LOSSY if mode is None and aim != Aim() else mode
    bounded = order.max_error is not None or target_psnr is not None
    return choose_mode(mode, has_model=model is not None, bounded=bounded), aim, target_psnr


def _require_sense(mode: str, model: Model | None, order: CompressOrder, aim: Aim) -> None:
    bounded = order.max_error is not None or (order.target_psnr is not None and aim.target_psnr is None)
    if order.preview and model is None:
        raise UseError("--preview keeps the latents of a model: give one with -m MODEL.ism.")
    if order.preview and mode == LOSSY:
        raise UseError("A lossy archive is nothing but preview: leave out --preview, or ask for more.")
    if order.coder is not None and mode == LOSSY:
        raise UseError("A lossy archive is coded by the autoencoder alone: leave out --coder.")
    if order.append and bounded:
        raise UseError("An archive keeps the bound it was made with: leave out the bound with --append.")
    if aim != Aim():
        if mode != LOSSY:
            raise UseError("--quality and --max-bytes are for lossy archives: leave them out.")
        aim.require_sense(model)


@dataclass
class _Tally:
    """Sums over blocks."""

    rivals: Totals
    distortion: Distortion
    preview_bytes: int | None = 0


def _code(
    source: Source, campaign: Campaign, spool: Spool, workers: int, progress: Progress | None
) -> tuple[Campaign, _Tally]:
    """Code every block into the spool; again under a narrower bound if a PSNR was missed."""
    while True:
        tally = _Tally(Totals(), Distortion.none())
        _code_once(source, campaign.job, spool, tally, workers, progress)
        asked = campaign.job.promise.asked
        if asked is None or not campaign.job.measure or tally.distortion.psnr_db >= asked[1]:
            return campaign, tally
        campaign = replace(campaign, job=tightened(campaign.job, tally.distortion.psnr_db))
        spool.clear()


def _code_once(
    source: Source, job: BlockCoder, spool: Spool, tally: _Tally, workers: int, progress: Progress | None
) -> None:
    blocks = list(archive_blocks(source))
    workers = max(1, min(workers, len(blocks)))
    for block, coded in zip(blocks, map_blocks(job, _read(source, blocks), workers), strict=True):
        spool.add(block, coded.forms)
        tally.rivals.add(coded.rivals)
        tally.distortion = tally.distortion + coded.distortion
        if coded.preview_bytes is None or tally.preview_bytes is None:
            tally.preview_bytes = None
        else:
            tally.preview_bytes += coded.preview_bytes
        if progress is not None:
            progress(block.stop, len(source))


def _read(source: Source, blocks: Iterable[range]) -> Iterator[Samples]:
    for block in blocks:
        yield source.stack(block) if source.spec.is_fixed else source.read(block)


def _write(
    source: Source,
    target: Path | BinaryIO,
    campaign: Campaign,
    spool: Spool,
    tally: _Tally,
    old: Old | None,
    wishes: Wishes,
    extras: dict[str, Any],
    *,
    force: bool,
) -> CompressResult:
    job = campaign.job
    parts = job.toolbox.parts
    embeds = wishes.embed_model and old is None
    used = _best_parts(spool, parts, embeds, old)
    chosen = list(spool.chosen(used))
    used = frozenset[str]().union(*(held.form.needs for _, held in chosen))
    rivals = tally.rivals.whole()
    header = old.header if old is not None else _header(source, job.promise, parts, used)
    extras = {**extras, "rivals": rivals}
    packed = pack_parts(parts, used) if embeds else None
    written = Tally()
    writer = (
        ArchiveWriter(target, header, force=force) if old is None else ArchiveWriter.append(target, header)
    )
    with writer:
        before, first = writer.length if old is not None else 0, writer.items
        for items, held in chosen:
            writer.add_block(
                range(first + items.start, first + items.stop), held.form.plan, spool.layers(held)
            )
            written.add(held.form.plan, held.size)
        writer.finish(packed, extras if old is None else old.extras(extras))
    return CompressResult(
        output=path_of(target),
        mode=job.promise.mode,
        promise=job.promise.summary() + (f", quality {job.quality}" if _has_quality(job) else ""),
        samples=len(source),
        original_bytes=source.raw_bytes,
        source_bytes=source.file_bytes,
        source_names=source.file_names,
        archive_bytes=writer.length - before,
        model_bytes=0 if packed is None else len(packed),
        payload_bytes=written.payload_bytes,
        metadata_bytes=packed_bytes(extras),
        winners=written.winners,
        rivals=rivals,
        quality=job.quality if _has_quality(job) else None,
        psnr_db=tally.distortion.psnr_db if job.measure else None,
        advice=advice(
            source,
            job.model,
            campaign.preview_bits,
            tally.preview_bytes if job.quality == DEFAULT_QUALITY else None,
            written.payload_bytes if job.promise.targets == ((LOSSLESS, None),) else None,
        ),
    )


def _has_quality(job: BlockCoder) -> bool:
    return job.promise.mode == LOSSY and has_qualities(job.model)


def _header(source: Source, promise: Promise, parts: Parts, used: frozenset[str]) -> dict[str, Any]:
    hashes = {name: told for name, told in parts.hashes().items() if name in used}
    return {"spec": source.spec.to_dict(), "parts": hashes, **promise.to_dict()}


def _best_parts(spool: Spool, parts: Parts, embed: bool, old: Old | None) -> frozenset[str]:
    """The set of parts with which the whole archive, parts included, is smallest.

    What is appended may use the parts that the old header names, and no others.
    """
    there = sorted(parts.hashes() if old is None else old.header["parts"])
    costs: list[tuple[int, int, frozenset[str]]] = []
    for count in range(len(there) + 1):
        for names in map(frozenset, combinations(there, count)):
            if spool.can_do_with(names):
                price = len(pack_parts(parts, names) or b"") if embed else 0
                costs.append((spool.bytes_with(names) + price, count, names))
    return min(costs, key=lambda cost: cost[:2])[2]


def compress_bytes(source: Any, model: Any = None, **options: Any) -> tuple[bytes, CompressResult, Sizes]:
    """As `compress`, in memory."""
    file = io.BytesIO()
    result = compress(source, file, model=model, **options)
    data = file.getvalue()
    return data, result, ArchiveReader(data).sizes()
