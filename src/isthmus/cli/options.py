"""The options that commands share: one name, one meaning, one help line each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option, echo
from typer import Exit as Leave

if TYPE_CHECKING:
    from isthmus.data.tables import Schema

READS = "A folder or .zip of images, an image, .npy, .npz, an IDX file; or digits, mnist, mnist-test."
GRIDS = "gridded arrays: .nc, .h5 of netCDF 4, .zarr"
AUDIO = "audio: .wav, .flac, .ogg, .mp3, a folder or .zip of such"
VIDEO = "video: .mp4, .mkv, .mov, .webm, .avi, a folder of such"


def _version(asked: bool) -> None:
    if asked:
        from isthmus._version import __version__

        echo(f"isthmus {__version__}")
        raise Leave


Version = Annotated[
    bool, Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
]
AsJson = Annotated[bool, Option("--json", help="Print the result as JSON.", rich_help_panel="Output")]
Quiet = Annotated[bool, Option("--quiet", "-q", help="No progress and no notes.", rich_help_panel="Output")]
Verbose = Annotated[
    bool, Option("--verbose", "-v", help="More notes: settings, places, times.", rich_help_panel="Output")
]
Strict = Annotated[
    bool,
    Option(
        "--strict",
        help="Refuse, with exit code 2, wherever anything would be left out or changed.",
        rich_help_panel="Output",
    ),
]
Debug = Annotated[bool, Option("--debug", help="Show tracebacks.", rich_help_panel="Output")]

LearnsFrom = Annotated[
    str,
    Argument(metavar="SOURCE", help=f"{READS} Or a table: .csv, .parquet … Or {VIDEO}.", show_default=False),
]
SourceArgument = Annotated[str, Argument(metavar="SOURCE", help=READS, show_default=False)]
CompressedArgument = Annotated[
    str,
    Argument(
        metavar="SOURCE",
        help=f"{READS} Or a table: .csv, .jsonl, .parquet … Or {AUDIO}. Or {GRIDS}. Or {VIDEO}.",
        show_default=False,
    ),
]
DenoisedArgument = Annotated[
    str,
    Argument(
        metavar="SOURCE", help=f"{READS} Or {AUDIO}. Or {VIDEO}. Or a table: .csv …", show_default=False
    ),
]
ArchiveArgument = Annotated[
    str, Argument(metavar="OUT.isz", help="Made by `isthmus compress`.", show_default=False)
]
ModelOption = Annotated[
    Path | None,
    Option("--model", "-m", metavar="MODEL.ism", help="Made by `isthmus fit`.", show_default=False),
]
ArchiveModelOption = Annotated[
    Path | None,
    Option(
        "--model",
        "-m",
        metavar="MODEL.ism",
        help="Needed only where the archive does not hold its model.",
        show_default=False,
    ),
]
Force = Annotated[bool, Option("--force", "-f", help="Replace outputs that are there already.")]
SkipBad = Annotated[bool, Option("--skip-bad", help="Leave unreadable items out, and name them.")]
MaxOutputBytes = Annotated[
    int | None,
    Option(
        "--max-output-bytes",
        min=0,
        metavar="N",
        help="Refuse archives that would restore to more.",
        show_default="64 GiB",
    ),
]
Threads = Annotated[
    int | None, Option("--threads", min=1, help="CPU threads; without it, measured.", show_default=False)
]
Workers = Annotated[
    int | None,
    Option("--workers", min=1, help="Processes; without it, one a core for large data.", show_default=False),
]
Device = Annotated[
    str | None, Option("--device", help="auto, cpu, cuda or mps.", metavar="NAME", show_default=False)
]
Seed = Annotated[int | None, Option("--seed", min=0, help="Of everything random.", show_default=False)]

TABLES = "A table: .csv, .tsv, .parquet, .arrow, .jsonl, or .npy of two axes."
TableArgument = Annotated[str, Argument(metavar="TABLE", help=TABLES, show_default=False)]
JudgedArgument = Annotated[
    str,
    Argument(
        metavar="TABLE",
        help=f"{TABLES} Or a time series in such a file, .npy of one axis, .txt of numbers; - with --follow.",
        show_default=False,
    ),
]
SchemaFile = Annotated[
    Path | None,
    Option("--schema", metavar="SCHEMA.toml", help="Kinds of columns, where they are known better."),
]
Ignore = Annotated[
    list[str] | None,
    Option("--ignore", metavar="COLUMN", help="Leave this column out, say of labels; may come again."),
]
Header = Annotated[
    bool | None,
    Option("--header/--no-header", help="Whether the first row names the columns; default: look."),
]
Mode = Annotated[
    str,
    Option(metavar="MODE", help="contaminated: odd rows may hide in it; novelty: all its rows are usual."),
]

As = Annotated[
    str | None,
    Option(
        "--as",
        metavar="KIND",
        help="series or table; default: a series where stamps ascend and all else is numbers.",
        show_default=False,
    ),
]
StampColumn = Annotated[
    str | None,
    Option("--stamp", metavar="COLUMN", help="Of a series: which column says when.", show_default=False),
]


def default_output(source: str, suffix: str) -> Path:
    """The output's name where none is given: SOURCE's own name, in the current folder.

    >>> default_output("scans/brain.npy", ".isz"), default_output("digits", ".ism")
    (PosixPath('brain.isz'), PosixPath('digits.ism'))
    """
    path = Path(source).resolve()
    name = path.name if path.is_dir() else path.name.removesuffix(".gz")
    stem = name if path.is_dir() else Path(name).stem
    from isthmus.data.names import fitted

    return Path(fitted(stem or "isthmus", suffix))


def read_schema(path: Path | None) -> Schema | None:
    """The schema in a TOML file."""
    from isthmus.data.tables import Schema

    return None if path is None else Schema.read(path)
