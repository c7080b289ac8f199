"""Write the golden files: what every later version must read, byte for byte as it is now.

    python tests/golden/make.py             writes those that are missing
    python tests/golden/make.py --replace   writes all of them again; only before a format is frozen, and 1 is

Their content comes from arithmetic alone, so that no random generator can change it.
"""

import argparse
import sys
import zlib
from io import BytesIO
from pathlib import Path

import graded
import modes
import numpy as np
import road

from isthmus.coding.canonical import content_hash, pack_tensors
from isthmus.coding.coder import encode
from isthmus.coding.container import ArchiveWriter, Layer
from isthmus.coding.tables import Table, tables_to_bytes

FOLDER = Path(__file__).parent
HEADER = {"kind": "golden", "made_for": "tests/golden", "ratio": 0.1}


def integers(count: int, spread: int, start: int = 1) -> np.ndarray:
    """Bell-shaped integers from a linear congruential sequence; int32, shape (count,)."""
    state, values = start, []
    for _ in range(count):
        total = 0
        for _ in range(4):  # the sum of four even draws has a hump in the middle
            state = (state * 1103515245 + 12345) % 2**31
            total += (state >> 16) % (spread + 1)
        values.append(total - 2 * spread)
    return np.array(values, dtype=np.int32)


LATENTS = [integers(300, spread=5), integers(300, spread=1, start=7), integers(40, spread=3, start=9)]
LATENTS[0][[10, 200]] = [100_000, -70_000]  # two that must escape
TABLES = [Table.fit(values) for values in LATENTS]
DOCUMENT = {"parts": [{"id": "decoder", "operations": ["linear"]}], "scale": 0.125}
TENSORS = {
    "bias": integers(6, spread=20, start=2).astype(np.int16),
    "empty": np.zeros((0, 3), dtype=np.uint8),
    "tables": np.frombuffer(tables_to_bytes(TABLES), dtype=np.uint8),
    "weight.coarse": integers(600, spread=9, start=3).reshape(20, 30).astype(np.int8),
    "weight.fine": integers(400, spread=6000, start=4).reshape(20, 20).astype(np.int16),
}


def small() -> bytes:
    """Three blocks, plans by name and by number, two layers, escapes, a model, item names."""
    file = BytesIO()
    both = encode([(LATENTS[0], TABLES[0]), (LATENTS[1], TABLES[1])])
    crc = zlib.crc32(np.concatenate(LATENTS[:2]).astype("<i4").tobytes())
    with ArchiveWriter(file, HEADER) as writer:
        writer.add_block(slice(0, 4), "latents", [Layer("latents", both, crc)])
        writer.add_block(
            [4, 6, 7], 3, [Layer("latents", encode([(LATENTS[2], TABLES[2])])), Layer("stored", b"abc")]
        )
        writer.add_block([5, 8], "stored", [Layer("stored", bytes(range(20)))])
        extras = {"model": content_hash(DOCUMENT, TENSORS), "names": [f"é/{i}.png" for i in range(9)]}
        writer.finish(pack_tensors(DOCUMENT, TENSORS), extras)
    return file.getvalue()


def empty() -> bytes:
    """The smallest archive: no item, no model."""
    file = BytesIO()
    with ArchiveWriter(file, {}) as writer:
        writer.finish()
    return file.getvalue()


GOLDEN = {
    "format1-small.isz": small,
    "format1-empty.isz": empty,
    "road.ism": road.model_bytes,
    "road.isz": road.archive_bytes,
    "road.npy": road.restored_bytes,
    "graded.ism": graded.model_bytes,
    "graded.isz": graded.archive_bytes,
    **{name: build for name, (build, _) in modes.ARCHIVES.items()},
}


def main() -> int:
    """Write what may be written; 1 if a file that differs was left as it is."""
    parser = argparse.ArgumentParser(description="Write the golden files.")
    parser.add_argument("--replace", action="store_true", help="replace files that differ")
    replace = parser.parse_args().replace
    refused = 0
    for name, build in GOLDEN.items():
        path, data = FOLDER / name, build()
        if path.exists() and path.read_bytes() == data:
            outcome = "is unchanged"
        elif path.exists() and not replace:
            outcome, refused = "differs and was left as it is; --replace would overwrite it", 1
        else:
            path.write_bytes(data)
            outcome = "was written"
        sys.stdout.write(f"{name} {outcome} ({len(data)} bytes)\n")
    return refused


if __name__ == "__main__":
    sys.exit(main())
