"""Graphs in all the spellings that Keras has had for calls: each is written here by hand and means the same."""

import pytest

from triptych.layouts.keras_config import read_model_config, write_model_config

TENSOR = "__keras_tensor__"


def tensor(name, node=0, index=0, shape=(None, 3)):
    return {"class_name": TENSOR, "config": {"shape": list(shape), "dtype": "float32", "keras_history": [name, node, index]}}


def functional(layers, inputs, outputs, *, class_name="Functional", name="net"):
    return {"class_name": class_name, "config": {"name": name, "layers": layers, "input_layers": inputs, "output_layers": outputs}}


def layer(class_name, name, nodes, **config):
    return {"class_name": class_name, "name": name, "config": {"name": name, "trainable": True, **config}, "inbound_nodes": nodes}


def entering(name, version, shape=(None, 3)):
    key = "batch_shape" if version >= "3" else "batch_input_shape"
    return {"class_name": "InputLayer", "name": name, "config": {key: list(shape), "name": name}, "inbound_nodes": []}


def calls(architecture):
    return [(call.layer, call.inputs, dict(call.arguments), call.output_names) for call in architecture.calls]


SPELLINGS = {
    "1.2.2": [[["a", 0, 0]], [["b", 0, 0]]],
    "2.2.4": [[["a", 0, 0, {}]], [["b", 0, 0, {}]]],
    "2.10.0": [[["a", 0, 0, {}]], [["b", 0, 0, {}]]],
    "3.5.0": [{"args": [tensor("a")], "kwargs": {}}, {"args": [tensor("b")], "kwargs": {}}],
}


@pytest.mark.parametrize("version", SPELLINGS)
def test_a_shared_layer_has_a_call_for_each_use(tools, version):
    unit = "output_dim" if version < "2" else "units"
    join = {"1.2.2": [[["d", 0, 0], ["d", 1, 0]]], "3.5.0": [{"args": [[tensor("d", 0), tensor("d", 1)]], "kwargs": {}}]}.get(
        version, [[["d", 0, 0, {}], ["d", 1, 0, {}]]]
    )
    mode = {"mode": "sum"} if version < "2" else {}
    config = functional(
        [
            entering("a", version),
            entering("b", version),
            layer("Dense", "d", SPELLINGS[version], **{unit: 3}),
            layer("Merge" if mode else "Add", "s", join, **mode),
        ],
        [["a", 0, 0], ["b", 0, 0]],
        [["s", 0, 0], ["d", 1, 0]],
    )
    architecture = tools.there_and_back(config, version)
    assert [value.name for value in architecture.inputs] == ["a", "b"]
    assert calls(architecture) == [("d", ("a",), {}, ("d",)), ("d", ("b",), {}, ("d@2",)), ("s", ("d", "d@2"), {}, ("s",))]
    assert architecture.outputs == ("s", "d@2")


def test_tuples_of_saved_models_are_lists(tools):
    def pack(*items):
        return {"class_name": "__tuple__", "items": list(items)}

    config = functional(
        [entering("a", "2.10.0"), layer("Dense", "d", [pack(pack("a", 0, 0, {}))], units=2)], [pack("a", 0, 0)], [pack("d", 0, 0)]
    )
    assert calls(tools.there_and_back(config, "2.10.0")) == [("d", ("a",), {}, ("d",))]


def test_functions_of_tensorflow_are_operations(tools):
    config = functional(
        [
            entering("a", "2.10.0"),
            layer("TFOpLambda", "times", [["a", 0, 0, {"y": 2.0, "name": None}]], function="math.multiply"),
            layer("TFOpLambda", "plus", [["times", 0, 0, {"y": ["a", 0, 0], "name": None}]], function="__operators__.add"),
            layer(
                "TFOpLambda", "minus", [["_CONSTANT_VALUE", -1, 1.0, {"y": ["plus", 0, 0], "name": None}]], function="math.subtract"
            ),
            layer("TFOpLambda", "pack", [[["minus", 0, 0, {"axis": -1}], ["a", 0, 0, {"axis": -1}]]], function="stack"),
        ],
        [["a", 0, 0]],
        [["pack", 0, 0]],
    )
    architecture = tools.there_and_back(config, "2.10.0")
    assert architecture.layers == ()
    assert [(call.op, call.inputs, dict(call.config), call.outputs) for call in architecture.calls] == [
        ("multiply", ("a",), {"right": 2.0}, ("times",)),
        ("add", ("times", "a"), {}, ("plus",)),
        ("subtract", ("plus",), {"left": 1.0}, ("minus",)),
        ("stack", ("minus", "a"), {"axis": -1}, ("pack",)),
    ]


