"""Blocks ⇄ an .isz file: the public names of both directions, in one place.

    magic | version | header | crc | blocks … | model | index | crc | footer

writer.py writes it front to back, reader.py undoes that; blocks.py and index.py know the bytes of
each part.
"""

from isthmus.coding.blocks import Layer
from isthmus.coding.reader import ArchiveReader, Block, Problem, Sizes
from isthmus.coding.writer import ArchiveWriter

__all__ = ["ArchiveReader", "ArchiveWriter", "Block", "Layer", "Problem", "Sizes"]
