"""Configurations that nobody's Keras wrote: read to something that comes back, or refused; never another error."""

import copy
import json
import random

import pytest

from fuzz.attacks import ATTACKS
from triptych.errors import InvalidModelError, TriptychError, UsageError
from triptych.layouts.architecture_text import architecture_from_text, architecture_to_text
from triptych.layouts.keras_config import (
    read_model_config,
    read_training_config,
    source_generation,
    write_model_config,
    write_training_config,
)
from triptych.layouts.keras_config.edits import same
from triptych.layouts.keras_config.generations import parse_version, recognise
from triptych.model import Architecture, Input, Layer

SEQUENTIAL = {
    "class_name": "Sequential",
    "config": {
        "name": "s",
        "layers": [
            {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4, 2], "dtype": "float32", "sparse": False, "ragged": False, "name": "d_input"}},
            {"class_name": "Bidirectional", "config": {"name": "d", "trainable": True, "dtype": "float32", "batch_input_shape": [None, 4, 2], "layer": {"class_name": "GRU", "config": {"name": "g", "units": 2, "reset_after": True}}, "merge_mode": "concat"}},
            {"class_name": "Dense", "config": {"name": "e", "units": 3, "activation": "relu", "kernel_initializer": {"class_name": "HeNormal", "config": {"seed": None}}, "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.5}}}},
            {"class_name": "Lambda", "config": {"name": "l", "function": ["code", None, None], "function_type": "lambda"}},
        ],
    },
}  # fmt: skip
FUNCTIONAL = {
    "class_name": "Functional",
    "config": {
        "name": "f",
        "layers": [
            {"class_name": "InputLayer", "name": "a", "config": {"batch_shape": [None, 3], "dtype": "float32", "name": "a"}, "inbound_nodes": []},
            {"class_name": "Sequential", "name": "s", "config": {"name": "s", "layers": [{"class_name": "Dense", "config": {"name": "d", "units": 3}}]}, "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config": {"shape": [None, 3], "dtype": "float32", "keras_history": ["a", 0, 0]}}], "kwargs": {"mask": None}}]},
            {"class_name": "Add", "name": "p", "config": {"name": "p"}, "inbound_nodes": [{"args": [[{"class_name": "__keras_tensor__", "config": {"shape": [None, 3], "dtype": "float32", "keras_history": [n, 0, 0]}} for n in "sa"]], "kwargs": {}}]},
        ],
        "input_layers": [["a", 0, 0]],
        "output_layers": [["p", 0, 0]],
    },
}  # fmt: skip
TRAINING = {
    "optimizer_config": {
        "class_name": "Custom>Adam",
        "config": {"learning_rate": {"class_name": "ExponentialDecay", "config": {"decay_rate": 0.5}}, "epsilon": 1e-7},
    },
    "loss": {"p": "mse"},
    "metrics": [[{"class_name": "MeanMetricWrapper", "config": {"name": "accuracy", "fn": "categorical_accuracy"}}, None], [None]],
    "loss_weights": [1.0],
}
ODD = [None, True, 0, -1, 2.5, float("nan"), float("-inf"), 10**30, "", "relu", "\ud800", "a\n", "x" * 2000, [], {}, [[1]], [None], {"class_name": "Dense", "config": {}}, {"class_name": 3}, ["a", 0, 0], {"float": "NaN"}, {"edits": [{"at": "", "to": 1}]}]  # fmt: skip
VERSIONS = [None, "", "x", "1.2.2", "2.2.4", "2.3.0-tf", "2.15.0", "3.15.1", "9" * 50]


def _places(value, place=()):
    yield place
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _places(item, (*place, key))


def _spoilt(value, chance):
    value = copy.deepcopy(value)
    for _ in range(chance.choice([1, 1, 2, 3])):
        place = chance.choice(list(_places(value))[1:])
        parent = value
        for key in place[:-1]:
            parent = parent[key]
        act = chance.random()
        if act < 0.3:
            del parent[place[-1]]
        elif act < 0.9:
            parent[place[-1]] = copy.deepcopy(chance.choice(ODD))
        elif isinstance(parent, list):
            parent.append(copy.deepcopy(parent[place[-1]]))
        if not value or not list(_places(value))[1:]:
            break
    return value


@pytest.mark.parametrize("seed", range(40))
def test_a_spoilt_configuration_comes_back_or_is_refused(seed):
    chance = random.Random(seed)
    for _ in range(15):
        config, version = _spoilt(chance.choice([SEQUENTIAL, FUNCTIONAL]), chance), chance.choice(VERSIONS)
        training = _spoilt(TRAINING, chance)
        try:
            architecture = read_model_config(config, keras_version=version, backend=None, allow_code=True)
        except InvalidModelError:
            continue
        assert same(write_model_config(architecture)[0], config)
        taught = read_training_config(training, architecture, keras_version=version)
        assert same(write_training_config(taught, architecture)[0], training)
        for dialect in ("keras1", "keras2", "keras3"):
            for write in (
                lambda: write_model_config(architecture, dialect=dialect),
                lambda: write_training_config(taught, architecture, dialect=dialect),
            ):
                try:
                    write()
                except TriptychError:
                    pass


