"""Scientific fields within a bound and lossless: the shipped road against SZ3, zfp, pcodec, zstd and xz.

Every field of ISTHMUS_DATA/scientific, as a person would have it in memory (masked values are NaN, eraint's
unpacked values are float32). Ours: `compress X.npy --max-error E --error-mode rel` and `--lossless`, with
defaults and without a model; what is counted is the file. Theirs: the smallest over all orders and
merges of axes, and over SZ3's algorithms; their output, without any container. All in one run.

Then the autoencoder, `fit --for bounded --budget 20s`: (a) fitted on the very array, (b) fitted on the first
half of its snapshots, the second half compressed. Its own bytes and seconds are told, how many blocks
it won, and what the archive is when it is forced (`--coder autoencoder`).

    make bench NAME=bounded-fields
"""

from __future__ import annotations

import contextlib
import itertools
import lzma
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import zfpy
import zstandard
from common import publish
from common_fields import BOUNDS, fields, worst
from pcodec import ChunkConfig, standalone
from pysz import sz, szAlgorithm, szConfig, szErrorBoundMode

from isthmus.tasks.compress import compress
from isthmus.tasks.decompress import decompress
from isthmus.tasks.fit import fit

NAMED = (
    "A1B_north_america/air_temperature",
    "ostia_monthly/surface_temperature",
    "canesm2_tasmax_day_2095/tasmax",
    "canesm2_pr_day_2095/pr",
    "eraint_uvz/u",
    "eraint_uvz/v",
    "eraint_uvz/z",
    "uk_hires_theta",
)
ALGORITHMS = (szAlgorithm.INTERP, szAlgorithm.INTERP_LORENZO, szAlgorithm.LORENZO_REG)


def layouts(values: np.ndarray) -> Iterator[np.ndarray]:
    """The values with their axes in every order, and neighbours among them merged in every way."""
    values, seen = values.squeeze(), set()
    for order in itertools.permutations(range(values.ndim)):
        turned = np.ascontiguousarray(values.transpose(order))
        for cuts in itertools.product((False, True), repeat=max(0, values.ndim - 1)):
            shape = [turned.shape[0]]
            for merge, size in zip(cuts, turned.shape[1:], strict=True):
                if merge:
                    shape[-1] *= size
                else:
                    shape.append(size)
            if (order, *shape) not in seen:
                seen.add((order, *shape))
                yield turned.reshape(shape)


def sz3(values: np.ndarray, bound: float) -> int:
    sizes = []
    for laid in layouts(values):
        for algorithm in ALGORITHMS:
            config = szConfig(laid.shape)
            config.cmprAlgo, config.errorBoundMode, config.absErrorBound = (
                algorithm,
                szErrorBoundMode.ABS,
                bound,
            )
            data, _ = sz.compress(laid, config)
            restored, _ = sz.decompress(data, laid.dtype, laid.shape)
            if worst(laid, restored) <= bound:
                sizes.append(len(data))
    return min(sizes)


def zfp(values: np.ndarray, bound: float) -> int:
    """NaN, which zfp cannot hold, is given to it as the mean, for nothing."""
    filled = np.where(np.isfinite(values), values, np.nanmean(values)).astype(values.dtype)
    sizes = []
    for laid in layouts(filled):
        with contextlib.suppress(RuntimeError):  # it writes no header for some long merged axes
            sizes.append(len(zfpy.compress_numpy(laid, tolerance=bound)))
    return min(sizes)


def lossless_peers(values: np.ndarray) -> dict[str, int]:
    raw = values.tobytes()
    return {
        "pcodec": len(standalone.simple_compress(values.ravel(), ChunkConfig(compression_level=12))),
        "zstd": len(zstandard.ZstdCompressor(level=19).compress(raw)),
        "xz": len(lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME)),
    }


