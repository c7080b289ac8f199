"""A detector finds what is planted, says why, survives its file, and takes any table without a crash."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from isthmus.data.tables import Cells, Column, Table
from isthmus.errors import DamagedFile, NoData, NotOurFile
from isthmus.model import Model
from isthmus.model.detector import Detector
from isthmus.model.document import read_document, tensors_hash, write_document
from isthmus.model.reasons import reasons
from isthmus.training.detecting import train_detector

WORDS = np.array(["ale", "bread", "cheese"])


def shop(rows: int = 600, seed: int = 0) -> dict[str, np.ndarray]:
    """Amounts that follow from a count and a price, and a word that follows from the price."""
    random = np.random.default_rng(seed)
    kind = random.integers(0, 3, rows)
    count = random.integers(1, 9, rows).astype(float)
    price = np.array([2.0, 5.0, 20.0])[kind] + random.normal(0, 0.1, rows)
    return {"count": count, "price": price, "amount": count * price, "what": WORDS[kind].astype(object)}


def table_of(columns: dict[str, np.ndarray]) -> Table:
    cells = [
        Cells.of_words(Column(name=name, kind="category"), list(values))
        if values.dtype == object
        else Cells(Column(name=name, kind="number"), values)
        for name, values in columns.items()
    ]
    return Table(tuple(cells))


@pytest.fixture(scope="module")
def clean() -> Detector:
    return train_detector(table_of(shop()), "novelty")


def spoilt(column: str, value: object, row: int = 7) -> Table:
    columns = shop(seed=1)
    columns[column] = columns[column].copy()
    columns[column][row] = value
    return table_of(columns)


@pytest.mark.parametrize("mode", ["contaminated", "novelty"])
def test_planted_rows_are_found(mode):
    columns = shop()
    odd = np.arange(30)
    mixed = {name: values.copy() for name, values in columns.items()}
    mixed["amount"][odd] = columns["amount"][odd][::-1] * 1.7 + 9
    labels = np.isin(np.arange(600), odd)
    learned = columns if mode == "novelty" else mixed
    scores = train_detector(table_of(learned), mode).scores(table_of(mixed))
    assert roc_auc_score(labels, scores) > 0.9


def test_the_same_seed_gives_the_same_scores_and_a_file_keeps_them(tmp_path, clean):
    table = table_of(shop(seed=2))
    again = train_detector(table_of(shop()), "novelty")
    assert np.array_equal(again.scores(table), clean.scores(table))
    loaded = Detector.load(clean.save(tmp_path / "d.ism"))
    assert np.array_equal(loaded.scores(table), clean.scores(table))
    assert np.array_equal(loaded.calibration, clean.calibration)


def test_a_row_scores_the_same_in_any_company(clean):
    table = table_of(shop(seed=2))
    alone = clean.scores(table.take(np.arange(5)))
    assert np.allclose(alone, clean.scores(table)[:5], atol=1e-4)


def test_usual_rows_are_reported_about_as_often_as_asked_for(clean):
    p = clean.p_values(clean.scores(table_of(shop(4000, seed=3))))
    assert (p <= 0.05).mean() < 0.08


@pytest.mark.parametrize(
    ("column", "value"),
    [("amount", 900.0), ("price", -50.0), ("count", np.nan), ("what", None), ("what", "gold")],
)
def test_a_cell_that_does_not_fit_is_the_first_reason(clean, column, value):
    table = spoilt(column, value)
    assert clean.scores(table).argmax() == 7
    [first, *_] = reasons(clean, table, [7])[0]
    assert first.column == column
    assert column in first.sentence()
    assert ("missing" in first.sentence()) == (value is None or value != value)


def test_what_was_expected_is_near_what_was_there(clean):
    usual = shop(seed=1)
    [first, *_] = reasons(clean, spoilt("price", 400.0), [7])[0]
    assert float(first.low) - 3 <= usual["price"][7] <= float(first.high) + 3
    assert float(first.low) <= float(first.expected) <= float(first.high)
    [word, *_] = reasons(clean, spoilt("what", "gold"), [7])[0]
    assert word.expected == usual["what"][7]


@pytest.mark.parametrize("mode", ["contaminated", "novelty"])
@pytest.mark.parametrize(
    "values",
    [
        np.ones((1, 1)),
        np.arange(6.0).reshape(2, 3),
        np.zeros((20, 3)),
        np.full((9, 2), np.nan),
        np.array([[1e308, -1e308], [np.inf, 0], [0, 1e-308]] * 5),
        np.random.default_rng(0).normal(size=(30, 200)),
    ],
    ids=["one cell", "two rows", "constant", "all missing", "huge", "wide"],
)
def test_any_table_has_scores(mode, values):
    table = Table.of_array(values)
    detector = train_detector(table, mode)
    scores = detector.scores(table)
    assert scores.shape == (len(values),)
    assert np.isfinite(scores).all()
    assert len(reasons(detector, table, [0])) == 1


def test_a_change_in_what_never_differed_is_noticed_and_named():
    values = np.random.default_rng(0).normal(size=(200, 3))
    values[:, 1] = 4.0
    detector = train_detector(Table.of_array(values), "novelty")
    changed = values.copy()
    changed[5, 1] = np.nan
    scores = detector.scores(Table.of_array(changed))
    assert scores[5] > np.quantile(scores, 0.98)
    assert reasons(detector, Table.of_array(changed), [5])[0][0].column == "column_1"


@pytest.mark.parametrize("place", [0.3, 0.6, 0.95])
def test_a_damaged_detector_is_refused(tmp_path, clean, place):
    path = clean.save(tmp_path / "d.ism")
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1
    path.write_bytes(data)
    with pytest.raises((DamagedFile, NotOurFile)):
        Detector.load(path)


def test_a_detector_is_no_codec_and_a_codec_no_detector(tmp_path, clean, tiny_model):
    with pytest.raises(NotOurFile, match="is a detector, and no codec"):
        Model.load(clean.save(tmp_path / "d.ism"))
    with pytest.raises(NotOurFile, match="no detector"):
        Detector.load(tiny_model.save(tmp_path / "m.ism"))
    with pytest.raises(NoData):
        Detector.load(tmp_path / "nothing.ism")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("kept", lambda array: array[:, 1:]),
        ("kept", lambda array: array * np.nan),
        ("kept", lambda array: array[:0]),
        ("kept_novelty", lambda array: array[1:]),
        ("features.0.seen", lambda array: array * np.nan),
        ("members.in.weight", lambda array: array[:0]),
        ("members.code.bias", lambda array: array[:, 1:]),
        ("members.out.weight", lambda array: array.astype(np.float64)),
        ("features.0.bits", lambda array: array[1:]),
        ("features.3.frequent", lambda array: array + 90),
    ],
)
def test_a_detector_that_cannot_be_is_refused_though_its_hashes_are_right(tmp_path, clean, name, change):
    path = clean.save(tmp_path / "d.ism")
    document, tensors = read_document(path)
    tensors[name] = change(tensors[name])
    told = {key: value for key, value in document.items() if key != "document_hash"}
    write_document(path, told | {"hash": tensors_hash(tensors)}, tensors, force=True)
    with pytest.raises(DamagedFile):
        Detector.load(path)
