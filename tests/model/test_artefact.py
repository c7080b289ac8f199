"""A model comes back from its file as it was, and a file that was touched is found."""

import json
import pickletools
import struct
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open

from isthmus.errors import (
    DamagedFile,
    IsthmusError,
    MachineError,
    NewerFormat,
    NoData,
    NotOurFile,
    SpecMismatch,
)
from isthmus.model import Decoder, Model


@pytest.fixture(scope="module")
def saved(tiny_model, tmp_path_factory):
    return tiny_model.save(tmp_path_factory.mktemp("model") / "tiny.ism")


def test_a_loaded_model_is_the_saved_one(tiny_model, saved, images):
    loaded = Model.load(saved)
    assert loaded.hash == tiny_model.hash
    assert loaded.config == tiny_model.config
    assert loaded.spec == tiny_model.spec
    assert dict(loaded.provenance) == json.loads(json.dumps(dict(tiny_model.provenance)))
    assert np.array_equal(loaded.encode(images), tiny_model.encode(images))
    symbols = loaded.quantise(images)
    assert np.array_equal(loaded.decoder.decode(symbols), tiny_model.decoder.decode(symbols))


def test_saving_what_was_loaded_writes_the_same_bytes(saved, tmp_path):
    again = Model.load(saved).save(tmp_path / "again.ism")
    assert again.read_bytes() == saved.read_bytes()


def test_the_file_is_valid_safetensors_without_pickle(saved):
    with safe_open(saved, framework="numpy") as file:
        document = json.loads(file.metadata()["isthmus"])
        kinds = {file.get_tensor(name).dtype.name for name in file.keys()}  # noqa: SIM118
    assert document["format"] == 1
    assert kinds <= {"int8", "int16", "int32", "uint8", "uint16", "float32"}
    with pytest.raises((ValueError, DeprecationWarning)):  # sooner or later it is no opcode, or no text
        list(pickletools.genops(saved.read_bytes()))


def test_the_decode_part_comes_back_from_bytes(tiny_model):
    packed = tiny_model.decoder.to_bytes()
    assert packed == tiny_model.decoder.to_bytes()
    back = Decoder.from_bytes(packed)
    assert back.hash == tiny_model.hash
    assert back.to_bytes() == packed
    assert back.document() == tiny_model.decoder.document()


def test_the_hash_follows_the_decode_part_and_nothing_else(tiny_model):
    told = replace(tiny_model, encoder={}, encode_ops=(), provenance={"note": "x"})
    assert told.hash == tiny_model.hash
    program = tiny_model.decoder.program
    name, stored = next(iter(program.weights.items()))
    touched = replace(stored, values=stored.values ^ 1)
    other = replace(program, weights={**program.weights, name: touched})
    assert replace(tiny_model.decoder, program=other).hash != tiny_model.hash
    assert replace(tiny_model.decoder, stride=2).hash != tiny_model.hash


def same(path, model) -> bool:
    loaded = Model.load(path)
    return loaded._document() == model._document() and loaded.hash == model.hash


def test_a_flipped_byte_anywhere_is_found_or_changes_nothing(saved, tmp_path):
    whole, model = saved.read_bytes(), Model.load(saved)
    header = 8 + struct.unpack("<Q", whole[:8])[0]
    random = np.random.default_rng(0)
    places = [*range(8), *random.integers(8, header, 400), *random.integers(header, len(whole), 200)]
    path, harmless = tmp_path / "flipped.ism", []
    for place in map(int, places):
        flipped = bytearray(whole)
        flipped[place] ^= int(random.integers(1, 256))
        path.write_bytes(flipped)
        try:
            assert same(path, model), f"byte {place} of {len(whole)} changed the model unnoticed"
            harmless.append(place)
        except (DamagedFile, NotOurFile):
            pass
    assert all(whole[place] in b" " for place in harmless), "only padding may be touched unnoticed"


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 100, 0.5, 0.99, -1])
def test_a_truncated_model_is_found(saved, tmp_path, kept):
    whole = saved.read_bytes()
    path = tmp_path / "cut.ism"
    path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    with pytest.raises((NotOurFile, DamagedFile), match=r"cut\.ism"):
        Model.load(path)


