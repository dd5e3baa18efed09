"""Shapes and weights of architectures, worked out by hand."""

from __future__ import annotations

import time
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.model import Architecture, Call, Input, Layer, WeightReference
from triptych.vocabulary import LAYER_TYPES, infer, weight_slots
from triptych.vocabulary.summary import render, summarize

N = None
DENSE = {"units": 4}
LSTM = {"units": 3, "activation": "tanh", "recurrent_activation": "sigmoid"}


def sequence(*layers, shape=None, **more):
    return Architecture(layers=layers, inputs=() if shape is None else (Input("x", shape),), **more)


def graph(layers, calls, outputs, **inputs):
    return Architecture(layers=tuple(layers), inputs=tuple(Input(name, shape) for name, shape in inputs.items()), calls=tuple(calls), outputs=tuple(outputs))


def problems(architecture):
    return [(one.requirement, one.pointer) for one in infer(architecture).problems]


def outputs_of(architecture):
    return [[call.outputs for call in shapes.calls] for shapes in infer(architecture).layers.values()]


def test_the_example_network():
    """A small network of image to ten classes has the shapes and counts that Keras prints for it."""
    model = sequence(
        Layer("c", "Conv2D", {"filters": 16, "kernel_size": [3, 3], "activation": "relu"}),
        Layer("p", "MaxPooling2D", {"pool_size": [4, 4]}),
        Layer("b", "BatchNormalization", {"momentum": 0.99, "epsilon": 0.001}),
        Layer("f", "Flatten"),
        Layer("d1", "Dense", {"units": 32, "activation": "relu"}),
        Layer("o", "Dropout", {"rate": 0.5}),
        Layer("d2", "Dense", {"units": 10, "activation": "softmax"}),
        shape=(N, 32, 32, 3),
    )
    assert [o[0][0] for o in outputs_of(model)] == [(N, 30, 30, 16), (N, 7, 7, 16), (N, 7, 7, 16), (N, 784), (N, 32), (N, 32), (N, 10)]
    slots = weight_slots(model)
    assert [(s.tensor, s.shape, s.trainable) for s in slots] == [
        ("c.kernel", (3, 3, 3, 16), True),
        ("c.bias", (16,), True),
        ("b.gamma", (16,), True),
        ("b.beta", (16,), True),
        ("b.moving_mean", (16,), False),
        ("b.moving_variance", (16,), False),
        ("d1.kernel", (784, 32), True),
        ("d1.bias", (32,), True),
        ("d2.kernel", (32, 10), True),
        ("d2.bias", (10,), True),
    ]
    assert sum(prod(s.shape) for s in slots) == 25_962
    assert sum(prod(s.shape) for s in slots if s.trainable) == 25_930


@pytest.mark.parametrize(
    ("extent", "size", "stride", "dilation", "padding", "expected"),
    [
        (10, 3, 1, 1, "valid", 8),
        (10, 3, 2, 1, "valid", 4),
        (10, 3, 2, 2, "valid", 3),
        (10, 3, 3, 1, "same_upper", 4),
        (10, 3, 3, 1, "same_lower", 4),
        (10, 3, 3, 1, [[0, 0]], 3),
        (10, 3, 3, 1, [[1, 2]], 4),
        (10, 3, 2, 1, [[1, 1]], 5),
        (10, 3, 2, 1, "causal", 5),
        (3, 3, 7, 1, "valid", 1),
    ],
)
def test_windows_along_an_axis(extent, size, stride, dilation, padding, expected):
    """The number of windows for each padding rule, explicit pairs included."""
    config = {"filters": 2, "kernel_size": [size], "strides": [stride], "dilation_rate": [dilation], "padding": padding}
    assert outputs_of(sequence(Layer("c", "Conv1D", config), shape=(N, extent, 3))) == [[((N, expected, 2),)]]


@pytest.mark.parametrize(
    ("extent", "ceil", "padding", "expected"),
    [(7, False, "valid", 3), (7, True, "valid", 4), (6, True, "valid", 3), (5, True, [[1, 1]], 3), (6, True, [[1, 1]], 4), (4, True, [[0, 1]], 2)],
)
def test_a_window_may_hang_over_the_end(extent, ceil, padding, expected):
    """With `ceil_mode` a last window counts if it starts before the end padding, as in PyTorch."""
    config = {"pool_size": [2], "padding": padding, "ceil_mode": ceil}
    assert outputs_of(sequence(Layer("p", "MaxPooling1D", config), shape=(N, extent, 3))) == [[((N, expected, 3),)]]


