"""Gridded arrays ⇄ archives: promise.py, blocks.py of one tile, writing.py and archive.py of a file."""
