"""scikit-learn's bundled digits: 1797 handwritten digits, 8×8, 0 (paper) to 16 (ink)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from isthmus.data.readers.arrays import Array, ArraySource
from isthmus.data.source import Layout, Member
from isthmus.spec import DataSpec


class Digits(ArraySource):
    """The name "digits": real data that need no download; written as digits.npy."""

    file_names = ()

    @classmethod
    def matches(cls, source: object) -> bool:
        """See Source."""
        return isinstance(source, str) and source == "digits"

    @classmethod
    def open(cls, source: str = "digits", *, skip_bad: bool = False, trainable: bool = True) -> Digits:
        """See Source."""
        from sklearn.datasets import load_digits  # takes half a second, so only when asked for

        values = load_digits().images.astype(np.uint8)
        layout = Layout("digits", (Member("digits.npy", len(values)),))
        opened = cls(values, layout, name=source, file_bytes=values.nbytes, skip_bad=skip_bad)
        opened.spec = replace(opened.spec, high=16.0)
        return opened

    @classmethod
    def write(
        cls,
        layout: Layout,
        spec: DataSpec,
        samples: Iterable[np.ndarray],
        directory: Path,
        *,
        force: bool = False,
    ) -> list[Path]:
        """See Source."""
        return Array.write(layout, spec, samples, directory, force=force)
