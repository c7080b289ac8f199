"""Every kind of data with archives of its own is found by its sources and by its archives' headers."""

import pytest

from isthmus.errors import UseError
from isthmus.limits import DEFAULT_LIMITS
from isthmus.tasks.modalities import MODALITIES, modality_for, modality_in, modality_of
from isthmus.tasks.orders import CompressOrder, DecompressOrder


@pytest.mark.parametrize("name", sorted(MODALITIES))
def test_a_header_names_its_modality(name):
    found = modality_in({"spec": {"modality": name}})
    assert found is MODALITIES.find(name)
    assert found.plural


@pytest.mark.parametrize(
    "header", [{}, {"spec": 3}, {"spec": {"modality": "image"}}, {"spec": {"modality": []}}]
)
def test_other_headers_name_none(header):
    assert modality_in(header) is None


@pytest.mark.parametrize("source", ["photo.png", "fields.npy", 3, [1.0], "digits"])
def test_arrays_and_images_belong_to_none(source):
    assert modality_for(source) is None


def test_a_damaged_archive_belongs_to_none(tmp_path):
    (tmp_path / "a.isz").write_bytes(b"\x89ISZ")
    assert modality_of(tmp_path / "a.isz", DEFAULT_LIMITS) is None


def test_what_was_asked_and_cannot_be_is_named_as_it_was_typed():
    with pytest.raises(UseError, match="Sound is sound: leave out --bound, --max-bytes"):
        CompressOrder(bounds={"a": 1.0}, max_bytes=3, workers=2, effort=9).only({"mode"}, "Sound is sound")
    CompressOrder(mode="lossy").only({"mode"}, "Sound is sound")


def test_items_lie_within_what_there_is():
    assert DecompressOrder(items=(1, 3)).range_of(3) == range(1, 3)
    assert DecompressOrder().range_of(0) == range(0)
    with pytest.raises(UseError, match="within 0:3"):
        DecompressOrder(items=(2, 4)).range_of(3)
