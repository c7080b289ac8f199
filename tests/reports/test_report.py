import json
import re
import shutil
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from isthmus.data import open_source, split
from isthmus.data.samples import pick
from isthmus.errors import DamagedFile, MissingExtra, NoData, OutputExists, SpecMismatch
from isthmus.model import Model
from isthmus.reports import write_report
from isthmus.reports.gather import gather
from isthmus.tasks.evaluate import evaluate
from isthmus.tasks.fit import fit

NAME = "a<b>&'c'$x"
SECTIONS = ["figures", "reconstructions", "losses", "rates", "latents", "codes", "sizes", "settings"]


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, attribute: str) -> list[str]:
        return [values[attribute] or "" for _, values in self.tags if attribute in values]


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A folder with a model and its run, whose name must be escaped."""
    folder = tmp_path_factory.mktemp("finished")
    settings = ["train.steps=40", "train.evaluate_every=10", "train.threads=1", "train.compile=off"]
    fit("digits", folder / f"{NAME}.ism", settings=settings, quiet=True)
    return folder


@pytest.fixture
def run(finished, tmp_path) -> Path:
    """The same in a folder of one's own; the path of the run."""
    shutil.copytree(finished, tmp_path / "moved", ignore=shutil.ignore_patterns("*.html"))
    return tmp_path / "moved" / f"{NAME}.run"


@pytest.fixture(scope="module")
def written(finished):
    return write_report(finished / f"{NAME}.run")


@pytest.fixture(scope="module")
def page(written) -> Page:
    return Page(written.path.read_text(encoding="utf-8"))


def test_the_page_stands_beside_the_model(written, finished):
    assert written.path == finished / f"{NAME}.html"
    assert written.page_bytes == written.path.stat().st_size
    assert str(written.path) in written.summary()


def test_the_page_asks_nothing_of_the_network(page):
    for attribute in ("src", "href", "xlink:href"):
        assert all(link.startswith(("data:", "#")) for link in page.all(attribute))
    styles = " ".join(page.all("style")) + page.text
    assert not re.search(r"url\((?!#)|@import", styles)
    assert {"script", "link", "iframe", "object"}.isdisjoint(tag for tag, _ in page.tags)


def test_every_section_is_there_with_its_picture(page):
    assert [values["id"] for tag, values in page.tags if tag == "section"] == SECTIONS
    assert sum(tag == "svg" for tag, _ in page.tags) == 5  # losses, rates, latents, codes, sizes


def test_every_picture_says_what_it_shows(page):
    assert all(values["aria-label"] for tag, values in page.tags if tag == "svg")
    assert all(values["alt"] for tag, values in page.tags if tag == "img")


def test_no_id_occurs_twice(page):
    assert max(Counter(page.all("id")).values()) == 1


def test_names_are_escaped(page, written):
    assert "b" not in {tag for tag, _ in page.tags}
    assert NAME in page.text
    assert NAME not in written.path.read_text()


def test_marker_colours_all_became_variables(written):
    assert not re.search(r"#(0[1-8])\1\1", written.path.read_text())


def test_figures_are_those_of_evaluate_on_what_was_held_out(written, page, finished):
    model = Model.load(finished / f"{NAME}.ism")
    source = open_source("digits")
    _, held = split(len(source), model.config.data.held_out, model.config.train.seed)
    expected = evaluate(pick(source, held), model)
    assert written.evaluation.to_dict() == expected.to_dict()
    assert expected.verdict() in page.text
    assert written.measured_on in page.text
    assert f"{expected.archive_bytes:,}" in page.text
    assert f"{expected.distortion.psnr_db:.2f} dB" in page.text
    for peer in expected.peers:
        assert f"{peer.bytes:,}" in page.text


def test_the_result_is_json_ready(written):
    assert json.loads(json.dumps(written.to_dict()))["evaluation"]["samples"] == written.evaluation.samples


def test_run_and_model_find_each_other_after_a_move(run, written):
    moved = write_report(run.with_suffix(".ism"))
    assert (
        moved.path.read_bytes() == written.path.read_bytes()
    )  # the one was given the run, the other the model


