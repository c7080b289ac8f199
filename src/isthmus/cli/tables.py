"""Results → tables for a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from isthmus.tasks.evaluate import EvaluateResult

_WIDTH = 100  # where the output is no terminal


def show_sizes(result: EvaluateResult) -> None:
    """Print our size, part by part, and those of the other coders on the same samples."""
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(sizes_table(result))


def sizes_table(result: EvaluateResult) -> Table:
    """Every byte of the archive, then each peer, and from how many samples on we are smaller."""
    title = f"{result.name}: {result.samples:,} samples, {result.raw_bytes:,} bytes raw"
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
    for peer in result.peers:
        pays = result.break_even(peer)
        psnr = "lossless" if peer.psnr_db is None else f"{peer.psnr_db:.2f}"
        from_on = "never" if pays is None else f"{pays:,} samples"
        table.add_row(peer.name, *_size(result, peer.bytes), psnr, from_on, peer.how)
    return table


def _size(result: EvaluateResult, count: int) -> tuple[str, str]:
    return f"{count:,}", f"{8 * count / result.values:.3f}"