def test_functions_of_tensorflow_that_mean_no_operation_stay_layers_with_their_arguments(tools):
    config = functional(
        [
            entering("a", "2.10.0"),
            layer("TFOpLambda", "shape", [["a", 0, 0, {"out_type": "int32", "name": None}]], function="compat.v1.shape"),
            layer("TFOpLambda", "angle", [["_CONSTANT_VALUE", -1, 1.0, {"x": ["a", 0, 0], "name": None}]], function="math.atan2"),
        ],
        [["a", 0, 0]],
        [["angle", 0, 0], ["shape", 0, 0]],
    )
    architecture = tools.there_and_back(config, "2.10.0")
    assert [one.type for one in architecture.layers] == ["keras:TFOpLambda"] * 2
    assert calls(architecture) == [
        ("shape", ("a",), {"out_type": "int32"}, ("shape",)),
        ("angle", (), {"x": {"value": "a"}, "args": [1.0]}, ("angle",)),
    ]


def test_an_operation_with_a_constant_is_not_taken_for_a_layer_of_its_name(tools):
    config = functional(
        [
            entering("a", "3.5.0"),
            {
                "class_name": "Multiply",
                "name": "m",
                "config": {"name": "m"},
                "inbound_nodes": [{"args": [tensor("a"), 2.0], "kwargs": {}}],
            },
            {
                "class_name": "Add",
                "name": "s",
                "config": {"name": "s"},
                "inbound_nodes": [{"args": [tensor("m"), tensor("a")], "kwargs": {}}],
            },
        ],
        [["a", 0, 0]],
        [["s", 0, 0]],
    )
    architecture = tools.there_and_back(config, "3.5.0")
    assert architecture.layers == ()
    assert [(call.op, call.inputs, dict(call.config)) for call in architecture.calls] == [
        ("multiply", ("a",), {"right": 2.0}),
        ("add", ("m", "a"), {}),
    ]


INNER = [entering("x", "2.10.0"), layer("Dense", "d", [[["x", 0, 0, {}]]], units=3)]


def nested(name, nodes):
    return {
        "class_name": "Functional",
        "name": name,
        "config": {"name": name, "layers": INNER, "input_layers": [["x", 0, 0]], "output_layers": [["d", 0, 0]]},
        "inbound_nodes": nodes,
    }


@pytest.mark.parametrize("first", [0, 1])
def test_calls_of_a_nested_model_are_counted_as_the_file_counts_them(tools, first):
    config = functional(
        [entering("a", "2.10.0"), nested("m", [[["a", 0, 0, {}]], [["m", first, 0, {}]]])], [["a", 0, 0]], [["m", first + 1, 0]]
    )
    architecture = tools.there_and_back(config, "2.10.0")
    assert calls(architecture) == [("m", ("a",), {}, ("m",)), ("m", ("m",), {}, ("m@2",))]
    assert architecture.outputs == ("m@2",)
    assert architecture.layers[0].architecture.layers[0].type == "Dense"


def test_keras_3_counts_otherwise_inside_calls_than_at_the_outputs(tools):
    """What Keras 3.5 and later write: 0 is the first call in ``inbound_nodes``, 1 in ``output_layers``."""
    inner = {**nested("m", [{"args": [tensor("a")], "kwargs": {}}, {"args": [tensor("m", 0)], "kwargs": {}}])}
    inner["config"] = {
        **inner["config"],
        "layers": [entering("x", "3"), layer("Dense", "d", [{"args": [tensor("x")], "kwargs": {}}], units=3)],
    }
    config = functional([entering("a", "3"), inner], [["a", 0, 0]], [["m", 2, 0]])
    architecture = tools.there_and_back(config, "3.5.0")
    assert calls(architecture) == [("m", ("a",), {}, ("m",)), ("m", ("m",), {}, ("m@2",))]
    assert architecture.outputs == ("m@2",)


@pytest.mark.parametrize(
    ("version", "node"),
    [
        ("2.10.0", [["a", 0, 0, {}], ["e", 0, 1, {}], ["e", 0, 2, {}]]),
        (
            "2.10.0",
            [
                ["a", 0, 0, {"initial_state": None, "constants": None}],
                ["e", 0, 1, {"initial_state": None, "constants": None}],
                ["e", 0, 2, {"initial_state": None, "constants": None}],
            ],
        ),
        ("3.5.0", {"args": [tensor("a")], "kwargs": {"initial_state": [tensor("e", 0, 1), tensor("e", 0, 2)], "mask": None}}),
    ],
)
def test_initial_states_are_inputs(tools, version, node):
    first = [[["a", 0, 0, {}]]] if version < "3" else [{"args": [tensor("a")], "kwargs": {}}]
    config = functional(
        [
            entering("a", version, (None, 5, 3)),
            layer("LSTM", "e", first, units=4, return_state=True),
            layer("LSTM", "d", [node], units=4),
        ],
        [["a", 0, 0]],
        [["d", 0, 0]],
    )
    assert calls(tools.there_and_back(config, version)) == [
        ("e", ("a",), {}, ("e", "e:1", "e:2")),
        ("d", ("a", "e:1", "e:2"), {}, ("d",)),
    ]


def test_training_and_mask_are_arguments(tools):
    config = functional(
        [
            entering("a", "2.10.0"),
            entering("k", "2.10.0", (None,)),
            layer("Dropout", "d", [[["a", 0, 0, {"training": True, "mask": ["k", 0, 0]}]]], rate=0.5),
        ],
        [["a", 0, 0], ["k", 0, 0]],
        [["d", 0, 0]],
    )
    assert calls(tools.there_and_back(config, "2.10.0")) == [("d", ("a",), {"training": True, "mask": {"value": "k"}}, ("d",))]


