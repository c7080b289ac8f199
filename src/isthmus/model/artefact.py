"""`Model` ⇄ .ism: a valid safetensors file whose metadata holds one JSON document. No pickle.

The decode part is stored as integers (see decoder.py), the encoder as float32, both as operations
with their weights; beside them stand the contexts of the lossless coder, where some were learned.
The document under the metadata key "isthmus" holds the operations, the settings and where the model
comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from isthmus.coding.canonical import content_hash
from isthmus.coding.contexts import Contexts
from isthmus.coding.latents.grades import as_grid
from isthmus.coding.latents.thrift import worth_at
from isthmus.coding.version import require_known_format
from isthmus.config import Config
from isthmus.errors import ConfigError, DamagedFile, NotOurFile, SpecMismatch
from isthmus.exact.float_runner import FloatRunner
from isthmus.exact.ops import KINDS, Op, ops_from_json
from isthmus.exact.program import Program
from isthmus.exact.tiles import Change
from isthmus.model.decoder import Decoder
from isthmus.model.document import document_hash, read_document, tensors_hash, under, write_document
from isthmus.spec import DataSpec

WORTH = "worth"


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A trained autoencoder with everything it takes to use it."""

    kind: ClassVar[str] = "codec"
    made_by: ClassVar[str] = "isthmus fit SOURCE -o NAME.ism"

    decoder: Decoder
    encoder: Mapping[str, np.ndarray]
    """Weights of the encoder and of the bottleneck's training half, float32; beside them, under WORTH,
    (anchors, channel): how many bits an error of one step is worth, at qualities evenly spaced."""
    encode_ops: tuple[Op, ...]
    """Tensors → latents, by weights among those."""
    config: Config
    """All settings of the run that made it."""
    contexts: Contexts | None = None
    """What the lossless coder learned of images of this kind: a part of its own in archives."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Samples, steps, seconds, held-out figures, versions: for people, never for decoding."""

    @property
    def spec(self) -> DataSpec:
        """The kind of sample the model was made for."""
        return self.decoder.spec

    @property
    def hash(self) -> str:
        """The model's identity: that of its decode part."""
        return self.decoder.hash

    @cached_property
    def _encoder(self) -> FloatRunner:
        names = {f"{op.weight}.{tensor}" for op in self.encode_ops for tensor in KINDS[op.kind].tensors}
        tensors = {name: array for name, array in self.encoder.items() if name in names}
        program = Program(self.spec.tensor_shape, self.encode_ops, tensors)
        if program.result != self.decoder.code:
            raise ValueError(f"an encoder of {program.result} for a decoder of {self.decoder.code}")
        return FloatRunner(program)

    def require_fits(self, spec: DataSpec) -> None:
        """Raise SpecMismatch unless samples of `spec` can be given to this model."""
        if not self.spec.accepts(spec):
            raise SpecMismatch(
                f"This model was trained on {self.spec.summary()}; these data are {spec.summary()}. "
                "Give data of the same kind, or train a model on these: isthmus fit."
            )

    def encode(self, samples: np.ndarray) -> np.ndarray:
        """Samples (batch, …) in their own type → float32 latents (batch, channel, *position).

        The same bits for a sample in any company; another machine may differ in the last ones.
        """
        return self._encoded(samples)

    def quantise(self, samples: np.ndarray, quality: int | None = None) -> np.ndarray:
        """Samples (batch, …) → int32 symbols (batch, channel, *position).

        A quality, 1 to 100, means something to models that have several; None is the default one.
        """
        return self._encoded(samples, self.decoder.quantiser_at(quality).quantise, np.int32)

    def symbols(self, samples: np.ndarray, quality: int) -> np.ndarray:
        """As `quantise`, but each symbol rounded toward 0 where that saves more bits than it is worth."""
        grades, worth = self.decoder.grades, self.worth_at(quality)
        if grades is None or worth is None:
            return self.quantise(samples, quality)
        scaled = self.in_steps(samples, quality)
        return grades.thrifty(as_grid(scaled), quality, worth).reshape(scaled.shape)

    def in_steps(self, samples: np.ndarray, quality: int) -> np.ndarray:
        """float32 latents in steps of the quality, which symbols round; for models of several qualities."""
        grades = self.decoder.grades
        assert grades is not None, "a model of one quality"
        steps = grades.levels.steps(quality)
        return self._encoded(samples, partial(_in_steps, steps))

    def worth_at(self, quality: int) -> np.ndarray | None:
        """(channel,): how many bits an error of one step is worth, squared; None where nobody weighed it."""
        worth = self.encoder.get(WORTH)
        return None if worth is None else worth_at(worth, quality)

    def _encoded(
        self, samples: np.ndarray, after: Change | None = None, dtype: type[np.generic] = np.float32
    ) -> np.ndarray:
        """The latents, or what `after` makes of them: part by part, since images may be large."""
        transform = self.decoder.transform
        return self._encoder.in_fixed_batches(
            transform.arranged(samples), before=transform.scaled, after=after, dtype=dtype
        )

    def save(self, path: str | Path, *, force: bool = True) -> Path:
        """Write the .ism file, whole or not at all."""
        path = Path(path)
        write_document(path, self.document(), self.tensors(), force=force)
        return path

    def tensors(self) -> dict[str, np.ndarray]:
        """All arrays of the file, by name."""
        tensors = {f"decoder.{name}": array for name, array in self.decoder.tensors().items()}
        tensors |= {f"encoder.{name}": array for name, array in self.encoder.items()}
        if self.contexts is not None:
            tensors |= {f"contexts.{name}": array for name, array in self.contexts.tensors().items()}
        return tensors

    def document(self) -> dict[str, Any]:
        """What the file says beside them, JSON-ready."""
        return {
            "format": self.decoder.document()["format"],
            "hash": self.hash,
            "encoder_hash": tensors_hash(self.encoder),
            "decoder": self.decoder.document(),
            "encoder": [op.to_json() for op in self.encode_ops],
            "contexts": None if self.contexts is None else self.contexts.document(),
            "contexts_hash": None if self.contexts is None else self.contexts.hash,
            "config": self.config.to_dict(),
            "provenance": dict(self.provenance),
        }

    @classmethod
    def load(cls, path: str | Path) -> Model:
        """Read an .ism file and check that it is whole.

        Raises:
            NoData: no file is there.
            NotOurFile, NewerFormat, DamagedFile: it is no model, of a later version, or not whole.
            MachineError: this machine does not decode exactly.
        """
        path = Path(path)
        document, tensors = read_document(path)
        encoder, decoder = under("encoder.", tensors), under("decoder.", tensors)
        _require_whole(document, encoder, decoder, under("contexts.", tensors), path)
        return cls.from_document(document, tensors, str(path))

    @classmethod
    def from_document(
        cls, document: Mapping[str, Any], tensors: Mapping[str, np.ndarray], what: str
    ) -> Model:
        """Undo `document` and `tensors`, whose hashes are right; DamagedFile and MachineError as `load`."""
        encoder, decoder = under("encoder.", tensors), under("decoder.", tensors)
        contexts = under("contexts.", tensors)
        try:
            model = cls(
                decoder=Decoder.from_parts(document["decoder"], decoder),
                encoder=encoder,
                encode_ops=ops_from_json(document["encoder"]),
                config=Config.from_dict(document["config"]),
                contexts=_contexts(document["contexts"], contexts),
                provenance=dict(document["provenance"]),
            )
            model._encoder  # noqa: B018 - making it checks that its operations fit its weights
        except (KeyError, TypeError, ValueError, ConfigError) as wrong:
            raise DamagedFile(f"{what} lacks or misstates {wrong}; fetch the file again.") from wrong
        return model


