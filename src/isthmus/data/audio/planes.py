"""A spectrogram → what a net is told of it; what the net says of it → the spectrogram, mended.

Phases turn with the place of a window, so nothing is told of them by themselves: only how a frequency
turned since the window before, and against its neighbour. What the net says are factors, which turn along.
"""

from __future__ import annotations

import numpy as np

from isthmus.data.audio.spectrogram import OVERLAP, loudness

PLANES = 5
"""Numbers that tell one frequency of a window: its loudness, two turns as complex numbers."""
TAPS = 3
"""Windows that one is mended from: the one before, itself, the one behind."""
_QUIET = 1e-12


def planes_of(frames: np.ndarray) -> np.ndarray:
    """complex64 (frames, bins) → float32 (PLANES · bins, frames).

    >>> planes_of(np.ones((4, 9), np.complex64)).shape
    (45, 4)
    """
    waited = np.array([1, -1j, -1, 1j], np.complex64)[np.arange(frames.shape[1]) % OVERLAP]
    since, beside = np.zeros_like(frames), np.zeros_like(frames)
    since[1:] = frames[1:] * frames[:-1].conj() * waited  # less what a hop alone turns it by
    beside[:, 1:] = -frames[:, 1:] * frames[:, :-1].conj()  # a sound in the window's middle turns by half
    turns = [_levelled(since), _levelled(beside)]
    parts = [2 * loudness(frames) - 0.5, *(part for turn in turns for part in (turn.real, turn.imag))]
    return np.ascontiguousarray(np.concatenate(parts, axis=1).T, np.float32)


def mended(frames: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Each window as the sum of those around it, each frequency times a complex factor.

    Args:
        frames: complex64 (frames, bins).
        said: float32 (2 · TAPS · bins, frames): the real parts of the factors of all windows from the one
            before to the one behind, less 1 for the window itself; then the imaginary parts.
    Source: deep filtering, Mack & Habets 2020, arXiv:1904.08369.

    >>> frames = np.ones((4, 9), np.complex64)
    >>> bool((mended(frames, np.zeros((54, 4), np.float32)) == frames).all())
    True
    """
    real, imaginary = said.reshape(2, TAPS, frames.shape[1], len(frames)).transpose(0, 1, 3, 2)
    reach, made = TAPS // 2, frames.copy()
    framed = np.pad(frames, ((reach, reach), (0, 0)))
    for tap, factor in enumerate(real + 1j * imaginary):
        made += factor * framed[tap : tap + len(frames)]
    return made


def _levelled(turn: np.ndarray) -> np.ndarray:
    """The same directions, with lengths near 1 for whatever can be heard."""
    return 4 * turn * (np.abs(turn) + np.float32(_QUIET)) ** np.float32(-0.76)
