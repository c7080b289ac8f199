"""What all .ism files share: tensors beside one JSON document, in a safetensors file, each with its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.coding.canonical import canonical_json
from isthmus.errors import DamagedFile, NoData, NotOurFile
from isthmus.files import write_bytes


def write_document(
    path: Path, document: Mapping[str, Any], tensors: Mapping[str, np.ndarray], *, force: bool
) -> None:
    """Write the file, whole or not at all; `read_document` undoes it."""
    from safetensors.numpy import save

    whole = dict(document) | {"document_hash": document_hash(document)}
    metadata = {"isthmus": json.dumps(whole, sort_keys=True)}
    arrays = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    write_bytes(path, save(arrays, metadata), force=force)


def read_document(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The document, and the tensors by name; whether they are whole is for the reader to check.

    Raises:
        NoData: no file is there.
        NotOurFile: it is no such file.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise NoData(f"There is no model at {path}. Give the .ism file that `isthmus fit` wrote.")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            document = json.loads(metadata["isthmus"])
            if not isinstance(document, dict):
                raise KeyError("isthmus")
            return document, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError, RecursionError, OSError) as wrong:
        raise NotOurFile(f"{path} is not a whole Isthmus model ({wrong}). Give an .ism file.") from wrong
    except KeyError:
        raise NotOurFile(
            f"{path} is a safetensors file, but not an Isthmus model. Give an .ism file."
        ) from None


def document_hash(document: Mapping[str, Any]) -> str:
    """SHA-256 of the document's canonical JSON, without the entry that holds this hash."""
    rest = {key: value for key, value in document.items() if key != "document_hash"}
    return hashlib.sha256(canonical_json(rest)).hexdigest()


def under(prefix: str, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Those whose name begins so, without that beginning."""
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}


def tensors_hash(tensors: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tensors[name].shape}".encode())
        digest.update(np.ascontiguousarray(tensors[name]).tobytes())
    return digest.hexdigest()


def require_whole(document: Mapping[str, Any], tensors: Mapping[str, np.ndarray], path: Path) -> None:
    """Hold every byte against its hash before any of it is believed."""
    same = document["document_hash"] == document_hash(document) and document["hash"] == tensors_hash(tensors)
    if not same:
        raise DamagedFile(f"{path} is damaged: its contents no longer match their hash. Copy it again.")