def test_without_its_data_the_kept_samples_serve(run):
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"source": "/nowhere/at/all"}))
    result = gather(run)
    assert "samples that the run kept" in result.measured_on
    assert result.evaluation.distortion.peak == 16  # of the digits, not of their type


def test_data_that_changed_since_are_not_taken_for_the_old_ones(run):
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"samples": 1000}))
    assert "the run kept" in gather(run).measured_on


def test_a_model_in_memory_is_measured_on_the_data_named(run, tmp_path):
    model = Model.load(run.with_suffix(".ism"))
    other = open_source("digits").stack(range(50))
    (tmp_path / "page.html").write_text("an older one")
    result = write_report(model, source=other, output=tmp_path / "page.html", force=True)
    assert result.evaluation.samples == 50
    assert "which the model was not trained on" in result.measured_on
    assert "history of this run is not beside" in result.path.read_text()


def test_the_data_it_was_trained_on_are_recognised(run):
    model = Model.load(run.with_suffix(".ism"))
    assert "held out of training" in gather(model, "digits").measured_on


def test_a_replaced_model_does_not_inherit_the_history(run):
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"model_hash": "0" * 64}))
    assert gather(run, "digits").rows == ()


def test_arrays_are_drawn_as_lines(tmp_path):
    waves = np.sin(np.arange(30) * np.linspace(0.1, 0.5, 200)[:, None]).astype(np.float32)
    settings = ["train.steps=20", "net.latent=4", "train.threads=1", "train.compile=off"]
    made = fit(waves, tmp_path / "waves.ism", settings=settings, quiet=True)
    result = write_report(made.run)
    page = Page(result.path.read_text())
    assert "the data were given in Python" in result.measured_on
    assert "img" not in {tag for tag, _ in page.tags}
    assert sum(tag == "svg" for tag, _ in page.tags) == 6


def test_an_existing_page_is_refused_before_any_work(run):
    run.with_suffix(".html").write_text("mine")
    with pytest.raises(OutputExists):
        write_report(run)
    assert run.with_suffix(".html").read_text() == "mine"


def test_a_missing_matplotlib_is_named(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"isthmus\[report\]"):
        write_report(run)


def test_what_is_no_run_is_refused(run, tmp_path):
    with pytest.raises(NoData, match="no finished run"):
        write_report(tmp_path)
    with pytest.raises(NoData, match="no model at"):
        write_report(tmp_path / "absent.ism")
    with pytest.raises(NoData, match="--source"):
        write_report(Model.load(run.with_suffix(".ism")), output=tmp_path / "page.html")
    run.with_suffix(".ism").unlink()
    with pytest.raises(NoData, match=r"Give the \.ism file"):
        write_report(run, force=True)


def test_a_damaged_record_is_found(run):
    for text in ("{", "[]", '{"model": 1}'):
        (run / "run.json").write_text(text)
        with pytest.raises(DamagedFile):
            write_report(run, force=True)


def test_data_of_another_kind_are_refused(run):
    with pytest.raises(SpecMismatch):
        write_report(run, source=np.zeros((20, 5), np.float32), force=True)


def test_images_by_a_model_of_all_qualities_have_curves_and_pictures_beside_other_coders(
    any_size_model, tmp_path
):
    y, x = np.mgrid[:16, :20] / 8
    waves = np.stack([np.sin(x * n) * np.cos(y + n) for n in range(1, 4)])
    images = np.stack([127 + 100 * waves] * 3, axis=-1).astype(np.uint8)
    text = write_report(any_size_model, source=images, output=tmp_path / "page.html").path.read_text()
    page = Page(text)
    sections = [values["id"] for tag, values in page.tags if tag == "section"]
    assert sections == [SECTIONS[0], "curves", "matches", *SECTIONS[1:]]
    for coder in ("JPEG 4:2:0", "JPEG 2000", "WebP"):
        assert coder in page.text
    assert all(values["alt"] for tag, values in page.tags if tag == "img")
    assert max(Counter(page.all("id")).values()) == 1
    assert not re.search(r"#(0[1-9a-f])\1\1", text)
