"""The forms of video: how samples stand in planes, how large a frame is, how time is counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from fractions import Fraction
from typing import Any

from isthmus.data.names import ends_in, name_apart
from isthmus.errors import DamagedFile, MissingExtra

SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".m2ts", ".wmv", ".flv",
    ".ogv", ".3gp", ".y4m", ".nut",
)  # fmt: skip
LARGEST_SIDE = 1 << 15
USUAL_RATE = Fraction(25)
"""Of clips that do not say theirs."""
_MOST_TERM = (1 << 31) - 1


@dataclass(frozen=True)
class Layout:
    """How the samples of a frame stand.

    Args:
        bits: of a sample.
        planes: how many.
        down, over: how many rows and columns of the first plane a sample of the next two covers.
        packed: whether FFV1 takes them interleaved, so that they are put together first.
    """

    bits: int
    planes: int = 3
    down: int = 1
    over: int = 1
    packed: bool = False


def _layouts() -> dict[str, Layout]:
    found = {"bgr0": Layout(8, 3, packed=True), "bgra": Layout(8, 4, packed=True)}
    shapes = {"420": (2, 2), "422": (1, 2), "444": (1, 1), "440": (2, 1), "411": (1, 4), "410": (4, 4)}
    for name, shape in shapes.items():
        depths = {"411": (8,), "410": (8,), "440": (8, 10, 12)}.get(name, (8, 9, 10, 12, 14, 16))
        for bits in depths:
            found[f"yuv{name}p{_ending(bits)}"] = Layout(bits, 3, *shape)
    for name in ("420", "422", "444"):
        for bits in (8, 10, 16) if name == "420" else (8, 10, 12, 16):
            found[f"yuva{name}p{_ending(bits)}"] = Layout(bits, 4, *shapes[name])
    for bits in (10, 12, 14, 16):
        found[f"gbrp{_ending(bits)}"] = Layout(bits, 3)
    for bits in (10, 12, 16):
        found[f"gbrap{_ending(bits)}"] = Layout(bits, 4)
    for bits in (8, 9, 10, 12, 14, 16):
        found[f"gray{_ending(bits)}"] = Layout(bits, 1)
    return found


def _ending(bits: int) -> str:
    return "" if bits == 8 else f"{bits}le"


LAYOUTS = _layouts()
"""By FFmpeg's name: the forms in which frames come back."""
SAME = {
    **{f"yuvj{each}p": f"yuv{each}p" for each in ("420", "422", "444", "440", "411")},
    **dict.fromkeys(("nv12", "nv21"), "yuv420p"),
    **dict.fromkeys(("yuyv422", "uyvy422", "yvyu422", "nv16"), "yuv422p"),
    **dict.fromkeys(("rgb24", "bgr24", "gbrp", "0rgb", "rgb0", "0bgr"), "bgr0"),
    **dict.fromkeys(("rgba", "argb", "abgr", "gbrap"), "bgra"),
    "p010le": "yuv420p10le",
}
"""Forms that hold the same samples as another, in another order."""
FULL_RANGE = 2
"""FFmpeg's number for samples of which 0 is black and the largest is white."""


@dataclass(frozen=True)
class Kind:
    """What all frames of a clip have in common.

    Args:
        layout: FFmpeg's name of the form in which they come back.
        width, height: of the first plane.
        tick_s: what times count, in seconds.
        rate: frames a second as the file tells it, or 0.
        range, space, primaries, transfer: what samples mean as colours, by FFmpeg's numbers.
        aspect: how much wider than high a sample is, or 0.
        rotation: how far to turn frames for display, in degrees.

    >>> kind = Kind("yuv420p", 5, 3, Fraction(1, 25), Fraction(25))
    >>> kind.shapes, kind.top, Kind.from_list(kind.to_list()) == kind
    (((3, 5), (2, 3), (2, 3)), 255, True)
    """

    layout: str
    width: int
    height: int
    tick_s: Fraction
    rate: Fraction
    range: int = 0
    space: int = 2
    primaries: int = 2
    transfer: int = 2
    aspect: Fraction = Fraction(0)
    rotation: int = 0

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Rows and columns of each plane."""
        layout = LAYOUTS[self.layout]
        whole = (self.height, self.width)
        part = (-(-self.height // layout.down), -(-self.width // layout.over))
        return (whole, part, part, whole)[: layout.planes]

    @property
    def top(self) -> int:
        """The largest value of a sample."""
        return (1 << LAYOUTS[self.layout].bits) - 1

    @property
    def frame_bytes(self) -> int:
        """Of the samples of a frame."""
        return sum(high * wide for high, wide in self.shapes) * (1 if self.top < 256 else 2)

    def summary(self) -> str:
        """For people."""
        rate = f", {float(self.rate):.4g} frames/s" if self.rate else ""
        return f"{self.width}×{self.height}, {self.layout}{rate}"

    def to_list(self) -> list[Any]:
        """JSON-ready; fractions as two numbers."""
        return [
            [each.numerator, each.denominator] if isinstance(each, Fraction) else each
            for each in astuple(self)
        ]

    @classmethod
    def from_list(cls, values: Any) -> Kind:
        """Undo `to_list`; DamagedFile for what no kind is."""
        try:
            layout, width, height, tick, rate, *colours, aspect, rotation = values
            tick, rate, aspect = (Fraction(*map(_number, each)) for each in (tick, rate, aspect))
            space = [_number(each) for each in colours]
            for each in (width, height, rotation):
                _number(each)
        except (TypeError, ValueError, ZeroDivisionError):
            raise DamagedFile("A kind of video is not told as it must be.") from None
        possible = layout in LAYOUTS and len(space) == 4 and tick > 0
        if not possible or not all(1 <= each <= LARGEST_SIDE for each in (width, height)):
            raise DamagedFile("A kind of video has a size or a form that cannot be.")
        first, second, third, fourth = space
        return cls(layout, width, height, tick, rate, first, second, third, fourth, aspect, rotation)


def _number(value: Any) -> int:
    if type(value) is not int or abs(value) > _MOST_TERM:
        raise ValueError
    return value


def is_video_name(name: str) -> bool:
    """Whether a file is video by its name; hidden ones are not."""
    return ends_in(name, SUFFIXES)


def restored_names(names: Iterable[tuple[str, str]]) -> list[str]:
    """The name under which each file comes back, apart from all others.

    Args:
        names: of each file, and the ending it gets.

    >>> restored_names([("a.mp4", ".mkv"), ("a.avi", ".mkv"), ("b/c.mkv", ".mkv")])
    ['a.mkv', 'a.avi.mkv', 'b/c.mkv']
    """
    found: list[str] = []
    taken: set[str] = set()
    for name, ending in names:
        told = name_apart(name, ending, taken)
        taken.add(told.casefold())
        found.append(told)
    return found


def av() -> Any:
    """The module that reads and writes files.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import av as module
    except (ImportError, OSError) as wrong:
        raise MissingExtra(
            "Video is read with PyAV, which is not installed: pip install 'isthmus[video]'."
        ) from wrong
    return module
