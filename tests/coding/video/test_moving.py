"""A moved frame is what its parts say, by quarters of a sample."""

import numpy as np

from isthmus.coding.video.moving import BLOCK, Moved, find_quarters, is_inside


def smooth(height: int, width: int, dy: float = 0, dx: float = 0) -> np.ndarray:
    rows, columns = np.arange(height)[:, None] + dy, np.arange(width) + dx
    return np.rint(128 + 60 * np.sin(rows / 4) * np.cos(columns / 5) + 30 * np.sin(columns / 3)).astype(
        np.uint8
    )


def test_no_motion_changes_nothing():
    plane = np.random.default_rng(0).integers(0, 256, (37, 50)).astype(np.uint8)
    assert (Moved(plane).taken(np.zeros((3, 4, 2), np.int64), BLOCK) == plane).all()


def test_whole_moves_are_exact_and_parts_near():
    plane = smooth(64, 80)
    for down, over in ((4, -8), (1, 2), (3, 1)):
        motion = np.broadcast_to(np.array([down, over]), (4, 5, 2))
        moved, truth = Moved(plane).taken(motion, BLOCK), smooth(64, 80, down / 4, over / 4)
        apart = np.abs(moved.astype(int) - truth)[8:-8, 8:-8].max()
        assert apart <= (0 if down % 4 == 0 and over % 4 == 0 else 3)


def test_quarters_are_found():
    before, frame = smooth(64, 80), smooth(64, 80, 0.75, -1.25)
    found = find_quarters(frame, before, Moved(before))
    assert (found[1, 1:-1] == [3, -5]).all()
    assert is_inside(found, 64, 80)


def test_motion_out_of_the_frame_is_seen():
    assert not is_inside(np.full((1, 1, 2), -8), 16, 16)
    assert not is_inside(np.full((1, 1, 2), 8), 16, 16)
    assert is_inside(np.full((1, 1, 2), 2), 16, 16)
