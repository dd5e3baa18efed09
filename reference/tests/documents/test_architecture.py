"""Documents become models and models documents, without loss."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.documents import architecture_to_data, dump_json, dump_yaml, parse_architecture, parse_json, parse_training, parse_yaml, training_to_data
from triptych.dtypes import BY_NAME
from triptych.errors import Findings, InvalidModelError, TriptychError, UnsupportedError
from triptych.model import Architecture, Call, Component, Input, Layer, Loss, Metric, Progress, Training, WeightReference

names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)
strings = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), st.text(st.characters(exclude_categories=["Cs"]), max_size=6), max_size=3)
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), json, max_size=3)
extension_names = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
extensions = st.dictionaries(extension_names, objects, max_size=2)
types = st.sampled_from(["Dense", "Add", "org.example:A b", "keras:Custom>X"])
dtypes = st.sampled_from(sorted(BY_NAME))
roles = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True)
references = st.builds(WeightReference, names, st.none() | st.permutations([0, 1, 2]).map(tuple), st.none() | st.booleans())
inputs = st.builds(Input, names, st.lists(st.none() | st.integers(0, 2**53 - 1), max_size=4).map(tuple), dtypes, strings, extensions)


def _layer(sublayers, architecture):
    def build(name, type_, config, inner, nested, weights, trainable, dtype, compute, metadata, extension):
        model = nested is not None
        return Layer(name, "Model" if model else type_, {} if model else config, inner, nested, weights, trainable, dtype, compute, metadata, extension)

    weights = st.dictionaries(names, references, max_size=2)
    return lambda named: st.builds(
        build, names if named else st.just(""), types, objects, sublayers, architecture, weights, st.booleans(), dtypes, st.none() | dtypes, strings, extensions
    )


def _graph(layers):
    references = st.fixed_dictionaries({"value": names})
    literals = st.none() | st.booleans() | st.integers(0, 9) | st.floats(allow_nan=False) | names
    arguments = st.recursive(literals | references, lambda inner: st.lists(inner, max_size=2), max_leaves=4)
    calls = st.builds(Call, names, st.lists(names, max_size=2).map(tuple), st.dictionaries(names, arguments, max_size=2), st.lists(names, max_size=2).map(tuple), extensions)

    def build(layers, inputs, calls, outputs, name, metadata, extension):
        if calls is None or not inputs or not outputs:
            return Architecture(tuple(layers), tuple(inputs[:1]), None, (), name, metadata, (), (), extension)
        calls = [Call(c.layer, c.inputs, c.arguments, () if c.outputs == (c.layer,) else c.outputs, c.extensions) for c in calls]
        return Architecture(tuple(layers), tuple(inputs), tuple(calls), tuple(outputs), name, metadata, (), (), extension)

    return st.builds(build, st.lists(layers, max_size=3), st.lists(inputs, max_size=2), st.none() | st.lists(calls, max_size=3), st.lists(names, max_size=2), st.none() | names, strings, extensions)


_leaf = _layer(st.just({}), st.none())
_inner = _layer(st.dictionaries(roles, _leaf(False), max_size=2), st.none() | _graph(_leaf(True)))
architectures = st.builds(
    lambda graph, used: Architecture(graph.layers, graph.inputs, graph.calls, graph.outputs, graph.name, graph.metadata, tuple(sorted(used)), (), graph.extensions),
    _graph(_inner(True)), st.sets(extension_names, max_size=2),
)


@settings(max_examples=60, deadline=None)
@given(architectures)
def test_an_architecture_survives_both_spellings(architecture):
    """Schemas of configs are judged by the checks, not here; so any config may stand in a Dense layer."""
    data = architecture_to_data(architecture)
    json_text, yaml_text = dump_json(data), dump_yaml(data)
    for text, parse in ((json_text, parse_json), (yaml_text, parse_yaml)):
        again = parse_architecture(parse(text.encode(), Findings()), Findings())
        assert again == architecture
        assert repr(architecture_to_data(again)) == repr(data)
        assert dump_json(architecture_to_data(again)) == json_text
        assert dump_yaml(architecture_to_data(again)) == yaml_text


components = st.builds(Component, st.sampled_from(["Adam", "org.example:Lion"]), objects, extensions)
trainings = st.builds(
    Training,
    st.none() | components,
    st.lists(st.builds(Loss, st.just("A"), objects, st.none() | names, st.none() | st.floats(allow_nan=False, allow_infinity=False), extensions), max_size=2).map(tuple),
    st.lists(st.builds(Metric, st.just("a"), objects, st.none() | names, st.booleans(), extensions), max_size=2).map(tuple),
    st.none() | st.builds(Progress, st.none() | st.integers(0, 2**53 - 1), st.none() | st.integers(0, 9), st.none() | st.integers(0, 9), st.dictionaries(names, st.floats(allow_nan=False), max_size=2)),
    st.none(), strings, st.sets(extension_names, max_size=2).map(sorted).map(tuple), st.just(()), extensions,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(trainings)
def test_training_survives_both_spellings(training):
    data = training_to_data(training)
    for text, parse in ((dump_json(data), parse_json), (dump_yaml(data), parse_yaml)):
        again = parse_training(parse(text.encode(), Findings()), Findings())
        assert again == training
        assert repr(training_to_data(again)) == repr(data)


def test_floats_that_are_not_finite_are_floats_in_a_model_and_objects_in_a_document():
    layer = Layer("a", "org.example:A", {"x": [math.inf, {"y": -math.inf}], "z": math.nan})
    data = architecture_to_data(Architecture((layer,)))
    assert data["layers"][0]["config"] == {"x": [{"float": "Infinity"}, {"y": {"float": "-Infinity"}}], "z": {"float": "NaN"}}
    config = parse_architecture(data, Findings()).layers[0].config
    assert config["x"] == [math.inf, {"y": -math.inf}]
    assert math.isnan(config["z"])


def test_an_object_that_is_asked_for_is_no_float():
    data = {"format_version": "1.0", "layers": [{"name": "a", "type": "x:A", "config": {"float": "NaN"}, "extensions": {"EXT_a": {"float": "NaN"}}}], "extensions_used": ["EXT_a"]}
    layer = parse_architecture(data, Findings()).layers[0]
    assert (layer.config, layer.extensions) == ({"float": "NaN"}, {"EXT_a": {"float": "NaN"}})
    assert architecture_to_data(Architecture((layer,), extensions_used=("EXT_a",))) == data


def test_the_same_model_gives_the_same_text_however_its_maps_were_filled():
    one = Layer("a", "Dense", {"units": 1, "activation": "relu", "kernel_initializer": {"type": "Zeros", "config": {"b": 1, "a": 2}}}, weights={"kernel": WeightReference("k"), "bias": WeightReference("b")})
    other = Layer("a", "Dense", {"kernel_initializer": {"config": {"a": 2, "b": 1}, "type": "Zeros"}, "activation": "relu", "units": 1}, weights={"bias": WeightReference("b"), "kernel": WeightReference("k")})
    texts = {dump_json(architecture_to_data(Architecture((layer,), metadata=metadata))) for layer, metadata in ((one, {"b": "1", "a": "2"}), (other, {"a": "2", "b": "1"}))}
    assert len(texts) == 1
    config = architecture_to_data(Architecture((other,)))["layers"][0]["config"]
    assert list(config) == ["units", "activation", "kernel_initializer"]
    assert list(config["kernel_initializer"]) == ["type", "config"]


def test_forward_stands_before_backward():
    layer = Layer("a", "Bidirectional", {}, {"backward": Layer("", "LSTM", {}), "forward": Layer("", "LSTM", {})})
    assert list(architecture_to_data(Architecture((layer,)))["layers"][0]["sublayers"]) == ["forward", "backward"]


@pytest.mark.parametrize("parse", [parse_architecture, parse_training])
@pytest.mark.parametrize("data", [None, [], 1, "x", {}, {"format_version": None}, {"format_version": "1.0.0"}, {"format_version": "9.9"}, {"format_version": "1.0", "layers": None}, {"format_version": "1.0", "x": 1}])
def test_what_is_no_document_is_a_declared_error(parse, data):
    with pytest.raises(TriptychError) as caught:
        parse(data, Findings())
    assert all(problem.code and problem.requirement for problem in caught.value.problems)


def test_a_later_version_is_unsupported_and_not_invalid():
    with pytest.raises(UnsupportedError):
        parse_architecture({"format_version": "1.1", "layers": 3}, Findings())
    with pytest.raises(InvalidModelError):
        parse_architecture({"format_version": "1", "layers": 3}, Findings())


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries({"format_version": st.just("1.0"), "layers": json | st.lists(st.dictionaries(st.sampled_from(["name", "type", "config", "weights", "sublayers", "architecture", "extensions"]), json))}, optional={"inputs": json, "calls": json, "outputs": json, "metadata": json, "extensions": json}))
def test_any_plain_data_is_read_or_refused(data):
    try:
        parse_architecture(data, Findings())
    except TriptychError:
        pass
