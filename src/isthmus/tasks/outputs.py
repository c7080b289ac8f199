"""Where the outputs of a command go: into a folder, or one file under the name that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isthmus.data.audio.kinds import SUFFIXES as AUDIO
from isthmus.data.readers.pixels import SUFFIXES as IMAGES
from isthmus.data.tables.tablefile import FRAMES, TEXTS
from isthmus.data.video.kinds import SUFFIXES as VIDEO
from isthmus.errors import UseError

ENDINGS = (*IMAGES, *AUDIO, *VIDEO, *TEXTS, *FRAMES, ".npy", ".npz", ".zip", ".idx", ".gz")
"""Of files; a folder is hardly called so."""


def names_file(output: Path) -> bool:
    """Whether an output is meant as a file: by its ending, unless a folder is there.

    >>> names_file(Path("better.CSV")), names_file(Path("better")), names_file(Path("run-0.5"))
    (True, False, False)
    """
    return output.name.lower().endswith(ENDINGS) and not output.is_dir()


def folder_and_names(
    output: Path, names: Sequence[str], *, also: Sequence[str] = ()
) -> tuple[Path, list[str]]:
    """The folder to write into, and the names of the files there.

    Args:
        output: a folder, or the name of the only file.
        names: that the files have in a folder.
        also: endings that the only file may have instead of its own.
    Raises:
        UseError: it names one file for several, or one of another kind.

    >>> folder_and_names(Path("a/better.csv"), ["noisy.csv"])
    (PosixPath('a'), ['better.csv'])
    """
    if not names_file(output):
        return output, list(names)
    if len(names) != 1:
        raise UseError(
            f"-o must be a folder where {len(names):,} files are written; {output} is the name of one."
        )
    own = Path(names[0]).suffix.lower()
    if output.suffix.lower() not in (own, *also):
        raise UseError(
            f"{names[0]} must be written as {', '.join(dict.fromkeys((own, *also)))}; got -o {output}. "
            "Give such a name, or a folder."
        )
    return output.parent, [output.name]