def ours(values: np.ndarray, bound: float, wish: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        array, archive, back = Path(folder, "x.npy"), Path(folder, "x.isz"), Path(folder, "back")
        np.save(array, values)
        started = time.perf_counter()
        result = compress(array, archive, **wish)
        between = time.perf_counter()
        decompress(archive, back)
        ended = time.perf_counter()
        restored = np.load(back / "x.npy")
        error = worst(values, restored)
        if (restored.dtype, restored.shape) != (values.dtype, values.shape) or error > bound:
            sys.exit(f"The promise is broken: error {error} where {bound} was asked for.")
        megabytes = values.nbytes / 1e6
        return {
            "bytes": archive.stat().st_size,
            "coder": " ".join(result.winners),
            "error": error,
            "encode_mb_s": round(megabytes / (between - started), 1),
            "decode_mb_s": round(megabytes / (ended - between), 1),
        }


def measure(values: np.ndarray) -> dict[str, Any]:
    finite = values[np.isfinite(values)].astype(np.longdouble)
    cases: dict[str, Any] = {
        "shape": list(values.shape),
        "dtype": str(values.dtype),
        "raw_bytes": values.nbytes,
    }
    for relative in BOUNDS:
        # The peers get the bound as a float64, which may be the next above the exact product.
        bound = float(relative * (finite.max() - finite.min()))
        peers = {"sz3": sz3(values, bound), "zfp": zfp(values, bound)}
        cases[f"{relative:g}"] = compared(
            ours(values, bound, {"max_error": relative, "error_mode": "rel"}), peers
        )
    cases["lossless"] = compared(ours(values, 0.0, {"mode": "lossless"}), lossless_peers(values))
    return cases


FIT_S = 20.0


def autoencoder(training: np.ndarray, values: np.ndarray) -> dict[str, Any]:
    """What a model fitted on `training` does for `values`; gaps are filled with the mean to train."""
    started = time.perf_counter()
    filled = np.where(np.isfinite(training), training, np.nanmean(training)).astype(training.dtype)
    model = fit(filled, budget_s=FIT_S, purpose="bounded", quiet=True).model
    found: dict[str, Any] = {"fit_s": round(time.perf_counter() - started, 1)}
    for relative in BOUNDS:
        wish = {"max_error": relative, "error_mode": "rel"}
        plain, contest, forced = (
            _within(values, relative, **wish, **more)
            for more in ({}, {"model": model}, {"model": model, "coder": "autoencoder"})
        )
        found[f"{relative:g}"] = {"plain": plain, "contest": contest, "forced": forced}
    return found


def _within(values: np.ndarray, relative: float, **wish: Any) -> dict[str, Any]:
    """An archive, read back: bytes with and without the model, seconds, blocks of the autoencoder."""
    finite = values[np.isfinite(values)].astype(np.longdouble)
    with tempfile.TemporaryDirectory() as folder:
        archive, back = Path(folder, "x.isz"), Path(folder, "back")
        started = time.perf_counter()
        result = compress(values, archive, **wish)
        taken = time.perf_counter() - started
        decompress(archive, back)
        error = worst(values, np.load(next(back.iterdir())))
    if error > relative * (finite.max() - finite.min()):
        sys.exit(f"The promise is broken: error {error} where {relative} of the range was asked for.")
    won = sum(winner.blocks for plan, winner in result.winners.items() if "autoencoder" in plan)
    return {
        "bytes": result.archive_bytes,
        "bytes_without_model": result.archive_bytes - result.model_bytes,
        "seconds": round(taken, 2),
        "blocks_of_autoencoder": won,
        "blocks": sum(winner.blocks for winner in result.winners.values()),
    }


def compared(mine: dict[str, Any], peers: dict[str, int]) -> dict[str, Any]:
    best = min(peers.values())
    within = mine["bytes"] <= 1.02 * best + 1024
    return {**mine, "peers": peers, "factor": round(best / mine["bytes"], 3), "within_limit": within}


def mean_factor(results: dict[str, Any], cases: list[str], names: Any = None) -> float:
    logarithms = [math.log(results[name][case]["factor"]) for name in names or results for case in cases]
    return round(math.exp(sum(logarithms) / len(logarithms)), 3)


def main() -> None:
    results: dict[str, Any] = {}
    fitted: dict[str, Any] = {}
    for name, values in fields():
        half = (len(values) + 1) // 2
        fitted[name] = {
            "on_the_array": autoencoder(values, values),
            "on_the_first_half": autoencoder(values[:half], values[half:]),
        }
        results[name] = measure(values)
        factors = {case: found["factor"] for case, found in results[name].items() if isinstance(found, dict)}
        print(name, factors, file=sys.stderr)
    cases = [f"{relative:g}" for relative in BOUNDS]
    named = {name: mean_factor(results, cases, [name]) for name in NAMED}
    summary = {
        "bounded_geometric_mean_factor": mean_factor(results, cases),
        "lossless_geometric_mean_factor": mean_factor(results, ["lossless"]),
        "by_bound": {case: mean_factor(results, [case]) for case in [*cases, "lossless"]},
        "named_fields": named,
        "named_at_least_1.2": sum(factor >= 1.2 for factor in named.values()),
        "beyond_limit": [f"{name} {case}" for name, found in results.items() for case in [*cases, "lossless"]
                         if not found[case]["within_limit"]],
    }  # fmt: skip
    publish("bounded-fields", {"summary": summary, "fields": results, "autoencoder": fitted})


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
