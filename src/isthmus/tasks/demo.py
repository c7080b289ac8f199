"""The main job from end to end on bundled data: fit, compress, restore, verify, compare."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isthmus.data import open_source, split
from isthmus.files import refuse_existing, write_bytes
from isthmus.tasks.compress import CompressResult, DecompressResult, compress, decompress
from isthmus.tasks.evaluate import EvaluateResult, evaluate
from isthmus.tasks.fit import FitResult, fit
from isthmus.tasks.results import Result
from isthmus.tasks.verify import VerifyResult, verify

HELD_OUT = 0.2  # of the digits: never seen in training, and all that is measured


@dataclass(frozen=True)
class DemoResult(Result):
    """Every step of the walk."""

    directory: Path
    train: Path
    held_out: Path
    """The digits that were compressed; training never saw them."""
    fit: FitResult
    compress: CompressResult
    decompress: DecompressResult
    verify: VerifyResult
    evaluation: EvaluateResult
    seconds: float

    def summary(self) -> str:
        """A few lines for a terminal: what was done, and how it compares."""
        lines = (self.fit, self.compress, self.decompress, self.verify)
        return "\n".join(
            [
                *(result.summary() for result in lines),
                f"Compared on {self.evaluation.samples:,} digits that training never saw: "
                f"{self.evaluation.summary()}",
                f"Done in {self.seconds:.0f} s; everything is in {self.directory}",
            ]
        )


def demo(
    directory: str | Path,
    *,
    budget_s: float = 20.0,
    seed: int = 0,
    settings: Sequence[str] = (),
    force: bool = False,
    quiet: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> DemoResult:
    """Walk the whole road with scikit-learn's 1,797 digits, as 8×8 grey pictures.

    Args:
        directory: where data, model, archive and restored data go.
        budget_s: seconds to train.
        seed: of the split and of the training.
        settings: "key=value" strings on top of the recipe.
        force: replace what an earlier demo left.
        quiet: no progress display.
        say: told in one line each what comes next.
    """
    started = time.monotonic()
    directory = Path(directory)
    train, held = directory / "train.npy", directory / "held-out.npy"
    model, archive, restored = directory / "digits.ism", directory / "held-out.isz", directory / "restored"
    for path in (train, held, model, archive, restored / held.name):
        refuse_existing(path, force=force)
    _write_digits(train, held, seed)
    say(f"1. fit: train on the digits in {train}")
    fitted = fit(
        train, model, settings=[f"train.seed={seed}", *settings], budget_s=budget_s, force=force,
        quiet=quiet, say=say,
    )  # fmt: skip
    say(f"2. compress: the digits in {held}, which training never saw, into {archive}")
    compressed = compress(held, archive, model=fitted.model, force=force)
    say(f"3. decompress: into {restored}; the archive holds all it takes")
    decompressed = decompress(archive, restored, force=force)
    say("4. verify: every checksum, and the distance to the originals")
    verified = verify(archive, against=held)
    say("5. evaluate: the same digits through other coders")
    evaluation = evaluate(held, fitted.model)
    return DemoResult(
        directory, train, held, fitted, compressed, decompressed, verified, evaluation,
        seconds=time.monotonic() - started,
    )  # fmt: skip


def _write_digits(train: Path, held: Path, seed: int) -> None:
    """Two .npy files of 8-bit pictures from a seeded split; 0..16 is stretched to 0..255."""
    digits = open_source("digits")
    pictures = np.rint(digits.stack(range(len(digits))) * (255 / 16)).astype(np.uint8)
    for path, indices in zip((train, held), split(len(digits), HELD_OUT, seed), strict=True):
        file = io.BytesIO()
        np.save(file, pictures[np.sort(indices)], allow_pickle=False)
        write_bytes(path, file.getvalue())
