"""What `compress` promises about any array, it keeps, through the command from file to file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from terminal import Road, call, left_in

from value_blocks import DTYPES, any_bits, smooth

SHAPES = ((), (1,), (0,), (3, 0), (300,), (5, 7), (3, 4, 5), (2, 3, 4, 5))

GOLDEN = Path(__file__).parents[1] / "golden"


def round_trip(folder: Path, values: np.ndarray, *options: object, layer: str | None = None) -> np.ndarray:
    """Through the files of `folder`: compress, verify, decompress."""
    np.save(folder / "x.npy", values)
    done = call("compress", folder / "x.npy", "-o", folder / "x.isz", "--force", *options)
    assert done.exit_code == 0, done.output
    checked = call("verify", folder / "x.isz", "--against", folder / "x.npy")
    assert checked.exit_code == 0, checked.output
    assert "holds" in checked.stdout
    wanted = () if layer is None else ("--layer", layer)
    done = call("decompress", folder / "x.isz", "-o", folder / "out", "--force", *wanted)
    assert done.exit_code == 0, done.output
    return np.load(folder / "out" / "x.npy")


@pytest.mark.parametrize("dtype", [*DTYPES, ">f4", ">i2"])
def test_lossless_gives_the_very_file_back(tmp_path: Path, dtype: str):
    random = np.random.default_rng(0)
    for shape in SHAPES:
        for values in (any_bits(random, shape, np.dtype(dtype)), smooth(random, shape, np.dtype(dtype))):
            round_trip(tmp_path, np.asarray(values, order="F"), "--lossless", "--effort", 9)
            assert (tmp_path / "out" / "x.npy").read_bytes() == (tmp_path / "x.npy").read_bytes()


def field(dtype: str) -> np.ndarray:
    """A smooth field with every odd value there is."""
    values = smooth(np.random.default_rng(1), (6, 9, 8), np.dtype(dtype))
    if values.dtype.kind == "f":
        values.reshape(-1)[:5] = [np.nan, np.inf, -np.inf, -0.0, np.finfo(dtype).smallest_subnormal]
    return values


def limits(values: np.ndarray, error: float, mode: str) -> np.ndarray:
    """How far each value may move, in extended precision."""
    finite = values[np.isfinite(values)].astype(np.longdouble)
    if mode == "abs":
        return np.full(values.shape, np.longdouble(error))
    if mode == "rel":
        return np.full(values.shape, np.longdouble(error) * (finite.max() - finite.min()))
    return np.longdouble(error) * np.abs(values.astype(np.longdouble))


@pytest.mark.parametrize("mode", ["abs", "rel", "pointwise"])
@pytest.mark.parametrize("dtype", [name for name in DTYPES if name != "bool"])
def test_no_value_is_further_away_than_asked(tmp_path: Path, dtype: str, mode: str):
    values = field(dtype)
    error = {"abs": 1.7, "rel": 0.01, "pointwise": 0.02}[mode]
    back = round_trip(tmp_path, values, "--max-error", error, "--error-mode", mode)
    assert (back.dtype, back.shape) == (values.dtype, values.shape)
    finite = np.isfinite(values)
    away = np.abs(back[finite].astype(np.longdouble) - values[finite].astype(np.longdouble))
    assert (away <= limits(values, error, mode)[finite]).all()
    if values.dtype.kind == "f":
        kind = f"u{values.dtype.itemsize}"
        odd = ~finite | ((values == 0) & np.signbit(values))
        assert np.array_equal(back[odd].view(kind), values[odd].view(kind))


@pytest.mark.parametrize("asked", [30, 42.5])
def test_a_psnr_is_reached_and_not_far_exceeded(road: Road, tmp_path: Path, asked: float):
    options = ("-m", road.model, "--coder", "autoencoder", "--target-psnr", asked)
    done = call("compress", road.source, "-o", tmp_path / "a.isz", *options)
    assert done.exit_code == 0, done.output
    assert call("verify", tmp_path / "a.isz", "--against", road.source).exit_code == 0
    assert call("decompress", tmp_path / "a.isz", "-o", tmp_path).exit_code == 0
    values = np.load(road.source).astype(np.float64)
    psnr = 10 * np.log10(255**2 / np.mean((np.load(tmp_path / "digits.npy") - values) ** 2))
    assert asked <= psnr < asked + 4  # pictures of 8 bits have no bounds between 2 and 3
    assert f"(psnr {asked:g})" in call("info", tmp_path / "a.isz").stdout


def test_bound_and_lossless_lie_in_one_archive(tmp_path: Path):
    values = smooth(np.random.default_rng(3), (20, 16, 16), np.dtype("float32"))
    options = ("--lossless", "--max-error", 0.5)
    assert np.array_equal(round_trip(tmp_path, values, *options), values)
    coarse = round_trip(tmp_path, values, *options, layer="bound")
    assert np.abs(coarse.astype(np.float64) - values).max() <= 0.5
    assert np.array_equal(round_trip(tmp_path, values, *options, layer="preview"), coarse)


def test_the_preview_stays_where_it_is_asked_for(road: Road, tmp_path: Path):
    options = ("-m", road.model, "--lossless", "--preview")
    done = call("compress", road.source, "-o", tmp_path / "a.isz", *options)
    assert done.exit_code == 0, done.output
    assert call("decompress", road.archive, "-o", tmp_path / "lossy").exit_code == 0
    assert (
        call("decompress", tmp_path / "a.isz", "-o", tmp_path / "quick", "--layer", "preview").exit_code == 0
    )
    assert call("decompress", tmp_path / "a.isz", "-o", tmp_path / "all").exit_code == 0
    lossy, quick, whole = (np.load(tmp_path / name / "digits.npy") for name in ("lossy", "quick", "all"))
    assert np.array_equal(quick, lossy)
    assert np.array_equal(whole, np.load(road.source))


@pytest.mark.parametrize("wish", [("--lossless",), ("--max-error", 3)])
def test_the_autoencoder_can_be_forced_and_keeps_the_promise(road: Road, tmp_path: Path, wish: tuple):
    done = call(
        "compress", road.source, "-m", road.model, *wish, "--coder", "autoencoder", "-o", tmp_path / "a.isz"
    )
    assert done.exit_code == 0, done.output
    assert "autoencoder+residual 1" in done.stdout
    assert call("verify", tmp_path / "a.isz", "--against", road.source).exit_code == 0


def test_a_model_that_does_not_pay_is_left_out(road: Road, tmp_path: Path):
    done = call("compress", road.source, "-m", road.model, "--lossless", "-o", tmp_path / "a.isz", "--json")
    told = json.loads(done.stdout)
    assert told["model_bytes"] == 0
    assert "none needed" in call("info", tmp_path / "a.isz").stdout
    without = call("compress", road.source, "-o", tmp_path / "b.isz", "--json")
    assert told["archive_bytes"] == json.loads(without.stdout)["archive_bytes"]


def test_one_processor_or_two_write_the_same_bytes(road: Road, tmp_path: Path):
    values = smooth(np.random.default_rng(4), (9, 512, 1024), np.dtype("float32"))
    np.save(tmp_path / "x.npy", values)
    for workers in (1, 2):
        name = tmp_path / f"{workers}.isz"
        done = call("compress", tmp_path / "x.npy", "-o", name, "--coder", "zstd", "--workers", workers)
        assert done.exit_code == 0, done.output
        done = call("decompress", name, "-o", tmp_path / f"{workers}", "--workers", workers)
        assert done.exit_code == 0, done.output
        assert np.array_equal(np.load(tmp_path / f"{workers}" / "x.npy"), values)
    assert (tmp_path / "1.isz").read_bytes() == (tmp_path / "2.isz").read_bytes()


def test_appending_continues_the_array(tmp_path: Path):
    values = smooth(np.random.default_rng(5), (30, 5), np.dtype("int16"))
    np.save(tmp_path / "x.npy", values[:20])
    assert call("compress", tmp_path / "x.npy", "-o", tmp_path / "x.isz").exit_code == 0
    np.save(tmp_path / "x.npy", values[20:])
    done = call("compress", tmp_path / "x.npy", "--append", tmp_path / "x.isz")
    assert done.exit_code == 0, done.output
    assert call("decompress", tmp_path / "x.isz", "-o", tmp_path / "out").exit_code == 0
    assert np.array_equal(np.load(tmp_path / "out" / "x.npy"), values)
    np.save(tmp_path / "other.npy", values.astype(np.float32))
    done = call("compress", tmp_path / "other.npy", "--append", tmp_path / "x.isz")
    assert done.exit_code == 2
    assert "holds samples of" in done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--lossy",), "needs a model"),
        (("--lossy", "--lossless"), "not both"),
        (("--max-error", "1", "--lossy", "-m", "MODEL"), "keeps no bound"),
        (("--max-error", "1", "--target-psnr", "40"), "not both"),
        (("--max-error", "-1"), "at least 0"),
        (("--max-error", "nan"), "finite"),
        (("--target-psnr", "-3"), "above 0"),
        (("--error-mode", "rel"), "give --max-error too"),
        (("--max-error", "1", "--error-mode", "relative"), "abs, rel, pointwise"),
        (("--coder", "zip"), "--coder must be one of"),
        (("--coder", "autoencoder"), "--coder must be one of"),
        (("--no-embed",), "no model to leave out"),
        (("--preview",), "give one with -m"),
        (("--preview", "-m", "MODEL"), "nothing but preview"),
        (("--coder", "xz", "-m", "MODEL"), "leave out --coder"),
        (("--append", "x.isz", "-o", "y.isz"), "leave out -o"),
        (("--coder", "residual"), "can code these data"),
    ],
)
def test_wishes_that_make_no_sense(road: Road, tmp_path: Path, options: tuple[str, ...], told: str):
    words = [road.model if word == "MODEL" else word for word in options]
    done = call("compress", road.source, *words, *(() if "-o" in options else ("-o", tmp_path / "a.isz")))
    assert done.exit_code == 2, done.output
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert left_in(tmp_path) == []


def test_a_layer_that_is_not_there(road: Road, tmp_path: Path):
    for layer, told in (("lossless", "its finest is 'preview'"), ("fine", "must be one of")):
        done = call("decompress", road.archive, "-o", tmp_path, "--layer", layer)
        assert done.exit_code == 2
        assert told in done.stderr


def test_approximate_is_near_for_lossy_and_exact_for_the_rest(road: Road, tmp_path: Path):
    golden, bound = GOLDEN / "road.isz", tmp_path / "bound.isz"
    options = ("-m", road.model, "--max-error", 3, "--coder", "autoencoder")
    assert call("compress", road.source, *options, "-o", bound).exit_code == 0
    made = {}
    for archive, file in ((golden, "slopes.npy"), (bound, "digits.npy")):
        for way in ((), ("--approximate",)):
            done = call("decompress", archive, "-o", tmp_path, "--force", *way)
            assert done.exit_code == 0, done.output
            made[archive, bool(way)] = np.load(tmp_path / file)
    assert not np.array_equal(made[golden, True], made[golden, False])
    np.testing.assert_allclose(made[golden, True].astype(int), made[golden, False], atol=1)
    assert np.array_equal(made[bound, True], made[bound, False])
    refused = call("decompress", golden, "-o", tmp_path, "--approximate", "--skip-damaged")
    assert refused.exit_code == 2
    assert "cannot be --approximate" in refused.output