def test_inputs_anywhere_in_the_list_keep_their_place_and_their_order(tools):
    for listing in ([0, 1, 2, 3], [0, 2, 1, 3], [2, 0, 1, 3], [1, 0, 2, 3]):
        pieces = [
            entering("a", "2.10.0"),
            entering("b", "2.10.0"),
            layer("Dense", "d", [[["a", 0, 0, {}]]], units=3),
            layer("Add", "s", [[["d", 0, 0, {}], ["b", 0, 0, {}]]]),
        ]
        config = functional([pieces[i] for i in listing], [["b", 0, 0], ["a", 0, 0]], [["s", 0, 0]])
        architecture = tools.there_and_back(config, "2.10.0")
        assert [value.name for value in architecture.inputs] == ["b", "a"]
        assert [one.name for one in architecture.layers] == ["d", "s"]


def test_layers_listed_out_of_order_are_called_in_order(tools):
    config = functional(
        [entering("a", "2.10.0"), layer("ReLU", "z", [[["y", 0, 0, {}]]]), layer("ReLU", "y", [[["a", 0, 0, {}]]])],
        [["a", 0, 0]],
        [["z", 0, 0]],
    )
    architecture = tools.there_and_back(config, "2.10.0")
    assert [one.name for one in architecture.layers] == ["z", "y"]
    assert [call.layer for call in architecture.calls] == ["y", "z"]


@pytest.mark.parametrize("entries", [["a", 0, 0], [["a", 0, 0]], {"a": ["a", 0, 0]}])
def test_inputs_and_outputs_alone_listed_or_named_are_the_same(tools, entries):
    config = functional([entering("a", "3"), layer("ReLU", "r", [{"args": [tensor("a")], "kwargs": {}}])], entries, [["r", 0, 0]])
    assert tools.there_and_back(config, "3.15.1").outputs == ("r",)


NO_GRAPHS = {
    "a reference to nothing": functional(
        [entering("a", "2.10.0"), layer("ReLU", "r", [[["b", 0, 0, {}]]])], [["a", 0, 0]], [["r", 0, 0]]
    ),
    "a cycle": functional(
        [entering("a", "2.10.0"), layer("Add", "r", [[["a", 0, 0, {}], ["r", 0, 0, {}]]])], [["a", 0, 0]], [["r", 0, 0]]
    ),
    "two layers of one name": functional(
        [entering("a", "2.10.0"), *[layer("ReLU", "r", [[["a", 0, 0, {}]]])] * 2], [["a", 0, 0]], [["r", 0, 0]]
    ),
    "no output": functional([entering("a", "2.10.0")], [["a", 0, 0]], []),
    "a variant as input": functional(
        [
            {**entering("a", "2.10.0"), "config": {"batch_input_shape": [None], "dtype": "variant", "name": "a"}},
            layer("ReLU", "r", [[["a", 0, 0, {}]]]),
        ],
        [["a", 0, 0]],
        [["r", 0, 0]],
    ),
    "a subclass": {"class_name": "MyModel", "config": {"depth": 3}},
    "odd nodes": functional([entering("a", "2.10.0"), layer("ReLU", "r", [7])], [["a", 0, 0]], [["r", 0, 0]]),
    "a call that takes nothing": functional([entering("a", "2.10.0"), layer("ReLU", "r", [[]])], [["a", 0, 0]], [["r", 0, 0]]),
}


@pytest.mark.parametrize("what", NO_GRAPHS)
def test_a_model_that_is_no_graph_of_ours_is_one_opaque_layer(tools, what):
    config = NO_GRAPHS[what]
    architecture = tools.there_and_back(config, "2.10.0")
    (only,) = architecture.layers
    assert only.type == f"keras:{config['class_name']}"
    assert architecture.calls is None


def test_without_edits_a_graph_is_written_with_what_it_says(tools):
    config = functional(
        [entering("a", "2.10.0"), nested("m", [[["a", 0, 0, {}]]]), layer("Dense", "d", [[["m", 1, 0, {}]]], units=2)],
        [["a", 0, 0]],
        [["d", 0, 0]],
    )
    architecture = tools.bare(read_model_config(config, keras_version="2.10.0", backend=None))
    written, notes = write_model_config(architecture)
    assert notes == ()
    by_name = {one["name"]: one for one in written["config"]["layers"]}
    assert by_name["m"]["class_name"] == "Functional"
    assert by_name["d"]["inbound_nodes"] == [[["m", 1, 0, {}]]]
    third, _ = write_model_config(architecture, dialect="keras3")
    assert {one["name"]: one for one in third["config"]["layers"]}["d"]["inbound_nodes"] == [
        {"args": [tensor("m", 0)], "kwargs": {}}
    ]
    assert third["config"]["output_layers"] == [["d", 0, 0]]
