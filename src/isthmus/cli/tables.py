"""Results → tables for a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from isthmus.tasks.results import share_text
from isthmus.tasks.sizes import before

if TYPE_CHECKING:
    from isthmus.tasks.evaluate import EvaluateResult
    from isthmus.tasks.rates import Rates

_WIDTH = 100  # where the output is no terminal


def show_sizes(result: EvaluateResult) -> None:
    """Print our size, part by part, and those of the other coders on the same samples."""
    _show(sizes_table(result))


def show_rates(rates: Rates) -> None:
    """Print our curve, and how it lies beside those of the other image codecs."""
    _show(curve_table(rates))
    if rates.rivals:
        _show(rivals_table(rates))


def _show(table: Table) -> None:
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(table)


def sizes_table(result: EvaluateResult) -> Table:
    """Every byte of the archive, then each peer, and from how many samples on we are smaller."""
    title = f"{result.name}: {result.samples:,} samples, {before(result.source_bytes, result.raw_bytes)}"
    table = Table(title=title, title_justify="left")
    table.add_column("coder")
    for heading in ("bytes", "bits/value", "PSNR dB", "ours pays from"):
        table.add_column(heading, justify="right")
    table.add_column("how", overflow="fold")
    sizes = result.sizes
    headers = sizes.header + sizes.blocks + sizes.footer + sizes.earlier
    table.add_row(
        "isthmus", *_size(result, sizes.total), f"{result.distortion.psnr_db:.2f}", "", "everything counted",
        style="bold",
    )  # fmt: skip
    parts = {
        "codes": sum(sizes.layers.values()),
        "model": sizes.model,
        "index": sizes.index,
        "headers": headers,
    }
    for name, count in parts.items():
        table.add_row(f"  {name}", *_size(result, count), "", "", "", style="dim")
    table.add_section()
    if result.has_files:
        table.add_row("the files", *_size(result, result.source_bytes), "", "", "as they are")
    for peer in result.peers:
        pays = result.break_even(peer)
        psnr = "lossless" if peer.psnr_db is None else f"{peer.psnr_db:.2f}"
        from_on = "never" if pays is None else f"{pays:,} samples"
        table.add_row(peer.name, *_size(result, peer.bytes), psnr, from_on, peer.how)
    return table


def _size(result: EvaluateResult, count: int) -> tuple[str, str]:
    return f"{count:,}", f"{8 * count / result.values:.3f}"


def curve_table(rates: Rates) -> Table:
    """Our points, without the model."""
    table = Table(title=f"{rates.samples:,} images by quality, without the model", title_justify="left")
    for heading in ("quality", "bytes", "bits/pixel", "PSNR dB", "MS-SSIM"):
        table.add_column(heading, justify="right")
    for quality, point in zip(rates.ours.qualities, rates.ours.points, strict=True):
        bits = f"{8 * point.bytes / rates.pixels:.3f}"
        table.add_row(str(quality), f"{point.bytes:,}", bits, f"{point.psnr_db:.2f}", f"{point.ms_ssim:.4f}")
    return table


def rivals_table(rates: Rates) -> Table:
    """Each coder, and the best of those that share a format: bytes that ours takes more, and when it pays."""
    table = Table(title="our bytes beside those of single files, without the model", title_justify="left")
    table.add_column("coder")
    for heading in ("at equal PSNR", "at equal MS-SSIM", "ours pays from"):
        table.add_column(heading, justify="right")
    for rival in rates.rivals:
        several = rival.coders if len(rival.coders) > 1 else ()
        for name, compared in ((rival.name, rival.best), *((f"  {c.curve.name}", c) for c in several)):
            shares = (share_text(compared.bd_psnr), share_text(compared.bd_ms_ssim))
            table.add_row(name, *shares, compared.pays(), style="" if compared is rival.best else "dim")
    return table
