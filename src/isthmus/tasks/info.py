"""What a model, an archive or a table holds; needs no PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isthmus.coding.container import ArchiveReader, Sizes
from isthmus.coding.index import MAGIC
from isthmus.data import Layout
from isthmus.data.grids import is_grid, open_grid
from isthmus.data.readers.image_names import STORED
from isthmus.data.series import ascending_stamps
from isthmus.data.tables import is_table, open_table
from isthmus.errors import ConfigError, DamagedFile, NoData
from isthmus.files import refuse_existing, write_bytes
from isthmus.model import Model, load_model
from isthmus.spec import DataSpec
from isthmus.tasks.compressed import compared
from isthmus.tasks.grids.archive import MOST_VARIABLES
from isthmus.tasks.metadata import KEYS, describe_metadata, packed_bytes, unpack_metadata
from isthmus.tasks.modalities import modality_in
from isthmus.tasks.promise import Promise
from isthmus.tasks.results import Result, size
from isthmus.tasks.sizes import before


@dataclass(frozen=True)
class InfoResult(Result):
    """One file, described: `title`, then facts by name."""

    path: Path
    kind: str
    """"model", "archive", "detector", "denoiser", "table" or "grid"."""
    title: str
    facts: dict[str, Any]

    def summary(self) -> str:
        """Several lines for a terminal: the title, then one fact a line."""
        width = max(map(len, self.facts))
        lines = (f"  {name:<{width}}  {value}" for name, value in self.facts.items())
        return "\n".join([f"{self.path}: {self.title}", *lines])


def info(path: str | Path) -> InfoResult:
    """Describe an .ism or .isz file, or a table.

    Raises:
        NoData: no file is there.
        NotOurFile, NewerFormat, DamagedFile: it cannot be read.
    """
    path = Path(path)
    if is_grid(path) and path.exists():
        return _grid(path)
    if not path.is_file():
        raise NoData(f"There is no file at {path}. Give an .ism model, an .isz archive, a table or a grid.")
    if is_table(path):
        return _table(path)
    with path.open("rb") as file:
        is_archive = file.read(len(MAGIC)) == MAGIC
    if is_archive:
        return _archive(path)
    found = load_model(path)
    if isinstance(found, Model):
        return _model(path, found)
    return InfoResult(path, found.kind, found.summary(), found.facts() | {"file": size(path.stat().st_size)})


def _table(path: Path) -> InfoResult:
    source = open_table(path, skip_bad=True)
    stamps = ascending_stamps(source)
    along = "" if stamps is None else f"; a series, by the stamps in {stamps.name!r}"
    facts = source.schema.facts()
    return InfoResult(path, "table", f"table of {source.schema.summary()}{along}", facts)


def _grid(path: Path) -> InfoResult:
    with open_grid(path) as grids:
        count = len(grids.variables)
        counted = f"{count:,} variable{'' if count == 1 else 's'}"
        title = f"{grids.form} of {counted}, {before(grids.file_bytes, grids.raw_bytes)}"
        shown = grids.variables[:MOST_VARIABLES]
        axes = [", ".join(grids.facts(number).dimensions) for number in range(len(shown))]
        facts = {
            each.name: each.summary() + (f" ({of})" if of else "")
            for each, of in zip(shown, axes, strict=True)
        }
        facts |= {"…": f"{count - len(shown):,} more"} if count > len(shown) else {}
    return InfoResult(path, "grid", title, facts)


def write_schema(table: str | Path, output: str | Path, *, force: bool = False) -> Path:
    """Write the kinds of a table's columns as TOML; `--schema` takes the file, edited or not."""
    output = Path(output)
    refuse_existing(output, force=force)
    write_bytes(output, open_table(table).schema.to_toml().encode(), force=force)
    return output


def _model(path: Path, model: Model) -> InfoResult:
    made, config = model.provenance, model.config
    held = made.get("held_out", {})
    decoder = sum(w.values.size for w in model.decoder.program.weights.values())
    encoder = sum(w.size for w in model.encoder.values())
    facts = {
        "trained on": f"{made['trained_on']['samples']:,} samples of {made['trained_on']['name']}",
        "net": f"{config.net.encoder.name} → {config.net.latent} latent → {config.net.decoder.name}",
        "bottleneck": config.bottleneck.name,
        "parameters": f"{encoder:,} encoder, {decoder:,} decoder",
        "steps": f"{made['plan']['steps']:,} (best after {made['best_step']:,})",
        held.get(
            "kind", "held-out"
        ): f"{held['psnr_db']:.2f} dB at {held['bits_per_value']:.3f} bits per value, "
        f"{held['samples']:,} samples",
        "lossless": _lossless(model, held),
        "can": "compress (lossy, bounded, lossless), decompress, embed, evaluate",
        "file": size(path.stat().st_size),
        "embedded": f"{size(len(model.decoder.to_bytes()))} in an archive",
        "made with": f"isthmus {made['isthmus']}, torch {made['torch']}",
        "hash": model.hash,
    }
    return InfoResult(path, "model", f"model for {model.spec.summary()}", facts)


