"""What image files say beside their pixels comes back, or stays away where that was asked for."""

import io
import os
import zipfile
from base64 import b64decode, b64encode
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from isthmus.coding.container import ArchiveReader
from isthmus.coding.squeeze import expand, squeeze
from isthmus.data import Layout, Member, open_source
from isthmus.data.metadata import LARGEST_PART_BYTES, LEVELS, Metadata, find_orientation, orientation_exif
from isthmus.errors import DamagedFile, TooLarge, UseError
from isthmus.limits import Limits
from isthmus.tasks.compress import compress, compress_bytes, decompress
from isthmus.tasks.info import info
from isthmus.tasks.metadata import pack_metadata, packed_bytes, unpack_metadata
from isthmus.tasks.repack import repack
from isthmus.tasks.verify import verify

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
MAKER, TAKEN, LATITUDE = 0x010F, 0x9003, 2
KINDS = (".png", ".jpg", ".webp", ".tif")
ORIENTATIONS = range(1, 9)


def exif(orientation: int | None, rest: bool = True) -> Image.Exif:
    told = Image.Exif()
    if orientation is not None:
        told[0x0112] = orientation
    if rest:
        told[MAKER] = "Isthmus Optics"
        told.get_ifd(0x8769)[TAKEN] = "1977:05:25 12:00:00"
        told.get_ifd(0x8825)[LATITUDE] = (52.0, 31.0, 12.0)
    return told


