"""Tables as archives: lossless to the last byte of the CSV, and within 1 % of each column's range.

Everything counts: the archive as a file, with the plan learned from the table itself. Beside it the table as
Parquet with zstd 19, typed by pandas, and the CSV itself by zstd 19 and xz -9e. Every archive is restored
and compared. Then adult-test, by a model fitted on adult-train, which stays outside the archive.

    make bench NAME=tables-size
"""

from __future__ import annotations

import csv
import filecmp
import io
import lzma
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
import zstandard
from common import data_root, machine, publish
from pyarrow import Table, parquet

from isthmus.data.tables.lines import form_of
from isthmus.model import load_model
from isthmus.tasks.compress import compress, decompress
from isthmus.tasks.detect import fit_detector
from isthmus.tasks.verify import verify

SETS = {
    "adult-train": "adult/adult-train.csv",
    "kdd-test": "nsl-kdd/KDDTest+.txt",
    "beijing-pm25": "beijing-pm25/pollution.csv",
    "diamonds": "tabular-small/diamonds.csv",
    "flights": "dirty-clean/flights/dirty.csv",
}
TEST = "adult/adult-test.csv"
BOUND = 0.01


def parquet_bytes(path: Path) -> int:
    """The table, typed by pandas, as Parquet with zstd 19."""
    names = list(form_of(path).names)
    header = 0 if next(csv.reader(path.open(newline=""))) == names else None
    frame = pd.read_csv(path, header=header, names=names, skipinitialspace=True)
    file = io.BytesIO()
    table = Table.from_pandas(frame, preserve_index=False)
    parquet.write_table(table, file, compression="zstd", compression_level=19)
    return file.tell()


def peers(path: Path) -> dict[str, int]:
    raw = path.read_bytes()
    return {
        "parquet_zstd_19": parquet_bytes(path),
        "csv_zstd_19": len(zstandard.compress(raw, 19)),
        "csv_xz_9e": len(lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME)),
    }


def ours(path: Path, folder: Path, **wishes: Any) -> dict[str, Any]:
    """One archive, restored and compared."""
    archive = folder / "t.isz"
    started = time.perf_counter()
    result = compress(path, archive, force=True, **wishes)
    coded = time.perf_counter()
    model = wishes.get("model")
    back = decompress(archive, folder / "back", model=model, force=True).files[0]
    restored = time.perf_counter()
    lossless = result.mode == "lossless"
    if lossless and not filecmp.cmp(path, back, shallow=False):
        raise SystemExit(f"{path} did not come back.")
    if not lossless and not (checked := verify(archive, against=path)).ok:
        raise SystemExit(f"{path}: {checked.problems[0]}")
    return {
        "bytes": archive.stat().st_size,
        "compress_s": round(coded - started, 2),
        "decompress_s": round(restored - coded, 2),
        "columns_by_coder": {name: won.blocks for name, won in result.winners.items()},
    }


def measure(path: Path, folder: Path) -> dict[str, Any]:
    rivals = peers(path)
    exact = ours(path, folder)
    bounded = ours(path, folder, max_error=BOUND, error_mode="rel")
    base = rivals["parquet_zstd_19"]
    return {
        "csv_bytes": path.stat().st_size,
        "peers": rivals,
        "lossless": exact | {"of_parquet": round(exact["bytes"] / base, 4)},
        "within_1_percent": bounded | {"of_parquet": round(bounded["bytes"] / base, 4)},
    }


def by_model(train: Path, test: Path, folder: Path) -> dict[str, Any]:
    """The test table alone, and by a model that the reader must have too."""
    made = fit_detector(train, folder / "adult.ism", force=True)
    model = load_model(folder / "adult.ism")
    rivals = peers(test)
    base, alone = rivals["parquet_zstd_19"], ours(test, folder)
    beside = ours(test, folder, model=model, embed_model=False)
    return {
        "csv_bytes": test.stat().st_size,
        "peers": rivals,
        "alone": alone | {"of_parquet": round(alone["bytes"] / base, 4)},
        "by_model": beside | {"of_parquet": round(beside["bytes"] / base, 4)},
        "fit_s": round(made.seconds, 1),
        "model_bytes": (folder / "adult.ism").stat().st_size,
        "known_rows_bytes": len(model.known_rows.payload),
    }


def main() -> None:
    before, root, figures = machine(), data_root(), {}
    with tempfile.TemporaryDirectory() as folder:
        for name, path in SETS.items():
            figures[name] = measure(root / path, Path(folder))
            print(name, figures[name], flush=True)
        figures["adult-test"] = by_model(root / SETS["adult-train"], root / TEST, Path(folder))
    publish("tables-size", figures, machine_then=before)


if __name__ == "__main__":
    main()