@pytest.mark.parametrize(
    ("type_", "config", "shape"),
    [
        ("Conv2D", {"filters": 4, "kernel_size": [3, 3]}, (N, 8, 3)),
        ("Conv2D", {"filters": 4, "kernel_size": [3, 3]}, (N, 2, 8, 3)),
        ("Conv2D", {"filters": 4, "kernel_size": [1, 1], "groups": 2}, (N, 8, 8, 3)),
        ("Conv2D", {"filters": 3, "kernel_size": [1, 1], "groups": 2}, (N, 8, 8, 4)),
        ("Conv1DTranspose", {"filters": 4, "kernel_size": [1], "padding": [[1, 1]]}, (N, 2, 3)),
        ("MaxPooling2D", {"pool_size": [4, 4]}, (N, 3, 3, 2)),
        ("Dense", DENSE, (N,)),
        ("Reshape", {"target_shape": [5]}, (N, 4)),
        ("Reshape", {"target_shape": [-1, -1]}, (N, 4)),
        ("Reshape", {"target_shape": [-1, 3]}, (N, 4)),
        ("Reshape", {"target_shape": [-1, 0]}, (N, 4)),
        ("Permute", {"dims": [1, 3]}, (N, 4, 5)),
        ("Cropping1D", {"cropping": [[2, 2]]}, (N, 4, 5)),
        ("BatchNormalization", {"axis": 4, "momentum": 0.9, "epsilon": 0.1}, (N, 4)),
        ("GroupNormalization", {"groups": 3, "epsilon": 0.1}, (N, 5, 4)),
        ("PReLU", {"shared_axes": [3]}, (N, 4, 5)),
        ("LSTM", LSTM, (N, 5)),
        ("Softmax", {"axis": 2}, (N, 5)),
        ("RepeatVector", {"n": 2}, (N, 5, 4)),
    ],
)
def test_an_input_that_does_not_fit(type_, config, shape):
    """A shape that a type cannot take is a problem of the call, and what follows is unknown rather than wrong."""
    model = sequence(Layer("x", type_, config), Layer("after", "Dense", DENSE), shape=shape)
    assert problems(model) == [("LYR-007", "/layers/0")]
    assert outputs_of(model)[1] == [None]


@pytest.mark.parametrize(
    ("type_", "config", "shapes"),
    [
        ("Add", {}, [(N, 4), (N, 5)]),
        ("Add", {}, [(2, 4), (3, 4)]),
        ("Concatenate", {}, [(N, 3, 4), (N, 2, 4)]),
        ("Concatenate", {}, [(N, 4), (N, 2, 4)]),
        ("Dot", {"axes": [1, 1]}, [(N, 4), (N, 5)]),
        ("Dot", {"axes": 0}, [(N, 4), (N, 4)]),
        ("Attention", {}, [(N, 4, 3), (N, 4, 5)]),
        ("MultiHeadAttention", {"num_heads": 1, "key_dim": 2}, [(N, 4, 3), (N, 2, 4, 5)]),
        ("LSTM", LSTM, [(N, 4, 3), (N, 3), (N, 4)]),
        ("LSTM", LSTM, [(N, 4, 3), (N, 3)]),
    ],
)
def test_inputs_that_do_not_fit_together(type_, config, shapes):
    """Several inputs that contradict each other are a problem of the call."""
    names = [f"i{n}" for n in range(len(shapes))]
    model = graph([Layer("x", type_, config)], [Call("x", tuple(names))], ["x"], **dict(zip(names, shapes, strict=True)))
    assert problems(model) == [("LYR-007", "/calls/0")]


def test_a_shared_layer_has_one_set_of_weights():
    """Two calls with other channels contradict each other; with other lengths they do not."""
    shared = [Layer("d", "Dense", DENSE)]
    calls = [Call("d", ("a",), outputs=("one",)), Call("d", ("b",), outputs=("two",))]
    assert problems(graph(shared, calls, ["one"], a=(N, 3), b=(N, 5))) == [("LYR-008", "/calls/1")]
    fits = graph(shared, calls, ["one"], a=(N, 3), b=(N, 7, 3))
    assert problems(fits) == []
    assert outputs_of(fits) == [[((N, 4),), ((N, 7, 4),)]]
    assert len(weight_slots(fits)) == 2


