"""100,000 changed bytes and cuts over small archives of every mode: crashes, and wrong outputs that pass.

make bench NAME=damages

A damaged archive must be refused with a named error or found damaged by `verify`, and what it
restores must be what the whole one does; a cut exactly behind an earlier generation is that earlier
archive. Every tenth is also read with --skip-damaged: what comes back must be right, each under its number.
"""

from __future__ import annotations

import multiprocessing
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS / "fuzz"), str(TESTS / "golden")]

import specimens as fuzz
from common import publish

DAMAGES = 100_000
PROCESSES = 2
CUTS = 0.3  # of all; the rest are changed bytes
AT_GENERATIONS = 0.1  # of the cuts of archives with several


def work(part: int) -> tuple[Counter[tuple[str, str]], list[str], float]:
    """Outcomes by specimen, what went wrong, and the slowest in seconds."""
    draw, kinds = random.Random(part), list(fuzz.specimens())
    outcomes: Counter[tuple[str, str]] = Counter()
    faults, slowest = [], 0.0
    for number in range(DAMAGES // PROCESSES):
        specimen = kinds[number % len(kinds)]
        told, damaged = damage(specimen, draw)
        started = time.perf_counter()
        try:
            outcome = fuzz.judge(specimen, damaged, salvage=number % 10 == 0)
        except fuzz.Wrong as wrong:
            outcome = "WRONG"
            faults.append(f"{told}: {wrong}")
        except Exception as crash:
            outcome = "CRASH"
            faults.append(f"{specimen.name}, {told}: {type(crash).__name__}: {crash}")
        outcomes[specimen.name, outcome] += 1
        slowest = max(slowest, time.perf_counter() - started)
    return outcomes, faults, slowest


def damage(specimen: fuzz.Specimen, draw: random.Random) -> tuple[str, bytes]:
    """In words, and the damaged file."""
    data = specimen.data
    earlier = [end for end in specimen.ends if end < len(data)]
    place = draw.randrange(len(data))
    if draw.random() < CUTS:
        if earlier and draw.random() < AT_GENERATIONS:  # chance alone would never try it
            place = draw.choice(earlier)
        return f"cut at {place}", data[:place]
    flip = draw.randrange(1, 256)
    return f"byte {place} ^ {flip}", data[:place] + bytes([data[place] ^ flip]) + data[place + 1 :]


def main() -> None:
    started = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        parts = pool.map(work, range(PROCESSES))
    outcomes = sum((counts for counts, _, _ in parts), Counter())
    by_kind: dict[str, dict[str, int]] = {}
    for (name, outcome), count in sorted(outcomes.items()):
        by_kind.setdefault(name, {})[outcome] = count
    totals: Counter[str] = Counter()
    for (_, outcome), count in outcomes.items():
        totals[outcome] += count
    faults = [fault for _, found, _ in parts for fault in found]
    figures: dict[str, Any] = {
        "damages": sum(totals.values()),
        "crashes": totals["CRASH"],
        "wrong_outputs_that_pass": totals["WRONG"],
        "refused_when_opened": totals["refused"],
        "found_by_verify": totals["found"],
        "whole_earlier_archives": totals["earlier"],
        "kinds": len(by_kind),
        "seconds": round(time.perf_counter() - started, 1),
        "slowest_s": round(max(slow for _, _, slow in parts), 3),
        "faults": faults[:20],
        "by_kind": by_kind,
    }
    publish("damages", figures)
    if faults:
        sys.exit(1)


if __name__ == "__main__":
    main()
