"""Good settings per kind of data: TOML files beside this one, and the choice among them."""

from __future__ import annotations

import difflib
import math
from importlib.resources import files

from isthmus.config import Config
from isthmus.errors import UnknownName
from isthmus.spec import DataSpec


def names() -> list[str]:
    """The recipes there are.

    >>> "images" in names()
    True
    """
    return sorted(f.name.removesuffix(".toml") for f in files(__name__).iterdir() if f.name.endswith(".toml"))


def load_recipe(name: str) -> Config:
    """The settings of the recipe called `name`; raise UnknownName if there is none."""
    if name not in names():
        close = difflib.get_close_matches(name, names(), n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UnknownName(f"No recipe called {name!r}.{hint} Known: {', '.join(names())}.")
    return Config.from_toml(files(__name__).joinpath(f"{name}.toml").read_text())


def recipe_for(spec: DataSpec) -> str:
    """The name of the recipe that suits this kind of data.

    >>> spec = DataSpec(modality="image", axes=("height", "width"), shape=(28, 28), dtype="uint8")
    >>> recipe_for(spec)
    'small-images'
    """
    if spec.modality != "image":
        values = math.prod(side or 1 for side in spec.shape)
        return "large-arrays" if values > _LARGE else "arrays"
    sides = [side for side in spec.shape[:2] if side is not None]
    if len(sides) == 2 and max(sides) <= _TINY:
        return "tiny-images"
    return "small-images" if len(sides) == 2 and max(sides) <= _SMALL else "images"


_TINY, _SMALL = 16, 64  # pixels: below, an image is one code; up to 64, it is taken whole
_LARGE = 1 << 15  # values of a sample: 512 weights for each, and their optimiser's state, are 1 GB beyond
