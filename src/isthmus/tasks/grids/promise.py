"""What an archive promises of each gridded array: equality, or a bound. It stands in the header."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from isthmus.coding.bound import Bound, finite_range
from isthmus.data.grids import TEXT, Facts, Grids, Variable
from isthmus.errors import ConfigError, DamagedFile, UseError
from isthmus.tasks.grids.blocks import gap_map
from isthmus.tasks.promise import BOUND, BOUNDED, ERROR_MODES, LOSSLESS

GRID = "grid"
"""What the spec of such an archive calls it."""
FEWEST_VALUES = 1024
"""Of a variable that --max-error concerns: smaller ones are coordinates and the like, and cost little."""


@dataclass(frozen=True)
class GridBound:
    """How far the values of one variable may be from their originals."""

    stored: Bound
    """In the numbers that the file stores."""
    unit: float = 1.0
    """What a stored step is in the variable's own unit; not 1 where values are packed."""
    asked: tuple[str, float] = ("abs", 0.0)

    def summary(self) -> str:
        """A few words for people, in the variable's own unit."""
        word, number = self.asked
        if word == "pointwise":
            return f"within {number:.6g} times the value"
        told = f"within {self.stored.value * self.unit if word == 'rel' else number:.6g}"
        return told + (f" (rel {number:g})" if word == "rel" else "")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` undoes it."""
        return {
            "value": self.stored.value,
            "pointwise": self.stored.pointwise,
            "unit": self.unit,
            "asked": list(self.asked),
        }

    @classmethod
    def from_dict(cls, told: Any) -> GridBound:
        """Undo `to_dict`; ValueError for anything else."""
        (word, number), pointwise = told["asked"], told["pointwise"]
        value, unit, number = float(told["value"]), float(told["unit"]), float(number)
        if word not in ERROR_MODES or not isinstance(pointwise, bool):
            raise ValueError("a bound of another kind")
        if not (math.isfinite(unit) and unit > 0 and math.isfinite(number)):
            raise ValueError("a bound of no size")
        return cls(Bound(value, pointwise), unit, (word, number))


@dataclass(frozen=True)
class GridPromise:
    """The bounds by variable; what is not named has the bits it had."""

    bounds: Mapping[str, GridBound]

    @property
    def mode(self) -> str:
        """In the words of other archives."""
        return BOUNDED if self.bounds else LOSSLESS

    def layer(self, name: str) -> str:
        """What the only layer of a variable's blocks is called."""
        return BOUND if name in self.bounds else LOSSLESS

    def bound(self, name: str) -> Bound | None:
        """In stored numbers; None where bits are kept."""
        found = self.bounds.get(name)
        return None if found is None else found.stored

    def without(self, names: Collection[str]) -> GridPromise:
        """The same without the bounds of some variables, whose bits are kept then."""
        return GridPromise({name: bound for name, bound in self.bounds.items() if name not in names})

    def summary(self) -> str:
        """A few words for people."""
        if not self.bounds:
            return "lossless, every variable and attribute as it was"
        told = [f"{name} {bound.summary()}" for name, bound in self.bounds.items()]
        more = f" and {len(told) - 4} more variables" if len(told) > 4 else ""
        return f"values of {', '.join(told[:4])}{more}; all else as it was"

    def to_header(self) -> dict[str, Any]:
        """The header of an archive; `from_header` undoes it."""
        header: dict[str, Any] = {"mode": self.mode, "parts": {}, "spec": {"modality": GRID}}
        told = {name: bound.to_dict() for name, bound in self.bounds.items()}
        return header | {"bounds": told} if told else header

    @classmethod
    def from_header(cls, header: Mapping[str, Any]) -> GridPromise:
        """As a header tells it; DamagedFile for what no writer tells."""
        try:
            told = header.get("bounds", {})
            promise = cls({str(name): GridBound.from_dict(each) for name, each in told.items()})
        except (KeyError, TypeError, ValueError, AttributeError, ConfigError) as wrong:
            raise DamagedFile("The header misstates the bounds of its variables.") from wrong
        if header.get("mode") != promise.mode:
            raise DamagedFile("The header misstates what became of its variables.")
        return promise


def make_promise(
    grids: Grids, mode: str | None, max_error: float | None, error_mode: str, bounds: Mapping[str, float]
) -> GridPromise:
    """The bounds that follow from what was asked.

    Args:
        grids: read once more where a bound is relative to a range.
        mode: "bounded", "lossless" or None.
        max_error: for every variable of measurements; see `is_measured`.
        error_mode: "abs", in the variable's unit; "rel", times its range; "pointwise", times each value.
        bounds: in units, by variable; 0 keeps it as it is.
    Raises:
        UseError: they cannot be, or no such variable is there.
    """
    _require_sense(grids, mode, max_error, error_mode, bounds)
    facts = [grids.facts(number) for number in range(len(grids.variables))]
    found = {}
    for number, variable in enumerate(grids.variables):
        if variable.name in bounds:
            asked = "abs", float(bounds[variable.name])
        elif max_error is not None and is_measured(number, grids.variables, facts):
            asked = error_mode, float(max_error)
        else:
            continue
        bound = _bound(grids, number, facts[number], asked)
        if bound is not None:
            found[variable.name] = bound
    return GridPromise(dict(sorted(found.items())))


def is_measured(number: int, variables: tuple[Variable, ...], facts: list[Facts]) -> bool:
    """Whether --max-error concerns a variable: many floats, or packed numbers, and no coordinates."""
    variable, own = variables[number], facts[number]
    name = variable.name.rpartition("/")[2]
    places = {each for fact in facts for each in (*fact.dimensions, *fact.mentions)}
    numbers = variable.dtype != TEXT and (np.dtype(variable.dtype).kind == "f" or own.is_packed)
    is_place = name in places or variable.name in places
    return numbers and not is_place and not own.is_text and math.prod(variable.shape) >= FEWEST_VALUES


def _require_sense(
    grids: Grids, mode: str | None, max_error: float | None, error_mode: str, bounds: Mapping[str, float]
) -> None:
    names = [each.name for each in grids.variables]
    for name in bounds:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise UseError(
                f"There is no variable {name!r} to bound.{hint} There are {', '.join(names[:12])}."
            )
        number = names.index(name)
        if grids.variables[number].dtype in (TEXT, "bool") or grids.facts(number).is_text:
            raise UseError(f"{name} holds no numbers, so it cannot have a bound. Leave out --bound {name}=….")
    for asked in (*bounds.values(), *([] if max_error is None else [max_error])):
        if not (math.isfinite(asked) and asked >= 0):
            raise UseError(f"A bound must be finite and at least 0; got {asked}.")
    if error_mode not in ERROR_MODES:
        raise UseError(f"--error-mode must be one of {', '.join(ERROR_MODES)}; got {error_mode!r}.")
    if mode not in (None, LOSSLESS, BOUNDED):
        raise UseError(
            "Gridded arrays are kept as they are, or within bounds: give --max-error, not --lossy."
        )
    if mode == LOSSLESS and (max_error is not None or bounds):
        raise UseError("Give --lossless or bounds for gridded arrays, not both.")


def _bound(grids: Grids, number: int, facts: Facts, asked: tuple[str, float]) -> GridBound | None:
    """In stored numbers; None where it allows nothing, or cannot be told of packed numbers."""
    word, value = asked
    variable = grids.variables[number]
    unit = abs(facts.scale) if facts.scale is not None else 1.0
    if not (math.isfinite(unit) and unit > 0):
        return None
    if word == "pointwise":
        # Packed numbers stand an offset apart from what they mean, so no multiple of theirs can bound it.
        bound = None if facts.is_packed or np.dtype(variable.dtype).kind != "f" else Bound(value, True)
    elif word == "rel":
        bound = Bound.relative(value, *_range(grids, number))
    else:
        bound = Bound.in_steps(max(0.0, value - _unpacking_error(grids, number, facts)), unit)
    if bound is not None and np.dtype(variable.dtype).kind != "f":
        bound = Bound(float(math.floor(bound.value)))  # stored numbers are whole
    return GridBound(bound, unit, asked) if bound is not None and bound.value else None


def _unpacking_error(grids: Grids, number: int, facts: Facts) -> float:
    """How much further apart two packed numbers may seem, once a reader unpacks them in floats."""
    kind = np.dtype(grids.variables[number].dtype)
    if facts.scale is None or kind.kind == "f":
        return 0.0
    reach = max(map(abs, _range(grids, number))) * abs(facts.scale) + abs(facts.offset)
    # Readers unpack short numbers into float32 where the scale is one.
    narrow = kind.itemsize <= _SHORT_BYTES and float(np.float32(facts.scale)) == facts.scale
    eps = float(np.finfo(np.float32 if narrow else np.float64).eps)
    lowest = min(_lowest_bit(each) for each in (facts.scale, facts.offset) if each)
    is_exact = reach * eps <= lowest  # every product and sum is a multiple of it, and fits into a float
    return 0.0 if is_exact else 4 * eps * reach


_SHORT_BYTES = 2


def _lowest_bit(value: float) -> float:
    """The power of two that is the last digit of a float other than 0.

    >>> _lowest_bit(0.5), _lowest_bit(12.0)
    (0.5, 4.0)
    """
    numerator, denominator = value.as_integer_ratio()
    return (numerator & -numerator) / denominator


def _range(grids: Grids, number: int) -> tuple[float, float]:
    """The least and the greatest stored number that is one."""
    variable, ranges = grids.variables[number], []
    for values in grids.tiles(number):
        kept = values[gap_map(values, variable.gaps) == 0] if variable.gaps else values
        if kept.size and (kept.dtype.kind != "f" or np.isfinite(kept).any()):
            ranges.append(finite_range(kept))
    return (min(low for low, _ in ranges), max(high for _, high in ranges)) if ranges else (0.0, 0.0)
