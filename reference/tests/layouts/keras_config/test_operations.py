"""Operations of real frameworks: each is built here in tf-keras or Keras 3, imported, computed, and exported to both."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from triptych.errors import ConversionError
from triptych.layouts.keras_config import read_model_config, write_model_config
from triptych.layouts.keras_config.generations import target
from triptych.layouts.keras_config.nodes import Value
from triptych.layouts.keras_config.operations import Lacking, write_operation
from triptych.model import Architecture, Call, Input, Panels
from triptych.surface.model import Model
from triptych.vocabulary.operations import OPERATIONS
from triptych.vocabulary.operations.computing import compute

X = np.random.default_rng(0).normal(size=(3, 4, 6)).astype("float32") * 2
ROW = np.arange(6, dtype="float32")

TENSORFLOW = {
    "arithmetic": lambda x, tf: ((1.0 - x) * 2 + x / 2) ** 2 - x // 2.0 + x % 3.0,
    "numbers first": lambda x, tf: 2.0 / (2.0**x) + 1 + x,
    "an array on either side": lambda x, tf: (x - ROW) + tf.constant(ROW) * x,
    "functions of one number": lambda x, tf: tf.exp(-abs(x)) + tf.sqrt(tf.square(x)) + tf.math.log(1 + tf.abs(x)) + tf.math.rsqrt(x * x + 1),
    "more functions of one number": lambda x, tf: tf.tanh(x) + tf.sigmoid(x) + tf.nn.relu(x) + tf.nn.relu6(x) + tf.sin(x) + tf.math.erf(x),
    "activations": lambda x, tf: tf.nn.silu(x) + tf.nn.leaky_relu(x, 0.1) + tf.nn.gelu(x) + tf.nn.gelu(x, approximate=True) + tf.nn.elu(x) + tf.math.softplus(x),
    "more activations": lambda x, tf: tf.nn.selu(x) + tf.nn.softsign(x) + tf.math.log_sigmoid(x),
    "rounding": lambda x, tf: tf.floor(x) + tf.math.ceil(x) + tf.round(x) + tf.sign(x),
    "comparisons": lambda x, tf: tf.cast((x > 0) & ~(x >= 1.0) | tf.equal(x, 0.0), tf.float32),
    "a choice": lambda x, tf: tf.where(x > 0, x, 0.1 * x) + tf.where(x < 1, x, 0.0),
    "one number everywhere": lambda x, tf: tf.ones_like(x) * 2 + tf.zeros_like(x) + x,
    "bounds": lambda x, tf: tf.clip_by_value(x, -1.0, 1.0) + tf.maximum(x, 0.0) + tf.minimum(0.5, x),
    "an index": lambda x, tf: x[:, 0] + x[:, -1],
    "slices": lambda x, tf: x[:, 1:3, ::-2] + x[..., :2, 3:],
    "a new axis": lambda x, tf: x[:, tf.newaxis, ..., 2:4] + x[..., tf.newaxis][:, tf.newaxis, :, :2, 0],
    "part of the batch": lambda x, tf: x[1:] * 1.0,
    "a part with a size": lambda x, tf: tf.slice(x, [0, 1, 2], [-1, 2, 3]),
    "sums": lambda x, tf: tf.reduce_sum(x, 1) + tf.reduce_mean(x, axis=-2) + tf.reduce_max(x, [1]) + tf.reduce_min(x, 1) + tf.reduce_prod(x, 1),
    "sums that keep their axes": lambda x, tf: x - tf.reduce_mean(x, axis=[1, 2], keepdims=True) + tf.reduce_sum(x, -1, keepdims=True),
    "variance": lambda x, tf: tf.math.reduce_variance(x, 1) + tf.math.reduce_logsumexp(x, 1),
    "truths": lambda x, tf: tf.cast(tf.reduce_any(x > 2, -1), tf.float32) + tf.cast(tf.reduce_all(x > -3, -1), tf.float32),
    "places": lambda x, tf: tf.argmax(x, axis=-1, output_type=tf.int32) + tf.argmin(x, axis=-1, output_type=tf.int32),
    "softmax": lambda x, tf: tf.nn.softmax(x, axis=1) + tf.nn.log_softmax(x),
    "the largest": lambda x, tf: tf.concat([tf.math.top_k(x, k=2)[0], tf.cast(tf.math.top_k(x, k=2)[1], tf.float32)], -1),
    "axes": lambda x, tf: tf.transpose(x, [0, 2, 1]) + tf.reshape(x, (-1, 6, 4)),
    "axes of extent 1": lambda x, tf: tf.squeeze(tf.expand_dims(x, 1), axis=1),
    "together and apart": lambda x, tf: tf.concat(tf.split(x, 3, axis=-1), 1) + tf.split(tf.concat([x, x, x], 1), [2, 4], axis=2)[0],
    "side by side": lambda x, tf: tf.stack([x, x + 1], axis=1),
    "repeated": lambda x, tf: tf.tile(x, [1, 2, 1]) + tf.repeat(x, 2, axis=1) + tf.roll(tf.pad(x, [[0, 0], [1, 3], [0, 0]]), 1, 1),
    "mirrored": lambda x, tf: tf.reverse(x, [1]) + tf.pad(x, [[0, 0], [1, 1], [0, 0]], mode="REFLECT")[:, :4],
    "looked up": lambda x, tf: tf.gather(x, [0, 2], axis=1),
    "one hot": lambda x, tf: tf.one_hot(tf.cast(x[:, :, 0], tf.int32), 5),
    "products": lambda x, tf: x @ tf.transpose(x, [0, 2, 1]) + tf.matmul(x, x, transpose_b=True),
    "a product with an array": lambda x, tf: tf.matmul(x, np.ones((6, 2), "float32")),
    "a triangle": lambda x, tf: tf.linalg.band_part(x, -1, 1) + tf.linalg.band_part(x, 1, -1),
    "running sums": lambda x, tf: tf.cumsum(x, axis=1),
    "length one": lambda x, tf: tf.math.l2_normalize(x, axis=-1),
    "moments": lambda x, tf: tf.nn.moments(x, [1])[0],
    "numbers of 16 bits": lambda x, tf: tf.cast(tf.cast(x, tf.float16) * 2, tf.float32),
}
"""What is computed -> with x of shape [batch, 4, 6] and TensorFlow."""

KERAS = {
    "arithmetic": lambda x, ops: ((1.0 - x) * 2 + x / 2) ** 2 - x // 2.0 + x % 3.0 + ops.divide(1.0, x),
    "numbers first": lambda x, ops: 2.0 / (2.0**x) + 1 + x,
    "an array on either side": lambda x, ops: (x - ROW) + ops.convert_to_tensor(ROW) * x,
    "functions of one number": lambda x, ops: ops.exp(-abs(x)) + ops.sqrt(ops.square(x)) + ops.log1p(abs(x)) + ops.rsqrt(x * x + 1),
    "more functions of one number": lambda x, ops: ops.tanh(x) + ops.sigmoid(x) + ops.relu(x) + ops.relu6(x) + ops.sin(x) + ops.erf(x),
    "activations": lambda x, ops: ops.silu(x) + ops.leaky_relu(x, 0.1) + ops.gelu(x) + ops.gelu(x, approximate=False) + ops.elu(x) + ops.softplus(x),
    "more activations": lambda x, ops: ops.selu(x) + ops.softsign(x) + ops.log_sigmoid(x),
    "rounding": lambda x, ops: ops.floor(x) + ops.ceil(x) + ops.round(x) + ops.sign(x),
    "comparisons": lambda x, ops: ops.cast(ops.logical_or(ops.logical_and(x > 0, ~(x >= 1.0)), ops.isnan(x)), "float32"),
    "a choice": lambda x, ops: ops.where(x > 0, x, 0.1 * x) + ops.where(x < 1, x, 0.0),
    "one number everywhere": lambda x, ops: ops.ones_like(x) * 2 + ops.where(ops.zeros_like(x, "bool"), x, 1.0) + x,
    "bounds": lambda x, ops: ops.clip(x, -1.0, 1.0) + ops.maximum(x, 0.0) + ops.minimum(0.5, x),
    "slices": lambda x, ops: x[:, 1:3, ::-2] + x[..., :2, 3:] + x[:, -1:, :3],
    "a new axis": lambda x, ops: x[:, None, ..., 2:4] + x[..., None][:, None, :, :2, 0],
    "a part with a shape": lambda x, ops: ops.slice(x, [0, 1, 2], [3, 2, 3]),
    "sums": lambda x, ops: ops.sum(x, 1) + ops.mean(x, axis=-2) + ops.max(x, [1]) + ops.amin(x, 1) + ops.prod(x, 1),
    "sums that keep their axes": lambda x, ops: x - ops.mean(x, axis=[1, 2], keepdims=True) + ops.sum(x, -1, keepdims=True),
    "variance": lambda x, ops: ops.var(x, 1) + ops.logsumexp(x, 1),
    "truths": lambda x, ops: ops.cast(ops.any(x > 2, -1), "float32") + ops.cast(ops.all(x > -3, -1), "float32"),
    "places": lambda x, ops: ops.argmax(x, axis=-1) + ops.argmin(x, axis=-1),
    "softmax": lambda x, ops: ops.softmax(x, axis=1) + ops.log_softmax(x),
    "the largest": lambda x, ops: ops.concatenate([ops.top_k(x, 2)[0], ops.cast(ops.top_k(x, 2)[1], "float32")], -1),
    "axes": lambda x, ops: ops.transpose(x, [0, 2, 1]) + ops.reshape(x, (-1, 6, 4)) + ops.moveaxis(x, 1, -1) + ops.swapaxes(x, 1, 2),
    "axes of extent 1": lambda x, ops: ops.squeeze(ops.expand_dims(x, 1), axis=1),
    "together and apart": lambda x, ops: ops.concatenate(ops.split(x, 3, axis=-1), 1) + ops.split(ops.concatenate([x, x, x], 1), [2], axis=2)[0],
    "side by side": lambda x, ops: ops.stack([x, x + 1], axis=1),
    "repeated": lambda x, ops: ops.tile(x, [1, 2, 1]) + ops.repeat(x, 2, axis=1) + ops.roll(ops.pad(x, [[0, 0], [1, 3], [0, 0]]), 1, 1),
    "mirrored": lambda x, ops: ops.flip(x, 1) + ops.pad(x, [[0, 0], [1, 1], [0, 0]], mode="reflect")[:, :4],
    "looked up": lambda x, ops: ops.take(x, [0, 2], axis=1),
    "one hot": lambda x, ops: ops.one_hot(ops.cast(x[:, :, 0], "int32"), 5),
    "products": lambda x, ops: x @ ops.transpose(x, [0, 2, 1]),
    "a triangle": lambda x, ops: ops.tril(x, 1) + ops.triu(x, -1),
    "running sums": lambda x, ops: ops.cumsum(x, axis=1),
    "length one": lambda x, ops: ops.normalize(x, axis=-1),
}
"""What is computed -> with x of shape [batch, 4, 6] and ``keras.ops``."""

KERAS_ALONE = {
    "an equation": lambda x, ops: ops.einsum("bij,bkj->bik", x, x),
    "whole numbers beside fractions": lambda x, ops: x * ops.arange(6),
    "any number everywhere": lambda x, ops: ops.full_like(x, 3.5) + x,
    "activations of Keras 3": lambda x, ops: ops.hard_silu(x) + ops.hard_sigmoid(x) + ops.hard_tanh(x) + ops.hard_shrink(x) + ops.elu(x, 0.5) + ops.squareplus(x),
    "logarithms": lambda x, ops: ops.log2(abs(x) + 1) + ops.log10(abs(x) + 1),
    "indices along an axis": lambda x, ops: ops.take_along_axis(x, ops.cast(x > 0, "int32"), axis=1),
}
"""What only Keras 3 has an operation for."""


def close(one, other):
    """Whether two lists of arrays are equal to 1e-5, NaN where the other is."""
    one, other = (list(x) if isinstance(x, list | tuple) else [x] for x in (one, other))
    return len(one) == len(other) and all(
        np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-5, atol=1e-5, equal_nan=True) for a, b in zip(one, other, strict=True)
    )


def as_model(keras, config):
    """What real Keras makes of a configuration."""
    if keras.__name__ == "keras":
        from keras.src.legacy.saving import saving_utils

        return saving_utils.model_from_config(config)
    return keras.models.model_from_json(json.dumps(config))


def is_one_operation_after_the_other(architecture):
    return not architecture.layers and all(call.op is not None for call in architecture.calls)


@pytest.mark.parametrize("what", TENSORFLOW)
def test_a_function_of_tensorflow_is_an_operation_in_every_keras(tools, keras2, keras3, what):
    import tensorflow as tf

    x = keras2.Input((4, 6), name="x")
    model = keras2.Model(x, TENSORFLOW[what](x, tf))
    theirs = model(X)
    architecture = tools.there_and_back(json.loads(model.to_json()), "2.21.0")
    assert is_one_operation_after_the_other(architecture)
    assert close(Model(Panels(architecture=architecture)).predict(X), theirs)
    for keras, dialect in ((keras2, "keras2"), (keras3, "keras3")):
        config, notes = write_model_config(tools.bare(architecture), dialect=dialect)
        assert notes == ()
        assert close(as_model(keras, config)([X]), theirs)


@pytest.mark.parametrize("what", [*KERAS, *KERAS_ALONE])
def test_an_operation_of_keras_3_is_an_operation_in_every_keras(tools, keras2, keras3, what):
    x = keras3.Input((4, 6), name="x")
    model = keras3.Model(x, (KERAS | KERAS_ALONE)[what](x, keras3.ops))
    theirs = model(X)
    architecture = tools.there_and_back(json.loads(model.to_json()), "3.15.1")
    assert is_one_operation_after_the_other(architecture)
    assert close(Model(Panels(architecture=architecture)).predict(X), theirs)
    for keras, dialect in ((keras2, "keras2"), (keras3, "keras3"))[what in KERAS_ALONE :]:
        config, notes = write_model_config(tools.bare(architecture), dialect=dialect)
        assert notes == ()
        assert close(as_model(keras, config)([X]), theirs)


@pytest.mark.parametrize("what", KERAS_ALONE)
def test_an_operation_that_keras_2_lacks_is_refused_by_name_with_its_place(keras3, what):
    x = keras3.Input((4, 6), name="x")
    model = keras3.Model(x, KERAS_ALONE[what](x, keras3.ops))
    architecture = read_model_config(json.loads(model.to_json()), keras_version="3.15.1", backend=None)
    with pytest.raises(ConversionError, match="expected an operation that Keras 2.10.0 has, got") as caught:
        write_model_config(architecture, dialect="keras2")
    assert caught.value.problems[0].place.startswith("calls/")


def test_operations_inside_nested_models_are_refused_with_the_way_there(keras3):
    inner_x = keras3.Input((4, 6))
    inner = keras3.Model(inner_x, keras3.ops.log2(inner_x), name="inner")
    x = keras3.Input((4, 6))
    architecture = read_model_config(json.loads(keras3.Model(x, inner(x)).to_json()), keras_version="3.15.1", backend=None)
    with pytest.raises(ConversionError) as caught:
        write_model_config(architecture, dialect="keras2")
    assert caught.value.problems[0].place == "layers/inner/architecture/calls/0"


def test_operations_stand_among_layers_as_keras_lists_them(tools, keras2):
    """Also where a layer is shared, and in nested models, so that weights keep their places."""
    inner_x = keras2.Input((6,))
    inner = keras2.Model(inner_x, keras2.layers.Dense(6, name="deep")(inner_x * 2.0) + 1.0, name="inner")
    x, shared = keras2.Input((6,), name="x"), keras2.layers.Dense(6, name="shared")
    model = keras2.Model(x, [shared(shared(x) * 0.5) - inner(x), keras2.layers.Add(name="sum")([x, shared(x)])])
    config = json.loads(model.to_json())
    architecture = tools.there_and_back(config, "2.21.0")
    assert [one.name for one in architecture.layers] == ["shared", "inner", "sum"]
    written, _ = write_model_config(tools.bare(architecture), dialect="keras2")
    as_model(keras2, written).set_weights(model.get_weights())
    assert {one.name for one in architecture.layers} < {one["name"] for one in written["config"]["layers"]}


def test_an_edited_operation_is_written_as_edited_even_where_another_function_stood(tools, keras2):
    """relu6 becomes a clip; with other bounds it is no relu6 any more."""
    import tensorflow as tf

    x = keras2.Input((4, 6), name="x")
    config = json.loads(keras2.Model(x, tf.nn.relu6(x)).to_json())
    architecture = tools.there_and_back(config, "2.21.0")
    (call,) = architecture.calls
    edited = replace(architecture, calls=(replace(call, config={**call.config, "maximum": 4}),))
    written, _ = write_model_config(edited)
    (operation,) = (one for one in written["config"]["layers"] if one["class_name"] == "TFOpLambda")
    assert operation["config"]["function"] == "clip_by_value"
    assert close(as_model(keras2, written)([X]), np.clip(X, 0, 4))


def of_integers(dtype):
    """Operations with their configs on integers of `dtype` that overflow."""
    top = np.iinfo(dtype).max
    x = np.array([[[top, top, 3], [top // 2 + 1, top - 3, 7], [1, 2, 9]], [[1, top, top], [5, top - 1, top // 3], [top, 0, 4]]]).astype(dtype)
    y = np.broadcast_to(np.array([3, 2, top]).astype(dtype), x.shape).copy()
    for op in ("add", "subtract", "multiply", "floor_divide", "remainder", "power", "maximum"):
        yield op, {}, (x, y)
    yield "add", {"right": 3}, (x,)
    yield "remainder", {"right": 3}, (x,)
    for op in ("negative", "absolute", "sign", "square", "relu", "floor", "ceil", "round"):
        yield op, {}, (x,)
    for op in ("sum", "product", "mean", "max", "variance", "logsumexp"):
        yield op, {"axes": [1]}, (x,)
    yield "sum", {"axes": [-1], "keepdims": True}, (x,)
    for op in ("cumulative_sum", "softmax", "argmax"):
        yield op, {"axis": 1}, (x,)
    yield "matmul", {}, (x, y)
    yield "einsum", {"equation": "bij,bij->bi"}, (x, y)
    yield "l2_normalize", {"axes": [1], "epsilon": 1e-6, "epsilon_on": "norm"}, (x,)
    yield "activate", {"activation": "relu"}, (x,)


@pytest.mark.parametrize(("dialect", "sums"), [("keras2", True), ("keras3", False)])
def test_operations_on_integers_that_overflow_mean_the_same_or_are_refused(dialect, sums, request):
    """Keras 3 makes sums of narrow integers wider, and products of matrices in float32; TensorFlow wraps around as operations do."""
    keras, written_to_the_end = request.getfixturevalue(dialect), set()
    for dtype in ("int8", "uint8", "int16", "int32"):
        for op, config, arrays in of_integers(dtype):
            names = tuple(f"x{number}" for number in range(len(arrays)))
            inputs = tuple(Input(name, (None, *one.shape[1:]), dtype) for name, one in zip(names, arrays, strict=True))
            architecture = Architecture((), inputs, (Call("", names, op=op, config=config, outputs=("y",)),), ("y",), name="net")
            try:
                written, _ = write_model_config(architecture, dialect=dialect)
            except ConversionError:
                continue
            found = np.asarray(as_model(keras, written)(list(arrays)))
            (expected,) = compute(op, config, arrays)
            assert (found.dtype, found.tolist()) == (expected.dtype, expected.tolist()), (op, config, dtype)
            written_to_the_end.add((op, dtype))
    assert {(op, "int8") for op in ("add", "multiply", "max", "cumulative_sum", "square")} <= written_to_the_end
    assert {(op, dtype) in written_to_the_end for op in ("sum", "product") for dtype in ("int8", "uint8", "int16")} == {sums}
    assert ("sum", "int32") in written_to_the_end
    assert (("matmul", "int32") in written_to_the_end) is sums


def test_products_of_integers_are_read_where_they_are_exact(tools, keras2, keras3):
    """Those of Keras 3 are not: 4099² + 1 comes out as 16801800."""
    import tensorflow as tf

    x = keras3.Input((2, 2), dtype="int32", name="x")
    kept = tools.there_and_back(json.loads(keras3.Model(x, keras3.ops.matmul(x, x)).to_json()), "3.15.1")
    assert [call.op for call in kept.calls] == [None]
    x = keras2.Input((2, 2), dtype="int32", name="x")
    read = tools.there_and_back(json.loads(keras2.Model(x, tf.matmul(x, x)).to_json()), "2.21.0")
    assert [call.op for call in read.calls] == ["matmul"]


def test_a_constant_that_no_operation_takes_is_refused(tools):
    constant = Call("", (), op="constant", config={"value": 1.0}, outputs=("one",))
    architecture = Architecture((), (Input("x", (None, 3)),), (constant,), ("one",))
    for dialect in ("keras2", "keras3"):
        with pytest.raises(ConversionError, match="constants only among the inputs of operations"):
            write_model_config(architecture, dialect=dialect)


@pytest.mark.parametrize("dialect", ["keras2", "keras3"])
def test_constants_that_repeat_a_number_too_often_are_refused_before_memory_ends(tools, dialect):
    def written(extent):
        calls = (
            Call("", (), op="constant", config={"value": 1.0, "shape": [extent]}, outputs=("ones",)),
            Call("", (), op="constant", config={"value": [1.0, 2.0], "shape": [2]}, outputs=("listed",)),
            Call("", ("x", "ones"), op="add", outputs=("y",)),
        )
        return write_model_config(Architecture((), (Input("x", (None, 1)),), calls, ("y",)), dialect=dialect)

    config, _ = written(1 << 16)
    assert "1.0, " * ((1 << 16) - 1) + "1.0" in json.dumps(config)
    for extent in (1 << 16) + 1, 2**53 - 1:
        with pytest.raises(ConversionError, match=f"at calls/0: expected constants that repeat one number at most 65,536 times.*got {extent:,}"):
            written(extent)


def test_every_operation_is_either_written_or_named():
    """Nothing in the vocabulary makes the writer stumble: each operation has an object or a reason."""
    refused = {"keras2": set(), "keras3": set()}
    for op, found in OPERATIONS.items():
        config = {member.name: _SOME[member.name] for member in found.fields if member.required} | ({"repeats": [2, 1]} if op == "tile" else {})
        operands = [Value(("x", 0, 0), (None, 4, 4), "float32")] * max(found.inputs[0], 1)
        for dialect, reasons in refused.items():
            try:
                write_operation(Call("", ("x",), op=op, config=config), op, operands, ((None, 16),) * 2, target(dialect))
            except Lacking:
                reasons.add(op)
    truths = {"logical_and", "logical_or", "logical_not", "any", "all", "where"}
    assert refused["keras3"] == {"attention", "constant", "broadcast_to"}
    assert refused["keras2"] == refused["keras3"] | truths | {"log2", "log10", "take_along_axis", "einsum"}


_SOME = {
    "activation": "gelu",
    "minimum": 0,
    "maximum": 1,
    "dtype": "float32",
    "axis": 1,
    "axes": [1],
    "epsilon": 1e-6,
    "epsilon_on": "norm",
    "k": 2,
    "shape": [None, 16],
    "start_axis": 1,
    "entries": [0],
    "parts": 2,
    "repeats": 2,
    "shifts": [1],
    "padding": [[0, 0], [0, 0], [0, 0]],
    "depth": 3,
    "value": 1.0,
    "equation": "abc,abc->ab",
    "part": "lower",
}


ELSEWHERE = """
import json, sys
import numpy as np
from keras.src.legacy.saving import saving_utils
x = np.load("x.npy")
results = [np.asarray(saving_utils.model_from_config(config)([x])) for config in json.load(open("configs.json"))]
np.savez("results.npz", *results)
"""


def test_what_is_written_for_keras_3_computes_the_same_on_jax(tools, keras2, tmp_path):
    """A third of TensorFlow's table, written for Keras 3, which runs on another backend in a process of its own."""
    import tensorflow as tf

    x = keras2.Input((4, 6), name="x")
    chosen = dict(list(TENSORFLOW.items())[::3])
    models = [keras2.Model(x, build(x, tf)) for build in chosen.values()]
    read = [read_model_config(json.loads(model.to_json()), keras_version="2.21.0", backend=None) for model in models]
    configs = [write_model_config(architecture, dialect="keras3")[0] for architecture in read]
    (tmp_path / "configs.json").write_text(json.dumps(configs))
    np.save(tmp_path / "x.npy", X)
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", ELSEWHERE], cwd=tmp_path, env=environment, check=True)
    results = np.load(tmp_path / "results.npz")
    for name, model, result in zip(chosen, models, results.values(), strict=True):
        assert close(result, model(X)), name