def test_a_later_call_can_tell_what_an_earlier_one_could_not():
    """An unknown channel count of one call is learnt from another."""
    calls = [Call("d", ("a",), outputs=("one",)), Call("d", ("b",), outputs=("two",))]
    model = graph([Layer("d", "Dense", DENSE)], calls, ["one"], a=(N, N), b=(N, 5))
    assert [slot.shape for slot in weight_slots(model)] == [(5, 4), (4,)]


def test_nothing_is_known_without_inputs():
    """Without inputs, shapes that depend on them are unknown, others are not, and nothing is a problem."""
    model = sequence(Layer("d", "Dense", DENSE), Layer("e", "Embedding", {"input_dim": 5, "output_dim": 2}))
    assert problems(model) == []
    assert outputs_of(model) == [[None], [None]]
    assert [slot.shape for slot in weight_slots(model)] == [None, (4,), (5, 2)]


def test_a_layer_that_is_never_called_owns_its_weights():
    """Its weights are slots all the same."""
    model = graph([Layer("d", "Dense", DENSE), Layer("spare", "Dense", DENSE)], [Call("d", ("a",))], ["d"], a=(N, 3))
    assert [slot.tensor for slot in weight_slots(model)] == ["d.kernel", "d.bias", "spare.kernel", "spare.bias"]


def test_unknown_types_and_extension_types():
    """An unknown name is a problem; an extension type yields something unknown and owns what it lists."""
    extension = Layer("e", "keras:Odd", weights={"table": WeightReference("e.table"), "seed": WeightReference("s", trainable=False)})
    model = sequence(Layer("u", "Dence", DENSE), extension, Layer("d", "Dense", DENSE), shape=(N, 3))
    assert problems(model) == [("LYR-001", "/layers/0/type")]
    assert [(s.tensor, s.shape, s.trainable) for s in weight_slots(model)] == [
        ("e.table", None, True),
        ("s", None, False),
        ("d.kernel", None, True),
        ("d.bias", (4,), True),
    ]


def test_roles_sublayers_arguments_and_counts():
    """What a type does not have is named where it stands."""
    assert problems(sequence(Layer("d", "Dense", {"units": 2, "use_bias": False}, weights={"bias": WeightReference("b")}))) == [("LYR-005", "/layers/0/weights/bias")]
    assert problems(sequence(Layer("t", "TimeDistributed"), shape=(N, 2, 3))) == [("LYR-004", "/layers/0")]
    assert problems(sequence(Layer("d", "Dense", DENSE, sublayers={"layer": Layer("", "Dense", DENSE)}))) == [("LYR-004", "/layers/0/sublayers")]
    call = Call("d", ("a", "a"), arguments={"training": True, "nonsense": 1})
    assert problems(graph([Layer("d", "Dense", DENSE)], [call], ["d"], a=(N, 3))) == [("LYR-010", "/calls/0/arguments/nonsense"), ("LYR-006", "/calls/0")]
    assert problems(graph([Layer("r", "LSTM", {**LSTM, "return_state": True})], [Call("r", ("a",))], ["r"], a=(N, 2, 3))) == [("LYR-009", "/calls/0")]
    assert problems(sequence(Layer("r", "LSTM", {**LSTM, "return_state": True}), shape=(N, 2, 3))) == [("LYR-009", "/layers/0")]


def test_nested_architectures():
    """A nested architecture is worked out for what its call gives it; paths and pointers say where its layers are."""
    encoder = Layer("enc", "Model", architecture=graph([Layer("d", "Dense", DENSE)], [Call("d", ("x",))], ["d"], x=(N, N)))
    calls = [Call("enc", ("a",), outputs=("one",)), Call("enc", ("b",), outputs=("two",)), Call("add", ("one", "two"))]
    model = graph([encoder, Layer("add", "Add")], calls, ["add"], a=(N, 3), b=(2, 3))
    inference = infer(model)
    assert inference.problems == ()
    assert inference.values == {"a": (N, 3), "b": (2, 3), "one": (N, 4), "two": (2, 4), "add": (2, 4)}
    assert inference.outputs == ((2, 4),)
    inner = inference.layers["/layers/0/architecture/layers/0"]
    assert (inner.path, [call.outputs for call in inner.calls]) == ("enc.d", [((N, 4),), ((2, 4),)])
    assert [slot.tensor for slot in weight_slots(model)] == ["enc.d.kernel", "enc.d.bias"]
    assert problems(graph([encoder], [Call("enc", ("a", "a"))], ["enc"], a=(N, 3))) == [("LYR-006", "/calls/0")]
    assert problems(graph([encoder], [Call("enc", ("a",))], ["enc"], a=(N, 3, 3))) == [("LYR-007", "/calls/0")]


