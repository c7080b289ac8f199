import io
import struct
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from isthmus.data import open_source, write_source
from isthmus.data.readers.pixels import SUFFIXES, decode, encode, restored_suffix
from isthmus.errors import BadItem, MissingExtra, NoData, OutputExists
from strategies import IMAGE_KINDS, pixels

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)


def save(path: Path, image: np.ndarray, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, **options)


def pack(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*.*")):
            archive.write(path, path.relative_to(folder).as_posix())
    return target


def restore(source, directory: Path) -> list[Path]:
    return write_source(source.layout, source.spec, source.read(range(len(source))), directory)


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(map(np.array_equal, one, other))


@given(st.data(), st.sampled_from(IMAGE_KINDS), st.sampled_from(SUFFIXES))
def test_decoding_undoes_encoding(data, kind, suffix):
    image = data.draw(pixels(*kind))
    again = decode(io.BytesIO(encode(image, restored_suffix(suffix, *kind))), "an image")
    assert again.dtype == image.dtype
    assert np.array_equal(again, image)


@settings(max_examples=25)
@given(st.data(), st.sampled_from(IMAGE_KINDS), st.booleans())
def test_a_folder_or_zip_comes_back_with_equal_samples(data, kind, zipped):
    images = data.draw(st.lists(pixels(*kind), min_size=1, max_size=4))
    names = [f"{'sub/' * (i % 2)}{i}{SUFFIXES[-i]}" for i in range(len(images))]
    with TemporaryDirectory() as place:
        folder, out = Path(place) / "photos", Path(place) / "out"
        for name, image in zip(names, images, strict=True):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode(image, restored_suffix(path.suffix, *kind)))
        source = open_source(pack(folder, Path(place) / "photos.zip") if zipped else folder)
        samples = source.read(range(len(source)))
        assert source.name == "photos"
        assert source.raw_bytes == sum(image.nbytes for image in images)
        assert [sample.shape for sample in samples] == source.shapes()
        made = restore(source, out)
        again = open_source(made[0] if zipped else out)
        assert again.spec == source.spec
        assert same(again.read(range(len(again))), samples)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("1", "grey"), ("L", "grey"), ("P", "RGB"), ("RGB", "RGB"), ("RGBA", "RGBA"), ("LA", "RGBA")],
)
def test_pillow_modes_become_grey_or_colour(tmp_path, mode, kind):
    image = Image.fromarray(GREY).convert("RGB").convert(mode)
    image.save(tmp_path / "a.png")
    source = open_source(tmp_path)
    assert kind in source.spec.summary()
    wanted = {"grey": "L"}.get(kind, kind)
    assert np.array_equal(source.read([0])[0], np.asarray(image.convert(wanted)))


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_a_transparent_colour_becomes_alpha(tmp_path, mode):
    image = Image.fromarray(GREY).convert("RGB")
    image = image.quantize(64) if mode == "P" else image.convert(mode)
    image.save(tmp_path / "a.png", transparency=image.getpixel((1, 0)))
    (sample,) = open_source(tmp_path).read([0])
    assert sample.shape == (6, 8, 4)
    assert (sample[..., 3] == 0).sum() == 1


