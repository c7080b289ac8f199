"""Archives of every mode, once written, give back what went in."""

import make
import modes
import numpy as np
import pytest

from isthmus.coding.bound import same_bits
from isthmus.tasks.compress import restore
from isthmus.tasks.verify import verify


@pytest.mark.parametrize("name", modes.ARCHIVES)
def test_it_verifies_against_what_went_in(name):
    result = verify(make.FOLDER / name, against=modes.ARCHIVES[name][1]())
    assert result.ok, result.summary()


@pytest.mark.parametrize("name", modes.EXACT)
def test_it_restores_what_went_in(name):
    values = modes.ARCHIVES[name][1]()
    back = restore(make.FOLDER / name)
    assert back.shape == values.shape
    assert same_bits(values.astype(back.dtype), back).all()


def test_bounded_archives_restore_what_is_within_the_bound():
    values = modes.ARCHIVES["mode-bounded.isz"][1]().astype(int)
    assert np.abs(restore(make.FOLDER / "mode-bounded.isz").astype(int) - values).max() <= 2


def test_the_layers_of_an_archive_are_read_alone():
    values = modes.field()
    coarse = restore(make.FOLDER / "mode-layers.isz", layer="bound")
    finite = np.isfinite(values)
    assert np.abs(coarse[finite].astype(float) - values[finite]).max() <= modes.BOUND
    assert same_bits(values[~finite], coarse[~finite]).all()
