"""How long `import isthmus` and `isthmus --help` take, each in a fresh process.

make bench NAME=startup
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from common import publish, seconds


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def main() -> None:
    isthmus = str(Path(sys.executable).with_name("isthmus"))
    bare = seconds(lambda: run(sys.executable, "-c", "pass"), repeats=9)
    figures = {
        "import_isthmus_s": round(seconds(lambda: run(sys.executable, "-c", "import isthmus"), repeats=9), 3),
        "isthmus_help_s": round(seconds(lambda: run(isthmus, "--help"), repeats=9), 3),
        "python_alone_s": round(bare, 3),
    }
    publish("startup", figures)


if __name__ == "__main__":
    main()