def test_nested_freezing():
    """A weight is trainable if its role is, its layer is and every layer around it is; an exception can only freeze it further."""
    inner = sequence(Layer("d", "Dense", DENSE, weights={"bias": WeightReference("b", trainable=False)}), Layer("n", "BatchNormalization", {"momentum": 0.9, "epsilon": 0.1}))
    free = [slot.trainable for slot in weight_slots(sequence(Layer("m", "Model", architecture=inner)))]
    assert free == [True, False, True, True, False, False]
    frozen = sequence(Layer("o", "Model", architecture=sequence(Layer("m", "Model", architecture=inner)), trainable=False))
    assert [slot.trainable for slot in weight_slots(frozen)] == [False] * 6


def test_backward_stands_after_forward():
    """Weights of a wrapper follow the type's table, whatever the order of the document."""
    sublayers = {"backward": Layer("", "LSTM", LSTM), "forward": Layer("", "LSTM", LSTM)}
    paths = [slot.path for slot in weight_slots(sequence(Layer("b", "Bidirectional", {}, sublayers)))]
    assert paths == ["b.forward"] * 3 + ["b.backward"] * 3


def test_stored_axes():
    """A stored shape has the extents where `axes` says."""
    layer = Layer("c", "Conv2D", {"filters": 7, "kernel_size": [2, 3]}, weights={"kernel": WeightReference("w", axes=(2, 3, 1, 0))})
    (kernel, _) = weight_slots(sequence(layer, shape=(N, 8, 8, 5)))
    assert kernel.shape == (2, 3, 5, 7)
    assert kernel.stored_shape == (7, 5, 2, 3)


def test_three_thousand_layers_take_well_under_a_second():
    """Time is linear in the number of layers."""
    chain = sequence(*(Layer(f"d{n}", "Dense", {"units": 8}) for n in range(3000)), shape=(N, 8))
    layers = [Layer(f"d{n}", "Dense", {"units": 8}) for n in range(3000)]
    calls = [Call(f"d{n}", ("a" if n == 0 else f"d{n - 1}",)) for n in range(3000)]
    began = time.process_time()
    assert len(weight_slots(chain)) == 6000
    assert len(weight_slots(graph(layers, calls, ["d2999"], a=(N, 8)))) == 6000
    assert time.process_time() - began < 1


def test_sharing_within_sharing_is_bounded():
    """Nested architectures that each call the next twice, with other shapes, take no exponential time."""
    inner = graph([Layer("i", "Identity")], [Call("i", ("x",))], ["i"], x=(N, N, 2))
    for depth in range(30):
        pad = Layer("pad", "ZeroPadding1D", {"padding": [[0, 2**depth]]})
        calls = [Call("m", ("x",), outputs=("one",)), Call("pad", ("x",)), Call("m", ("pad",), outputs=("two",))]
        inner = graph([Layer("m", "Model", architecture=inner), pad], calls, ["one"], x=(N, N, 2))
    began = time.process_time()
    top = graph([Layer("top", "Model", architecture=inner)], [Call("top", ("x",))], ["top"], x=(N, 1, 2))
    assert problems(top) == []
    assert time.process_time() - began < 2


def test_shapes_stay_within_what_tensors_can_have():
    """Layers that blow extents or rank up in a row end in a problem, in time linear in their number."""
    wide = sequence(*(Layer(f"u{n}", "UpSampling1D", {"size": [2**53 - 1]}) for n in range(3000)), shape=(N, 2, 1))
    deep = sequence(*(Layer(f"e{n}", "Embedding", {"input_dim": 1, "output_dim": 1}) for n in range(3000)), shape=(N,))
    assert problems(wide) == [("LYR-007", "/layers/0")]
    assert problems(deep) == [("LYR-007", "/layers/31")]


