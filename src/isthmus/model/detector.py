"""What is usual in a table → how odd a row is.

A detector holds how cells become features, small autoencoders, and some of the rows that it learned from.
Everything else, the spreads and neighbourhoods of scoring/views.py, is worked out from these when it is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from isthmus.data.tables.features import TableFeatures, squashed
from isthmus.data.tables.schema import Schema
from isthmus.data.tables.table import Table
from isthmus.model.document import under
from isthmus.model.known_rows import KnownRows
from isthmus.model.members import Members
from isthmus.model.saved import Saved
from isthmus.scoring.conformal import p_values
from isthmus.scoring.new_values import NewValues
from isthmus.scoring.usual import Usual
from isthmus.scoring.view import Rows, View
from isthmus.scoring.views import COUNTED, VIEWS, together

MOST_ROWS = 10_000
"""That a detector keeps of those it learned from."""
AT_ONCE = 8192
"""Rows that are judged together, which bounds the memory."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Detector(Saved):
    """A detector of odd rows, calibrated."""

    kind = "detector"
    made_by = "isthmus fit TABLE.csv -o NAME.ism"

    features: TableFeatures
    members: Members
    mode: str
    """"contaminated": odd rows hid among those it learned from; "novelty": none did."""
    kept: np.ndarray
    """float32 (rows, features), not squashed: what it learned from; each row's fold is its place % folds."""
    kept_novelty: np.ndarray
    """float32 (2, rows): bits of values in these rows that the other four fifths of the rows did not hold."""
    ignored: tuple[str, ...] = ()
    """Columns of the table that it was told to leave out."""
    known_rows: KnownRows | None = None
    """For archives of tables of this kind."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Rows, steps, seconds, versions: for people."""

    def __post_init__(self) -> None:
        # It may come from a file by anybody.
        if self.mode not in VIEWS:
            raise ValueError(f"a mode {self.mode!r}")
        features = len(self.features.names)
        if self.kept.ndim != 2 or self.kept.shape[1] != features or self.members.features != features:
            raise ValueError("rows and members of other features")
        if not len(self.kept) or self.kept.dtype != np.float32 or not np.isfinite(self.kept).all():
            raise ValueError("rows that a detector keeps")
        if self.kept_novelty.shape != (2, len(self.kept)) or not np.isfinite(self.kept_novelty).all():
            raise ValueError("new values of the rows that a detector keeps")

    def scores(self, table: Table) -> np.ndarray:
        """float64 (rows,): usual spreads from the middle, by the views that see most; higher is odder."""
        return self.scores_of(self.features.matrix(table), self.features.novelty(table))

    def scores_of(self, matrix: np.ndarray, novelty: np.ndarray) -> np.ndarray:
        """The same of features, (rows, features), not squashed, and new values, bits (2, rows, columns)."""
        starts = range(0, len(matrix), AT_ONCE)
        parts = [self._scored(self.rows(matrix[start : start + AT_ONCE])) for start in starts]
        return self._new_values.added_to(np.concatenate(parts) if parts else np.zeros(0), novelty.sum(axis=2))

    def p_values(self, scores: np.ndarray) -> np.ndarray:
        """float64 (rows,): how often a usual row would score as high; see scoring/conformal.py."""
        return p_values(scores, self.calibration)

    def told(self) -> dict[str, Any]:
        """All but tensors and provenance, JSON-ready."""
        return {
            "mode": self.mode,
            "schema": self.features.schema.to_dict(),
            "features": self.features.to_parts()[0],
            "members": self.members.to_parts()[0],
            "ignored": list(self.ignored),
            "known_rows": None if self.known_rows is None else self.known_rows.plan,
        }

    def tensors(self) -> Mapping[str, np.ndarray]:
        """Of features, members and rows."""
        tensors = {f"features.{name}": array for name, array in self.features.to_parts()[1].items()}
        tensors |= {f"members.{name}": array for name, array in self.members.to_parts()[1].items()}
        if self.known_rows is not None:
            tensors["known_rows"] = np.frombuffer(self.known_rows.payload, np.uint8)
        return tensors | {"kept": self.kept, "kept_novelty": self.kept_novelty}

    @classmethod
    def from_saved(cls, document: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Detector:
        """Undo `told` and `tensors`."""
        return cls(
            features=TableFeatures.from_parts(
                Schema.from_dict(document["schema"]), document["features"], under("features.", tensors)
            ),
            members=Members.from_parts(document["members"], under("members.", tensors)),
            mode=document["mode"],
            kept=tensors["kept"],
            kept_novelty=tensors["kept_novelty"],
            ignored=tuple(map(str, document["ignored"])),
            known_rows=_known_rows(document, tensors),
            provenance=dict(document["provenance"]),
        )

    def summary(self) -> str:
        """What it is for."""
        return f"detector for {self.features.schema.summary()}"

    def facts(self) -> dict[str, str]:
        """What `info` tells."""
        made = self.provenance
        return {
            "trained on": f"{made.get('rows', 0):,} rows in {made.get('seconds', 0)} s",
            "mode": self.mode,
            "members": f"{len(self.members)} autoencoders of {len(self.features.names):,} features",
            "keeps": f"{len(self.kept):,} rows, as numbers",
            "can": "detect" if self.known_rows is None else "detect, clean, compress (beside the archive)",
            **({"ignores": ", ".join(self.ignored)} if self.ignored else {}),
            **self.features.schema.facts(),
        }

    def rows(self, matrix: np.ndarray) -> Rows:
        """Features in all the forms that views look at."""
        quartiles = squashed(matrix).astype(np.float32)
        deviations = (matrix - self._middle) / self._deviation
        deviations = squashed(deviations) if self.mode == "contaminated" else deviations
        return Rows(quartiles, deviations.astype(np.float32), list(self.members.codes(quartiles)))

    @cached_property
    def calibration(self) -> np.ndarray:
        """float64: scores of the rows it keeps; in novelty each by members that have not learned from it."""
        away = [usual.away(each) for usual, each in zip(self._usual, self._own, strict=True)]
        # Where odd rows hide among those it learned from, these are judged as members of the table they are.
        own = self.kept_novelty if self.mode == "novelty" else np.zeros((2, len(self.kept)))
        return self._new_values.added_to(together(away, COUNTED[self.mode]), own)

    @cached_property
    def _new_values(self) -> NewValues:
        return NewValues.of(self.kept_novelty, hidden=self.mode == "contaminated")

    def _scored(self, rows: Rows) -> np.ndarray:
        pairs = zip(self._usual, self._views, strict=True)
        away = [usual.away(view.distance(rows)) for usual, view in pairs]
        return together(away, COUNTED[self.mode])

    @cached_property
    def _usual(self) -> list[Usual]:
        return [Usual.of(each) for each in self._own]

    @cached_property
    def _own(self) -> list[np.ndarray]:
        """Each view's distances of the rows it keeps."""
        folds, members = self.members.folds, len(self.members)
        fold = np.arange(len(self.kept)) % folds
        unknown = None if folds == 1 else fold[None] == (np.arange(members) % folds)[:, None]
        return [view.distance(self._kept_rows, among=True, unknown=unknown) for view in self._views]

    @cached_property
    def _views(self) -> list[View]:
        return [view.learn(self._kept_rows) for view in VIEWS[self.mode]]

    @cached_property
    def _kept_rows(self) -> Rows:
        return self.rows(self.kept)

    @cached_property
    def _middle(self) -> np.ndarray:
        return np.where(self.features.amounts, self.kept.mean(axis=0, dtype=np.float64), 0.0)

    @cached_property
    def _deviation(self) -> np.ndarray:
        deviation = self.kept.std(axis=0, dtype=np.float64)
        return np.where(self.features.amounts & (deviation > 0), deviation, 1.0)


def _known_rows(document: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> KnownRows | None:
    plan = document.get("known_rows")
    return None if plan is None else KnownRows(str(plan), tensors["known_rows"].tobytes())
