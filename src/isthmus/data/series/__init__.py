"""Files and frames → time series: stamps as they stand, channels of numbers, gaps kept."""

from __future__ import annotations

from isthmus.data.series.opening import ascending_stamps, is_series, open_series
from isthmus.data.series.period import period
from isthmus.data.series.source import Part, SeriesSource, Stamp

__all__ = ["Part", "SeriesSource", "Stamp", "ascending_stamps", "is_series", "open_series", "period"]
