"""The golden archives of tables are still read, and mean what they meant."""

from pathlib import Path

import pytest

from isthmus.tasks.compress import decompress
from isthmus.tasks.verify import verify

pytest.importorskip("pyarrow", reason="PyArrow is missing: pip install 'isthmus[tables]'")

FOLDER = Path(__file__).parent / "tables"


@pytest.mark.parametrize("name", ["shop", "shop-bounded"])
def test_a_golden_archive_gives_back_what_it_did(tmp_path, name):
    assert verify(FOLDER / f"{name}.isz").ok
    back = decompress(FOLDER / f"{name}.isz", tmp_path).files[0]
    assert back.read_bytes() == (FOLDER / f"{name}.csv").read_bytes()
