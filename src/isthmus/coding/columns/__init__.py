"""Columns of whole numbers ⇄ bytes, each value by what its row and the row before tell of it.

Nothing is learned beforehand but a plan: which other values count for a column, and how much. The
chances themselves are counts that grow while coding, and the reader's grow alike.
"""

from isthmus.coding.columns.block import Coded, decode_block, encode_block
from isthmus.coding.columns.parts import Floats, Part, Whole, Words

__all__ = ["Coded", "Floats", "Part", "Whole", "Words", "decode_block", "encode_block"]
