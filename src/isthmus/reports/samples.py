"""Samples → the pictures of the page: pairs with their difference, and thumbnails for the map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from isthmus.data import Source
from isthmus.reports import charts
from isthmus.reports.charts import THUMBNAIL
from isthmus.reports.gather import Gathered
from isthmus.reports.html import Section, image
from isthmus.reports.pictures import NEGATIVE, POSITIVE, SMALL_SIDE, Triple, thumbnail, triples

_SHOWN_SMALL, _SHOWN_LARGE, _SHOWN_LINES = 12, 4, 4


def reconstructions(gathered: Gathered) -> Section:
    """Originals beside reconstructions and difference."""
    originals, restored = gathered.evaluation.pairs
    spec = gathered.samples.spec
    if spec.modality != "image":
        return _lines(list(originals), list(restored), gathered)
    small = all(max(sample.shape[:2]) <= SMALL_SIDE for sample in originals)
    count = _SHOWN_SMALL if small else _SHOWN_LARGE
    drawn, limit = triples(list(originals)[:count], list(restored)[:count], spec)
    cut = " Large images are shown by their middle, pixel for pixel." if any(t.cut for t in drawn) else ""
    colour = ", in the channel furthest off" if spec.channels > 1 else ""
    lead = f"The difference is reconstruction − original{colour}; the scale is the same for all.{cut}"
    body = (_small(drawn) if small else _large(drawn)) + _scale(limit)
    return Section("reconstructions", "Originals and reconstructions", lead, body)


def spread_thumbnails(points: np.ndarray, source: Source) -> list[tuple[int, np.ndarray]]:
    """Samples that can be drawn as small pictures without hiding one another; none for arrays."""
    if source.spec.modality != "image":
        return []
    places = points / np.maximum(np.ptp(points, axis=0), 1e-300)
    chosen: list[int] = []
    for index in range(len(points)):
        if len(chosen) == _MOST_THUMBNAILS:
            break
        apart = np.abs(places[chosen] - places[index]) > _APART
        if apart.any(axis=1).all():
            chosen.append(index)
    samples = source.read(chosen)
    return [(index, thumbnail(sample, source.spec)) for index, sample in zip(chosen, samples, strict=True)]


_APART = np.array([1.1, 1.3]) * THUMBNAIL
_MOST_THUMBNAILS = 150


def _small(drawn: Sequence[Triple]) -> str:
    """One column a sample, original on top."""
    factor = max(1, round(_SMALL_SHOWN / max(drawn[0].width, drawn[0].height)))
    rows = "".join(f'<span style="height:{drawn[0].height * factor}px">{kind}</span>' for kind in _KINDS)
    fitting = _ROW // (drawn[0].width * factor + 8)  # one row on a wide page, with none left over
    columns = "\n".join(_column(triple, number, factor) for number, triple in enumerate(drawn[:fitting], 1))
    return f'<div class="samples"><div class="rows" aria-hidden="true">{rows}</div>\n{columns}</div>'


_SMALL_SHOWN = 72  # CSS pixels of the longer side
_ROW = 1000  # CSS pixels of a row
_KINDS = ("original", "restored", "difference")


def _column(triple: Triple, number: int, factor: int) -> str:
    width, height = triple.width * factor, triple.height * factor
    uris = (triple.original, triple.restored, triple.difference)
    pictures = "".join(
        image(uri, f"Sample {number}, {kind}", width=width, height=height)
        for uri, kind in zip(uris, _KINDS, strict=True)
    )
    return f"<figure>{pictures}<figcaption>{_quality(triple)}</figcaption></figure>"


def _large(drawn: Sequence[Triple]) -> str:
    """One row a sample."""
    head = "".join(f"<b>{kind}</b>" for kind in _KINDS)
    rows = []
    for number, triple in enumerate(drawn, 1):
        uris = (triple.original, triple.restored, triple.difference)
        rows += [
            image(uri, f"Sample {number}, {kind}", width=triple.width, height=triple.height, kind="smooth")
            for uri, kind in zip(uris, _KINDS, strict=True)
        ]
        rows.append(f"<p>{_quality(triple)}</p>")
    return f'<div class="triples">{head}\n' + "\n".join(rows) + "</div>"


def _quality(triple: Triple) -> str:
    return "exact" if triple.psnr_db >= 200 else f"{triple.psnr_db:.1f} dB"


def _scale(limit: float) -> str:
    """The legend of the difference."""
    below, above = (f"rgb{end}" for end in (NEGATIVE, POSITIVE))
    colours = f"linear-gradient(to right, {below}, #fff, {above})"
    return (
        f'<p class="scale"><span>darker by {limit:g} or more</span>'
        f'<i role="img" aria-label="Scale from blue over white, no difference, to red" '
        f'style="background:{colours}"></i><span>brighter by {limit:g} or more</span></p>'
    )


def _lines(originals: list[np.ndarray], restored: list[np.ndarray], gathered: Gathered) -> Section:
    scale = gathered.model.decoder.transform
    standard = gathered.model.config.data.transform.name == "standard"
    unit = " Values are in deviations from the mean of each feature." if standard else ""
    pairs = [
        (_line(a, scale if standard else None), _line(b, scale if standard else None))
        for a, b in zip(originals[:_SHOWN_LINES], restored[:_SHOWN_LINES], strict=True)
    ]
    alt = f"{len(pairs)} samples as lines, each with its reconstruction and their difference."
    body = charts.line_plots([a for a, _ in pairs], [b for _, b in pairs], alt)
    lead = f"{len(pairs)} samples; the strip under each is reconstruction − original.{unit}"
    longest = max(sample.size for sample in originals[:_SHOWN_LINES])
    if longest > _POINTS:
        lead += f" The first {_POINTS:,} of {longest:,} values are drawn."
    return Section(
        "reconstructions", "Originals and reconstructions", lead, f'<div class="tall">{body}</div>'
    )


_POINTS = 512


def _line(sample: np.ndarray, scale) -> np.ndarray:  # type: ignore[no-untyped-def]
    """The first values of a sample as one line of float64."""
    values = sample if scale is None else scale.forward(sample[None])[0]
    return np.asarray(values, dtype=np.float64).ravel()[:_POINTS]
