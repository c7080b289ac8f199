"""`isthmus demo`: the whole road on bundled data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option, echo

from isthmus.cli.options import Device, Force, Threads
from isthmus.cli.voice import Voice, command


@command("isthmus demo -o out/demo")
def demo(
    voice: Voice,
    output: Annotated[Path, Option("--output", "-o", metavar="DIR", help="Where the results go.")] = Path(
        "isthmus-demo"
    ),
    budget: Annotated[str, Option(metavar="TIME", help="How long to train.")] = "20s",
    seed: Annotated[int, Option(min=0, help="Of everything random.")] = 0,
    force: Force = False,
    threads: Threads = None,
    device: Device = None,
) -> None:
    """Fit 1,438 handwritten digits, compress 359 others, restore and verify them; about a minute."""
    from isthmus.cli.learning import train_settings
    from isthmus.cli.tables import show_sizes
    from isthmus.config import parse_duration
    from isthmus.reports import write_report
    from isthmus.tasks.demo import demo as run

    result = run(
        output,
        budget_s=parse_duration(budget),
        seed=seed,
        settings=train_settings(threads=threads, device=device),
        force=force,
        quiet=voice.quiet,
        say=voice.say,
    )
    page = write_report(result.fit.run, source=result.held_out, output=output / "report.html", force=force)

    def show() -> None:
        show_sizes(result.evaluation)
        echo(result.summary())
        echo(page.summary())

    if voice.json:
        voice.data(result.to_dict() | {"report": page.to_dict()})
    else:
        voice.result(result, show=show)
