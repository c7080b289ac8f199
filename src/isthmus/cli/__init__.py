"""The terminal face: `isthmus COMMAND`, one file a command.

A command parses, calls one task and prints its result: the result on standard output, everything
else on standard error. Commands import tasks in their bodies, so that `--help` stays quick.
"""

from __future__ import annotations

import os
import sys
import warnings


def main() -> None:
    """Run the command line; leave with its exit code."""
    from isthmus.threads import let_waiting_threads_spin_briefly

    let_waiting_threads_spin_briefly()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # meant for programmers; -W default brings them back
    try:
        from isthmus.cli.app import app

        app(prog_name="isthmus")
    except KeyboardInterrupt:
        print("Stopped; nothing half-written.", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    finally:
        _flush()


def _flush() -> None:
    """Write out what is still held; where that fails it was said already, so Python must not add to it."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