EXTENTS = st.one_of(st.none(), st.integers(0, 9), st.just(2**53 - 1))
SHAPES = st.lists(EXTENTS, max_size=6).map(tuple)


def values(schema):
    """Values that a schema of a config's member takes."""
    if "anyOf" in schema:
        return st.one_of([values(option) for option in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    lowest = schema.get("minimum", -3)
    made = {
        "null": lambda: st.none(),
        "boolean": lambda: st.booleans(),
        "integer": lambda: st.one_of(st.integers(max(lowest, -3), 7).filter(lambda n: n or "not" not in schema), st.just(schema.get("maximum", 7))),
        "number": lambda: st.just(0.5),
        "string": lambda: st.just("example:Odd"),
        "object": lambda: st.just({"type": "example:Odd"}),
        "array": lambda: st.lists(values(schema["items"]), min_size=schema.get("minItems", 0), max_size=min(schema.get("maxItems", 4), 4)),
    }
    return st.one_of([made[kind]() for kind in kinds])


@pytest.mark.parametrize("name", [name for name in LAYER_TYPES if name != "Model"])
@settings(max_examples=60, derandomize=True, database=None, deadline=None)
@given(data=st.data())
def test_no_input_is_too_odd(name, data):
    """Whatever a config that its schema takes, and whatever shapes: shapes or problems come out, nothing else."""
    found = LAYER_TYPES[name]
    config = {one.name: data.draw(values(one.kind.schema)) for one in found.fields if one.required or data.draw(st.booleans())}
    sublayers = {one.role: Layer("", *data.draw(st.sampled_from([("LSTM", LSTM), ("Dense", DENSE), ("Flatten", {}), ("a:B", {})]))) for one in found.sublayers}
    names = [f"i{n}" for n in range(data.draw(st.integers(1, 4)))]
    fitting = st.lists(EXTENTS, min_size=found.rank[0], max_size=found.rank[1] or 6).map(tuple)
    shapes = {one: data.draw(st.one_of(SHAPES, fitting, fitting)) for one in names}
    call = Call("x", tuple(names), {"return_attention_scores": True} if "return_attention_scores" in found.arguments else {})
    model = graph([Layer("x", name, config, sublayers)], [call], ["x"], **shapes)
    inference = infer(model)
    for shape in inference.outputs:
        assert shape is None or all(extent is None or 0 <= extent < 2**53 for extent in shape)
    for slot in weight_slots(model, inference):
        assert slot.shape is None or all(extent >= 0 for extent in slot.shape)
    summary = summarize(model)
    assert render(summary, width=80)


def test_every_type_is_defined_once_and_whole():
    """Names of members and roles are what expressions use; every expression parses and is evaluated."""
    for name, found in LAYER_TYPES.items():
        assert name == found.name
        assert len({one.name for one in found.fields}) == len(found.fields), name
        assert (found.output is None) == bool(found.words), name
        for weight in found.weights:
            assert weight.role.isidentifier(), name


def test_strings_are_followed_through_composites_and_once_through_what_is_called_often():
    """A composite passes on what a call gives it; models in models, each called twice, take no time to speak of."""
    from triptych.model import Composite

    lookup = Layer("lookup", "StringLookup", {"vocabulary": ["a"]})
    texts, counts = Input("x", (None, 1), "string"), Input("x", (None, 1), "int64")
    composite = Composite(Architecture((lookup,), (Input("x", None),), (Call("lookup", ("x",)),), ("lookup",)))
    for entering, found in ((texts, []), (counts, [("LYR-040", "/layers/0")])):
        used = Architecture((Layer("words", "Words"),), (entering,), composites={"Words": composite})
        assert [(one.requirement, one.pointer) for one in infer(used).problems] == found
    graph = Architecture((Layer("same", "Identity"),), (counts,), (Call("same", ("x",)),), ("same",))
    for _ in range(60):
        layer = Layer("inner", "Model", architecture=graph)
        graph = Architecture((layer,), (counts,), (Call("inner", ("x",), outputs=("y",)), Call("inner", ("y",), outputs=("z",))), ("z",))
    deep = Architecture((Layer("all", "Model", architecture=graph),), (texts,), (Call("all", ("x",)),), ("all",))
    assert [(one.requirement, one.pointer) for one in infer(deep).problems] == [("LYR-040", "/calls/0")]
