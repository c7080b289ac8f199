"""What goes wrong → one sentence on standard error and an exit code; tracebacks only with --debug."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from isthmus.errors import IsthmusError, MachineError, MissingExtra, NoData

INTERRUPTED = 130


class Stopped(KeyboardInterrupt):
    """Ctrl-C in a task that can go on where it stopped; the message says how."""


@contextmanager
def plain_faults(*, debug: bool) -> Iterator[None]:
    """Turn any exception into a sentence and an exit code, as errors.py lists them."""
    try:
        yield
        sys.stdout.flush()  # a full disk shows here, not when Python ends
    except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
        raise
    except KeyboardInterrupt as stop:
        _leave(stop, f"Stopped; nothing half-written.{_resume(stop)}", INTERRUPTED, debug)
    except Exception as error:
        told = explain(error)
        _leave(error, str(told), told.exit_code, debug)


def explain(error: Exception) -> IsthmusError:
    """The error in words for the user; what was not foreseen is called a bug.

    >>> explain(MemoryError()).exit_code
    3
    """
    if isinstance(error, IsthmusError):
        return error
    if isinstance(error, ModuleNotFoundError) and error.name in _EXTRAS:
        extra = _EXTRAS[error.name]
        return MissingExtra(
            f"This needs {error.name}, which is not installed: pip install 'isthmus[{extra}]'."
        )
    if _is_out_of_memory(error):
        return MachineError(
            "The memory was not enough. Nothing was left half-written; close other programs, or lower "
            "train.batch_size or data.memory_limit_mb where you train."
        )
    if isinstance(error, OSError):
        return _refused(error)
    told = next(iter(str(error).splitlines()), "")
    bug = IsthmusError(
        f"This is a bug in Isthmus ({type(error).__name__}: {told}). Report it with what --debug prints."
    )
    bug.exit_code = 1
    return bug


_EXTRAS = {"torch": "train", "accelerate": "train", "matplotlib": "report", "imagecodecs": "images"}


def _is_out_of_memory(error: Exception) -> bool:
    told = str(error)
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "can't allocate memory" in told)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
    )


def _refused(error: OSError) -> IsthmusError:
    where = f" {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOENT, errno.EISDIR, errno.ENOTDIR):
        return NoData(f"Cannot use{where}: {error.strerror}. Check the path.")
    return MachineError(
        f"The system refused{where}: {error.strerror or error}. Nothing was left half-written; "
        "make room, or choose another place."
    )


def _resume(stop: KeyboardInterrupt) -> str:
    return f" {stop}" if isinstance(stop, Stopped) and str(stop) else ""


def _leave(error: BaseException, sentence: str, code: int, debug: bool) -> None:
    if debug:
        typer.echo("".join(traceback.format_exception(error)), err=True)
    typer.echo(sentence, err=True)
    raise typer.Exit(code) from None
