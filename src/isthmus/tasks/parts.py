"""A model's parts as archives know them: by name and hash, embedded one by one.

An archive embeds only the parts that its blocks use. "autoencoder" is the decode half of the net;
"contexts", which codes blocks by itself, is also two coders: of equal images under the same name, and
of images that are rounded first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from isthmus.coding.coders import CODERS, Coder
from isthmus.coding.coders.contexts import ContextCoder, RoundedContextCoder
from isthmus.coding.contexts import Contexts
from isthmus.coding.contexts.artefact import MAX_BYTES
from isthmus.coding.varints import ByteReader, write_text, write_varint
from isthmus.errors import DamagedFile
from isthmus.limits import DEFAULT_LIMITS
from isthmus.model import Decoder, Model

AUTOENCODER, CONTEXTS = "autoencoder", "contexts"
ROUNDED = "rounded-contexts"
NEEDS = {AUTOENCODER: AUTOENCODER, CONTEXTS: CONTEXTS, ROUNDED: CONTEXTS}
"""The part that each of a model's coders needs."""


@dataclass(frozen=True)
class Parts:
    """What it takes to decode: all that is there of a model, whole or embedded."""

    decoder: Decoder | None = None
    contexts: Contexts | None = None

    def _there(self) -> dict[str, Decoder | Contexts]:
        both = {AUTOENCODER: self.decoder, CONTEXTS: self.contexts}
        return {name: part for name, part in both.items() if part is not None}

    def hashes(self) -> dict[str, str]:
        """The name and SHA-256 of each part that is there."""
        return {name: part.hash for name, part in self._there().items()}

    def packed(self, name: str) -> bytes:
        """One part, compact, as archives embed it."""
        return self._there()[name].to_bytes()

    def coders(self) -> Mapping[str, Coder]:
        """The parts that code blocks by themselves, by name."""
        if self.contexts is None:
            return {}
        return {CONTEXTS: ContextCoder(self.contexts), ROUNDED: RoundedContextCoder(self.contexts)}


def parts_of(model: Model | None) -> Parts:
    """The parts of a model."""
    return Parts() if model is None else Parts(model.decoder, model.contexts)


def pack_parts(parts: Parts, names: frozenset[str]) -> bytes | None:
    """The parts of those names in one piece, sorted by name; None where there are no names."""
    if not names:
        return None
    packed = ((name, parts.packed(name)) for name in sorted(names))
    return b"".join(write_text(name) + write_varint(len(data)) + data for name, data in packed)


def unpack_parts(data: bytes, max_bytes: int = DEFAULT_LIMITS.model_bytes) -> Parts:
    """Undo `pack_parts`; DamagedFile for what it would not have written, or unpacks to over `max_bytes`."""
    fields, found = ByteReader(data, "The embedded model"), {}
    while fields.position < len(data):
        name = fields.text()
        if name in found or name not in (AUTOENCODER, CONTEXTS):
            raise DamagedFile(f"The embedded model has a part {name!r} that this version does not know.")
        found[name] = fields.sized()
    decoder, contexts = found.get(AUTOENCODER), found.get(CONTEXTS)
    return Parts(
        None if decoder is None else Decoder.from_bytes(decoder, max_bytes=max_bytes),
        None if contexts is None else Contexts.from_bytes(contexts, max_bytes=min(MAX_BYTES, max_bytes)),
    )


@dataclass(frozen=True)
class Toolbox:
    """Coders by the names that plans use: those of the table and those of a model."""

    parts: Parts = field(default_factory=Parts)
    approximate: bool = False
    """Compute lossy samples in floats, which cannot be checked; what has a bound stays exact."""

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