@pytest.mark.parametrize("byte_order", ["<u2", ">u2"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_grey_keeps_its_low_byte(tmp_path, suffix, byte_order):
    values = np.arange(0, 65535, 1000, np.uint16).reshape(6, 11)
    save(tmp_path / f"a{suffix}", values.astype(byte_order))
    assert np.array_equal(open_source(tmp_path).read([0])[0], values)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bit_colour_needs_imagecodecs(tmp_path, monkeypatch, suffix, channels):
    values = (np.arange(6 * 8 * channels) * 301).astype(np.uint16).reshape(6, 8, channels)
    (tmp_path / f"a{suffix}").write_bytes(encode(values, suffix))
    assert np.array_equal(open_source(tmp_path).read([0])[0], values)
    monkeypatch.setitem(__import__("sys").modules, "imagecodecs", None)
    with pytest.raises(MissingExtra, match=r"isthmus\[images\]"):
        open_source(tmp_path)


def test_sixteen_bit_grey_with_alpha_becomes_colour(tmp_path):
    imagecodecs = pytest.importorskip("imagecodecs")
    values = (np.arange(6 * 8 * 2) * 601).astype(np.uint16).reshape(6, 8, 2)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(values))
    (sample,) = open_source(tmp_path).read([0])
    assert np.array_equal(sample, values[..., [0, 0, 0, 1]])


@pytest.mark.parametrize("mode", ["CMYK", "F", "I"])
def test_other_kinds_of_pixel_are_refused(tmp_path, mode):
    Image.new(mode, (8, 8)).save(tmp_path / "a.tif")
    with pytest.raises(BadItem, match=rf"a\.tif has pixels of kind {mode}"):
        open_source(tmp_path)


def test_sixteen_bit_cmyk_is_not_taken_for_rgba(tmp_path):
    imagecodecs = pytest.importorskip("imagecodecs")
    data = bytearray(imagecodecs.tiff_encode(np.full((6, 8, 4), 500, np.uint16)))
    photometric = data.index(struct.pack("<HHI", 262, 3, 1)) + 8
    data[photometric] = 5  # separated, that is, CMYK
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(BadItem, match=r"a\.tif"):
        open_source(tmp_path)


def test_several_pages_are_refused_rather_than_lost(tmp_path):
    pages = [Image.fromarray(GREY), Image.fromarray(GREY)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(BadItem, match="several pages"):
        open_source(tmp_path)


def test_mixed_sizes_leave_the_sides_open(tmp_path):
    save(tmp_path / "a.png", GREY)
    save(tmp_path / "b.png", GREY[:5])
    source = open_source(tmp_path)
    assert source.spec.shape == (None, None)
    assert source.shapes() == [(6, 8), (5, 8)]


def test_images_are_ordered_by_name_and_hidden_ones_left_alone(tmp_path):
    for name in ("b.png", "sub/a.png", "a.PNG", ".thumbs/x.png", "__MACOSX/a.png"):
        save(tmp_path / name, GREY)
    (tmp_path / "notes.txt").write_text("x")
    assert [member.name for member in open_source(tmp_path).layout.members] == ["a.PNG", "b.png", "sub/a.png"]


def test_files_can_be_given_one_by_one(tmp_path):
    for name in ("b.png", "sub/a.png", "other.png"):
        save(tmp_path / name, GREY)
    source = open_source([tmp_path / "sub/a.png", tmp_path / "b.png"])
    assert [member.name for member in source.layout.members] == ["sub/a.png", "b.png"]
    alone = open_source(tmp_path / "b.png")
    assert (len(alone), alone.name) == (1, "b")


def test_photographs_come_back_as_png_beside_their_namesakes(tmp_path):
    for name in ("a.jpg", "b.jpg", "b.png", "c.jpeg", "c.jpg"):
        save(tmp_path / "in" / name, GREY)
    source = open_source(tmp_path / "in")
    made = [path.name for path in restore(source, tmp_path / "out")]
    assert made == ["a.png", "b.jpg.png", "b.png", "c.png", "c.jpg.png"]
    part = source.layout.select(1, 2)
    (alone,) = write_source(part, source.spec, source.read([1]), tmp_path / "alone")
    assert alone.name == "b.jpg.png"


def test_the_same_samples_make_the_same_zip(tmp_path):
    for name in ("a.png", "b.jpg"):
        save(tmp_path / "in" / name, GREY)
    source = open_source(pack(tmp_path / "in", tmp_path / "in.zip"))
    (one,), (other,) = restore(source, tmp_path / "one"), restore(source, tmp_path / "other")
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp", ".webp"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.8])
@pytest.mark.filterwarnings("ignore:Truncated File Read")
def test_a_truncated_image_is_named_or_left_out(tmp_path, suffix, share):
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    save(tmp_path / f"good{suffix}", image)
    data = (tmp_path / f"good{suffix}").read_bytes()
    (tmp_path / f"bad{suffix}").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(BadItem, match="bad"):
        open_source(tmp_path).read([0, 1])
    source = open_source(tmp_path, skip_bad=True)
    assert [skipped.name for skipped in source.skipped] == [f"bad{suffix}"]
    assert len(source) == 1


def test_mixed_channels_name_the_odd_one_or_leave_it_out(tmp_path):
    for name in ("a.png", "b.png"):
        save(tmp_path / name, GREY)
    save(tmp_path / "colour.png", np.stack([GREY] * 3, axis=-1))
    with pytest.raises(BadItem, match=r"colour\.png is RGB, uint8, but 2 of 3 images are grey, uint8"):
        open_source(tmp_path)
    source = open_source(tmp_path, skip_bad=True)
    assert (len(source), source.skipped[0].name) == (2, "colour.png")


def test_nothing_readable_is_said(tmp_path):
    with pytest.raises(NoData, match="it holds nothing"):
        open_source(tmp_path)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(NoData, match=r"1 × \.txt"):
        open_source(tmp_path)
    (tmp_path / "a.png").write_text("x")
    with pytest.raises(NoData, match="no readable image"):
        open_source(tmp_path, skip_bad=True)


def test_nothing_is_written_if_one_output_exists(tmp_path):
    for name in ("a.png", "b.png"):
        save(tmp_path / "in" / name, GREY)
    save(tmp_path / "out" / "b.png", GREY)
    with pytest.raises(OutputExists):
        restore(open_source(tmp_path / "in"), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.png"]


def test_an_image_that_changes_underneath_is_noticed(tmp_path):
    save(tmp_path / "a.png", GREY)
    source = open_source(tmp_path)
    save(tmp_path / "a.png", GREY[:3])
    with pytest.raises(BadItem, match="has changed"):
        source.read([0])


def test_a_zip_that_claims_too_much_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.bmp", bytes(1 << 23))
    with pytest.raises(NoData, match="claims to unpack"):
        open_source(tmp_path / "a.zip")


def test_a_name_that_leaves_the_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../a.png", encode(GREY, ".png"))
        archive.writestr("b.png", encode(GREY, ".png"))
    with pytest.raises(BadItem, match="could not be written back"):
        open_source(tmp_path / "a.zip")
    assert len(open_source(tmp_path / "a.zip", skip_bad=True)) == 1


def test_a_damaged_zip_is_named(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK no more")
    with pytest.raises(NoData, match=r"a\.zip is no readable"):
        open_source(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("x.png", encode(GREY, ".png"))
    data = bytearray((tmp_path / "b.zip").read_bytes())
    data[60] ^= 1
    (tmp_path / "b.zip").write_bytes(data)
    with pytest.raises(BadItem, match=r"x\.png cannot be unpacked"):
        open_source(tmp_path / "b.zip")


@pytest.mark.needs_data
def test_real_photographs_come_back(data_root, tmp_path):
    source = open_source(data_root / "kodak")
    part = source.layout.select(0, 2)
    made = write_source(part, source.spec, source.read([0, 1]), tmp_path)
    assert [path.name for path in made] == ["kodim01.png", "kodim02.png"]
    assert same(open_source(tmp_path).read([0, 1]), source.read([0, 1]))
