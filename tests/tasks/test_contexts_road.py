"""fit learns contexts; compress lets them win; the archive holds that part of the model alone."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.coding.container import ArchiveReader
from isthmus.errors import ConfigError, DamagedFile, TooLarge
from isthmus.limits import Limits
from isthmus.model import Model
from isthmus.tasks.archive import open_archive
from isthmus.tasks.compress import compress, decompress, restore
from isthmus.tasks.fit import fit
from isthmus.tasks.info import info
from isthmus.tasks.parts import unpack_parts
from isthmus.tasks.verify import verify
from tiny import TINY


def cells(count: int, seed: int) -> np.ndarray:
    """16×16 pictures of one soft blob each: little noise, so that much can be learned."""
    random = np.random.default_rng(seed)
    middle = random.uniform(4, 12, (2, count, 1, 1))
    rows, cols = np.mgrid[:16, :16]
    away = (rows - middle[0]) ** 2 + (cols - middle[1]) ** 2
    return (250 * np.exp(-away / 20) + random.integers(0, 3, away.shape)).astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    return fit(cells(400, 0), settings=[*TINY, "contexts.trees=12", "contexts.depth=4"], quiet=True).model


def test_contexts_win_and_only_they_are_embedded(model, tmp_path):
    images = cells(1200, 1)
    np.save(tmp_path / "cells.npy", images)
    result = compress(tmp_path / "cells.npy", tmp_path / "cells.isz", model=model, mode="lossless")
    assert set(result.winners) == {"contexts"}
    assert 0 < result.model_bytes < 20_000
    assert result.archive_bytes < min(result.rivals.values())
    assert verify(tmp_path / "cells.isz", against=tmp_path / "cells.npy").ok
    decompress(tmp_path / "cells.isz", tmp_path / "back")
    np.testing.assert_array_equal(np.load(tmp_path / "back" / "cells.npy"), images)
    assert "contexts" in info(tmp_path / "cells.isz").summary()


def test_data_that_no_longer_fit_the_contexts_are_told(model, tmp_path):
    like = compress(cells(300, 5), tmp_path / "like.isz", model=model, mode="lossless")
    noise = np.random.default_rng(6).integers(0, 256, (300, 16, 16)).astype(np.uint8)
    other = compress(noise, tmp_path / "other.isz", model=model, mode="lossless")
    assert like.advice == ()
    assert "no longer fit the model: they take 8" in other.advice[0]


def test_the_readers_limit_holds_for_the_model_inside(model, tmp_path):
    compress(cells(300, 4), tmp_path / "a.isz", model=model, mode="lossless")
    with pytest.raises(TooLarge):
        open_archive(tmp_path / "a.isz", limits=Limits(model_bytes=200))
    with ArchiveReader(tmp_path / "a.isz") as reader:
        packed = reader.model_bytes
    with pytest.raises(DamagedFile):  # packed it would pass, unpacked it must not
        unpack_parts(packed, len(packed) // 2)


def test_any_number_of_workers_writes_the_same_bytes(model, tmp_path):
    for workers in (1, 2):
        compress(cells(300, 2), tmp_path / f"{workers}.isz", model=model, mode="lossless", workers=workers)
    assert (tmp_path / "1.isz").read_bytes() == (tmp_path / "2.isz").read_bytes()


def test_a_saved_model_keeps_its_contexts(model, tmp_path):
    model.save(tmp_path / "m.ism")
    loaded = Model.load(tmp_path / "m.ism")
    assert loaded.contexts is not None
    assert loaded.contexts.hash == model.contexts.hash
    assert loaded.provenance["held_out"]["lossless_bits_per_value"] < 5
    compress(cells(300, 3), tmp_path / "a.isz", model=model, mode="lossless", embed_model=False)
    np.testing.assert_array_equal(restore(tmp_path / "a.isz", model=loaded), cells(300, 3))


def test_a_purpose_moves_the_budget_and_a_wrong_one_is_refused():
    settings = [*TINY, "contexts.trees=10"]
    config = fit(cells(100, 0), settings=settings[:-1], purpose="lossless", quiet=True).model.config
    assert config.contexts.share == 0.8
    with pytest.raises(ConfigError, match="lossy, bounded, lossless"):
        fit(cells(10, 0), settings=settings, purpose="best", quiet=True)


def test_appending_uses_the_parts_that_are_there_and_adds_none(model, tmp_path):
    first, second = cells(300, 4), cells(300, 5)
    noise = np.random.default_rng(0).integers(0, 256, second.shape).astype(np.uint8)
    for number, more in enumerate((second, noise)):
        archive = tmp_path / f"{number}.isz"
        np.save(tmp_path / "cells.npy", first)
        compress(tmp_path / "cells.npy", archive, model=model, mode="lossless")
        with ArchiveReader(archive) as reader:
            held = reader.header["parts"]
        np.save(tmp_path / "cells.npy", more)
        compress(tmp_path / "cells.npy", archive, model=model, mode="lossless", append=True)
        with ArchiveReader(archive) as reader:
            assert reader.header["parts"] == held
        np.testing.assert_array_equal(restore(archive, model=model), np.concatenate([first, more]))
