"""MNIST by name: from a folder, else from the cache, else from the first mirror that has it right."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from isthmus.errors import NoData, Offline
from isthmus.files import write_bytes

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)
TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Original:
    """What one file must be: a mirror is believed only if both agree."""

    size_bytes: int
    sha256: str


ORIGINALS = {
    "train-images-idx3-ubyte.gz": Original(
        9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
    ),
    "train-labels-idx1-ubyte.gz": Original(
        28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
    ),
    "t10k-images-idx3-ubyte.gz": Original(
        1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
    ),
    "t10k-labels-idx1-ubyte.gz": Original(
        4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
    ),
}

NAMES = {"mnist": "train-images-idx3-ubyte.gz", "mnist-test": "t10k-images-idx3-ubyte.gz"}
"""The names that people type, and the file each stands for."""


def find_file(file_name: str, folder: Path | None = None, mirrors: Sequence[str] = MIRRORS) -> Path:
    """Return the path of one of MNIST's four files, downloading it if need be.

    Args:
        file_name: a key of ORIGINALS.
        folder: where the files must be; without it the folder in ISTHMUS_MNIST, if that is set.
            Otherwise they are looked for under ISTHMUS_DATA, then in the cache.
        mirrors: addresses to download from, tried in turn; each ends with a slash.
    Raises:
        NoData: the folder that was named has no such file.
        Offline: the file is nowhere here, and no mirror gave it.
    """
    named = folder or _from_environment("ISTHMUS_MNIST")
    if named:
        return _in_folder(file_name, named)
    data = _from_environment("ISTHMUS_DATA")
    if data and (data / "mnist" / file_name).is_file():
        return data / "mnist" / file_name
    cached = cache_folder() / file_name
    if not (cached.is_file() and _is_original(cached.read_bytes(), ORIGINALS[file_name])):
        write_bytes(cached, _download(file_name, mirrors))
    return cached


def cache_folder() -> Path:
    """Return where downloads are kept: ~/.cache/isthmus/mnist, or under XDG_CACHE_HOME."""
    return (_from_environment("XDG_CACHE_HOME") or Path.home() / ".cache") / "isthmus" / "mnist"


def _from_environment(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value).expanduser() if value else None


def _in_folder(file_name: str, folder: Path) -> Path:
    for name in (file_name, file_name.removesuffix(".gz")):
        if (folder / name).is_file():
            return folder / name
    raise NoData(
        f"MNIST's folder {folder} has no {file_name}. Put it there, or unset ISTHMUS_MNIST to download it."
    )


def _download(file_name: str, mirrors: Sequence[str]) -> bytes:
    refusal = "there are no mirrors"
    for mirror in mirrors:
        try:
            data = _fetch(mirror + file_name, ORIGINALS[file_name].size_bytes)
        except (OSError, http.client.HTTPException) as failure:
            refusal = str(failure) or type(failure).__name__
            continue
        if _is_original(data, ORIGINALS[file_name]):
            return data
        refusal = f"{mirror} sent another file"
    raise Offline(
        f"MNIST's {file_name} is not here, and none of {len(mirrors)} mirrors gave it "
        f"(the last one: {refusal}). Connect to the network, or set ISTHMUS_MNIST to a folder that holds it."
    )


def _fetch(address: str, size_bytes: int) -> bytes:
    with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:
        # One byte more than there should be, to tell a longer file without reading all of it.
        data: bytes = answer.read(size_bytes + 1)
    return data


def _is_original(data: bytes, original: Original) -> bool:
    return len(data) == original.size_bytes and hashlib.sha256(data).hexdigest() == original.sha256
