"""Every member of the kinds of faults in tests/field: how many were tried, how many failed.

make bench NAME=field-reports
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS / "field"), str(TESTS / "cli"), str(TESTS)]

from common import publish
from reports import KINDS, all_members


def main() -> None:
    started, tried, failures = time.perf_counter(), dict.fromkeys(KINDS, 0), list[str]()
    here = Path.cwd()
    for member in all_members():
        tried[member.kind] += 1
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                member.check(Path(folder))
            except Exception:
                failures.append(f"{member.kind} {member.name}")
                print(f"{member.kind} {member.name}\n{traceback.format_exc()}", file=sys.stderr)
            finally:
                os.chdir(here)
    figures = {
        "members_tried": sum(tried.values()),
        "failures": len(failures),
        "failed": failures,
        "by_kind": {f"{kind} {title}": tried[kind] for kind, title in KINDS.items()},
        "seconds": round(time.perf_counter() - started, 1),
    }
    publish("field-reports", figures)
    if failures:
        sys.exit(1)


if __name__ == "__main__":
    main()