def _require_whole(
    document: Mapping[str, Any],
    encoder: Mapping[str, np.ndarray],
    decoder: Mapping[str, np.ndarray],
    contexts: Mapping[str, np.ndarray],
    path: Path,
) -> None:
    """Hold every byte against its hash before any of it is believed."""
    if "kind" in document:
        raise NotOurFile(f"{path} is a {document['kind']}, and no codec: `isthmus info` says what it can do.")
    damaged = DamagedFile(f"{path} is damaged: its contents no longer match their hash. Copy it again.")
    try:
        if document.get("document_hash") != document_hash(document):
            raise damaged
        require_known_format(document["format"], str(path))
        told = [document[key] for key in ("hash", "encoder_hash", "contexts_hash")]
        described = document["contexts"]
        of_contexts = None if described is None else content_hash(described, contexts)
        of_decoder = content_hash(document["decoder"], decoder)
        found = [of_decoder, tensors_hash(encoder), of_contexts]
    except (KeyError, ValueError) as wrong:  # NaN, which JSON has not, or a tensor of no stored type
        raise damaged from wrong
    if told != found:
        raise damaged


def _contexts(document: Mapping[str, Any] | None, tensors: Mapping[str, np.ndarray]) -> Contexts | None:
    return None if document is None else Contexts.from_parts(document, tensors)


def _in_steps(steps: np.ndarray, latents: np.ndarray) -> np.ndarray:
    return latents / steps.reshape(-1, *[1] * (latents.ndim - 2))
