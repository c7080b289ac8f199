"""What all models share that are no codecs: a file that says its kind, what it is in JSON, and tensors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from isthmus.coding.version import FORMAT_VERSION, require_known_format
from isthmus.errors import ConfigError, DamagedFile, NotOurFile
from isthmus.model.document import read_document, require_whole, tensors_hash, write_document


class Saved(ABC):
    """A model ⇄ its .ism file. A new kind says what it is and is named in model/__init__.py."""

    kind: ClassVar[str]
    """As the file calls it."""
    made_by: ClassVar[str]
    """The command that makes one."""

    provenance: Mapping[str, Any]
    """What it learned from, steps, seconds: for people."""

    @abstractmethod
    def told(self) -> dict[str, Any]:
        """All but tensors and provenance, JSON-ready."""

    @abstractmethod
    def tensors(self) -> Mapping[str, np.ndarray]:
        """Its arrays, by name."""

    @classmethod
    @abstractmethod
    def from_saved(cls, document: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Self:
        """Undo `told` and `tensors`; any of Python's errors for values where they are none such."""

    @abstractmethod
    def summary(self) -> str:
        """What it is for, in a few words."""

    @abstractmethod
    def facts(self) -> dict[str, str]:
        """What `info` tells."""

    def save(self, path: str | Path, *, force: bool = True) -> Path:
        """Write the .ism file, whole or not at all."""
        path, tensors = Path(path), self.tensors()
        document = self.told() | {
            "format": FORMAT_VERSION,
            "kind": self.kind,
            "provenance": dict(self.provenance),
            "hash": tensors_hash(tensors),
        }
        write_document(path, document, tensors, force=force)
        return path

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read an .ism file and check that it is whole.

        Raises:
            NoData: no file is there.
            NotOurFile, NewerFormat, DamagedFile: it is of another kind, of a later version, or not whole.
        """
        path = Path(path)
        document, tensors = read_document(path)
        if document.get("kind") != cls.kind:
            raise NotOurFile(f"{path} is no {cls.kind}. Make one: {cls.made_by}")
        try:
            require_known_format(document["format"], str(path))
            require_whole(document, tensors, path)
            return cls.from_saved(document, tensors)
        except (KeyError, TypeError, ValueError, IndexError, ConfigError) as wrong:
            raise DamagedFile(f"{path} lacks or misstates {wrong}; fetch the file again.") from wrong