def photo(path: Path, orientation: int | None = None, *, seed: int = 0, rest: bool = True, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    lossless = {"lossless": True} if path.suffix == ".webp" else {}
    Image.fromarray(pixels).save(path, exif=exif(orientation, rest), **lossless, **options)
    return path


def stored(path: Path) -> np.ndarray:
    """The pixels as the reader gives them."""
    (sample,) = open_source(path).read([0])
    return sample


def shown(path: Path) -> np.ndarray:
    """What a viewer shows that honours orientation."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def tags(path: Path) -> dict:
    with Image.open(path) as image:
        told = image.getexif()
        folders = (told.get_ifd(0x8769), told.get_ifd(0x8825))
        return {"maker": told.get(MAKER), "taken": folders[0].get(TAKEN), "place": folders[1].get(LATITUDE)}


def orientation(path: Path) -> int:
    with Image.open(path) as image:
        return image.getexif().get(0x0112, 1)


def profile(path: Path) -> bytes | None:
    with Image.open(path) as image:
        return image.info.get("icc_profile")


def dpi(path: Path) -> tuple[float, float] | None:
    with Image.open(path) as image:
        return image.info.get("dpi")


def restored(source: Path, place: Path, **options) -> list[Path]:
    archive = place / f"{source.stem}.isz"
    compress(source, archive, force=True, **options)
    assert verify(archive, against=source).ok
    return list(decompress(archive, place / "out", force=True).files)


@settings(max_examples=40)
@given(st.sampled_from(KINDS), st.sampled_from([None, *ORIENTATIONS]), st.booleans(), st.booleans(),
       st.sampled_from(["all", "embedded", "display"]))  # fmt: skip
def test_a_picture_shows_as_it_did_and_its_pixels_are_the_readers(kind, turned, coloured, rest, level):
    with TemporaryDirectory() as place:
        told = {"icc_profile": PROFILE} if coloured else {}
        source = photo(Path(place) / f"a{kind}", turned, rest=rest, **told)
        (back,) = restored(source, Path(place), metadata=level)
        assert np.array_equal(stored(back), stored(source))
        assert np.array_equal(shown(back), shown(source))
        assert profile(back) == (PROFILE if coloured else None)
        assert tags(back) == (tags(source) if level != "display" else dict.fromkeys(tags(source)))


@pytest.mark.parametrize("turned", ORIENTATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_reader_never_turns_a_picture(tmp_path, kind, turned):
    plain, said = photo(tmp_path / f"plain{kind}", rest=False), photo(tmp_path / f"said{kind}", turned)
    assert np.array_equal(stored(plain), stored(said))


@pytest.mark.parametrize("turned", [1, 3, 6])
@pytest.mark.parametrize("kind", [".png", ".tif"])
def test_sixteen_bit_colour_keeps_what_shows_it_right(tmp_path, kind, turned):
    imagecodecs = pytest.importorskip("imagecodecs")
    from isthmus.data.readers.pixels import encode

    pixels = np.random.default_rng(0).integers(0, 65536, (6, 9, 3), dtype=np.uint16)
    told = Metadata(orientation_exif(turned), PROFILE, (300.0, 300.0))
    source = tmp_path / f"a{kind}"
    source.write_bytes(encode(pixels, kind, told))
    (back,) = restored(source, tmp_path)
    assert np.array_equal(stored(back), pixels)
    assert (orientation(back), profile(back)) == (turned, PROFILE)
    assert dpi(back) == pytest.approx((300, 300), rel=1e-4)
    assert imagecodecs.imread(back).dtype == np.uint16


@pytest.mark.parametrize("kind", [".png", ".jpg", ".tif", ".bmp"])
def test_resolution_comes_back(tmp_path, kind):
    source = tmp_path / f"a{kind}"
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(source, dpi=(300, 150))
    (back,) = restored(source, tmp_path)
    assert dpi(back) == pytest.approx((300, 150), rel=1e-3)


def test_exif_is_kept_byte_for_byte(tmp_path):
    source = photo(tmp_path / "a.jpg", 6)
    (back,) = restored(source, tmp_path)
    with Image.open(source) as before, Image.open(back) as after:
        assert after.info["exif"] == before.info["exif"]


def test_none_keeps_nothing(tmp_path):
    source = photo(tmp_path / "a.png", 6, icc_profile=PROFILE, dpi=(300, 300))
    (back,) = restored(source, tmp_path, metadata="none")
    with Image.open(back) as image:
        assert not image.info
    assert np.array_equal(stored(back), stored(source))


@given(st.integers(-3_000_000_000, 10_000_000_000))
@settings(max_examples=20)
def test_times_come_back_only_where_all_is_kept(modified_s):
    with TemporaryDirectory() as place:
        source = photo(Path(place) / "a.png")
        os.utime(source, (modified_s, modified_s))
        modified_s = source.stat().st_mtime_ns // 10**9  # what the file system made of it
        (back,) = restored(source, Path(place), metadata="all")
        assert back.stat().st_mtime_ns == modified_s * 10**9
        embedded, _, _ = compress_bytes(source)
        os.utime(source, (1, 1))
        assert compress_bytes(source)[0] == embedded


@pytest.mark.parametrize("date", [(1980, 1, 1, 0, 0, 0), (2024, 2, 29, 23, 59, 58), (2107, 12, 31, 0, 0, 2)])
def test_members_of_a_zip_keep_their_times(tmp_path, date):
    source = tmp_path / "photos.zip"
    data = photo(tmp_path / "a.jpg", 8).read_bytes()
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.jpg", date), data)
        archive.writestr(zipfile.ZipInfo("never.jpg", (1980, 0, 0, 0, 0, 0)), data)  # which is no date
    for level, wanted in (("all", date), ("embedded", (1980, 1, 1, 0, 0, 0))):
        (back,) = restored(source, tmp_path, metadata=level)
        with zipfile.ZipFile(back) as archive:
            first, second = archive.infolist()
            assert (first.date_time, second.date_time) == (wanted, (1980, 1, 1, 0, 0, 0))
            with Image.open(io.BytesIO(archive.read(first))) as image:
                assert image.getexif()[0x0112] == 8


@given(st.lists(st.builds(Metadata, st.binary(max_size=9), st.sampled_from([b"", PROFILE]),
       st.none() | st.tuples(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6)),
       st.none() | st.integers(-(10**10), 10**11)), max_size=6))  # fmt: skip
def test_unpacking_undoes_packing(told):
    plain = Layout("images", tuple(Member(f"{n}.png") for n in range(len(told))))
    extras = pack_metadata(plain.describe(told))
    again = unpack_metadata(plain, extras)
    assert [member.metadata for member in again.members] == told
    assert again.to_dict() == plain.to_dict()


def test_the_bytes_are_those_that_the_format_describes():
    told = (Metadata(b"EXIF", b"ICC", (72.0, 72.5), 5), Metadata(profile=b"ICC", modified_s=2), Metadata())
    layout = Layout("images", tuple(Member(f"{n}.png") for n in range(3)))
    content = expand(b64decode(pack_metadata(layout.describe(told))["metadata"]), 1000, "it")
    blobs = b"\x04EXIF" + b"\x03ICC" + b"\x10" + bytes.fromhex("0000000000005240" + "0000000000205240")
    exif, profiles, resolutions, times = [1, 0, 0], [2, 2, 0], [3, 0, 0], [1 + 10, 1 + 5, 0]
    assert content == b"\3\3" + blobs + bytes(exif + profiles + resolutions + times)


@given(st.binary(max_size=60), st.integers(0, 59))
def test_orientation_is_what_pillow_finds(noise, cut):
    found = find_orientation(noise)
    assert found in ORIENTATIONS
    told = exif(5).tobytes().removeprefix(b"Exif\0\0")
    assert find_orientation(told) == 5
    assert find_orientation(told[:cut]) in (1, 5)


def test_equal_blocks_are_stored_once(tmp_path):
    for number in range(40):
        photo(tmp_path / "photos" / f"{number:02}.png", 6, seed=number, icc_profile=PROFILE)
    kept, none = (compress_bytes(tmp_path / "photos", metadata=level) for level in ("embedded", "none"))
    one = len(compress_bytes(tmp_path / "photos" / "00.png")[0]) - len(
        compress_bytes(tmp_path / "photos" / "00.png", metadata="none")[0]
    )
    assert len(kept[0]) - len(none[0]) < one + 40
    assert none[1].metadata_bytes == 0
    assert abs(kept[1].metadata_bytes - (len(kept[0]) - len(none[0]))) < 80
    assert kept[1].overhead_bytes >= kept[1].metadata_bytes
    assert "metadata in it about" in kept[1].summary()


@pytest.fixture
def folder(tmp_path):
    """Four photos, each turned and dated otherwise."""
    for number in range(4):
        path = photo(tmp_path / "photos" / f"{number}.png", number + 3, seed=number)
        os.utime(path, (1000 * number, 1000 * number))
    return tmp_path / "photos"


def check(files: list[Path], numbers: list[int]) -> None:
    assert [int(path.stem) for path in files] == numbers
    assert [orientation(path) for path in files] == [number + 3 for number in numbers]
    assert [path.stat().st_mtime for path in files] == [1000 * number for number in numbers]


def test_items_alone_an_appended_and_a_repacked_archive_keep_theirs(folder, tmp_path):
    names = [folder / f"{number}.png" for number in range(4)]
    first, second = names[:2], names[2:]
    compress(first, tmp_path / "a.isz", metadata="all")
    compress(second, tmp_path / "a.isz", metadata="all", append=True)
    check(list(decompress(tmp_path / "a.isz", tmp_path / "whole").files), [0, 1, 2, 3])
    check(list(decompress(tmp_path / "a.isz", tmp_path / "some", items=(1, 3)).files), [1, 2])
    check(list(decompress(tmp_path / "a.isz", tmp_path / "skip", skip_damaged=True).files), [0, 1, 2, 3])
    repack(tmp_path / "a.isz", tmp_path / "b.isz")
    check(list(decompress(tmp_path / "b.isz", tmp_path / "again").files), [0, 1, 2, 3])


def test_repacking_takes_metadata_away_without_the_originals(folder, tmp_path):
    compress(folder, tmp_path / "a.isz", metadata="all")
    for level in LEVELS:
        repack(tmp_path / "a.isz", tmp_path / "b.isz", metadata=level, force=True)
        assert (tmp_path / "b.isz").read_bytes() == compress_bytes(folder, metadata=level)[0]
    with pytest.raises(UseError, match="--metadata must be one of"):
        repack(tmp_path / "a.isz", tmp_path / "c.isz", metadata="some")


def test_info_counts_what_is_kept(folder, tmp_path):
    compress(folder, tmp_path / "a.isz", metadata="all")
    with ArchiveReader(tmp_path / "a.isz") as reader:
        taken = packed_bytes(reader.extras)
    assert (
        info(tmp_path / "a.isz").facts["metadata"]
        == f"4 EXIF blocks, 4 times (about {taken} bytes of the index)"
    )
    compress(folder, tmp_path / "b.isz", metadata="none")
    assert "metadata" not in info(tmp_path / "b.isz").facts


def test_damaged_exif_stops_nothing(tmp_path):
    pixels = Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8))
    for number, kind in enumerate((".jpg", ".png", ".webp")):
        source = tmp_path / f"{number}{kind}"
        pixels.save(source, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff nonsense")
        (back,) = restored(source, tmp_path)
        with Image.open(back) as image:
            assert image.info["exif"].endswith(b"nonsense")


def test_what_is_too_long_is_left_out_and_named(tmp_path):
    source = photo(tmp_path / "a.tif", 6, icc_profile=bytes(LARGEST_PART_BYTES + 1))
    data, result, _ = compress_bytes(source)
    assert len(data) < 10_000
    assert result.notices[0] == "a.tif: its colour profile is longer than 1 MiB and was left out"


def test_more_than_an_index_holds_is_refused_before_anything_is_coded(tmp_path, monkeypatch):
    monkeypatch.setattr("isthmus.tasks.metadata.MOST_PACKED_BYTES", 20)
    with pytest.raises(UseError, match="--metadata display"):
        compress(photo(tmp_path / "a.png", 6), tmp_path / "a.isz")
    monkeypatch.setattr("isthmus.data.readers.images.DEFAULT_LIMITS", Limits(metadata_bytes=20))
    with pytest.raises(UseError, match="--metadata display"):
        open_source(tmp_path / "a.png").described("embedded")
    assert not (tmp_path / "a.isz").exists()


def entry(*, exif: bytes = b"", count: int = 1) -> dict[str, str]:
    members = tuple(Member(f"{n}.png", metadata=Metadata(exif)) for n in range(count))
    return pack_metadata(Layout("images", members))


HOSTILE = {
    "a number": 7,
    "null": None,
    "a list": [1],
    "no base64": "%%%",
    "letters of another script": "é",
    "no zstd": "AAAA",
    "of more files": entry(exif=b"x", count=2)["metadata"],
    "cut short": entry(exif=bytes(range(256)))["metadata"][:40],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_metadata_that_cannot_be(name):
    with pytest.raises(DamagedFile):
        unpack_metadata(Layout("images", (Member("a.png"),)), {"metadata": HOSTILE[name]})


@settings(max_examples=300)
@given(st.data())
def test_any_other_content_is_read_or_refused(data):
    told = (Metadata(b"exif", PROFILE[:30], (72.0, 72.0), 5), Metadata(b"exif", modified_s=-7), Metadata())
    plain = Layout("images", tuple(Member(f"{n}.png") for n in range(3)))
    content = expand(b64decode(pack_metadata(plain.describe(told))["metadata"]), 1000, "it")
    place = data.draw(st.integers(0, len(content) - 1))
    changed = content[:place] + data.draw(st.binary(max_size=9)) + content[place + 1 :]
    try:
        again = unpack_metadata(plain, {"metadata": b64encode(squeeze(changed)).decode()})
    except (DamagedFile, TooLarge):
        return
    assert pack_metadata(again) is not None  # whatever was let in can be written


def test_a_bomb_is_refused_before_it_unpacks():
    one = Layout("images", (Member("a.png"),))
    with pytest.raises(DamagedFile, match="at most 1000 bytes"):
        unpack_metadata(one, entry(exif=bytes(2000)), Limits(metadata_bytes=1000))
    with pytest.raises(DamagedFile, match="too long"):
        unpack_metadata(one, entry(exif=bytes(LARGEST_PART_BYTES + 1)))
    many = Layout("images", tuple(Member(f"{n}.png") for n in range(9)))
    with pytest.raises(TooLarge, match="metadata of all files"):
        unpack_metadata(many, entry(exif=bytes(2000), count=9), Limits(output_bytes=17_999))


@settings(max_examples=30)
@given(st.binary(max_size=80), st.binary(max_size=80), st.sampled_from([".png", ".tif", ".webp"]))
def test_no_metadata_keep_a_file_from_being_written_or_change_its_pixels(exif, icc, kind):
    from isthmus.data.readers.pixels import decode, encode

    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    for block in (exif, b"II*\0\x08\0\0\0" + exif):
        data = encode(pixels, kind, Metadata(block, icc, (1e6, 1e-6)))
        assert np.array_equal(decode(io.BytesIO(data), "it"), pixels)


def test_an_unknown_level_is_refused(tmp_path):
    with pytest.raises(UseError, match="all, embedded, display, none; got 'some'"):
        compress(photo(tmp_path / "a.png"), tmp_path / "a.isz", metadata="some")
