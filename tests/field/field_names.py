"""Names near 255 bytes: what can be compressed can be restored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from field_folders import photo
from PIL import Image
from terminal import call

from reports import member


def comes_back(source: str) -> list[str]:
    """The names of what is restored, after everything went well."""
    for words in (
        ("compress", source, "-o", "x.isz", "--force"),
        ("verify", "x.isz", "--against", source),
        ("decompress", "x.isz", "-o", "back"),
    ):
        done = call(*words)
        assert done.exit_code == 0, done.output
    return sorted(path.name for path in Path("back").rglob("*") if path.is_file())


@member("K33", everyday=True)
def an_image_with_a_long_name_comes_back(folder: Path) -> None:
    photo(folder / "names" / ("n" * 245 + ".png"))
    photo(folder / "names" / ("é" * 125 + ".jpg"))
    assert comes_back("names") == ["n" * 245 + ".png", "é" * 125 + ".png"]


@member("K33")
def names_that_must_give_way_still_fit(folder: Path) -> None:
    long = "n" * 251
    photo(folder / "names" / f"{long}.png")
    photo(folder / "names" / f"{long}.jpg")
    photo(folder / "names" / f"{long}.bmp")
    (folder / "names" / f"{long}.bmp").rename(folder / "names" / f"{long[1:]}.jpeg")
    found = comes_back("names")
    assert len(found) == len(set(found)) == 3
    assert f"{long}.png" in found


@member("K33")
def arrays_tables_and_sounds_with_long_names_come_back(folder: Path) -> None:
    import soundfile

    names = ["n" * 251 + ".npy", "n" * 251 + ".csv", "n" * 251 + ".wav"]
    np.save(names[0], np.arange(30.0))
    Path(names[1]).write_text("a,b\n1,2\n3,4\n")
    soundfile.write(names[2], np.zeros(800), 8000)
    for name in names:
        assert name in comes_back(name)
    soundfile.write("m" * 251 + ".mp3", np.zeros(8000), 16_000)
    assert "m" * 251 + ".wav" in comes_back("m" * 251 + ".mp3")


@member("K33")
def default_names_of_outputs_fit(folder: Path) -> None:
    Path("d" * 255).mkdir()
    photo(Path("d" * 255, "a.png"))
    assert call("compress", "d" * 255).exit_code == 0
    assert Path("d" * 251 + ".isz").exists()


@member("K33")
def a_name_that_no_disk_takes_is_one_sentence(folder: Path) -> None:
    Image.new("L", (9, 9)).save("a.png")
    done = call("compress", "a.png", "-o", "o" * 300 + ".isz")
    assert done.exit_code in (2, 3)
    assert "too long" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
