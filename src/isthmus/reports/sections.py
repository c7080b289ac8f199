"""What was gathered → the sections of the page, in their order."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.reports import charts
from isthmus.reports.codes import code_use, latent_map
from isthmus.reports.curves import curves
from isthmus.reports.gather import Gathered, counted
from isthmus.reports.html import Section, TableRow, key_figures, table
from isthmus.reports.matches import side_by_side
from isthmus.reports.provenance import settings
from isthmus.reports.samples import reconstructions, spread_thumbnails
from isthmus.tasks.evaluate import EvaluateResult
from isthmus.tasks.peers import Peer
from isthmus.tasks.quality import has_qualities
from isthmus.tasks.results import size
from isthmus.tasks.sizes import before, ratio


def figures(gathered: Gathered) -> Section:
    """The numbers to remember."""
    result, made = gathered.evaluation, gathered.model.provenance
    seconds = "" if gathered.record is None else f" in {gathered.record.seconds:,.0f} s"
    steps = f"{made['plan']['steps']:,} steps" if "plan" in made else ""
    trained_on = made.get("trained_on", {}).get("samples", 0)
    was = before(result.source_bytes, result.raw_bytes)
    without = f"{result.payload_bits_per_value:.3f} without"
    share = result.sizes.model / result.archive_bytes
    mse = f"PSNR; mean squared error {result.distortion.mse:.4g}"
    values = [
        ("Quality", f"{result.distortion.psnr_db:.2f} dB", mse),
        ("Rate", f"{result.bits_per_value:.3f}", f"bits per value, model included; {without}"),
        (
            "Archive",
            size(result.archive_bytes),
            f"from {was}: {ratio(result.source_bytes, result.archive_bytes)}",
        ),
        ("Model in it", size(result.sizes.model), f"{share:.0%} of the archive"),
        ("Trained on", f"{trained_on:,}", f"samples, {steps}{seconds}"),
    ]
    return Section("figures", "Key figures", "", key_figures(values))


def losses(gathered: Gathered) -> Section:
    """How training went."""
    rows = gathered.rows
    if not rows:
        body = "<p>The history of this run is not beside the model.</p>"
        return Section("losses", "Training", "", body, half=True)
    stopped = _STOPPED.get(gathered.model.provenance.get("stopped", ""), "")
    last = rows[-1]
    held = "" if last.held_out_loss is None else f", held-out loss {last.held_out_loss:.4g}"
    alt = f"Loss over {last.step} steps, ending at training loss {last.train_loss:.4g}{held}."
    lead = f"The loss is what training makes small{_of_what(gathered)}. {stopped}"
    return Section("losses", "Training", lead, charts.loss_curves(rows, alt), half=True)


_STOPPED = {
    "all steps": "Training took all its steps.",
    "early": "It stopped early: held-out samples had stopped getting better.",
    "budget": "It stopped when its time was used up.",
}


def _of_what(gathered: Gathered) -> str:
    config = gathered.model.config
    distortion = _LOSSES.get(config.loss.distortion.name, config.loss.distortion.name.replace("_", " "))
    rate = config.bottleneck.name == "rate"
    return f": {distortion}, plus the weighted rate of the code in bits" if rate else f": {distortion}"


_LOSSES = {"mse": "mean squared error", "mae": "mean absolute error"}


def latents(gathered: Gathered) -> Section:
    """Samples on the plane of their latents."""
    if len(gathered.samples) < _FEWEST:
        body = f"<p>A map needs {_FEWEST} samples or more.</p>"
        return Section("latents", "Latent map", "", body, half=True)
    found = latent_map(gathered.latents)
    pictures = spread_thumbnails(found.points, gathered.samples)
    kinds = "Each dot is a sample" + (", some are drawn as themselves" if pictures else "")
    pooled = ", averaged over their positions," if found.pooled else ""
    lead = (
        f"{kinds}: its latents{pooled} seen from the two directions in which they vary most "
        "(principal components). What lies close together is alike to the model."
    )
    alt = f"Map of {len(found.points)} samples by the first two principal components of their latents."
    body = charts.latent_scatter(found, pictures, alt)
    return Section("latents", "Latent map", lead, body, half=True)


_FEWEST = 3


def codes(gathered: Gathered) -> Section:
    """Symbols beside the tables that code them."""
    use = code_use(gathered.latents, gathered.model)
    idle = int((use.cost_bits < _IDLE_BITS).sum())
    verb = "shown beside" if has_qualities(gathered.model) else "coded with"
    lead = (
        f"Rounded latents are {verb} one integer table for each of {len(use.cost_bits)} channels, "
        f"at {use.cost_bits.mean():.2f} bits a symbol on average; no table could do better than "
        f"{use.entropy_bits.mean():.2f} (the entropy)."
        + (f" {idle} channels carry next to nothing." if idle else "")
        + (_NEARBY if has_qualities(gathered.model) else "")
    )
    alt = f"Symbols from {use.values[0]} to {use.values[-1]} beside the tables; bits for each channel."
    return Section("codes", "Codes", lead, charts.code_histogram(use, alt), half=True)


_NEARBY = " Archives do better: they choose among more tables, by the symbols decoded nearby."
_IDLE_BITS = 0.02  # a symbol; below, a channel is hardly used


def rates(gathered: Gathered) -> Section:
    """Quality against rate, rivals beside."""
    result = gathered.evaluation
    lossy = [peer for peer in result.peers if peer.psnr_db is not None]
    others = (
        "Lossy rivals stand at the least quality setting that reaches our PSNR; further left is smaller."
        if lossy
        else "No lossy rival takes such data; the dotted line is the smallest lossless one."
    )
    alt = (
        f"Ours: {result.distortion.psnr_db:.2f} dB at {result.bits_per_value:.3f} bits per value with the "
        f"model, {result.payload_bits_per_value:.3f} without. "
        + " ".join(f"{p.name}: {p.psnr_db:.2f} dB at {8 * p.bytes / result.values:.3f}." for p in lossy)
    )
    lead = (
        f"The model is a fixed cost: with more samples, the filled dot moves towards the empty one. {others}"
    )
    return Section("rates", "Rate and distortion", lead, charts.rate_distortion(result, alt), half=True)


def sizes(gathered: Gathered) -> Section:
    """Every coder's bytes on the same samples."""
    result = gathered.evaluation
    alt = f"Isthmus: {size(result.archive_bytes)}. " + " ".join(
        f"{p.name}: {size(p.bytes)}." for p in result.peers
    )
    rows = [TableRow(row, kind) for _, row, kind in sorted(_size_rows(result), key=lambda entry: entry[0])]
    head = ["coder", "bytes", "bits per value", "ratio", "PSNR", "ours is smaller from", "how"]
    was = f"{counted(result.samples, 'sample')}, {before(result.source_bytes, result.raw_bytes)}."
    lead = (
        f"The same {was} The ratio is the bytes of the files to those of each coder; “ours is smaller from” "
        "is the number of samples from which the archive, model included, is smaller than that coder's files."
    )
    return Section("sizes", "Sizes", lead, charts.size_bars(result, alt) + table(head, rows, words=[6]))


