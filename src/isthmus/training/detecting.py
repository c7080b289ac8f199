"""A table → a detector of odd rows."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from isthmus.data.tables.features import TableFeatures, squashed
from isthmus.data.tables.table import Table
from isthmus.model.detector import MOST_ROWS, Detector
from isthmus.training.members import MembersPlan, train_members

PLANS: Mapping[str, MembersPlan] = {
    "contaminated": MembersPlan(trimmed=0.1),
    "novelty": MembersPlan(folds=3),
}
"""By mode."""
LEAST_FOR_FOLDS = 30
"""Rows; with fewer, every member learns from all of them."""


def train_detector(
    table: Table, mode: str, *, seed: int = 0, budget_s: float | None = None, steps: int | None = None
) -> Detector:
    """Learn what is usual in a table.

    Args:
        table: rows; of very many, some are enough.
        mode: "contaminated" or "novelty", see Detector.
        seed: of the first weights, of the order of the rows, and of the noise.
        budget_s: seconds for training the members at most.
        steps: of training them; None takes those of the mode.
    """
    started = time.monotonic()
    plan = replace(PLANS[mode], seed=seed, budget_s=budget_s)
    plan = plan if steps is None else replace(plan, steps=steps)
    if len(table) < LEAST_FOR_FOLDS:
        plan = replace(plan, folds=1)
    features = TableFeatures.learn(table)
    order = np.random.default_rng(seed).permutation(len(table))
    matrix, novelty = features.matrix(table)[order], features.own_novelty(table)[:, order]
    members = train_members(squashed(matrix).astype(np.float32), plan)
    provenance = {"rows": len(table), "seconds": round(time.monotonic() - started, 3)}
    return Detector(
        features=features,
        members=members,
        mode=mode,
        kept=matrix[:MOST_ROWS],
        kept_novelty=novelty[:, :MOST_ROWS].astype(np.float32),
        provenance=provenance,
    )
