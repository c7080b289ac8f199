"""The list of commands, in the order in which a newcomer meets them."""

from __future__ import annotations

import typer

from isthmus.cli.clean import clean
from isthmus.cli.compress import compress
from isthmus.cli.decompress import decompress
from isthmus.cli.demo import demo
from isthmus.cli.denoise import denoise
from isthmus.cli.detect import detect
from isthmus.cli.embed import embed
from isthmus.cli.evaluate import evaluate
from isthmus.cli.fit import fit
from isthmus.cli.info import info
from isthmus.cli.options import Version
from isthmus.cli.repack import repack
from isthmus.cli.report import report
from isthmus.cli.verify import verify

COMMANDS = (
    demo, fit, compress, decompress, verify, repack, info, evaluate, embed, detect, clean, denoise, report
)  # fmt: skip

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich")


@app.callback(epilog="Begin with: isthmus demo")
def isthmus(version: Version = False) -> None:
    """Train an autoencoder on your own data: one model that compresses, restores and describes it."""


for _command in COMMANDS:
    app.command(epilog=f"Example: {_command.example}")(_command)  # type: ignore[attr-defined]
