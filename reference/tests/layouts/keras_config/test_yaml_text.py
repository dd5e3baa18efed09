"""YAML that real Keras 1 and 2 wrote is read as the data that the same Keras says in JSON, and nothing in it is obeyed."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import triptych
from triptych import InvalidModelError, UnsupportedError
from triptych.layouts.keras_config import edits, yaml_text

FIXTURES = Path(__file__).parents[2] / "fixtures" / "keras_yaml"
WRITERS = ["keras-1.2.2", "keras-2.3.1", "tensorflow-1.15.0"]


@pytest.mark.parametrize("writer", WRITERS)
def test_yaml_holds_what_the_same_keras_says_in_json(writer):
    """Tuples, aliases, numpy's scalars and arrays, TensorFlow's wrappers: all are what ``to_json`` made of them."""
    found = yaml_text.parse((FIXTURES / f"{writer}.yaml").read_text())
    assert edits.same(found, json.loads((FIXTURES / f"{writer}.json").read_text()))


@pytest.mark.parametrize("writer", WRITERS)
def test_both_spellings_are_one_architecture(writer):
    from_yaml = triptych.model_from_yaml((FIXTURES / f"{writer}.yaml").read_bytes())
    from_json = triptych.model_from_json((FIXTURES / f"{writer}.json").read_bytes())
    from_file = triptych.load(FIXTURES / f"{writer}.yaml")
    for panel in (from_yaml.architecture, from_file.architecture):
        assert (panel.name, panel.inputs, panel.calls, panel.outputs) == (from_json.architecture.name, *_graph(from_json.architecture))
        assert [replace(layer, extensions={}) for layer in panel.layers] == [replace(layer, extensions={}) for layer in from_json.architecture.layers]


def _graph(architecture):
    return architecture.inputs, architecture.calls, architecture.outputs


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", False), ("Yes", True), ("on", True), ("~", None), ("null", None), ("", None), ("1_000", 1000), ("0x1f", 31), ("010", 8),
        ("1:30", 90), ("1e3", "1e3"), ("1.0e+3", 1000.0), (".inf", float("inf")), ("-.inf", float("-inf")), ("<", "<"), ("=", "="),
        ("'1'", "1"), ('"\\xE3\\x01"', "ã\x01"), ("!!python/unicode 'a'", "a"), ("!!python/str no", "no"), ("!!python/long 12", 12),
        ("!!python/int '7'", 7), ("!!python/float '1.5'", 1.5), ("!!python/bool yes", True), ("!!python/none ~", None), ("! 1", "1"),
        ("!!python/list [1, !!python/tuple [2]]", [1, [2]]), ("!!python/dict {a: 1}", {"a": 1}), ("!!binary YWLDqQ==", "abé"), ("!!binary 4w==", "ã"),
        ("!!python/object/apply:collections.OrderedDict [[[a, 1], [b, 2]]]", {"a": 1, "b": 2}),
        ("!!python/object/new:tensorflow.python.trackable.data_structures.ListWrapper [[1, 2]]", [1, 2]),
        ("!!python/name:numpy.float32 ''", "float32"),
        ("!!python/object/apply:tensorflow.python.framework.dtypes.as_dtype [float32]", "float32"),
        ("!!python/object/apply:tensorflow.python.framework.tensor_shape.TensorShape [[null, 3]]", [None, 3]),
    ],
)
def test_a_scalar_or_tag_is_what_pyyaml_makes_of_it(text, value):
    assert edits.same(yaml_text.parse(f"value: {text}"), {"value": value})


def test_an_alias_is_a_copy():
    found = yaml_text.parse("a: &x {list: [1]}\nb: *x\nc: &y !!python/tuple [*x, *x]\nd: *y")
    found["b"]["list"].append(2)
    found["d"][0]["list"].append(3)
    assert found["a"] == {"list": [1]}
    assert found["c"] == [{"list": [1]}, {"list": [1]}]
    assert found["d"][1] == {"list": [1]}


@pytest.mark.parametrize(
    ("tag", "what"),
    [
        ("!!python/object/apply:os.system ['true']", "would call os.system"),
        ("!!python/object/new:subprocess.Popen [['true']]", "would make a subprocess.Popen"),
        ("!!python/object:os.path {}", "would make a os.path"),
        ("!!python/name:os.system ''", "would import os.system"),
        ("!!python/module:this ''", "would import this"),
        ("!!python/object/apply:builtins.eval ['1']", "would call builtins.eval"),
        ("!!python/object/apply:numpy.load ['x']", "would call numpy.load"),
        ("!!python/object/apply:builtins.dict {args: [{}], kwds: {a: 1}}", "would call builtins.dict"),
        ("!!python/complex 1j", "python/complex"),
        ("!!set {a, b}", "!!set"),
        ("!mine {}", "!mine"),
        ("2019-01-01", "quotes"),
    ],
)
def test_what_is_no_data_is_refused_with_its_place(tag, what):
    text = f"class_name: Sequential\nconfig:\n- a\n- {tag}\n"
    with pytest.raises(UnsupportedError, match=rf"{what}.* at line 4, column 3"):
        triptych.model_from_yaml(text)
    assert "this" not in sys.modules


@pytest.mark.parametrize(
    "arguments",
    ["[]", "[x, y]", "[!!python/object/apply:numpy.dtype [f4, 0, 1], !!binary AA==]", "[!!python/object/apply:numpy.dtype [O8, 0, 1], !!binary AAAAAAAAAAA=]",
     "[!!python/object/apply:numpy.dtype [c8, 0, 1], !!binary AAAAAAAAAAA=]"],
)  # fmt: skip
def test_a_numpy_scalar_that_is_none_is_refused(arguments):
    with pytest.raises(UnsupportedError, match="arguments"):
        yaml_text.parse(f"v: !!python/object/apply:numpy.core.multiarray.scalar {arguments}")


def test_a_value_that_holds_itself_is_refused():
    with pytest.raises(InvalidModelError, match="holds itself.*line 1"):
        yaml_text.parse("a: &x [1, *x]")


def test_aliases_of_aliases_do_not_explode():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(UnsupportedError, match="aliases"):
        yaml_text.parse("\n".join(lines))
    text = "s: &s " + "x" * 100_000 + "\nl:\n" + "- *s\n" * 20
    with pytest.raises(UnsupportedError, match="aliases"):
        yaml_text.parse(text)


@pytest.mark.parametrize("text", ["a: " + "[" * 200_000, "- " * 200 + "a", "a: &x " + "[" * 100 + "]" * 100 + "\nb: " + "[" * 50 + "*x" + "]" * 50])
def test_deep_nesting_is_refused(text):
    with pytest.raises((UnsupportedError, InvalidModelError), match="128 nested|maximum nesting"):
        yaml_text.parse(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [("a: [1", "line 2"), ("a: 1\n---\nb: 1", "one document"), ("? [a]\n: 1", "to be a string"), ("1: a", "to be a string"), ("a: {b: 1, b: 2}", "once"), ("a: *x", "before its alias")],
)
def test_what_is_no_yaml_of_keras_is_refused(text, what):
    with pytest.raises(InvalidModelError, match=what):
        yaml_text.parse(text)


def test_of_models_one_behind_the_other_the_last_is_read():
    text = (FIXTURES / "keras-2.3.1.yaml").read_text()
    with pytest.warns(UserWarning, match="several models"):
        model = triptych.model_from_yaml(text.replace("name: two", "name: first") + text)
    assert model.name == "two"


def test_our_own_yaml_stays_strict(dense):
    text = dense(4).to_yaml()
    assert triptych.model_from_yaml(text).architecture is not None
    with pytest.raises(InvalidModelError, match="YAML_TAG"):
        triptych.model_from_yaml(text + "extensions: {keras: {class_name: !!python/tuple []}}\n")


@pytest.mark.parametrize("first", ["backend", "class_name", "config", "keras_version", "# made by hand, " + "x" * 600, "---"])
@pytest.mark.parametrize("change", [str.encode, lambda t: b"\xef\xbb\xbf" + t.encode(), lambda t: t.replace("\n", "\r\n").encode(), lambda t: b"\xff\xfe" + t.encode("utf-16-le")])
def test_a_file_is_told_whatever_comes_first(first, change, tmp_path):
    parts = {"backend": "tensorflow\n", "keras_version": "2.2.4\n", "class_name": "Sequential\n"}
    parts["config"] = "\n- class_name: Activation\n  config:\n    activation: relu\n    batch_input_shape: !!python/tuple [null, 3]\n    name: a\n"
    start = "" if first in parts else f"{first}\n"
    order = sorted(parts, key=lambda name: name != first)
    path = tmp_path / "model.txt"
    path.write_bytes(change(start + "".join(f"{name}: {parts[name]}" for name in order)))
    model = triptych.load(path)
    assert [(layer.name, layer.type) for layer in model.architecture.layers] == [("a", "Activation")]
    assert model.architecture.inputs[0].shape == (None, 3)
