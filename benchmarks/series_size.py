"""Time series within 1e-2 and 1e-3 of each channel's range: the shipped road against SZ3 and pcodec.

ETT (17,420 hours, 7 channels), record 100 of the MIT-BIH arrhythmia database (650,000 samples, 2 leads, in mV
as its header says) and Beijing's air (43,824 hours, 7 channels, with gaps). Ours are files as `compress`
writes them, every byte counted: of the numeric channels alone, as Parquet of float64, and of the whole CSV
with its stamps and words. The coder's constants were chosen on these three; NAB's taxi rides and machine
temperature and UCR's ECG were never looked at. Theirs are payloads of the same channels without a container,
their gaps filled with the value before: the smallest over SZ3's algorithms, with channels one by one, side by
side or one after another; and pcodec of rint(x / 2e). What comes back is read by pandas and compared with
what went in.

    make bench NAME=series-size
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import data_root, machine, publish
from pcodec import ChunkConfig, standalone
from pysz import sz, szAlgorithm, szConfig, szErrorBoundMode

from isthmus.tasks.compress import compress
from isthmus.tasks.decompress import decompress

BOUNDS = (1e-2, 1e-3)
ALGORITHMS = (szAlgorithm.INTERP, szAlgorithm.INTERP_LORENZO, szAlgorithm.LORENZO_REG)
BEIJING = ["pm2.5", "DEWP", "TEMP", "PRES", "Iws", "Is", "Ir"]


def ett() -> tuple[Path, pd.DataFrame]:
    path = data_root() / "ett" / "ETTh1.csv"
    return path, _read_csv(path).drop(columns="date").astype(np.float64)


def beijing() -> tuple[Path, pd.DataFrame]:
    path = data_root() / "beijing-pm25" / "pollution.csv"
    return path, pd.read_csv(path)[BEIJING].astype(np.float64)


def ecg() -> tuple[None, pd.DataFrame]:
    """WFDB's format 212: two samples of 12 bits in three bytes; (adu - baseline) / gain, as the .hea says."""
    root = data_root() / "ecg-mitdb"
    leads = [
        line.split() for line in (root / "100.hea").read_text().splitlines() if line.startswith("100.dat")
    ]
    first, middle, second = np.fromfile(root / "100.dat", np.uint8).reshape(-1, 3).astype(np.int64).T
    samples = np.stack([first | (middle & 15) << 8, second | middle >> 4 << 8], axis=1)
    samples = np.where(samples > 2047, samples - 4096, samples)
    gain, zero = (np.array([float(lead[place]) for lead in leads]) for place in (2, 4))
    if not np.array_equal(samples[0], [float(lead[5]) for lead in leads]):
        sys.exit("The first samples are not those that the header names.")
    return None, pd.DataFrame((samples - zero) / gain, columns=[lead[8] for lead in leads])


def nab(name: str) -> tuple[Path, pd.DataFrame]:
    """One channel of NAB's real ones with a known cause."""
    path = data_root() / "nab" / "data" / "realKnownCause" / f"{name}.csv"
    return path, _read_csv(path)[["value"]].astype(np.float64)


def ucr() -> tuple[None, pd.DataFrame]:
    """The ECG of UCR's anomaly archive."""
    path = data_root() / "ucr" / "001_UCR_Anomaly_DISTORTED1sddb40_35000_52000_52620.txt"
    return None, pd.DataFrame({"value": np.loadtxt(path)})


SETS: dict[str, Callable[[], tuple[Path | None, pd.DataFrame]]] = {
    "ett": ett,
    "ecg": ecg,
    "beijing": beijing,
    "nab-taxi": lambda: nab("nyc_taxi"),
    "nab-machine-temperature": lambda: nab("machine_temperature_system_failure"),
    "ucr-001": ucr,
}


