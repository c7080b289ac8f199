"""The golden archives of audio are still read, and mean what they meant."""

from pathlib import Path

import pytest

from isthmus.tasks.compress import decompress
from isthmus.tasks.verify import verify

soundfile = pytest.importorskip("soundfile", reason="soundfile is missing: pip install 'isthmus[audio]'")

FOLDER = Path(__file__).parent / "audio"


@pytest.mark.parametrize(("name", "as_"), [("adaptive", "steps"), ("stored", "steps"), ("lossy", "lossy")])
def test_a_golden_archive_gives_back_what_it_did(tmp_path, name, as_):
    assert verify(FOLDER / f"{name}.isz").ok
    back = decompress(FOLDER / f"{name}.isz", tmp_path).files[0]
    mine, theirs = (soundfile.read(path, dtype="int16") for path in (back, FOLDER / f"{as_}.wav"))
    assert mine[1] == theirs[1]
    assert mine[0].tolist() == theirs[0].tolist()
