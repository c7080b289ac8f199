"""A model's parts as archives know them: by name and hash, embedded one by one.

An archive embeds only the parts that its blocks use. "autoencoder" is the decode half of the net;
a part that codes blocks by itself is also a coder, under the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from isthmus.coding.coders import CODERS, Coder
from isthmus.coding.varints import ByteReader, write_text, write_varint
from isthmus.errors import DamagedFile
from isthmus.model import Decoder, Model

AUTOENCODER = "autoencoder"


@dataclass(frozen=True)
class Parts:
    """What it takes to decode: all that is there of a model, whole or embedded."""

    decoder: Decoder | None = None

    def hashes(self) -> dict[str, str]:
        """The name and SHA-256 of each part that is there."""
        return {} if self.decoder is None else {AUTOENCODER: self.decoder.hash}

    def packed(self, name: str) -> bytes:
        """One part, compact, as archives embed it."""
        assert name == AUTOENCODER, name
        assert self.decoder is not None
        return self.decoder.to_bytes()

    def coders(self) -> Mapping[str, Coder]:
        """The parts that code blocks by themselves, by name."""
        return {}


def parts_of(model: Model | None) -> Parts:
    """The parts of a model."""
    return Parts() if model is None else Parts(model.decoder)


def pack_parts(parts: Parts, names: frozenset[str]) -> bytes | None:
    """The parts of those names in one piece, sorted by name; None where there are no names."""
    if not names:
        return None
    packed = ((name, parts.packed(name)) for name in sorted(names))
    return b"".join(write_text(name) + write_varint(len(data)) + data for name, data in packed)


def unpack_parts(data: bytes) -> Parts:
    """Undo `pack_parts`; DamagedFile for anything it would not have written."""
    fields, found = ByteReader(data, "The embedded model"), {}
    while fields.position < len(data):
        name = fields.text()
        if name in found or name != AUTOENCODER:
            raise DamagedFile(f"The embedded model has a part {name!r} that this version does not know.")
        found[name] = fields.sized()
    return Parts(Decoder.from_bytes(found[AUTOENCODER])) if found else Parts()


@dataclass(frozen=True)
class Toolbox:
    """Coders by the names that plans use: those of the table and those of a model."""

    parts: Parts = field(default_factory=Parts)

    def coder(self, name: str) -> Coder:
        """The coder called `name`.

        Raises:
            DamagedFile: there is none.
        """
        own = self.parts.coders()
        if name in own:
            return own[name]
        if name not in CODERS:
            raise DamagedFile(
                f"A block is coded by {name!r}, which this version does not know. "
                "Update with `pip install -U isthmus`."
            )
        coder: Coder = CODERS.find(name)()
        return coder
