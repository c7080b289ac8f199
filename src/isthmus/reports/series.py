"""What `detect` found in a series → one self-contained HTML page: channels with their alarms, and reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from isthmus.files import refuse_existing
from isthmus.reports.figures import FAINT, HELD, OURS, OURS_LIGHT, drawing, new_figure, to_svg
from isthmus.reports.html import Section, TableRow, facts, key_figures, listed, table
from isthmus.reports.page import framed, write_page
from isthmus.tasks.series.detect import SeriesDetectResult, sentence

CHANNELS_SHOWN = 6
SPANS_SHOWN = 50
LONGEST_NAME = 60
"""Letters of a channel's name above its drawing."""
BINS = 400
"""Of a drawn channel: in each, a line from its least to its greatest value."""
CLOSE_UPS = 4
AROUND = 1.5
"""Longest windows that a close-up shows on either side."""


def write_series_report(
    result: SeriesDetectResult, path: str | Path, *, name: str, force: bool = False
) -> Path:
    """Write the page of a result.

    Raises:
        MissingExtra: matplotlib is not installed.
        OutputExists: nothing was written.
    """
    path = Path(path)
    refuse_existing(path, force=force)
    write_page(path, render_series(result, name), force=force)
    return path


def render_series(result: SeriesDetectResult, name: str) -> str:
    """The page as text."""
    channels, spans = len(result.detector.channels), result.spans
    with drawing():
        sections = [_figures(result), _course(result), *_close_ups(result), _oddest(result), _about(result)]
    return framed(
        name=name,
        about=f"{result.rows:,} rows of {channels:,} channel{'s' * (channels > 1)} "
        f"({result.detector.mode} mode)",
        verdict=f"{result.anomalies:,} rows in {spans:,} span{'s' * (spans != 1)} are reported: "
        f"{result.told}.",
        measured="Scores: above 1, a row is odder than three quarters of usual ones. "
        "P-values: how often a usual row scores as high.",
        sections="\n".join(section.to_html() for section in sections),
        notices=result.notices,
    )


def _figures(result: SeriesDetectResult) -> Section:
    period = result.detector.period
    body = key_figures(
        [
            ("rows", f"{result.rows:,}", "all of them scored"),
            ("reported", f"{result.anomalies:,}", result.told),
            ("spans", f"{result.spans:,}", "of reported rows"),
            ("period", "none" if period is None else f"{period:,}", "rows, found by itself"),
        ]
    )
    return Section("figures", "In short", "", body)


def shown_channels(result: SeriesDetectResult) -> list[int]:
    """The channels to draw: those with most reasons, then the first ones."""
    names = result.detector.channels
    guilty = Counter(reason.channel for _, why in result.reasons for reason in why)
    order = sorted(range(len(names)), key=lambda number: (-guilty[names[number]], number))
    return sorted(order[:CHANNELS_SHOWN])


def _course(result: SeriesDetectResult) -> Section:
    shown = shown_channels(result)
    low, high = _envelopes(result, shown)
    edges = np.linspace(0, result.rows, low.shape[1] + 1)
    figure, axes = new_figure(0.85 * (len(shown) + 1) + 0.5, len(shown) + 1, sharex=True)
    for at, number in enumerate(shown):
        _shade(axes[at], result)
        axes[at].fill_between(edges[:-1], low[at], high[at], step="post", color=OURS, lw=0.6)
        axes[at].set_title(result.detector.channels[number][:LONGEST_NAME], loc="left")
    _shade(axes[-1], result)
    scores = np.array([part.max() for part in np.array_split(result.scores, low.shape[1])])
    axes[-1].plot(edges[:-1], scores, color=FAINT, lw=0.8)
    axes[-1].axhline(_threshold(result), color=HELD, lw=0.8)
    axes[-1].set_title("score", loc="left")
    axes[-1].set_xlabel("rows")
    axes[-1].xaxis.set_major_formatter(lambda row, _: f"{row:,.0f}")
    names = ", ".join(result.detector.channels[number] for number in shown)
    more = len(result.detector.channels) - len(shown)
    lead = "Reported spans are shaded; the line across the scores is where reporting begins."
    lead += f" Channels that are not drawn: {more:,}." if more else ""
    alt = f"{names} and their scores over {result.rows:,} rows; {result.spans:,} spans are reported"
    return Section("course", "The series and its alarms", lead, to_svg(figure, "course", alt))


