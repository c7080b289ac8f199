"""How a command speaks: its result on standard output, everything else on standard error.

`@command(example)` gives a function the options that all commands have, and turns whatever goes
wrong inside it into one sentence and an exit code.
"""

from __future__ import annotations

import functools
import inspect
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

from typer import echo

from isthmus.cli.faults import plain_faults
from isthmus.cli.options import AsJson, Debug, Quiet, Strict, Verbose, Version
from isthmus.files import to_bytes

if TYPE_CHECKING:
    from isthmus.tasks.results import Result

MOST_NOTICES = 20
"""Shown; there may be 100,000."""


@dataclass(frozen=True, kw_only=True)
class Voice:
    """What the user wants to hear."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False
    strict: bool = False
    debug: bool = False

    def say(self, line: str) -> None:
        """A note on standard error, unless --quiet."""
        if not self.quiet:
            echo(line, err=True)

    def detail(self, line: str) -> None:
        """A note for --verbose."""
        if self.verbose:
            echo(line, err=True)

    def left_out(self, missing: Iterable[str]) -> None:
        """Name what is missing from the output, --quiet or not."""
        for item in missing:
            echo(f"left out: {item}", err=True)

    def notices(self, notices: Sequence[str]) -> None:
        """Say what was left out, changed or not looked at, --quiet or not; --json has all of it."""
        for notice in notices[:MOST_NOTICES]:
            echo(notice, err=True)
        if len(notices) > MOST_NOTICES:
            echo(f"… and {len(notices) - MOST_NOTICES:,} notices more, which --json lists", err=True)

    def result(
        self, result: Result, *, to_stderr: bool = False, show: Callable[[], None] | None = None
    ) -> None:
        """Print the result: JSON with --json; otherwise what `show` prints, or its summary. Then its notices.

        Args:
            result: of the task.
            to_stderr: standard output carries the data themselves.
            show: prints more than the summary.
        Raises:
            UseError: --strict, and something was left out.
        """
        from isthmus.tasks.results import refuse_notices

        if self.json:
            self.data(result.to_dict())
        elif show is not None:
            show()
        elif not (to_stderr and self.quiet):
            echo(result.summary(), err=to_stderr)
        if not self.json:
            self.notices(result.notices)
        refuse_notices(result.notices, strict=self.strict)

    def data(self, values: dict[str, Any]) -> None:
        """Print one JSON document."""
        # Infinities and NaN are no JSON; a figure that does not exist is null.
        told = json.dumps(_finite(values), indent=2, ensure_ascii=False)
        try:
            told.encode(sys.stdout.encoding or "utf-8")
        except UnicodeEncodeError:  # a name that is no UTF-8, or more than this terminal takes
            told = json.dumps(_finite(values), indent=2)
        echo(told)


COMMON: dict[str, Any] = {
    "json": AsJson,
    "quiet": Quiet,
    "verbose": Verbose,
    "strict": Strict,
    "debug": Debug,
    "version": Version,
}


def command(example: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function whose first parameter is a Voice into a command.

    Args:
        example: a line that works, shown at the end of the command's help.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(**values: Any) -> None:
            said = {name: values.pop(name) for name in COMMON}
            said.pop("version")
            voice, started = Voice(**said), time.monotonic()
            take_every_letter()
            with plain_faults(debug=voice.debug):
                function(voice, **values)
                voice.detail(f"took {time.monotonic() - started:.1f} s")

        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        shared = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=hint)
            for name, hint in COMMON.items()
        ]
        del run.__wrapped__  # typer must see the signature below
        run.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in [*own, *shared]}
        run.example = example  # type: ignore[attr-defined]
        return run

    return decorate


def write_data(lines: Iterable[str]) -> None:
    """Lines of a file to standard output, at once and in the bytes that the file would have."""
    for line in lines:
        sys.stdout.buffer.write(to_bytes(line))
    sys.stdout.buffer.flush()


def take_every_letter() -> None:
    """Let no name and no sign be more than a terminal takes: what it cannot show is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and value - value != 0 else value
