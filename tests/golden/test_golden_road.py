"""The golden model and archive of the whole road are still read, and mean what they meant."""

import make
import numpy as np
import road

from isthmus.model import Model
from isthmus.tasks.compress import decompress, restore
from isthmus.tasks.info import info
from isthmus.tasks.verify import verify

MODEL, ARCHIVE, RESTORED = (make.FOLDER / f"road.{suffix}" for suffix in ("ism", "isz", "npy"))


def test_the_golden_archive_restores_what_it_did():
    assert np.array_equal(restore(ARCHIVE), np.load(RESTORED))


def test_the_golden_model_encodes_as_it_did():
    model = Model.load(MODEL)
    assert model.hash == road.model().hash
    assert np.array_equal(model.quantise(road.samples()), road.model().quantise(road.samples()))


def test_the_golden_archive_is_verified_against_what_it_was_made_from(tmp_path):
    np.save(tmp_path / "slopes.npy", road.samples())
    result = verify(ARCHIVE, against=tmp_path / "slopes.npy")
    assert result.ok, result.summary()
    decompress(ARCHIVE, tmp_path / "out")
    assert (tmp_path / "out" / "slopes.npy").read_bytes() == RESTORED.read_bytes()


def test_info_reads_both():
    assert info(ARCHIVE).facts["samples"] == "300 in 2 blocks"
    assert info(MODEL).facts["hash"] in info(ARCHIVE).facts["model"]
