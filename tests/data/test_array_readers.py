import gzip
import io
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.data import open_source, write_source
from isthmus.data.readers.idx import Idx, _header
from isthmus.errors import BadItem, NoData, OutputExists
from strategies import IDX_DTYPES, sample_arrays


def as_idx(values: np.ndarray) -> bytes:
    return _header(values.shape, values.dtype.name) + values.astype(values.dtype.newbyteorder(">")).tobytes()


def read_all(source):
    return source.stack(range(len(source)))


def assert_restored_bytes(name: str, data: bytes, expected: np.ndarray) -> None:
    """Open a file, write its samples back, and find the same bytes and the same samples."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        source = open_source(path)
        assert read_all(source).tobytes() == expected.tobytes()
        assert source.raw_bytes == expected.nbytes
        assert source.file_bytes == len(data)
        samples = source.read(range(len(source)))
        (restored,) = write_source(source.layout, source.spec, samples, Path(folder) / "restored")
        assert restored.name == name
        if name.endswith(".gz"):  # gzip's own header differs between libraries
            assert gzip.decompress(restored.read_bytes()) == gzip.decompress(data)
        else:
            assert restored.read_bytes() == data


@given(sample_arrays(), st.sampled_from("CF"), st.sampled_from("<>"))
def test_npy_gives_back_its_very_bytes(values, order, byte_order):
    stored = np.array(values, values.dtype.newbyteorder(byte_order), order=order)
    file = io.BytesIO()
    np.save(file, stored)
    assert_restored_bytes("a.npy", file.getvalue(), values)


@settings(max_examples=40)
@given(sample_arrays(), st.integers(1, 3), st.sampled_from([np.savez, np.savez_compressed]))
def test_npz_gives_back_its_very_bytes(values, count, save):
    file = io.BytesIO()
    save(file, **{f"part_{i}": values for i in range(count)})
    assert_restored_bytes("a.npz", file.getvalue(), np.concatenate([values] * count))


@given(sample_arrays(IDX_DTYPES))
def test_idx_gives_back_its_very_bytes(values):
    assert_restored_bytes("a-idx3-ubyte", as_idx(values), values)


@settings(max_examples=30)
@given(sample_arrays(IDX_DTYPES))
def test_packed_idx_gives_back_the_same_values(values):
    assert_restored_bytes("a.idx.gz", gzip.compress(as_idx(values), mtime=0), values)


@given(sample_arrays())
def test_an_array_is_written_as_npy(values):
    source = open_source(values)
    assert source.spec.dtype == values.dtype.name
    with TemporaryDirectory() as folder:
        (path,) = write_source(source.layout, source.spec, source.read(range(len(source))), folder)
        assert np.load(path).tobytes() == values.tobytes()


@given(sample_arrays(), st.data())
def test_a_part_is_restored_alone(values, data):
    source = open_source(values)
    start = data.draw(st.integers(0, len(source) - 1))
    stop = data.draw(st.integers(start + 1, len(source)))
    with TemporaryDirectory() as folder:
        part = source.layout.select(start, stop)
        (path,) = write_source(part, source.spec, source.read(range(start, stop)), folder)
        assert np.load(path).tobytes() == values[start:stop].tobytes()


def test_digits_are_bundled(tmp_path):
    source = open_source("digits")
    assert (len(source), source.spec.shape, source.spec.high) == (1797, (8, 8), 16)
    (path,) = write_source(source.layout, source.spec, source.read(range(1797)), tmp_path)
    assert np.array_equal(np.load(path), read_all(source))


def test_digits_give_way_to_a_path_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("digits").mkdir()
    with pytest.raises(NoData, match="must hold images"):
        open_source("digits")


@pytest.mark.parametrize(
    ("shape", "dtype", "axes"),
    [
        ((5, 3, 2), "uint8", ("height", "width")),
        ((5, 9, 9, 3), "uint16", ("height", "width", "channel")),
        ((5, 9, 9, 2), "uint8", ("height", "width", "channel")),
        ((5, 20, 18, 16), "uint16", ("height", "width", "channel")),
        ((5, 20, 18, 17), "uint16", ("axis_0", "axis_1", "axis_2")),
        ((5, 9, 9, 9), "uint8", ("axis_0", "axis_1", "axis_2")),
        ((5, 7, 9, 2), "uint8", ("axis_0", "axis_1", "axis_2")),
        ((5, 9, 9, 5), "float32", ("axis_0", "axis_1", "axis_2")),
        ((5, 8, 8), "float32", ("height", "width")),
        ((5, 7, 8), "float32", ("axis_0", "axis_1")),
        ((5, 8, 8, 4), "float64", ("height", "width", "channel")),
        ((5, 64), "uint8", ("feature",)),
        ((5, 30, 30), "int32", ("axis_0", "axis_1")),
    ],
)
def test_what_counts_as_an_image(shape, dtype, axes):
    spec = open_source(np.ones(shape, dtype)).spec
    assert spec.axes == axes
    assert (spec.modality == "image") == (axes[0] == "height")


def test_floats_have_the_range_that_was_seen():
    spec = open_source(np.array([[-2.5], [7.0]])).spec
    assert (spec.low, spec.high) == (-2.5, 7.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_named_or_left_out(bad):
    values = np.arange(12.0).reshape(4, 3)
    values[2, 1] = bad
    with pytest.raises(BadItem, match=r"array\.npy\[2\] holds NaN or infinite values"):
        open_source(values)
    source = open_source(values, skip_bad=True)
    assert [skipped.name for skipped in source.skipped] == ["array.npy[2]"]
    assert np.array_equal(read_all(source), values[[0, 1, 3]])
    assert source.layout.members[0].count == 3
    with pytest.raises(NoData, match="Every sample"):
        open_source(values[2:3], skip_bad=True)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.zeros((0, 3)), "is empty"),
        (np.zeros(3), "Reshape it"),
        (np.array(3.0), "Reshape it"),
        (np.zeros((2, 2), complex), "must hold numbers"),
        (np.array([["a"]]), "must hold numbers"),
        (np.array([[None]]), "must hold numbers"),
    ],
)
def test_what_is_no_array_of_samples_is_refused(values, sentence):
    with pytest.raises(NoData, match=sentence):
        open_source(values)


def test_arrays_of_different_kinds_in_one_npz_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((3, 4, 4), np.uint8), labels=np.zeros(3, np.int64))
    with pytest.raises(BadItem, match="labels: int64"):
        open_source(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a-idx2-ubyte", "a.idx.gz"])
@pytest.mark.parametrize("keep", [0, 3, 20, -1])
def test_a_file_cut_short_is_named(tmp_path, name, keep):
    values = np.arange(200, dtype=np.uint8).reshape(20, 10)
    file = io.BytesIO()
    if name == "a.npy":
        np.save(file, values)
    elif name == "a.npz":
        np.savez(file, values)
    else:
        file.write(gzip.compress(as_idx(values)) if name.endswith("gz") else as_idx(values))
    (tmp_path / name).write_bytes(file.getvalue()[:keep])
    with pytest.raises(BadItem, match=name):
        open_source(tmp_path / name)


def test_a_header_that_claims_too_much_is_refused_before_memory_is_taken(tmp_path):
    path = tmp_path / "a.idx"
    path.write_bytes(_header((2**31, 2**31, 64), "float64") + b"1234")
    with pytest.raises(BadItem, match="should hold"):
        open_source(path)
    file = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (2**40, 2**10)}
    np.lib.format.write_array_header_1_0(file, header)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", file.getvalue())
    with pytest.raises(BadItem, match="less than its header says"):
        open_source(tmp_path / "a.npz")


def test_python_objects_are_never_loaded(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[{}]]), allow_pickle=True)
    np.savez(tmp_path / "a.npz", np.array([[{}]]))
    for name in ("a.npy", "a.npz"):
        with pytest.raises(BadItem, match=name):
            open_source(tmp_path / name)


def test_an_existing_output_is_kept_unless_forced(tmp_path):
    source = open_source(np.ones((2, 3)))
    for force in (False, True):
        write_source(source.layout, source.spec, source.read([0, 1]), tmp_path, force=force)
    with pytest.raises(OutputExists):
        write_source(source.layout, source.spec, source.read([0, 1]), tmp_path)


def test_too_few_samples_leave_nothing_behind(tmp_path):
    source = open_source(np.ones((2, 3)))
    with pytest.raises(ValueError, match="fewer samples"):
        write_source(source.layout, source.spec, source.read([0]), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_read_is_said(tmp_path):
    with pytest.raises(NoData, match="does not exist"):
        open_source(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(NoData, match="of no kind that can be read"):
        open_source(tmp_path / "notes.txt")
    with pytest.raises(NoData, match="A list must hold image files"):
        open_source([tmp_path / "notes.txt"])


@pytest.mark.needs_data
def test_mnist_gives_back_its_own_values(data_root, tmp_path):
    path = data_root / "mnist" / "t10k-images-idx3-ubyte.gz"
    source = Idx.open(path)
    assert (len(source), source.spec.summary()) == (10000, "28×28 grey image, uint8")
    (restored,) = write_source(source.layout, source.spec, source.read(range(10000)), tmp_path)
    assert gzip.decompress(restored.read_bytes()) == gzip.decompress(path.read_bytes())
