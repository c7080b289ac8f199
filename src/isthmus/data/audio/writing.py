"""Samples → files of audio, in the form that they had."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np

from isthmus.data.audio.kinds import Kind, soundfile
from isthmus.data.audio.recordings import Recording
from isthmus.data.names import check_names, prepare_outputs
from isthmus.data.readers.zips import FIRST_DATE
from isthmus.errors import MachineError
from isthmus.files import atomic_write

_COPY_BYTES = 1 << 20


def write_recordings(
    recordings: Sequence[Recording],
    samples: Iterable[Iterator[np.ndarray]],
    directory: Path,
    *,
    archive: str | None = None,
    force: bool = False,
) -> list[Path]:
    """Put recordings into files, or all of them into one .zip.

    Args:
        recordings: in kinds that can be written.
        samples: the pieces of each, in this order: (frame, channel), as `AudioSource.pieces` gives them.
        directory: made if it is not there.
        archive: the name of the .zip.
        force: replace files that are there already.
    Raises:
        OutputExists, BadItem: nothing was written.
    """
    names = [each.name for each in recordings]
    if archive is None:
        paths = prepare_outputs(names, directory, force=force)
        for path, recording, pieces in zip(paths, recordings, samples, strict=True):
            with atomic_write(path, force=force) as file:
                _write(file, recording.kind, pieces)
        return paths
    check_names(names)
    paths = prepare_outputs([archive], directory, force=force)
    with (
        atomic_write(paths[0], force=force) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for recording, pieces in zip(recordings, samples, strict=True):
            _write_entry(made, recording, pieces, directory)
    return paths


def _write_entry(
    archive: zipfile.ZipFile, recording: Recording, pieces: Iterator[np.ndarray], directory: Path
) -> None:
    entry = zipfile.ZipInfo(recording.name, FIRST_DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    with ExitStack() as stack:
        # A WAV's head says its length, so it is written where one can go back.
        made = stack.enter_context(tempfile.TemporaryFile(dir=directory))
        _write(made, recording.kind, pieces)
        made.seek(0)
        file = stack.enter_context(archive.open(entry, "w", force_zip64=True))
        while data := made.read(_COPY_BYTES):
            file.write(data)


def _write(file: IO[bytes] | Any, kind: Kind, pieces: Iterator[np.ndarray]) -> None:
    module = soundfile()
    try:
        with module.SoundFile(
            file, "w", kind.rate, kind.channels, subtype=kind.subtype, format=kind.container
        ) as made:
            for piece in pieces:
                made.write(_raised(piece, kind))
    except module.SoundFileError as wrong:
        raise MachineError(f"A file of {kind.summary()} cannot be written: {wrong}") from wrong


def _raised(piece: np.ndarray, kind: Kind) -> np.ndarray:
    """Samples as libsndfile takes them: integers at the upper end of their type."""
    return piece if kind.is_float else (piece << kind.shift).astype(kind.read_as)
