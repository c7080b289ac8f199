"""What every benchmark shares: where data are, what machine this is, where results go."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).parent / "results"


def data_root() -> Path:
    """The folder that ISTHMUS_DATA names; benchmarks/data.toml says where its sets come from."""
    root = os.environ.get("ISTHMUS_DATA")
    if not root:
        sys.exit(
            "Set ISTHMUS_DATA to the folder with the data sets; benchmarks/data.toml lists their sources."
        )
    return Path(root)


def machine() -> dict[str, Any]:
    """The processor, cores and versions that a figure belongs to."""
    import numpy
    import torch

    model = [line for line in _cpuinfo() if line.startswith("model name")]
    return {
        "processor": model[0].partition(":")[2].strip() if model else platform.processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "load": os.getloadavg()[0],
    }


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def commit() -> str:
    """The commit measured, with "+" if the tree holds changes."""
    here = Path(__file__).parent
    text = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], cwd=here, capture_output=True, text=True, check=False
    )
    return text.stdout.strip()


def publish(
    name: str,
    figures: dict[str, Any],
    *,
    machine_then: dict[str, Any] | None = None,
    commit_then: str | None = None,
) -> None:
    """Print the figures and write them to benchmarks/results/NAME.json."""
    document = {
        "name": name,
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit_then or commit(),
        "machine": machine_then or machine(),
        "figures": figures,
    }
    # Lists of plain values on one line each: curves are many of them.
    text = re.sub(r"\[\n\s*([^\[\]{}]*?)\n\s*\]", _on_one_line, json.dumps(document, indent=2))
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text + "\n")


def _on_one_line(found: re.Match[str]) -> str:
    return "[" + re.sub(r"\n\s*", " ", found[1]) + "]"


def published(name: str) -> dict[str, Any]:
    """The figures in benchmarks/results/NAME.json; none where there is no such file."""
    path = RESULTS / f"{name}.json"
    return dict(json.loads(path.read_text())["figures"]) if path.exists() else {}


def seconds(work: Any, *, repeats: int = 1) -> float:
    """Median wall seconds of `work()`."""
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return median(taken)
