"""Symbols ⇄ bytes ⇄ file. Only integers pass through this room, so every machine agrees.

    values ⇄ bytes                     coder.py, by the frequencies of tables.py
    blocks of bytes ⇄ .isz file        container.py: writer.py ⇄ reader.py
    model's decode part ⇄ bytes        canonical.py, its weights by integers.py

docs/format.md describes every byte.
"""
