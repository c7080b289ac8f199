"""The golden archives of video are still read, and mean what they meant."""

import hashlib
from pathlib import Path

import pytest

from isthmus.data.video import VideoSource
from isthmus.tasks.compress import decompress
from isthmus.tasks.verify import verify

pytest.importorskip("av", reason="PyAV is missing: pip install 'isthmus[video]'")

FOLDER = Path(__file__).parent / "video"
FRAMES = {  # SHA-256 of the time of each frame in milliseconds, as text, and of its samples
    "lossless": "a346a92d6ff9db7573d6bfe6b7c003a12faf33ec8abecd6daa3c85d5ffac5d1d",
    "bounded": "888c82cd41ddb3a0f1076aca15fa27629acef8dc776901b4ee09b76d6abf5d24",
    "lossy": "c449051229d735ce937e91f5640ecc2daed3bc12e4c93e9f2f265e1b6b3201b0",
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_golden_archive_gives_back_what_it_did(tmp_path, name):
    assert verify(FOLDER / f"{name}.isz").ok
    (back,) = decompress(FOLDER / f"{name}.isz", tmp_path).files
    video, digest = VideoSource(back), hashlib.sha256()
    for frame in video.frames(video.clips[0]):
        digest.update(f"{frame.ticks}".encode())
        for plane in frame.planes:
            digest.update(plane.tobytes())
    assert digest.hexdigest() == FRAMES[name]
