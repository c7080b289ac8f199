import numpy as np
import pytest

from isthmus.data import open_source
from isthmus.errors import DamagedFile, NoData
from isthmus.tasks.runs import (
    HELD_OUT,
    KEPT_BYTES,
    RunRecord,
    model_reference,
    read_kept,
    read_run,
    source_reference,
    write_run,
)


def record_of(data, **changes) -> RunRecord:
    values = {
        "model": "../m.ism",
        "model_hash": "0" * 64,
        "source": None,
        "source_name": data.name,
        "skip_bad": False,
        "spec": data.spec.to_dict(),
        "samples": len(data),
        "raw_bytes": data.raw_bytes,
        "held_out": 3,
        "recipe": "arrays",
        "seconds": 1.5,
    }
    return RunRecord(**(values | changes))


def test_reading_undoes_writing(tmp_path):
    digits = open_source("digits")
    record = record_of(digits, source="digits")
    write_run(tmp_path, record, digits, np.array([2, 5, 7]))
    kept = read_kept(tmp_path, read_run(tmp_path))
    assert read_run(tmp_path) == record
    assert kept.spec == digits.spec
    assert all((a == b).all() for a, b in zip(kept.read(range(3)), digits.read([2, 5, 7]), strict=True))


def test_a_few_samples_are_kept_and_no_more(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (50, 300, 300), np.uint8)
    write_run(tmp_path, record_of(open_source(noise)), open_source(noise), np.arange(50))
    assert (tmp_path / HELD_OUT).stat().st_size <= 1.01 * KEPT_BYTES
    assert len(read_kept(tmp_path, read_run(tmp_path))) == KEPT_BYTES // 90_000


def test_samples_too_large_to_keep_are_missed_in_one_sentence(tmp_path):
    large = open_source(np.zeros((2, 1500, 1500), np.uint8))
    write_run(tmp_path, record_of(large), large, np.array([1]))
    with pytest.raises(NoData, match="--source"):
        read_kept(tmp_path, read_run(tmp_path))


def test_damage_is_found(tmp_path):
    digits = open_source("digits")
    write_run(tmp_path, record_of(digits), digits, np.array([2]))
    (tmp_path / HELD_OUT).write_bytes((tmp_path / HELD_OUT).read_bytes()[:-30])
    with pytest.raises(DamagedFile):
        read_kept(tmp_path, read_run(tmp_path))


def test_sources_are_remembered_by_absolute_path_or_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    assert source_reference("photos") == str((tmp_path / "photos").resolve())
    assert source_reference("digits") == "digits"
    assert source_reference(np.zeros((2, 2))) is None


def test_a_model_is_remembered_as_seen_from_its_run(tmp_path):
    assert model_reference(tmp_path / "m.ism", tmp_path / "m.run") == "../m.ism"
    assert model_reference(None, tmp_path) is None
