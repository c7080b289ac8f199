"""What an archive that is to be appended to says, and allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from isthmus.coding.container import ArchiveReader
from isthmus.data import Layout, Source
from isthmus.data.readers.image_names import STORED
from isthmus.errors import ConfigError, DamagedFile, ModelNeeded, UseError
from isthmus.model import Model
from isthmus.spec import DataSpec
from isthmus.tasks.metadata import unpack_metadata
from isthmus.tasks.parts import parts_of
from isthmus.tasks.promise import LOSSY, Promise


@dataclass(frozen=True)
class Old:
    """An archive before something is appended."""

    header: dict[str, Any]
    promise: Promise
    layout: Layout
    """Of the old and the new samples together."""
    rivals: Mapping[str, int]

    def usable(self, model: Model | None) -> Model | None:
        """The model, where the archive names it; new parts cannot be added to an old header."""
        return model if self.header["parts"] else None

    def extras(self, new: Mapping[str, Any]) -> dict[str, Any]:
        """The extras of both; the metadata in `new` are those of all members already."""
        rivals = {
            name: size + new["rivals"][name] for name, size in self.rivals.items() if name in new["rivals"]
        }
        return {**new, "layout": self.layout.to_dict(), "rivals": rivals}


def holds_stored(target: Path | BinaryIO) -> bool:
    """Whether the samples of an archive are what files of images store, not what nets see."""
    with ArchiveReader(target) as reader:
        layout = reader.extras.get("layout")
        return isinstance(layout, dict) and bool(Layout.from_dict(layout).options.get(STORED))


def old_archive(target: Path | BinaryIO, source: Source, new: Layout, model: Model | None) -> Old:
    """Open the archive and see whether `source` can be appended; `new` is its layout, with metadata.

    Raises:
        UseError: the samples are of another kind, or have names that are taken.
        ModelNeeded: a lossy archive, and its model was not given.
    """
    with ArchiveReader(target) as reader:
        name, header = reader.name, reader.header
        try:
            spec, layout = DataSpec.from_dict(header["spec"]), Layout.from_dict(reader.extras["layout"])
            layout = unpack_metadata(layout, reader.extras, reader.limits)
            parts, rivals = dict(header["parts"]), dict(reader.extras.get("rivals", {}))
        except (KeyError, TypeError, ValueError, AttributeError, ConfigError) as wrong:
            raise DamagedFile(f"{name}: the header or index lacks {wrong}.") from wrong
    promise = Promise.from_dict(header)
    if not spec.accepts(source.spec):
        raise UseError(
            f"{name} holds samples of {spec.summary()}; those to append are of {source.spec.summary()}."
        )
    hashes = parts_of(model).hashes()
    if (
        parts
        and (promise.mode == LOSSY or model is not None)
        and any(hashes.get(n) != h for n, h in parts.items())
    ):
        raise ModelNeeded(f"{name} was made with another model. Give that one with -m, to append to it.")
    return Old(header, promise, _joined(layout, new, name), rivals)


def _joined(old: Layout, new: Layout, name: str) -> Layout:
    """Both layouts' members, in order; one array of the same name grows."""
    if old.reader != new.reader or dict(old.options) != dict(new.options):
        raise UseError(f"{name} was made from another kind of file, so these cannot be appended.")
    single = len(old.members) == len(new.members) == 1
    if single and old.members[0].name == new.members[0].name and old.members[0].count is not None:
        grown = old.members[0].count + len(new.members[0])
        return replace(old, members=(replace(old.members[0], count=grown),))
    taken = {member.name for member in old.members} & {member.name for member in new.members}
    if taken:
        raise UseError(f"{name} holds {sorted(taken)[0]} already. Rename what is to be appended.")
    return replace(old, members=old.members + new.members)