def _close_ups(result: SeriesDetectResult) -> list[Section]:
    """The oddest spans, each with what is around it, in its oddest channel."""
    ranked = sorted(result.reasons, key=lambda one: -result.scores[one[0].oddest])[:CLOSE_UPS]
    if not ranked:
        return []
    around = round(AROUND * result.detector.longest)
    wanted = [(max(0, s.first - around), min(result.rows, s.last + 1 + around)) for s, _ in ranked]
    figure, axes = new_figure(1.05 * len(ranked) + 0.4, len(ranked))
    cuts = _cut(result, wanted)
    for at, ((span, why), (start, end), values) in enumerate(zip(ranked, wanted, cuts, strict=True)):
        name = why[0].channel if why else result.detector.channels[0]
        axes[at].axvspan(span.first - 0.5, span.last + 0.5, color=OURS_LIGHT, lw=0)
        number = result.detector.channels.index(name)
        axes[at].plot(np.arange(start, end), values[:, number], color=OURS, lw=0.9)
        axes[at].set_title(name[:LONGEST_NAME], loc="left")
        axes[at].xaxis.set_major_formatter(lambda row, _: f"{row:,.0f}")
    axes[-1].set_xlabel("rows")
    lead = "The channel that is oddest there; the reported rows are shaded."
    alt = "; ".join(sentence(why) for _, why in ranked)
    return [Section("close", "The oddest spans from near", lead, to_svg(figure, "close", alt))]


def _oddest(result: SeriesDetectResult) -> Section:
    ranked = sorted(result.reasons, key=lambda one: -result.scores[one[0].oddest])[:SPANS_SHOWN]
    stamps = _stamps(result, [place for span, _ in ranked for place in (span.first, span.last)])
    rows = [
        TableRow(
            [
                f"{result.numbers[span.first]:,} to {result.numbers[span.last]:,}",
                _from_to(stamps.get(span.first, ""), stamps.get(span.last, "")),
                f"{result.scores[span.oddest]:.2f}",
                f"{result.p_values[span.oddest]:.2g}",
                sentence(why),
            ]
        )
        for span, why in ranked
    ]
    lead = f"The {len(rows)} oddest reported spans: what is there, and what was usual in like surroundings."
    head = ["rows", "stamps", "score", "p", "because"]
    return Section("oddest", "The oddest spans, and why", lead, table(head, rows, words=[1, 4]))


def _about(result: SeriesDetectResult) -> Section:
    told = result.detector.facts()
    body = facts(told) + listed(result.notes)
    return Section("about", "What was learned", "Of the rows that the detector learned from.", body)


def _from_to(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"


def _stamps(result: SeriesDetectResult, places: Sequence[int]) -> dict[int, str]:
    if result.source.stamp is None:
        return {}
    wanted = set(places)
    return {at: text for at, text in enumerate(result.source.stamp_texts()) if at in wanted}


def _shade(axes: object, result: SeriesDetectResult) -> None:
    least = result.rows / BINS
    for span, _ in result.reasons:
        middle, half = (span.first + span.last + 1) / 2, max(span.last + 1 - span.first, least) / 2
        axes.axvspan(middle - half, middle + half, color=HELD, alpha=0.3, lw=0)  # type: ignore[attr-defined]


def _threshold(result: SeriesDetectResult) -> float:
    """The least score that is reported; above all where none is."""
    raised = result.scores[result.is_anomaly]
    return float(raised.min()) if len(raised) else float(result.scores.max())


def _envelopes(result: SeriesDetectResult, shown: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """float64 (channels, bins), twice: least and greatest values."""
    bins = min(BINS, result.rows)
    low, high = np.full((len(shown), bins), np.inf), np.full((len(shown), bins), -np.inf)
    start = 0
    for values in _values(result):
        at = (start + np.arange(len(values))) * bins // result.rows
        for row, number in enumerate(shown):
            known = np.isfinite(values[:, number])
            np.minimum.at(low[row], at[known], values[known, number])
            np.maximum.at(high[row], at[known], values[known, number])
        start += len(values)
    nothing = low > high
    low[nothing] = high[nothing] = np.nan
    return low, high


def _cut(result: SeriesDetectResult, wanted: Sequence[tuple[int, int]]) -> list[np.ndarray]:
    """float64 (rows, channels) of some stretches."""
    kept: list[list[np.ndarray]] = [[] for _ in wanted]
    start = 0
    for values in _values(result):
        for mine, (low, high) in zip(kept, wanted, strict=True):
            first, last = max(low, start), min(high, start + len(values))
            if first < last:
                mine.append(values[first - start : last - start].copy())
        start += len(values)
    return [np.concatenate(mine) for mine in kept]


def _values(result: SeriesDetectResult) -> Iterator[np.ndarray]:
    """The channels that the detector knows, part by part."""
    known = result.source.channels
    places = [known.index(name) if name in known else 0 for name in result.detector.channels]
    return (part.values[:, places] for part in result.source.parts())
