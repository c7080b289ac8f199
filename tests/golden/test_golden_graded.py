"""The golden model with grades: what it made is still read, and read alike from the page alone."""

import graded
import independent
import independent_grades
import make
import numpy as np
import pytest
from PIL import Image

from isthmus.coding.container import ArchiveReader
from isthmus.coding.latents import MAX_QUALITY, TOLD_STEP
from isthmus.coding.latents.pieces import pieces
from isthmus.coding.varints import ByteReader
from isthmus.exact.cosines import cosine_weights
from isthmus.model import Model
from isthmus.model.shorthand import LESS, Patches, shortened
from isthmus.tasks.compress import decompress
from isthmus.tasks.info import info
from isthmus.tasks.parts import unpack_parts
from isthmus.tasks.verify import verify

MODEL, ARCHIVE = make.FOLDER / "graded.ism", make.FOLDER / "graded.isz"


def restored() -> list[np.ndarray]:
    """What the archive holds, by way of the model."""
    model = graded.model()
    symbols = [model.quantise(sample[None], graded.QUALITY) for sample in graded.samples()]
    sizes = [sample.shape for sample in graded.samples()]
    return [
        model.decoder.decode(s, size, quality=graded.QUALITY)[0]
        for s, size in zip(symbols, sizes, strict=True)
    ]


def grades_from_the_page() -> dict:
    """The model's grades, as the independent reader has them."""
    parts = independent.Fields(independent.read_archive(ARCHIVE.read_bytes())["model"])
    assert parts.text() == "autoencoder"
    return independent_grades.read_grades(independent.read_packed(parts.sized())[1])


def test_the_golden_model_encodes_as_it_did():
    model = Model.load(MODEL)
    assert model.hash == graded.model().hash
    for sample in graded.samples():
        was = graded.model().quantise(sample[None], graded.QUALITY)
        assert np.array_equal(model.quantise(sample[None], graded.QUALITY), was)


def test_the_golden_archive_restores_what_it_did(tmp_path):
    assert verify(ARCHIVE).ok
    made = decompress(ARCHIVE, tmp_path / "out")
    assert made.samples == len(graded.SIZES)
    for number, was in enumerate(restored()):
        assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / f"{number}.png")), was)


def test_the_independent_reader_restores_the_same_pixels():
    made = independent_grades.read_images(ARCHIVE.read_bytes())
    for one, was in zip(made, restored(), strict=True):
        assert one == was.tolist()


def test_info_reads_both():
    assert info(MODEL).facts["hash"] in info(ARCHIVE).facts["model"]


def test_it_has_what_a_reader_may_get_wrong():
    grades = graded.model().decoder.grades
    symbols = [graded.model().quantise(sample[None], graded.QUALITY) for sample in graded.samples()]
    largest = max(np.abs(each).max() for each in symbols)
    assert all(reach < largest for reach in grades.neighbours.reach)
    assert {group.own.ndim for group in grades.neighbours.groups} == {5, 6}
    assert {group.earlier.shape[1] for group in grades.neighbours.groups} == {1, 9}
    with ArchiveReader(ARCHIVE) as reader:
        payload = ByteReader(reader.read_block(0).layers[0].payload, "A block")
        assert unpack_parts(reader.model_bytes).decoder.hash == graded.model().hash
    assert payload.varint() == len(graded.SIZES)
    payload.take(2 * len(graded.SIZES))
    assert payload.varint() == graded.QUALITY
    assert payload.sized()  # values that are told in full


def test_steps_are_read_alike_at_every_quality():
    grades, levels = grades_from_the_page(), graded.model().decoder.grades.levels
    for quality in range(1, MAX_QUALITY + 1):
        steps = [*levels.steps(quality).tolist(), float(TOLD_STEP)]
        assert independent_grades.step_of(grades, quality) == steps


@pytest.mark.parametrize(
    "shape", [(5, 6, 4, 5), (1, 192, 500, 625), (1, 40, 63, 90_000), (256, 192, 9, 9), (1, 6, 900, 1000)]
)
def test_large_grids_are_cut_alike(shape):
    cut = [(rows.start, rows.stop, columns.start, columns.stop) for rows, columns in pieces(shape)]
    assert list(independent_grades.pieces(*shape)) == cut


@pytest.mark.parametrize(("depth", "stride", "told"), [(1, 4, 16), (3, 2, 7), (2, 8, 128), (1, 16, 40)])
def test_cosines_that_a_model_leaves_out_are_put_back_alike(depth, stride, told):
    size = depth * stride**2
    random = np.random.default_rng(told)
    exponents = random.integers(-24, -14, size + 2).astype(np.int8)
    weights = random.choice([0, 0, 0, -1, 1], (size + 2, told + 1, 1, 1)).astype(np.int16)
    cosines = cosine_weights(depth, stride, told, exponents[:size])
    weights[:size, :told, 0, 0] = np.where(random.random(cosines.shape) < 0.5, cosines & ~1, cosines)
    tensors = {"a.weight": weights, "a.weight.exponents": exponents}
    short = shortened(tensors, Patches(depth, stride, told))
    assert f"{LESS}a.weight" in short
    document = {"spec": {"shape": [None, None, depth]}, "stride": stride, "code": [told + 1, None, None]}
    listed = {name: (one.dtype.name, one.shape, one.ravel().tolist()) for name, one in short.items()}
    full = independent_grades.with_cosines(document, listed)
    assert full["a.weight"] == ("int16", weights.shape, weights.ravel().tolist())
