"""Run → report: the task behind `isthmus report`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isthmus.files import refuse_existing
from isthmus.model import Model
from isthmus.reports.figures import drawing
from isthmus.reports.gather import gather
from isthmus.reports.page import render, write_page
from isthmus.tasks.evaluate import EvaluateResult
from isthmus.tasks.results import Result, size


@dataclass(frozen=True)
class ReportResult(Result):
    """What `report` wrote."""

    path: Path
    page_bytes: int
    measured_on: str
    """A sentence that says which samples the figures come from."""
    evaluation: EvaluateResult = field(repr=False)
    """All figures of the page."""

    def summary(self) -> str:
        """One line for a terminal."""
        return f"Report ({size(self.page_bytes)}, one file) → {self.path}. {self.evaluation.verdict()}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with the figures."""
        return super().to_dict() | {"evaluation": self.evaluation.to_dict()}


def write_report(
    run_or_model: str | Path | Model,
    *,
    source: Any = None,
    output: str | Path | None = None,
    force: bool = False,
) -> ReportResult:
    """Write the page of one training run.

    Args:
        run_or_model: the folder NAME.run that `fit` left, the model NAME.ism beside it (each finds
            the other), or a Model.
        source: data to measure on; None takes the held-out samples of the data the run names, or
            those kept in its folder.
        output: the .html file; default: beside the model, NAME.html (report.html for a Model).
        force: replace an existing page.
    Raises:
        MissingExtra: matplotlib or PyTorch is not installed.
        NoData: no such run or model, or no samples to measure on.
        SpecMismatch: `source` holds data of another kind than the model's.
        OutputExists: nothing was written.
    """
    target = Path(output) if output is not None else _beside(run_or_model)
    refuse_existing(target, force=force)
    with drawing():
        pass  # a missing matplotlib should show now, not after minutes of measuring
    gathered = gather(run_or_model if isinstance(run_or_model, Model) else Path(run_or_model), source)
    write_page(target, render(gathered), force=force)
    return ReportResult(target, target.stat().st_size, gathered.measured_on, gathered.evaluation)


def _beside(run_or_model: str | Path | Model) -> Path:
    return Path("report.html") if isinstance(run_or_model, Model) else Path(run_or_model).with_suffix(".html")