@pytest.mark.parametrize(
    "config",
    [
        None,
        3,
        [],
        "Sequential",
        {},
        {"class_name": "Sequential"},
        {"class_name": None, "config": {}},
        {"class_name": "", "config": {}},
        {"class_name": "Dense", "config": "x"},
        {"config": {"layers": []}},
    ],
)
def test_what_is_no_model_is_refused(config):
    with pytest.raises(InvalidModelError, match="LAYOUT_INVALID at model_config"):
        read_model_config(config, keras_version=None, backend=None)


@pytest.mark.parametrize(
    ("depth", "kept"), [(20, "Model"), (40, "keras:Model"), (60, "keras:Model"), (70, None), (500, None), (100_000, None)]
)
def test_nesting_is_said_or_kept_as_text_or_refused(depth, kept):
    config = {"class_name": "Dense", "config": {"name": "d", "units": 1}}
    for number in range(depth):
        config = {"class_name": "Sequential", "config": {"name": f"n{number}", "layers": [config]}}
    if kept is None:
        with pytest.raises(InvalidModelError, match="less than 200 levels"):
            read_model_config(config, keras_version="2.10.0", backend=None)
    else:
        architecture = read_model_config(config, keras_version="2.10.0", backend=None)
        assert architecture.layers[0].type == kept
        assert json.dumps(write_model_config(architecture)[0], sort_keys=True) == json.dumps(config, sort_keys=True)


@pytest.mark.parametrize(
    "data",
    [{"dialect": 3}, {"dialect": "keras2", "version": {}}, {"dialect": "keras9", "version": "2.10.0"}, {"edits": 7}, {"dialect": "keras2", "version": "2.4.0", "edits": [{"at": "/config"}], "config": 9, "input": []}, {"text": "{}"}, {"text": 3}, {"whole": True}, {"code_omitted": 7}, {"code_omitted": [7]}],
)  # fmt: skip
def test_an_extension_that_somebody_spoilt_does_no_harm(data):
    architecture = Architecture(
        (Layer("d", "Dense", {"units": 2}, extensions={"keras": {"edits": "x", "first_call": "y"}}),),
        (Input("x", (None, 3), extensions={"keras": {"before": [], "rank": {}}}),),
        extensions={"keras": data},
    )
    written, _ = write_model_config(architecture)
    assert "Dense" in json.dumps(written)


def test_an_unknown_dialect_is_the_callers_mistake():
    with pytest.raises(UsageError, match="keras1, keras2, keras3"):
        write_model_config(Architecture((Layer("d", "Dense", {"units": 2}),)), dialect="keras4")


def test_a_type_of_somebody_else_is_named():
    _, notes = write_model_config(Architecture((Layer("d", "torch:Odd"),)))
    assert notes == ("layer d: Keras knows no layer torch:Odd",)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("1.2.2", (1, 2, 2)),
        ("2.2.4-tf", (2, 3, 50)),
        ("2.3.0-tf", (2, 3, 50)),
        ("2.4.0", (2, 4, 0)),
        ("2.10.0", (2, 10, 0)),
        ("3", (3, 0, 0)),
        ("3.15.1.dev0", (3, 15, 1)),
        ("2.6.0-tf", (2, 6, 0)),
        ("", None),
        (None, None),
        ("tf", None),
    ],
)
def test_versions_stand_in_one_order(text, version):
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ("config", "dialect"),
    [
        (SEQUENTIAL, "keras2"),
        (FUNCTIONAL, "keras3"),
        (
            {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {"output_dim": 3, "W_regularizer": None}}]},
            "keras1",
        ),
        (
            {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {"units": 3, "kernel_initializer": {}}}]},
            "keras2",
        ),
        ({"module": "keras", "class_name": "Sequential", "registered_name": None, "config": {"layers": []}}, "keras2"),
    ],
)
def test_a_file_without_a_version_is_taken_for_what_only_its_writer_writes(config, dialect):
    assert recognise(config, None).dialect == dialect
    architecture = read_model_config(config, keras_version=None, backend=None, allow_code=True)
    assert source_generation(architecture).dialect == dialect
    assert same(write_model_config(architecture)[0], config)


@pytest.mark.parametrize(("what", "found"), [("axes with a point", {"axis": [1, 2]}), ("amounts with a point", {"padding": [[1, 0], [0, 0]]}), ("split along no axis", {})])
def test_integers_with_a_point_are_integers_and_axes_that_are_not_there_none(what, found):
    """JSON Schema takes 1.0 for an integer, and so did this reader: it stumbled, or our own documents could not be read again."""
    original = ATTACKS["keras-json"][what]
    architecture = architecture_from_text(original, "json")
    config = (architecture.calls[0] if architecture.calls else architecture.layers[0]).config
    assert all(same(config[name], value) for name, value in found.items())
    text, _ = architecture_to_text(architecture, "json")
    again = architecture_from_text(text, "json")
    assert same(write_model_config(again)[0], json.loads(original))


@pytest.mark.parametrize("what", ["token twice", "more unknown tokens than numbers"])
def test_a_lookup_that_keras_refuses_is_kept_as_it_is(what):
    original = ATTACKS["keras-json"][what]
    architecture = architecture_from_text(original, "json")
    assert [layer.type for layer in architecture.layers] == ["keras:StringLookup"]
    text, _ = architecture_to_text(architecture, "json")
    assert same(write_model_config(architecture_from_text(text, "json"))[0], json.loads(original))
