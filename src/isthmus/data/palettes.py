"""The palette of an image whose pixels are numbers of colours."""

from __future__ import annotations

from dataclasses import dataclass

MOST_COLOURS = 256


@dataclass(frozen=True)
class Palette:
    """Colours by number.

    Raises:
        ValueError: such a palette cannot be.
    """

    colours: bytes
    """Red, green, blue of each, one after another."""
    alphas: bytes = b""
    """How opaque each is, 0 to 255; colours beyond the last are opaque."""

    def __post_init__(self) -> None:
        count, rest = divmod(len(self.colours), 3)
        if rest or not 1 <= count <= MOST_COLOURS or len(self.alphas) > MOST_COLOURS:
            raise ValueError(f"a palette of {len(self.colours)} bytes, {len(self.alphas)} of them alpha")

    def __len__(self) -> int:
        return len(self.colours) // 3

    def to_bytes(self) -> bytes:
        """The number of colours less one, the colours, the alphas; `from_bytes` undoes it.

        >>> Palette.from_bytes(Palette(b"\\0\\0\\0\\x80\\0\\0", b"\\0").to_bytes())
        Palette(colours=b'\\x00\\x00\\x00\\x80\\x00\\x00', alphas=b'\\x00')
        """
        return bytes([len(self) - 1]) + self.colours + self.alphas

    @classmethod
    def from_bytes(cls, data: bytes) -> Palette:
        """Undo `to_bytes`; ValueError for what it would not have written."""
        end = 1 + 3 * (data[0] + 1) if data else 0
        return cls(data[1:end], data[end:])
