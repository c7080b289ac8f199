"""Files become an archive and come back as the model says, byte for byte the same each time."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from isthmus.coding.container import ArchiveReader
from isthmus.coding.latents import DEFAULT_QUALITY
from isthmus.data import open_source
from isthmus.errors import (
    DamagedFile,
    IsthmusError,
    ModelNeeded,
    NotOurFile,
    OutputExists,
    SpecMismatch,
    UseError,
)
from isthmus.model import Model
from isthmus.tasks.archive import open_archive
from isthmus.tasks.compress import compress, compress_bytes, decompress, restore
from isthmus.tasks.fit import fit
from isthmus.tasks.parts import pack_parts, parts_of
from isthmus.tasks.verify import verify
from tiny import TINY


def reconstruction(model: Model, samples: np.ndarray) -> np.ndarray:
    """What the model itself makes of samples of one shape."""
    size = samples.shape[1:3] if model.spec.modality == "image" else None
    return model.decoder.decode(model.symbols(samples, DEFAULT_QUALITY), size)


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 300])
def test_the_archive_restores_what_the_model_reconstructs(tiny_model, images, count):
    data, result, _ = compress_bytes(images[:count], tiny_model)
    assert result.samples == count
    assert np.array_equal(restore(data), reconstruction(tiny_model, images[:count]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """RGB images of five sizes, in sub-folders, as PNG and BMP."""
    root, random = tmp_path_factory.mktemp("photos"), np.random.default_rng(3)
    sizes = [(16, 20), (9, 8), (33, 17), (16, 20), (40, 40), (9, 8), (8, 9)]
    for number, size in enumerate(sizes):
        path = root / ("a" if number % 2 else "b/c") / f"photo-{number}.{'bmp' if number == 3 else 'png'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        smooth = np.cumsum(random.normal(0, 9, (*size, 3)), axis=0) + 128
        Image.fromarray(np.clip(smooth, 0, 255).astype(np.uint8)).save(path)
    return root


def relative_files(root: Path) -> list[str]:
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


def test_images_of_mixed_sizes_come_back_under_their_names(any_size_model, folder, tmp_path):
    compress(folder, tmp_path / "photos.isz", model=any_size_model)
    decompress(tmp_path / "photos.isz", tmp_path / "back")
    assert relative_files(tmp_path / "back") == relative_files(folder)
    for name in relative_files(folder):
        original = np.asarray(Image.open(folder / name))
        back = np.asarray(Image.open(tmp_path / "back" / name))
        assert np.array_equal(back, reconstruction(any_size_model, original[None])[0]), name


def test_any_items_alone_are_the_same_as_among_the_others(any_size_model, folder, tmp_path):
    data, _, _ = compress_bytes(folder, any_size_model)
    whole = restore(data)
    names = [member.name for member in open_source(folder).layout.members]
    for start, stop in [(0, 1), (2, 5), (6, 7), (0, 7)]:
        out = tmp_path / f"{start}-{stop}"
        decompress(data, out, items=(start, stop))
        assert relative_files(out) == sorted(names[start:stop])
        for index in range(start, stop):
            assert np.array_equal(np.asarray(Image.open(out / names[index])), whole[index])


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (255, 257), (256, 300), (10, 20), (299, 300)])
def test_a_slice_of_an_array_is_that_slice(tiny_model, images, tmp_path, start, stop):
    np.save(tmp_path / "images.npy", images)
    compress(tmp_path / "images.npy", tmp_path / "a.isz", model=tiny_model)
    decompress(tmp_path / "a.isz", tmp_path / "out", items=(start, stop))
    expected = reconstruction(tiny_model, images)[start:stop]
    assert np.array_equal(np.load(tmp_path / "out" / "images.npy"), expected)


def test_a_slice_reads_only_its_blocks(tiny_model, images):
    data, _, _ = compress_bytes(images, tiny_model)
    opened = open_archive(data)
    read = []
    original = opened.reader.read_block
    opened.reader.read_block = lambda number, layers: read.append(number) or original(number, layers)
    assert len(list(opened.samples(260, 270))) == 10
    assert read == [1]


@pytest.mark.parametrize("items", [(0, 0), (5, 3), (-1, 2), (0, 301), (300, 301)])
def test_items_outside_the_archive_are_refused(tiny_model, images, tmp_path, items):
    data, _, _ = compress_bytes(images, tiny_model)
    with pytest.raises(UseError, match=r"--items must lie within 0:300"):
        decompress(data, tmp_path / "out", items=items)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "samples",
    [
        np.random.default_rng(0).normal(size=(30, 4)),
        np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32),
        np.random.default_rng(0).integers(-500, 500, (30, 2, 3)),
        np.random.default_rng(0).integers(0, 65535, (12, 9, 11), np.uint16),
        np.random.default_rng(0).random((12, 9, 9, 3), np.float32),
        np.random.default_rng(0).integers(0, 2, (30, 7)).astype(bool),
    ],
    ids=["float64", "float32", "int64", "uint16-image", "float-image", "bool"],
)
@pytest.mark.parametrize("bottleneck", ["rate", "variational"])
def test_every_kind_of_array_comes_back_in_its_kind(samples, bottleneck, tmp_path):
    settings = [*TINY[:-1], "train.steps=5", "train.batch_size=8", f"bottleneck={bottleneck}"]
    model = fit(samples, settings=settings, quiet=True).model
    np.save(tmp_path / "x.npy", samples)
    compress(tmp_path / "x.npy", tmp_path / "x.isz", model=model)
    decompress(tmp_path / "x.isz", tmp_path / "out")
    back = np.load(tmp_path / "out" / "x.npy")
    assert back.dtype == samples.dtype
    assert np.array_equal(back, reconstruction(model, samples))
    assert verify(tmp_path / "x.isz", against=tmp_path / "x.npy").ok


def test_a_model_for_any_size_takes_arrays_of_one_size_too(any_size_model):
    samples = np.random.default_rng(0).integers(0, 256, (5, 12, 16, 3), dtype=np.uint8)
    data, _, _ = compress_bytes(samples, any_size_model)
    assert np.array_equal(restore(data), reconstruction(any_size_model, samples))


def test_the_same_samples_give_the_same_bytes_wherever_they_lie(any_size_model, folder, tmp_path):
    import shutil

    shutil.copytree(folder, tmp_path / "elsewhere" / folder.name)
    first, second = tmp_path / "one" / "x.isz", tmp_path / "two" / "y.isz"
    compress(folder, first, model=any_size_model)
    compress(tmp_path / "elsewhere" / folder.name, second, model=any_size_model)
    assert first.read_bytes() == second.read_bytes()
    assert compress_bytes(folder, any_size_model)[0] == first.read_bytes()


def test_the_archive_tells_nothing_about_this_machine(any_size_model, folder, tmp_path):
    import getpass
    import platform

    data, _, _ = compress_bytes(folder, any_size_model)
    reader = ArchiveReader(data)
    told = repr((reader.header, reader.extras))
    for secret in (str(folder), folder.parent.name, platform.node(), getpass.getuser() + "/"):
        assert secret not in told


def packed(model: Model) -> bytes:
    return pack_parts(parts_of(model), frozenset({"autoencoder"}))


@pytest.mark.parametrize("embed_model", [True, False])
def test_every_byte_of_the_archive_is_counted(tiny_model, images, tmp_path, embed_model):
    path = tmp_path / "a.isz"
    result = compress(images, path, model=tiny_model, embed_model=embed_model)
    length = path.stat().st_size
    assert result.archive_bytes == length
    assert result.model_bytes + result.payload_bytes + result.overhead_bytes == length
    with ArchiveReader(path) as reader:
        sizes = reader.sizes()
    assert sizes.total == length
    assert result.model_bytes == (len(packed(tiny_model)) if embed_model else 0)
    assert 0 <= sizes.model - result.model_bytes < 20  # its mark, length and checksum
    assert sum(sizes.layers.values()) == result.payload_bytes
    assert result.original_bytes == images.nbytes


def test_an_archive_without_its_model_wants_that_model(tiny_model, any_size_model, images, tmp_path):
    path = tmp_path / "a.isz"
    compress(images, path, model=tiny_model, embed_model=False)
    with pytest.raises(ModelNeeded, match=r"names model [0-9a-f]{16}… but does not hold it"):
        decompress(path, tmp_path / "out")
    with pytest.raises(ModelNeeded, match=r"the model given is [0-9a-f]{16}…"):
        decompress(path, tmp_path / "out", model=any_size_model)
    assert not (tmp_path / "out").exists()
    decompress(path, tmp_path / "out", model=tiny_model)
    assert np.array_equal(np.load(tmp_path / "out" / "array.npy"), reconstruction(tiny_model, images))


def test_another_model_is_refused_even_where_one_is_embedded(tiny_model, any_size_model, images):
    data, _, _ = compress_bytes(images, tiny_model)
    with pytest.raises(ModelNeeded, match="was made with model"):
        restore(data, model=any_size_model)


def test_data_of_another_kind_are_refused_before_anything_is_written(tiny_model, tmp_path):
    with pytest.raises(SpecMismatch, match="8×8 grey image, uint8; these data are 9×9"):
        compress(np.zeros((3, 9, 9), np.uint8), tmp_path / "a.isz", model=tiny_model)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_archive_is_kept_unless_forced(tiny_model, images, tmp_path):
    path = tmp_path / "a.isz"
    path.write_bytes(b"mine")
    with pytest.raises(OutputExists):
        compress(images, path, model=tiny_model)
    assert path.read_bytes() == b"mine"
    compress(images, path, model=tiny_model, force=True)
    assert restore(path).shape == images.shape


def test_an_interrupted_compression_leaves_nothing(tiny_model, images, tmp_path, monkeypatch):
    from isthmus.tasks import compress as module

    def interrupted(job, samples):
        raise KeyboardInterrupt

    monkeypatch.setattr(module.BlockCoder, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compress(images, tmp_path / "a.isz", model=tiny_model)
    assert list(tmp_path.iterdir()) == []


def test_an_archive_may_go_to_any_binary_file(tiny_model, images):
    file = io.BytesIO()
    result = compress(images, file, model=tiny_model)
    assert result.output is None
    assert len(file.getvalue()) == result.archive_bytes


def test_a_flipped_byte_anywhere_in_an_archive_is_found(tiny_model, images, tmp_path):
    data, _, _ = compress_bytes(images[:40], tiny_model)
    path = tmp_path / "flipped.isz"
    random = np.random.default_rng(0)
    for place in {
        *range(40),
        *map(int, random.integers(0, len(data), 300)),
        *range(len(data) - 60, len(data)),
    }:
        flipped = bytearray(data)
        flipped[place] ^= int(random.integers(1, 256))
        path.write_bytes(flipped)
        try:
            found = not verify(path).ok
        except IsthmusError:
            found = True
        assert found, f"byte {place} of {len(data)}"


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_archive_is_found(tiny_model, images, tmp_path, share):
    data, _, _ = compress_bytes(images[:40], tiny_model)
    path = tmp_path / "cut.isz"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises((DamagedFile, NotOurFile)):
        decompress(path, tmp_path / "out")


def rebuilt(data: bytes, *, header=lambda h: h, extras=lambda e: e, layers=lambda layers: layers) -> bytes:
    """The archive with parts replaced and every checksum made to fit again."""
    from isthmus.coding.container import ArchiveWriter

    reader, file = ArchiveReader(data), io.BytesIO()
    with ArchiveWriter(file, header(dict(reader.header)), force=True) as writer:
        for number in range(len(reader.blocks)):
            block = reader.read_block(number)
            writer.add_block(block.items, block.plan, layers(list(block.layers)))
        writer.finish(reader.model_bytes, extras(dict(reader.extras)))
    return file.getvalue()


def test_rebuilding_changes_nothing_by_itself(tiny_model, images):
    data, _, _ = compress_bytes(images, tiny_model)
    assert rebuilt(data) == data


@pytest.mark.parametrize(
    "change",
    [
        {"header": lambda h: {k: v for k, v in h.items() if k != "spec"}},
        {"header": lambda h: {**h, "spec": {**h["spec"], "dtype": "float32"}}},
        {"header": lambda h: {**h, "spec": {**h["spec"], "dtype": "nonsense"}}},
        {"header": lambda h: {**h, "spec": {**h["spec"], "shape": [8]}}},
        {"header": lambda h: {**h, "spec": {**h["spec"], "shape": [9, 9]}}},
        {"header": lambda h: {**h, "spec": 5}},
        {"header": lambda h: {**h, "parts": {"autoencoder": "0" * 64}}},
        {"header": lambda h: {**h, "parts": {"autoencoder": 7}}},
        {"header": lambda h: {**h, "parts": 7}},
        {"header": lambda h: {**h, "parts": {}}},
        {"header": lambda h: {**h, "mode": "perfect"}},
        {"extras": lambda e: {}},
        {"extras": lambda e: {"layout": {**e["layout"], "members": [["array.npy", 299]]}}},
        {"extras": lambda e: {"layout": {**e["layout"], "reader": "nonsense"}}},
        {"extras": lambda e: {"layout": {**e["layout"], "members": [["../array.npy", 300]]}}},
        {"layers": lambda layers: []},
    ],
)
def test_an_archive_made_up_by_somebody_is_refused_in_words(tiny_model, images, tmp_path, change):
    data, _, _ = compress_bytes(images, tiny_model)
    with pytest.raises(IsthmusError):
        decompress(rebuilt(data, **change), tmp_path / "out")
    assert not list((tmp_path / "out").glob("*"))


def test_random_payloads_with_good_checksums_are_damage(any_size_model, folder, tmp_path):
    from dataclasses import replace

    data, _, _ = compress_bytes(folder, any_size_model)
    random = np.random.default_rng(0)
    for _ in range(100):
        noise = random.bytes(int(random.integers(0, 60)))
        bad = rebuilt(data, layers=lambda layers, n=noise: [replace(layer, payload=n) for layer in layers])
        with pytest.raises(DamagedFile):
            decompress(bad, tmp_path / "out")
