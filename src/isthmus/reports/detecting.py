"""What `detect` found → one self-contained HTML page: scores, the oddest rows, the guilty columns."""

from __future__ import annotations

from collections import Counter
from html import escape
from pathlib import Path

import numpy as np

from isthmus.files import refuse_existing
from isthmus.model.reasons import sentence
from isthmus.reports.figures import FAINT, HELD, OURS, drawing, new_figure, to_svg
from isthmus.reports.html import Section, TableRow, facts, key_figures, table
from isthmus.reports.page import framed, write_page
from isthmus.tasks.detect import DetectResult

ROWS_SHOWN = 50
COLUMNS_SHOWN = 15
BINS = 60


def write_detect_report(result: DetectResult, path: str | Path, *, name: str, force: bool = False) -> Path:
    """Write the page of a result.

    Raises:
        MissingExtra: matplotlib is not installed.
        OutputExists: nothing was written.
    """
    path = Path(path)
    refuse_existing(path, force=force)
    write_page(path, render_detect(result, name), force=force)
    return path


def render_detect(result: DetectResult, name: str) -> str:
    """The page as text."""
    share = result.anomalies / max(1, result.rows)
    mode, columns = result.detector.mode, len(result.detector.features.columns)
    with drawing():
        sections = [_figures(result), _spread(result), _columns(result), _oddest(result), _about(result)]
    return framed(
        name=name,
        about=f"{result.rows:,} rows, judged by {columns:,} columns ({mode} mode)",
        verdict=f"{result.anomalies:,} rows ({share:.2%}) are reported: {result.told}.",
        measured="Scores: usual spreads from the middle. P-values: how often a usual row scores as high.",
        sections="\n".join(section.to_html() for section in sections),
        notices=result.notices,
    )


def _figures(result: DetectResult) -> Section:
    expected = 1000 * float((result.detector.calibration >= _threshold(result)).mean())
    body = key_figures(
        [
            ("rows", f"{result.rows:,}", "all of them scored"),
            ("reported", f"{result.anomalies:,}", result.told),
            ("highest score", f"{result.scores.max():.1f}", f"the median is {np.median(result.scores):.2f}"),
            ("expected alarms", f"{expected:.1f}", "per 1,000 usual rows"),
        ]
    )
    return Section("figures", "In short", "", body)


def _threshold(result: DetectResult) -> float:
    """The least score that is reported; above all where none is."""
    raised = result.scores[result.is_anomaly]
    return float(raised.min()) if len(raised) else float(np.nextafter(result.scores.max(), np.inf))


def _spread(result: DetectResult) -> Section:
    figure, (axes,) = new_figure(2.4, 1)
    low, high = np.quantile(result.scores, 0.001), float(result.scores.max())
    edges = np.linspace(low, max(high, low + 1e-9), BINS + 1).tolist()
    usual, odd = result.scores[~result.is_anomaly], result.scores[result.is_anomaly]
    axes.hist(
        [np.clip(usual, low, high), odd], edges, stacked=True, color=[OURS, HELD], label=["usual", "reported"]
    )
    axes.axvline(_threshold(result), color=FAINT, lw=1)
    axes.set_yscale("symlog", linthresh=1)
    axes.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
    axes.set_xlabel("score")
    axes.set_ylabel("rows")
    axes.legend(loc="upper right")
    alt = f"Histogram of scores; those above {_threshold(result):.2f} are reported"
    return Section(
        "scores",
        "How odd the rows are",
        "Rows by score; the line is where reporting begins.",
        to_svg(figure, "scores", alt),
        half=True,
    )


def _columns(result: DetectResult) -> Section:
    guilty = Counter(why[0].column for why in result.reasons.values() if why)
    lead = "How many of the explained rows have their weightiest reason in a column."
    if not guilty:
        return Section("columns", "Which columns", lead, "<p>No row was reported.</p>", half=True)
    shown = guilty.most_common(COLUMNS_SHOWN)[::-1]
    figure, (axes,) = new_figure(max(1.2, 0.22 * len(shown) + 0.5), 1)
    axes.barh([name[:24] for name, _ in shown], [count for _, count in shown], color=OURS)
    axes.set_xlabel("rows")
    axes.locator_params(axis="x", integer=True)
    alt = ", ".join(f"{name}: {count}" for name, count in reversed(shown))
    return Section("columns", "Which columns", lead, to_svg(figure, "columns", alt), half=True)


def _oddest(result: DetectResult) -> Section:
    order = [
        int(row) for row in np.argsort(-result.scores, kind="stable")[:ROWS_SHOWN] if result.is_anomaly[row]
    ]
    rows = [
        TableRow(
            [
                f"{row:,}",
                f"{result.scores[row]:.2f}",
                f"{result.p_values[row]:.2g}",
                sentence(result.reasons.get(row, [])),
            ]
        )
        for row in order
    ]
    lead = (
        f"The {len(rows)} oddest reported rows, counted from 0: what stands there, what was to be expected."
    )
    return Section(
        "oddest", "The oddest rows, and why", lead, table(["row", "score", "p", "because"], rows, words=[3])
    )


def _about(result: DetectResult) -> Section:
    told = {**result.detector.provenance, "mode": result.detector.mode}
    unused = "".join(f"<li>{escape(str(each))}</li>" for each in result.unused)
    body = facts(told) + (f"<p>Columns that are not looked at:</p><ul>{unused}</ul>" if unused else "")
    return Section("about", "What was learned", "Of the rows that the detector learned from.", body)