def _size_rows(result: EvaluateResult) -> Iterator[tuple[tuple[int, int], list[str], str]]:
    """(sort key, cells, kind) of ours, its parts and the peers."""
    total, model = result.archive_bytes, result.sizes.model
    codes = sum(result.sizes.layers.values())
    psnr = _psnr(result.distortion.psnr_db)
    yield (
        (total, 0),
        ["Isthmus", *_bytes(total, result), psnr, "", "all of it: codes, model, index, headers"],
        "ours",
    )
    parts = [("codes", codes), ("model", model), ("index and headers", total - codes - model)]
    for place, (name, count) in enumerate(parts, 1):
        yield (total, place), [name, f"{count:,}", f"{8 * count / result.values:.3f}", "", "", "", ""], "part"
    if result.has_files:
        count = result.source_bytes
        yield (count, 9), ["the files", *_bytes(count, result), "", "", "as they are"], ""
    for peer in result.peers:
        cells = [
            peer.name,
            *_bytes(peer.bytes, result),
            _psnr(peer.psnr_db),
            _from_when(result, peer),
            peer.how,
        ]
        yield (peer.bytes, 9), cells, ""


def _bytes(count: int, result: EvaluateResult) -> list[str]:
    return [f"{count:,}", f"{8 * count / result.values:.3f}", f"{result.source_bytes / count:.2f}"]


def _psnr(psnr_db: float | None) -> str:
    return "lossless" if psnr_db is None else f"{psnr_db:.2f} dB"


def _from_when(result: EvaluateResult, peer: Peer) -> str:
    samples = result.break_even(peer)
    return "never" if samples is None else counted(samples, "sample")


def sections_of(gathered: Gathered) -> Iterator[Section]:
    """All sections of the page, in their order."""
    yield figures(gathered)
    if gathered.rates is not None:
        yield curves(gathered.rates)
    if gathered.matches:
        yield side_by_side(gathered.matches, gathered.samples.spec)
    for make in (reconstructions, losses, rates, latents, codes, sizes, settings):
        yield make(gathered)
