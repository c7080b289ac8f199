"""Channels of whole numbers along time ⇄ bytes: predicted by their past, one another and a period."""

from isthmus.coding.series.block import decode_series, encode_series

__all__ = ["decode_series", "encode_series"]
