"""`isthmus verify`: is an archive whole, and does it hold what the originals hold?"""

from __future__ import annotations

from typing import Annotated

from typer import Exit, Option

from isthmus.cli.decompress import output_limits
from isthmus.cli.options import ArchiveArgument as Archive
from isthmus.cli.options import ArchiveModelOption, MaxOutputBytes, Threads
from isthmus.cli.voice import Voice, command


@command("isthmus verify photos.isz --against photos/")
def verify(
    voice: Voice,
    archive: Archive,
    model: ArchiveModelOption = None,
    against: Annotated[
        str | None, Option(metavar="SOURCE", help="Compare with these originals.", show_default=False)
    ] = None,
    max_output_bytes: MaxOutputBytes = None,
    threads: Threads = None,
) -> None:
    """Check every checksum of an archive, and with --against whether it holds the originals.

    Leaves with 1 where it is damaged or the originals are different, with 2 where they cannot be compared.
    """
    from isthmus.threads import limit_threads

    limit_threads(threads)
    from isthmus.tasks.verify import verify as run

    result = run(
        archive,
        model=model,
        against=against,
        limits=output_limits(max_output_bytes),
    )
    for problem in result.problems[1:]:
        voice.detail(problem)
    voice.result(result)
    if not result.ok:
        raise Exit(result.exit_code)
