"""Feed the reader whatever finds new paths through it: `make fuzz` (SECONDS=60).

With atheris (Linux, `pip install atheris`) coverage guides the changes; without it they are random.
Crashes are written to the current folder by atheris, or shown here.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "golden"))

import specimens as fuzz

CORPUS = Path(__file__).parent / "corpus"


SEEDS = list(fuzz.specimens())


def one_input(data: bytes) -> None:
    """The first byte says how the rest is taken: as a file, or as a part of one under right checksums."""
    if len(data) < 3:
        return
    way, part, rest = data[0], data[1], data[2:]
    if way % 2 == 0:
        fuzz.open_deep(rest)
        return
    seed = SEEDS[way // 2 % len(SEEDS)]
    fuzz.open_deep(fuzz.reforged(seed.data, lambda _: rest, part), seed.model)


def inputs() -> list[bytes]:
    """Whole archives, and every payload of every specimen: what fuzzing begins from."""
    kept: list[bytes] = [path.read_bytes() for path in sorted(CORPUS.glob("*"))]
    for number, seed in enumerate(SEEDS):
        kept.append(b"\0\0" + seed.data)
        for part in range(4):
            fuzz.reforged(seed.data, lambda old, n=number, p=part: _keep(kept, n, p, old), part)
    return kept


def _keep(kept: list[bytes], number: int, part: int, content: bytes) -> bytes:
    kept.append(bytes([2 * number + 1 & 255, part]) + content)
    return content


def loop(seconds: float) -> int:
    """Random changes for so long; how many were tried."""
    draw, seeds, tried, until = random.Random(0), inputs(), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        data = bytearray(draw.choice(seeds))
        for _ in range(draw.randint(1, 6)):
            at = draw.randrange(len(data) or 1)
            data[at : at + draw.randint(0, 3)] = draw.randbytes(draw.randint(0, 3))
        one_input(bytes(data))
        tried += 1
    return tried


def main() -> None:
    parser = argparse.ArgumentParser(description="Fuzz the reader.")
    parser.add_argument("--seconds", type=float, default=60)
    seconds = parser.parse_args().seconds
    try:
        import atheris
    except ImportError:
        sys.stdout.write(f"{loop(seconds)} random changes, no crash\n")
        return
    begin = Path("out/fuzz")
    begin.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(inputs()):
        (begin / f"seed-{number:04}").write_bytes(data)
    words = [sys.argv[0], f"-max_total_time={seconds:.0f}", "-rss_limit_mb=4096", "-timeout=30", str(begin)]
    atheris.instrument_all()
    atheris.Setup(words, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
