"""Keras' JSON in every form that it has been found in, and what ``to_json(dialect=…)`` makes of an architecture."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

import triptych
from triptych import ConversionError, InvalidModelError, UnsupportedError, UsageError
from triptych.model import Call, Panels
from triptych.surface.model import Model

FIXTURES = Path(__file__).parents[2] / "fixtures" / "keras_yaml"
LAYERS = [{"class_name": "Dense", "config": {"name": "one", "units": 2, "batch_input_shape": [None, 3], "dtype": "float32"}}]
SEQUENTIAL = {"class_name": "Sequential", "config": {"name": "s", "layers": LAYERS}, "keras_version": "2.2.4", "backend": "theano"}
PLAIN = json.dumps(SEQUENTIAL)


def names(model):
    return [(layer.name, layer.type, dict(layer.config)) for layer in model.architecture.layers]


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        json.dumps(PLAIN),
        json.dumps(json.dumps(PLAIN)),
        json.dumps(LAYERS),
        json.dumps(SEQUENTIAL["config"]),
        json.dumps({"config": SEQUENTIAL["config"]}),
        json.dumps({"class_name": "Sequential", "config": {"layers": LAYERS}}),
        json.dumps({"model_config": SEQUENTIAL, "training_config": None}),
        json.dumps({"keras_version": "2.2.4", "backend": "theano", "model_config": PLAIN}),
        json.dumps({"modelTopology": {"keras_version": "2.2.4", "model_config": SEQUENTIAL}, "weightsManifest": []}),
        json.dumps({"modelTopology": SEQUENTIAL, "format": "layers-model"}),
        "\ufeff" + PLAIN,
        PLAIN.encode("utf-16"),
        b"\xef\xbb\xbf" + PLAIN.replace("\n", "\r\n").encode(),
    ],
)
def test_every_form_is_one_model(text, tmp_path):
    assert names(triptych.model_from_json(text)) == [("one", "Dense", {"units": 2})]
    path = tmp_path / "arch"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    assert names(triptych.load(path)) == [("one", "Dense", {"units": 2})]


def test_the_config_of_a_graph_is_a_graph():
    text = json.loads((FIXTURES / "keras-1.2.2.json").read_text())
    whole, bare = triptych.model_from_json(json.dumps(text)), triptych.model_from_json(json.dumps(text["config"]))
    assert [layer.type for layer in whole.architecture.layers] == [layer.type for layer in bare.architecture.layers]
    assert whole.architecture.calls == bare.architecture.calls


def test_latin_1_of_python_2_is_read():
    assert names(triptych.model_from_json(PLAIN.replace("one", "été").encode("latin-1")))[0][0] == "été"


def test_numbers_that_are_not_finite_are_read_in_keras_text_and_written_as_keras_does():
    text = PLAIN[:-1] + ', "scale": [NaN, Infinity, -Infinity]}'
    back = json.loads(triptych.model_from_json(text).to_json(dialect="keras"))["scale"]
    assert math.isnan(back[0])
    assert back[1:] == [math.inf, -math.inf]


def test_our_own_json_stays_strict(dense):
    text = dense(4).to_json()
    for odd in ("\ufeff" + text, json.dumps(text), text.rstrip()[:-1] + ', "extensions": {"keras": {"class_name": NaN}}}'):
        with pytest.raises(InvalidModelError):
            triptych.model_from_json(odd)


@pytest.mark.parametrize("text", ['{"class_name": "Sequential", "config": [', '{"class_name": 1, "class_name": NaN, "config": []}', "[NaN]", '"class_name"'])
def test_what_is_no_model_is_refused(text):
    with pytest.raises(InvalidModelError):
        triptych.model_from_json(text)


def test_nesting_without_end_is_refused():
    for opening in ('{"class_name": "Sequential", "config": ', '{"model_config": '):
        with pytest.raises((InvalidModelError, UnsupportedError)):
            triptych.model_from_json(opening * 5000 + '"class_name"' + "}" * 5000)


def test_the_graph_of_tensorflow_js_is_refused_as_what_it_is():
    with pytest.raises(UnsupportedError, match="graph"):
        triptych.model_from_json('{"format": "graph-model", "modelTopology": {"node": [], "versions": {}}}')


@pytest.mark.parametrize("writer", ["keras-1.2.2", "keras-2.3.1", "tensorflow-1.15.0"])
def test_text_comes_back_as_it_was(writer):
    text = (FIXTURES / f"{writer}.json").read_text()
    model = triptych.model_from_json(text, allow_code=True)
    assert json.loads(model.to_json(dialect="keras")) == json.loads(text)
    assert json.loads(triptych.model_from_json(model.to_json()).to_json(dialect="keras")) == json.loads(text)
    again = triptych.model_from_yaml(model.to_yaml(dialect="keras"), allow_code=True)
    assert json.loads(again.to_json(dialect="keras")) == json.loads(text)


def test_what_hdf5_says_around_the_config_is_in_the_text(dense, tmp_path):
    dense(4).save(tmp_path / "m.h5")
    for dialect, around in (("keras2", {"keras_version": "2.10.0", "backend": "tensorflow"}), ("keras3", {"module": "keras", "registered_name": None})):
        found = json.loads(triptych.load(tmp_path / "m.h5").to_json(dialect=dialect))
        assert around.items() <= found.items()


def test_code_that_is_left_out_is_a_warning_that_says_how_to_keep_it():
    text = (FIXTURES / "tensorflow-1.15.0.json").read_text()
    model = triptych.model_from_json(text)
    with pytest.warns(UserWarning, match=r"code of the lambda.*/config/layers/2/config/function.*allow_code"):
        written = json.loads(model.to_json(dialect="keras"))
    assert written["config"]["layers"][2]["config"]["function"] == [None, None, None]
    code = triptych.model_from_json(text, allow_code=True).architecture.layers[2].config["function"][0]
    assert code == json.loads(text)["config"]["layers"][2]["config"]["function"][0]


def test_keras_3_has_no_yaml(dense):
    with pytest.raises(UsageError, match="Keras 3 neither writes nor reads"):
        dense(4).to_yaml(dialect="keras3")
    with pytest.raises(UsageError, match="keras1, keras2, keras3"):
        dense(4).to_json(dialect="keras4")


def test_what_keras_has_no_place_for_is_an_error(dense):
    call = Call("", ("x",), outputs=("y",), op="org.example:fold")
    architecture = replace(dense(4).architecture, layers=(), calls=(call,), outputs=("y",))
    with pytest.raises(ConversionError, match="org.example:fold"):
        Model(Panels(architecture=architecture)).to_json(dialect="keras3")