def _lossless(model: Model, held: Mapping[str, Any]) -> str:
    if model.contexts is None:
        return "no contexts learned; the autoencoder's prediction and the classical coders compete"
    trees = sum(len(forest.leaves) for plane in model.contexts.planes for forest in plane.forests)
    bits, packed = held["lossless_bits_per_value"], size(len(model.contexts.to_bytes()))
    return f"{bits:.3f} bits per value by contexts of {trees:,} trees, {packed} in an archive"


def _archive(path: Path) -> InfoResult:
    with ArchiveReader(path) as reader:
        modality = modality_in(reader.header)
        title, told = _samples(reader) if modality is None else modality.facts(reader)
        return InfoResult(path, "archive", title, told | _sizes(reader))


def _samples(reader: ArchiveReader) -> tuple[str, dict[str, Any]]:
    """Of an archive of arrays or images."""
    spec, layout = _described(reader)
    held = reader.sizes().model
    return f"archive of {spec.summary()}", {
        "samples": f"{reader.items:,} in {len(reader.blocks)} blocks",
        "files": f"{len(layout.members):,} ({_names(layout)})",
        **_metadata(reader, layout),
        **({"pixels": layout.options[STORED]} if layout.options.get(STORED) else {}),
        "mode": Promise.from_dict(reader.header).summary(),
        "generation": reader.generation,
        "model": f"{size(held) if held else 'not embedded'}, {_hashes(reader)}",
    }


def _sizes(reader: ArchiveReader) -> dict[str, str]:
    """Where the bytes of an archive are, and who coded them."""
    sizes = reader.sizes()
    return {
        "total": size(sizes.total),
        "codes": ", ".join(f"{name} {size(count)}" for name, count in sizes.layers.items()) or "none",
        "won by": _winners(reader),
        **_saved(reader, sizes),
        "headers, index": size(sizes.header + sizes.blocks + sizes.index + sizes.footer),
    }


def _metadata(reader: ArchiveReader, layout: Layout) -> dict[str, str]:
    """The line about what the files said beside their samples, where anything was kept."""
    if not any(key in reader.extras for key in KEYS):
        return {}
    return {
        "metadata": f"{describe_metadata(layout)} (about {size(packed_bytes(reader.extras))} of the index)"
    }


def _winners(reader: ArchiveReader) -> str:
    """Who coded how many blocks, and in how many bytes; most blocks first."""
    won: dict[str, tuple[int, int]] = {}
    for entry in reader.blocks:
        blocks, count = won.get(str(entry.header.plan), (0, 0))
        won[str(entry.header.plan)] = blocks + 1, count + entry.header.payload_bytes
    order = sorted(won.items(), key=lambda pair: (-pair[1][0], pair[0]))
    return (
        ", ".join(
            f"{plan} {blocks:,} {'block' if blocks == 1 else 'blocks'} ({size(count)})"
            for plan, (blocks, count) in order
        )
        or "nobody"
    )


def _saved(reader: ArchiveReader, sizes: Sizes) -> dict[str, str]:
    """The line about the classical coders, where any ran on every block."""
    rivals = reader.extras.get("rivals")
    if not isinstance(rivals, dict) or not rivals or any(type(count) is not int for count in rivals.values()):
        return {}
    order = sorted(rivals, key=lambda name: (rivals[name], name))
    listed = ", ".join(f"{name} {size(rivals[name])}" for name in order)
    return {"alone": listed + compared(rivals, sizes.model + sum(sizes.layers.values()))}


def _hashes(reader: ArchiveReader) -> str:
    parts = reader.header.get("parts")
    if not isinstance(parts, dict) or not parts:
        return "none needed"
    return ", ".join(f"{name} {told}" for name, told in parts.items())


def _described(reader: ArchiveReader) -> tuple[DataSpec, Layout]:
    try:
        layout = unpack_metadata(Layout.from_dict(reader.extras["layout"]), reader.extras, reader.limits)
        return DataSpec.from_dict(reader.header["spec"]), layout
    except (KeyError, TypeError, ValueError, AttributeError, ConfigError) as wrong:
        raise DamagedFile(f"{reader.name}: the header or index lacks {wrong}.") from wrong


def _names(layout: Layout) -> str:
    first = ", ".join(member.name for member in layout.members[:1])
    return first + " …" * (len(layout.members) > 1)