def sz3(values: np.ndarray, share: float) -> int:
    """Channels one by one, each at its bound; or scaled to a range of 1, as an array of two axes."""
    spans = np.ptp(values, axis=0)
    alone = sum(
        min(_sz3(np.ascontiguousarray(column), share * span, algorithm) for algorithm in ALGORITHMS)
        for column, span in zip(values.T, spans, strict=True)
    )
    scaled = (values - values.min(axis=0)) / spans
    layouts = [np.ascontiguousarray(scaled), np.ascontiguousarray(scaled.T)]
    return min(alone, *(_sz3(laid, share, algorithm) for laid in layouts for algorithm in ALGORITHMS))


def _sz3(values: np.ndarray, bound: float, algorithm: Any) -> int:
    config = szConfig(values.shape)
    config.cmprAlgo, config.errorBoundMode, config.absErrorBound = algorithm, szErrorBoundMode.ABS, bound
    data, _ = sz.compress(values, config)
    restored, _ = sz.decompress(data, values.dtype, values.shape)
    if np.abs(restored - values).max() > bound * (1 + 1e-9):
        return sys.maxsize
    return len(data)


def pco(values: np.ndarray, share: float) -> int:
    """Of each channel the smaller: whole numbers of twice the bound, or the very numbers in thousandths."""
    config, total = ChunkConfig(compression_level=12), 0
    for column, span in zip(values.T, np.ptp(values, axis=0), strict=True):
        steps = np.rint((column - column.min()) / (2 * share * span)).astype(np.int64)
        told = [standalone.simple_compress(steps, config)]
        exact = np.rint(column * 1000).astype(np.int64)
        if np.array_equal(exact / 1000, column):
            told.append(standalone.simple_compress(exact, config))
        total += min(map(len, told))
    return total


def ours(
    source: Path, frame: pd.DataFrame, share: float, read: Callable[[Path], pd.DataFrame]
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "s.isz")
        started = time.process_time()
        result = compress(source, archive, max_error=share, error_mode="rel", workers=1)
        coded = time.process_time()
        back = decompress(archive, Path(folder, "back"), workers=1).files[0]
        restored = time.process_time()
        found = read(back)[list(frame.columns)].to_numpy(np.float64)
        values = frame.to_numpy(np.float64)
        if not np.array_equal(np.isnan(found), np.isnan(values)):
            sys.exit("Gaps did not come back.")
        worst = np.nanmax(np.abs(found - values), axis=0) / (
            np.nanmax(values, axis=0) - np.nanmin(values, axis=0)
        )
        if worst.max() > share * (1 + 1e-9):
            sys.exit(f"The promise is broken: {worst.max()} where {share} was asked for.")
        return {
            "bytes": archive.stat().st_size,
            "worst_share_of_range": float(worst.max()),
            "parts_by_coder": {name: won.blocks for name, won in result.winners.items()},
            "compress_cpu_s": round(coded - started, 1),
            "decompress_cpu_s": round(restored - coded, 1),
        }


def measure(name: str) -> dict[str, Any]:
    path, frame = SETS[name]()
    filled = frame.ffill().bfill().to_numpy(np.float64)
    found: dict[str, Any] = {
        "rows": len(frame),
        "channels": frame.shape[1],
        "gaps": int(frame.isna().sum().sum()),
    }
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder, f"{name}.parquet")
        frame.to_parquet(alone, index=False)
        for share in BOUNDS:
            peers = {"sz3": sz3(filled, share), "pcodec": pco(filled, share)}
            case = {"peers": peers, "numeric": ours(alone, frame, share, pd.read_parquet)}
            case["of_best_peer"] = round(case["numeric"]["bytes"] / min(peers.values()), 4)
            if path is not None:
                case["whole_csv"] = ours(path, frame, share, _read_csv)
            found[str(share)] = case
            print(name, share, case, flush=True)
    return found


def _read_csv(path: Path) -> pd.DataFrame:
    """Texts, which `astype` turns into the nearest floats."""
    return pd.read_csv(path, dtype=str)


def main() -> None:
    before = machine()
    publish("series-size", {name: measure(name) for name in SETS}, machine_then=before)


if __name__ == "__main__":
    main()
