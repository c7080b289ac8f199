"""Kinds of pixels come back as they were, or it is said that they do not."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from field_folders import photo
from field_verify import status
from PIL import Image
from terminal import call

from reports import member

COLOURS = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 0, 0, 0, 0, 128]
"""Five, of which the second and the fourth are alike."""


def mask(number: int = 0) -> Image.Image:
    """An image whose pixels are numbers of classes, with a palette."""
    classes = (np.add.outer(np.arange(40), np.arange(50)) // (9 + number) % 5).astype(np.uint8)
    image = Image.fromarray(classes).convert("P")
    image.putpalette(COLOURS)
    return image


def restored(source: str, *options: object) -> tuple[list[Image.Image], str]:
    """What comes back from an archive, and what was said when it was made."""
    done = call("compress", source, "-o", f"{source}.isz", "--force", *options)
    assert done.exit_code == 0, done.output
    back = call("decompress", f"{source}.isz", "-o", f"{source}-back", "--force")
    assert back.exit_code == 0, back.output
    files = sorted(path for path in Path(f"{source}-back").rglob("*") if path.is_file())
    return [Image.open(io.BytesIO(path.read_bytes())) for path in files], done.stderr


@member("K15", everyday=True)
def the_numbers_and_the_palette_of_masks_come_back(folder: Path) -> None:
    Path("masks").mkdir()
    for number in range(3):
        mask(number).save(f"masks/{number}.png")
    images, said = restored("masks")
    assert [image.mode for image in images] == ["P"] * 3
    for number, image in enumerate(images):
        assert np.array_equal(np.asarray(image), np.asarray(mask(number)))
        assert image.getpalette() == COLOURS
    assert "changed" not in said
    assert status("masks.isz", "--against", "masks") == (0, "ok", [])


@member("K15")
def bits_grey_with_alpha_and_transparent_palettes_come_back(folder: Path) -> None:
    grey = Image.fromarray(np.arange(2000, dtype=np.uint8).reshape(40, 50))
    see_through, partly = mask(), mask()
    see_through.info["transparency"], partly.info["transparency"] = 2, b"\x80\xff\x00\x40"
    originals = {
        "bits.png": grey.convert("1"), "bits.tif": grey.convert("1"), "bits.bmp": grey.convert("1"),
        "bits.pbm": grey.convert("1"), "alpha.png": Image.merge("LA", (grey, grey.rotate(180))),
        "hole.png": see_through, "partly.png": partly, "mask.gif": mask(), "mask.bmp": mask(),
        "grey.pgm": grey, "colour.ppm": grey.convert("RGB"),
    }  # fmt: skip
    for name, image in originals.items():
        image.save(name)
        (back,), said = restored(name)
        with Image.open(name) as was:
            assert back.mode == was.mode, name
            assert np.array_equal(np.asarray(back), np.asarray(was)), name
            assert back.info.get("transparency") == was.info.get("transparency"), name
            assert back.convert("RGBA").tobytes() == was.convert("RGBA").tobytes(), name
        assert Path(f"{name}-back", name).exists(), name
        assert "changed" not in said, name


@member("K15")
def a_bound_is_for_colours_and_says_so(folder: Path) -> None:
    Path("masks").mkdir()
    mask().save("masks/0.png")
    (image,), said = restored("masks", "--max-error", 1)
    assert image.mode == "RGB"
    assert "changed: 1 image with a palette will come back as RGB, first 0.png" in said
    code, word, notices = status("masks.isz", "--against", "masks")
    assert (code, word) == (0, "ok")
    assert "with a palette" in notices[0]
    assert call("compress", "masks", "-o", "no.isz", "--max-error", 1, "--strict").exit_code == 2
    assert not Path("no.isz").exists()


@member("K15")
def mixed_folders_say_what_changes(folder: Path) -> None:
    photo(folder / "mixed" / "a.png")
    mask().save("mixed/b.png")
    (_, second), said = restored("mixed")
    assert second.mode == "RGB"
    assert "1 image with a palette will come back as RGB, first b.png" in said


@member("K15", everyday=True)
def verify_sees_a_lost_or_another_palette(folder: Path) -> None:
    for name in ("masks", "flat", "other"):
        Path(name).mkdir()
    mask().save("masks/0.png")
    mask().convert("RGB").save("flat/0.png")
    recoloured = mask()
    recoloured.putpalette([255 - colour for colour in COLOURS])
    recoloured.save("other/0.png")
    call("compress", "masks", "-o", "m.isz")
    for name in ("flat", "other"):
        assert status("m.isz", "--against", name)[:2] == (1, "different")
    assert "0.png has another palette" in call("verify", "m.isz", "--against", "other").stdout


@member("K15")
def palettes_survive_zips_appending_parts_and_repacking(folder: Path) -> None:
    with zipfile.ZipFile("masks.zip", "w") as archive:
        for number in range(3):
            mask(number).save("one.png")
            archive.write("one.png", f"{number}.png")
    call("compress", "masks.zip", "-o", "m.isz")
    assert call("repack", "m.isz", "-o", "r.isz", "--metadata", "none").exit_code == 0
    assert call("decompress", "r.isz", "-o", "back", "--items", "1:3").exit_code == 0
    with zipfile.ZipFile("back/masks.zip") as archive:
        image = Image.open(io.BytesIO(archive.read("2.png")))
        assert (image.mode, image.getpalette()) == ("P", COLOURS)
    for name, number in (("first", 0), ("second", 1)):
        Path(name).mkdir()
        mask(number).save(f"{name}/{number}.png")
    call("compress", "first", "-o", "f.isz")
    assert call("compress", "second", "--append", "f.isz").exit_code == 0
    call("decompress", "f.isz", "-o", "both")
    for number in range(2):
        with Image.open(f"both/{number}.png") as image:
            assert image.mode == "P"


@member("K15")
def moving_and_many_paged_images_are_not_cut_to_their_first(folder: Path) -> None:
    frames = [Image.fromarray(np.full((20, 20, 3), shade, np.uint8)) for shade in (0, 90, 180)]
    for name in ("a.gif", "a.webp", "a.png", "a.tif"):
        Path("one").mkdir(exist_ok=True)
        frames[0].save(f"one/{name}", save_all=True, append_images=frames[1:])
        done = call("compress", "one", "-o", "x.isz")
        assert done.exit_code == 2, name
        assert f"{name} holds several pages or frames" in done.stderr
        Path("one", name).unlink()
