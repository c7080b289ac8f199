"""file ⇄ sample ⇄ tensor: readers with their writers, splits, scaling, corruption, batches.

NumPy and Pillow only; nothing here knows what a net is.
"""

from isthmus.data.augment import Augment
from isthmus.data.batches import Batches
from isthmus.data.corruption import CORRUPTIONS, make_corruption
from isthmus.data.readers import READERS, open_source, write_source
from isthmus.data.source import Layout, Member, Skipped, Source
from isthmus.data.split import split
from isthmus.data.transforms import TRANSFORMS, Transform, fit_transform

__all__ = [
    "CORRUPTIONS",
    "READERS",
    "TRANSFORMS",
    "Augment",
    "Batches",
    "Layout",
    "Member",
    "Skipped",
    "Source",
    "Transform",
    "fit_transform",
    "make_corruption",
    "open_source",
    "split",
    "write_source",
]
