"""An archive is never much worse than its best candidate alone, and a model is there only if it pays."""

import os
from functools import partial
from operator import mul

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.coding.blocks import Layer
from isthmus.errors import MachineError
from isthmus.tasks.advice import drift
from isthmus.tasks.compress import _best_parts, compress_bytes
from isthmus.tasks.fit import fit
from isthmus.tasks.forms import Form
from isthmus.tasks.spool import Spool
from isthmus.tasks.workers import map_blocks, worker_count
from value_blocks import smooth

CODERS = ("pcodec", "predictors", "shuffled", "stored", "xz", "zstd")


def mixed(dtype: str) -> np.ndarray:
    """Smooth, constant and noisy thirds, in several blocks where items are pictures."""
    random = np.random.default_rng(0)
    values = smooth(random, (900, 16, 16), np.dtype(dtype))
    values[300:600] = values[0, 0, 0]
    values[600:] = random.integers(0, 100, (300, 16, 16)).astype(dtype)
    return values


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("effort", [5, 9])
def test_never_worse_than_the_best_candidate(dtype, effort):
    values = mixed(dtype)
    ours, result, _ = compress_bytes(values, effort=effort)
    blocks = sum(winner.blocks for winner in result.winners.values())
    for coder in CODERS:
        if (coder, dtype) not in (("predictors", "float32"), ("shuffled", "uint8")):
            alone = compress_bytes(values, coder=coder)[0]
            assert len(ours) <= len(alone) + 64 * blocks + 1000, coder


class Priced:
    """Parts whose packed sizes are given."""

    def __init__(self, prices):
        self.prices = prices

    def hashes(self):
        return dict.fromkeys(self.prices, "hash")

    def packed(self, name):
        return bytes(self.prices[name])


def form(size: int, needs: frozenset[str]) -> Form:
    return Form("any", (Layer("lossless", bytes(size)),), needs)


SETS = [frozenset(), frozenset("a"), frozenset("b"), frozenset("ab")]


@given(
    blocks=st.lists(st.tuples(*(st.integers(0, 300) for _ in SETS)), min_size=1, max_size=5),
    prices=st.tuples(st.integers(0, 400), st.integers(0, 400)),
)
@settings(max_examples=60)
def test_the_parts_that_stay_make_the_whole_smallest(blocks, prices):
    costs = dict(zip("ab", prices, strict=True))
    with Spool(None) as spool:
        for number, sizes in enumerate(blocks):
            forms = (form(size, needs) for size, needs in zip(sizes, SETS, strict=True))
            spool.add(range(number, number + 1), tuple(forms))

        def whole(parts):
            packed = sum(costs[name] + 4 for name in parts)  # a name and a length go along
            return packed + sum(
                min(size for size, needs in zip(sizes, SETS, strict=True) if needs <= parts)
                for sizes in blocks
            )

        chosen = _best_parts(spool, Priced(costs), True, None)
        assert whole(chosen) <= min(map(whole, SETS)) + 2
        assert sum(held.size for _, held in spool.chosen(chosen)) == spool.bytes_with(chosen)
        for _, held in spool.chosen(chosen):
            assert [len(layer.payload) for layer in spool.layers(held)] == list(held.lengths)


def test_drift_is_told_only_where_there_is_some(tiny_model):
    usual = tiny_model.provenance["held_out"]["bits_per_value"]
    assert drift(tiny_model, 1.2 * usual, 10_000, 10**6) is None
    assert drift(tiny_model, 2 * usual, 10, 10**6) is None
    assert "2.0 times" in drift(tiny_model, 2 * usual, 10_000, 10**6)


def test_a_model_of_samples_larger_than_the_sample_of_the_data_is_judged_on_whole_ones():
    fields = np.random.default_rng(0).normal(size=(2, 3, 220, 230)).astype(np.float32)
    settings = ["train.steps=1", "net.latent=2", "net.encoder.hidden=[2]", "net.decoder.hidden=[2]"]
    model = fit(fields, settings=settings, quiet=True).model
    for wish in ({"max_error": 1.0}, {"target_psnr": 10.0}):
        data, _, _ = compress_bytes(fields, model, **wish)
        assert len(data) < fields.nbytes


def test_workers_keep_the_order_and_raise_what_was_raised():
    double = partial(mul, 2)
    assert list(map_blocks(double, range(40), 2)) == list(map(double, range(40)))
    with pytest.raises(ZeroDivisionError):
        list(map_blocks((10).__floordiv__, [5, 2, 0, 1], 2))


def test_slow_coders_get_help_sooner(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert [worker_count(None, size << 20) for size in (1, 4, 64)] == [1, 1, 3]
    assert [worker_count(None, size << 20, slow=True) for size in (1, 4, 64)] == [1, 3, 3]
    assert worker_count(2, 0, slow=True) == 2


def test_a_worker_that_dies_is_told_in_one_sentence():
    with pytest.raises(MachineError, match="one worker"):
        list(map_blocks(os._exit, [1], 2))