def rewritten(saved, path, change):
    """The file with a changed document, its own hash made to fit again."""
    from isthmus.model.artefact import document_hash

    whole = saved.read_bytes()
    end = 8 + struct.unpack("<Q", whole[:8])[0]
    header = json.loads(whole[8:end])
    document = json.loads(header["__metadata__"]["isthmus"])
    change(document)
    document["document_hash"] = document_hash(document)
    header["__metadata__"]["isthmus"] = json.dumps(document)
    head = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head + whole[end:])
    return path


def test_an_untouched_document_can_be_rewritten(saved, tmp_path, tiny_model):
    assert Model.load(rewritten(saved, tmp_path / "a.ism", lambda d: None)).hash == tiny_model.hash


def test_a_newer_format_is_named_as_such(saved, tmp_path):
    path = rewritten(saved, tmp_path / "new.ism", lambda d: d.update(format=7))
    with pytest.raises(NewerFormat, match=r"format 7; this version reads formats up to 2.*pip install -U"):
        Model.load(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.clear(),
        lambda d: d.pop("config"),
        lambda d: d.update(config={"nonsense": 1}),
        lambda d: d.update(decoder=[]),
        lambda d: d.update(format="0"),
        lambda d: d.update(provenance=None),
        lambda d: d["decoder"].pop("spec"),
        lambda d: d["decoder"].update(stride=0),
        lambda d: d["decoder"].update(code=[6, None, None, None]),
        lambda d: d["decoder"].update(ops=[]),
        lambda d: d["encoder"][0].update(op="nonsense"),
        lambda d: d.update(encoder=d["encoder"][:-1]),
        lambda d: d.update(encoder={}),
        lambda d: d["decoder"]["transform"].update(name="nonsense"),
        lambda d: d["decoder"]["spec"].update(dtype="nonsense"),
        lambda d: d.update(hash="0" * 64),
        lambda d: d.update(encoder_hash="0" * 64),
    ],
)
def test_a_document_that_makes_no_sense_is_damage_even_where_its_hash_fits(saved, tmp_path, change):
    with pytest.raises((DamagedFile, NotOurFile)):
        Model.load(rewritten(saved, tmp_path / "odd.ism", change))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(stride=0),
        lambda d: d.update(stride="one"),
        lambda d: d.update(code=[6, None]),
        lambda d: d.update(code=[6, "a"]),
        lambda d: d.update(code=[1 << 25]),
        lambda d: d.update(ops=None),
        lambda d: d.update(ops=d["ops"][1:]),
        lambda d: d.update(ops=d["ops"][:-1]),
        lambda d: d["ops"][1].update(weight="nothing"),
        lambda d: d["ops"][1].update(of=[5]),
        lambda d: d["ops"][1].update(of=[True]),
        lambda d: d["ops"][1].pop("scale"),
        lambda d: d["ops"][1]["scale"].append(1),
        lambda d: d["ops"][-1].update(numbers=[1, 4, 16]),
        lambda d: d["ops"][-1].update(numbers=[1 << 70, 8, 8]),
        lambda d: d.update(golden=None),
        lambda d: d["transform"].update(name="nonsense"),
        lambda d: d["transform"].update(scale=[0.0]),
        lambda d: d["spec"].update(shape=[8]),
        lambda d: d["spec"].update(shape=[8, 9]),
    ],
)
def test_an_embedded_decoder_that_makes_no_sense_is_damage(tiny_model, change):
    from isthmus.coding.canonical import pack_tensors

    document = json.loads(json.dumps(tiny_model.decoder.document()))
    change(document)
    with pytest.raises(DamagedFile):
        Decoder.from_bytes(pack_tensors(document, tiny_model.decoder.tensors()))


