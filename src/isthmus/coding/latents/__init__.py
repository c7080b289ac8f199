"""Grids of latent symbols ⇄ bytes, at any of a hundred qualities.

    levels      a quality → the step of each channel
    neighbours  decoded symbols nearby → which table codes the next ones
    pieces      a large grid → parts of it that are coded one after another
    grades      all of it, with the tables: all that a model needs to be coded at every quality

Integers alone: what is decoded chooses among tables that were counted when the model was fitted.
"""

from isthmus.coding.latents.grades import Grades
from isthmus.coding.latents.levels import (
    DEFAULT_QUALITY,
    MAX_QUALITY,
    TOLD_OFFSET,
    TOLD_STEP,
    Levels,
    told,
    told_latents,
)
from isthmus.coding.latents.neighbours import Neighbours

__all__ = [
    "DEFAULT_QUALITY",
    "MAX_QUALITY",
    "TOLD_OFFSET",
    "TOLD_STEP",
    "Grades",
    "Levels",
    "Neighbours",
    "told",
    "told_latents",
]
