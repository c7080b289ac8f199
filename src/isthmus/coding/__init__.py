"""Symbols ⇄ bytes ⇄ file. Only integers pass through this room, so every machine agrees.

    symbols ⇄ tables.py, coder.py ⇄ bytes ⇄ blocks.py, index.py, container.py ⇄ file
    document and integer tensors ⇄ canonical.py, integers.py ⇄ bytes     (the embedded model)

docs/format.md describes every byte.
"""