@pytest.mark.parametrize("name", ["quantiser.step", "quantiser.offset", "tables"])
def test_a_decoder_that_lacks_a_tensor_is_damage(tiny_model, name):
    tensors = tiny_model.decoder.tensors()
    del tensors[name]
    with pytest.raises(DamagedFile, match=name):
        Decoder.from_parts(tiny_model.decoder.document(), tensors)


def test_a_channel_without_its_table_or_step_is_damage(tiny_model):
    from isthmus.coding.tables import tables_to_bytes

    decoder = tiny_model.decoder
    fewer = np.frombuffer(tables_to_bytes(list(decoder.tables[1:])), np.uint8)
    for wrong in ({"tables": fewer}, {"quantiser.step": decoder.tensors()["quantiser.step"][1:]}):
        with pytest.raises(DamagedFile):
            Decoder.from_parts(decoder.document(), {**decoder.tensors(), **wrong})


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.int64])
def test_weights_of_another_type_are_damage(tiny_model, dtype):
    tensors = tiny_model.decoder.tensors()
    name = next(name for name in tensors if name.endswith(".weight"))
    with pytest.raises(DamagedFile, match=name):
        Decoder.from_parts(tiny_model.decoder.document(), {**tensors, name: tensors[name].astype(dtype)})


def test_sums_that_no_carrier_is_proven_to_hold_are_damage(tiny_model):
    document = json.loads(json.dumps(tiny_model.decoder.document()))
    document["ops"][1]["scale"][0] = 60
    with pytest.raises(DamagedFile, match=r"too far apart|outgrow"):
        Decoder.from_parts(document, tiny_model.decoder.tensors())


def test_a_machine_that_decodes_otherwise_is_told_so(tiny_model):
    document = tiny_model.decoder.document()
    document["golden"] ^= 1
    with pytest.raises(MachineError, match=r"cannot decode exactly.*whole"):
        Decoder.from_parts(document, tiny_model.decoder.tensors())


def test_no_model_and_no_safetensors_are_one_sentence(tmp_path):
    with pytest.raises(NoData, match="no model at"):
        Model.load(tmp_path / "none.ism")
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(2)}, tmp_path / "other.ism")
    with pytest.raises(NotOurFile, match="not an Isthmus model"):
        Model.load(tmp_path / "other.ism")


def test_data_of_another_kind_are_refused_in_words(tiny_model, images):
    from isthmus.data import open_source

    with pytest.raises(
        SpecMismatch, match=r"trained on 8×8 grey image, uint8; these data are 8×8 grey image, uint16"
    ):
        tiny_model.require_fits(open_source(images.astype(np.uint16)).spec)
    tiny_model.require_fits(open_source(images[:3]).spec)


def test_every_refusal_is_an_isthmus_error():
    assert all(issubclass(e, IsthmusError) for e in (DamagedFile, NotOurFile, NewerFormat, NoData))


@pytest.mark.parametrize("size", [(16, 20), (17, 31), (9, 8)])
def test_a_model_for_any_size_gives_back_each_size(any_size_model, size):
    images = np.random.default_rng(1).integers(0, 256, (3, *size, 3), dtype=np.uint8)
    symbols = any_size_model.quantise(images)
    assert symbols.shape[1:] == any_size_model.decoder.code_shape(size)
    assert any_size_model.decoder.decode(symbols, size).shape == images.shape


def test_a_sample_is_encoded_alike_in_any_company(tiny_model, images):
    together = tiny_model.encode(images)
    assert np.array_equal(tiny_model.encode(images[7:8]), together[7:8])
    assert np.array_equal(tiny_model.encode(images[:257]), together[:257])
    assert tiny_model.encode(images[:0]).shape == (0, *together.shape[1:])
