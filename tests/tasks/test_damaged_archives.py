"""What is whole in a damaged archive comes back, and what is not is named."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from isthmus.coding.container import ArchiveReader, ArchiveWriter
from isthmus.coding.reader import ArchiveReader as Reader
from isthmus.errors import DamagedFile, ModelNeeded, TooLarge, UseError
from isthmus.limits import Limits
from isthmus.model import Model
from isthmus.tasks.compress import compress, decompress, restore
from isthmus.tasks.info import info
from isthmus.tasks.repack import repack
from isthmus.tasks.verify import verify


@pytest.fixture(scope="module")
def waves():
    """600 samples, which make three blocks."""
    return np.cumsum(np.random.default_rng(0).integers(-3, 4, (600, 8, 8)), axis=1).astype(np.uint8)


@pytest.fixture
def archive(waves, tmp_path):
    np.save(tmp_path / "waves.npy", waves)
    compress(tmp_path / "waves.npy", tmp_path / "a.isz", coder="zstd")
    return tmp_path / "a.isz"


def damage_block(path, number):
    with ArchiveReader(path) as reader:
        at = reader.blocks[number].end - 10
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_the_rest_is_restored_and_the_missing_named(archive, waves, tmp_path):
    damage_block(archive, 1)  # which holds samples 256 to 511
    with pytest.raises(DamagedFile, match="of block 1 does not match"):
        decompress(archive, tmp_path / "no")
    result = decompress(archive, tmp_path / "out", skip_damaged=True)
    assert result.missing == tuple(f"waves.npy[{item}]" for item in range(256, 512))
    assert "256 are damaged and missing" in result.summary()
    assert np.array_equal(np.load(tmp_path / "out/waves.npy"), np.delete(waves, range(256, 512), axis=0))


def test_a_whole_archive_is_restored_as_ever(archive, waves, tmp_path):
    result = decompress(archive, tmp_path / "out", skip_damaged=True, items=(100, 400))
    assert (result.missing, result.damage) == ((), ())
    assert np.array_equal(np.load(tmp_path / "out/waves.npy"), waves[100:400])


def test_a_lost_index_costs_the_names_alone(archive, waves, tmp_path):
    archive.write_bytes(archive.read_bytes()[:-1])
    result = decompress(archive, tmp_path / "out", skip_damaged=True)
    assert result.missing == ()
    assert np.array_equal(np.load(tmp_path / "out/recovered.npy"), waves)


def test_pictures_keep_their_names_and_lose_only_the_damaged(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (300, 8, 8), dtype=np.uint8)
    (tmp_path / "in").mkdir()
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / f"in/{number:03}.png")
    compress(tmp_path / "in", tmp_path / "a.isz")
    damage_block(tmp_path / "a.isz", 0)
    result = decompress(tmp_path / "a.isz", tmp_path / "out", skip_damaged=True)
    assert len(result.missing) == 256
    assert sorted(path.name for path in result.files) == [f"{n:03}.png" for n in range(256, 300)]
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out/299.png")), pixels[299])
    mended = repack(tmp_path / "a.isz", tmp_path / "b.isz", skip_damaged=True)
    assert mended.missing == result.missing
    assert verify(tmp_path / "b.isz").ok
    assert np.array_equal(restore(tmp_path / "b.isz"), pixels[256:])


def test_a_lost_model_costs_the_blocks_that_need_it(tiny_model, images, tmp_path):
    path = tmp_path / "a.isz"
    compress(images, path, model=tiny_model)
    with ArchiveReader(path) as reader:
        at = reader.model.end - 10
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedFile, match="no sample is whole"):
        decompress(path, tmp_path / "out", skip_damaged=True)
    assert decompress(path, tmp_path / "out", skip_damaged=True, model=tiny_model).missing == ()
    mended = repack(path, tmp_path / "b.isz", skip_damaged=True)
    assert (mended.samples, mended.model_bytes) == (300, 0)
    assert verify(tmp_path / "b.isz", model=tiny_model).ok


def test_an_appending_that_was_cut_off_is_taken_back(archive, waves, tmp_path):
    whole = archive.read_bytes()
    np.save(tmp_path / "more.npy", waves[:1])
    compress(tmp_path / "more.npy", archive, append=True, coder="zstd")
    archive.write_bytes(archive.read_bytes()[:-20])
    with pytest.raises(DamagedFile, match="isthmus repack"):
        restore(archive)
    result = repack(archive, tmp_path / "b.isz", recover=True)
    assert (result.samples, result.missing) == (600, ())
    assert (tmp_path / "b.isz").read_bytes() == whole
    assert repack(archive, tmp_path / "c.isz", skip_damaged=True).samples == 601


def test_repacking_merges_generations(archive, waves, tmp_path):
    np.save(tmp_path / "more.npy", waves[:1])
    compress(tmp_path / "more.npy", archive, append=True, coder="zstd")
    assert info(archive).facts["generation"] == 1
    result = repack(archive, tmp_path / "b.isz")
    assert result.generations == 2
    assert result.new_bytes < result.old_bytes
    assert np.array_equal(restore(tmp_path / "b.isz"), restore(archive))
    assert info(tmp_path / "b.isz").facts["generation"] == 0


def test_repacking_removes_and_embeds_the_model(tiny_model, images, tmp_path):
    whole, bare, again = (tmp_path / f"{name}.isz" for name in "abc")
    compress(images, whole, model=tiny_model)
    assert repack(whole, bare, embed=False).model_bytes == 0
    with pytest.raises(ModelNeeded):
        restore(bare)
    with pytest.raises(ModelNeeded, match="-m MODEL"):
        repack(bare, again, embed=True)
    assert repack(bare, again, model=tiny_model).model_bytes
    assert again.read_bytes() == whole.read_bytes()


def test_repacking_another_model_in_is_refused(tiny_model, any_size_model, images, tmp_path):
    compress(images, tmp_path / "a.isz", model=tiny_model, embed_model=False)
    with pytest.raises(ModelNeeded):
        repack(tmp_path / "a.isz", tmp_path / "b.isz", model=any_size_model)
    assert not (tmp_path / "b.isz").exists()


@pytest.mark.parametrize("keep", ["preview", "bound"])
def test_dropping_layers_leaves_what_the_layer_gave(tiny_model: Model, images, tmp_path, keep):
    full, small = tmp_path / "a.isz", tmp_path / "b.isz"
    compress(images, full, model=tiny_model, mode="lossless", max_error=4, preview=True)
    result = repack(full, small, keep=keep)
    assert result.dropped_bytes > 0
    assert result.new_bytes < result.old_bytes
    assert verify(small).ok
    assert np.array_equal(restore(small), restore(full, layer=keep))
    with pytest.raises(UseError):
        restore(small, layer="lossless")


def test_an_archive_is_not_repacked_onto_itself(archive):
    before = archive.read_bytes()
    with pytest.raises(UseError, match="another file"):
        repack(archive, archive, force=True)
    assert archive.read_bytes() == before


def test_more_output_than_allowed_is_refused_before_anything_is_written(archive, waves, tmp_path):
    limits = Limits(output_bytes=waves.nbytes - 1)
    with pytest.raises(TooLarge, match="--max-output-bytes"):
        decompress(archive, tmp_path / "out", limits=limits)
    assert not list(tmp_path.glob("out/*"))
    decompress(archive, tmp_path / "out", limits=replace(limits, output_bytes=waves.nbytes))


class Counting(BytesIO):
    read_bytes = 0

    def read(self, size=-1):
        data = super().read(size)
        self.read_bytes += len(data)
        return data


def test_a_preview_reads_only_its_layers(tiny_model, images, tmp_path):
    path = tmp_path / "a.isz"
    compress(images, path, model=tiny_model, mode="lossless", preview=True)
    file = Counting(path.read_bytes())
    whole = restore(file, layer="preview")
    with Reader(path) as reader:
        sizes = reader.sizes()
    finer = sizes.layers["lossless"]
    assert finer > sizes.layers["preview"]
    assert file.read_bytes <= sizes.total - finer
    assert whole.shape == images.shape


def test_blocks_out_of_order_are_refused(archive, tmp_path):
    with ArchiveReader(archive) as reader, ArchiveWriter(tmp_path / "b.isz", reader.header) as writer:
        for number in (1, 0, 2):
            block = reader.read_block(number)
            writer.add_block(block.items, block.plan, block.layers)
        writer.finish(None, reader.extras)
    with pytest.raises(DamagedFile, match="order"):
        restore(tmp_path / "b.isz")
