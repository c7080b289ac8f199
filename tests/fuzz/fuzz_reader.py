"""Feed the reader whatever finds new paths through it: `make fuzz` (SECONDS=60).

With atheris (Linux, `pip install atheris`) coverage guides the changes; without it they are random.
Its corpus is made: whole archives of every mode, each payload of them, and the hostile archives of
tests/attacks, where whatever makes trouble belongs from then on. Crashes are written to the current
folder by atheris, or shown here.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS / "golden"), str(TESTS / "attacks")]
HOSTILE: dict[str, bytes] = import_module("hostile").HOSTILE
SHORTEST, LARGEST = 3, 1 << 16


class Target:
    """What is fuzzed: untrusted bytes, as a file or as a part of one under right checksums."""

    def __init__(self) -> None:
        self.reader: Any = import_module("specimens")
        self.seeds = list(self.reader.specimens())

    def __call__(self, data: bytes) -> None:
        """The first two bytes say how the rest is taken."""
        if len(data) < SHORTEST:
            return
        way, part, rest = data[0], data[1], data[2:]
        if way % 2 == 0:
            self.reader.open_deep(rest)
            return
        seed = self.seeds[way // 2 % len(self.seeds)]
        self.reader.open_deep(self.reader.reforged(seed.data, lambda _: rest, part), seed.model)

    def inputs(self) -> list[bytes]:
        """The corpus: hostile archives, whole archives, and every payload of each."""
        small = (data for data in HOSTILE.values() if len(data) <= LARGEST)
        kept = [b"\0\0" + data for data in small]
        for number, seed in enumerate(self.seeds):
            kept.append(b"\0\0" + seed.data)
            for part in range(4):

                def keep(content: bytes, start: bytes = bytes([2 * number + 1 & 255, part])) -> bytes:
                    kept.append(start + content)
                    return content

                self.reader.reforged(seed.data, keep, part)
        return kept


def loop(target: Target, seconds: float) -> int:
    """Random changes for so long; how many were tried."""
    draw, seeds, tried, until = random.Random(0), target.inputs(), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        data = bytearray(draw.choice(seeds))
        for _ in range(draw.randint(1, 6)):
            at = draw.randrange(2, max(SHORTEST, len(data)))
            data[at : at + draw.randint(0, 3)] = draw.randbytes(draw.randint(0, 3))
        try:
            target(bytes(data))
        except Exception:
            sys.stderr.write(f"crash after {tried}: {bytes(data).hex()}\n")
            raise
        tried += 1
    return tried


def main() -> None:
    parser = argparse.ArgumentParser(description="Fuzz the reader.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--random", action="store_true", help="without atheris, even where it is installed")
    wishes = parser.parse_args()
    try:
        atheris: Any = None if wishes.random else import_module("atheris")
    except ImportError:
        atheris = None
    with nullcontext() if atheris is None else atheris.instrument_imports(include=["isthmus"]):
        target = Target()
    if atheris is None:
        sys.stdout.write(f"{loop(target, wishes.seconds)} random changes, no crash\n")
        return
    begin = Path("out/fuzz")
    begin.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(target.inputs()):
        (begin / f"seed-{number:04}").write_bytes(data)
    limits = [f"-max_total_time={wishes.seconds:.0f}", "-rss_limit_mb=4096", "-timeout=30"]
    atheris.Setup([sys.argv[0], *limits, str(begin)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
