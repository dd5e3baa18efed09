"""TensorFlow.js models: expected values are worked out by hand from the form that its weights manifest lays down."""

import json

import numpy as np
import pytest

import triptych
from triptych import InvalidModelError, TruncatedError, UnsupportedError, UsageError

INNER = {"class_name": "Sequential", "config": {"name": "inner", "layers": [{"class_name": "Dense", "config": {"name": "deep", "units": 2, "use_bias": False, "batch_input_shape": [None, 2]}}]}}
DENSE = {"class_name": "Dense", "config": {"name": "one", "units": 2, "batch_input_shape": [None, 3], "dtype": "float32"}}
TOPOLOGY = {"class_name": "Sequential", "config": {"name": "s", "layers": [DENSE, INNER]}, "keras_version": "tfjs-layers 4.0.0", "backend": "tensor_flow.js"}
ARRAYS = {"one/kernel": np.arange(6, dtype="<f4").reshape(3, 2), "one/bias": np.array([0.5, -1], "<f4"), "deep/kernel": np.eye(2, dtype="<f4") * 3}
ENTRIES = [{"name": name, "shape": list(array.shape), "dtype": "float32"} for name, array in ARRAYS.items()]
BYTES = b"".join(array.tobytes() for array in ARRAYS.values())
GRAPH = {"node": [], "versions": {}}


def written(folder, topology, groups, **files):
    document = {"format": "graph-model" if "node" in topology else "layers-model", "modelTopology": topology, "weightsManifest": groups}
    (folder / "model.json").write_text(json.dumps(document))
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder / "model.json"


def test_a_layers_model_has_its_weights_though_they_lie_across_files(tmp_path):
    path = written(tmp_path, TOPOLOGY, [{"paths": ["a", "b", "c"], "weights": ENTRIES}], a=BYTES[:10], b=b"", c=BYTES[10:])
    model = triptych.load(path)
    assert list(model.weights) == ["one.kernel", "one.bias", "inner.deep.kernel"]
    for found, array in zip(model.get_weights(), ARRAYS.values(), strict=True):
        np.testing.assert_array_equal(found, array)
    np.testing.assert_array_equal(model.predict(np.ones((1, 3), "float32")), [[3 * 6.5, 3 * 8]])
    assert triptych.validate(path) == ()


def test_without_its_files_a_layers_model_is_an_architecture(tmp_path):
    model = triptych.load(written(tmp_path, TOPOLOGY, [{"paths": ["a"], "weights": ENTRIES}]))
    assert model.weights is None
    assert [layer.type for layer in model.architecture.layers] == ["Dense", "Model"]


def test_of_a_graph_model_the_weights_are_read_and_strings_named(tmp_path):
    entries = [
        {"name": "a/words", "shape": [2], "dtype": "string"},
        {"name": "b", "shape": [2], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1}},
        {"name": "c", "shape": [1], "dtype": "int32", "quantization": {"dtype": "uint16", "scale": 0.25, "min": -0.5}},
        {"name": "d", "shape": [2], "dtype": "float32", "quantization": {"dtype": "float16"}},
        {"name": "e", "shape": [], "dtype": "bool"},
        {"name": "f", "shape": [0, 3], "dtype": "complex64"},
    ]
    content = b"\x02\0\0\0hi\0\0\0\0" + b"\0\xff" + b"\x0e\0" + np.array([1.5, -2], "<f2").tobytes() + b"\1"
    model = triptych.load(written(tmp_path, GRAPH, [{"paths": ["w"], "weights": entries}], w=content))
    assert model.architecture is None
    assert {name: array.tolist() for name, array in model.weights.items()} == {"b": [-1.0, 126.5], "c": [3], "d": [1.5, -2.0], "e": True, "f": []}
    assert model.weights["f"].shape == (0, 3)
    assert model.notes == ("the strings of 'a/words', which is no tensor",)


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "sub/a", "..", "a\\b", "https://example.org/a", "", 3])
def test_a_file_elsewhere_is_never_opened(name, tmp_path):
    with pytest.raises(UnsupportedError, match="file beside"):
        triptych.load(written(tmp_path, GRAPH, [{"paths": [name], "weights": []}]))


def test_a_link_is_never_followed(tmp_path):
    path = written(tmp_path, GRAPH, [{"paths": ["a"], "weights": ENTRIES}])
    (tmp_path / "secret").write_bytes(BYTES)
    (tmp_path / "a").symlink_to(tmp_path / "secret")
    with pytest.raises(UnsupportedError, match="link"):
        triptych.load(path)


@pytest.mark.parametrize("stop", [0, 1, 25, len(BYTES) - 1])
def test_files_that_end_early_are_an_error(stop, tmp_path):
    with pytest.raises(TruncatedError, match=rf"hold {stop}"):
        triptych.load(written(tmp_path, TOPOLOGY, [{"paths": ["a"], "weights": ENTRIES}], a=BYTES[:stop]))


def test_a_file_that_is_missing_among_others_is_an_error(tmp_path):
    with pytest.raises(TruncatedError, match="'b' beside"):
        triptych.load(written(tmp_path, TOPOLOGY, [{"paths": ["a", "b"], "weights": ENTRIES}], a=BYTES))


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "a", "shape": [2**52, 2**52], "dtype": "float32"},
        {"name": "a", "shape": [-1], "dtype": "float32"},
        {"name": "a", "shape": [True], "dtype": "float32"},
        {"name": "a", "shape": [1], "dtype": "float8"},
        {"name": "a", "shape": [1], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": "1", "min": 0}},
        {"name": "a", "shape": [2**40], "dtype": "string"},
        {"name": "", "shape": [], "dtype": "bool"},
        None,
    ],
)
def test_an_entry_that_is_none_is_an_error(entry, tmp_path):
    with pytest.raises((InvalidModelError, UnsupportedError)):
        triptych.load(written(tmp_path, GRAPH, [{"paths": ["a"], "weights": [entry]}], a=b"\xff" * 8))


def test_weights_of_no_layer_or_of_another_shape_are_an_error(tmp_path):
    for change in ({"name": "two/kernel"}, {"shape": [2, 3]}):
        groups = [{"paths": ["a"], "weights": [{**ENTRIES[0], **change}, *ENTRIES[1:]]}]
        with pytest.raises(InvalidModelError):
            triptych.load(written(tmp_path, TOPOLOGY, groups, a=BYTES))


def test_it_is_not_written(dense, tmp_path):
    with pytest.raises(UsageError, match="converter"):
        dense(4).save(tmp_path / "model.json", layout="tfjs")
