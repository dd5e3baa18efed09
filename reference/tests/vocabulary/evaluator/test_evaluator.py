"""How an architecture is evaluated: what goes where, by hand-made numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import triptych
from triptych.errors import InvalidModelError, UnsupportedError, UsageError, WeightsMismatchError
from triptych.model import Architecture, Call, Input, Layer, Panels, WeightReference, Weights
from triptych.surface.model import Model
from triptych.vocabulary import weight_slots
from triptych.vocabulary.evaluator import evaluate

EXAMPLES = Path(__file__).parents[4] / "examples"
X = np.array([[1, 2], [3, 4]], "float32")


def dense(name, units=2, **more):
    return Layer(name, "Dense", {"units": units, "use_bias": False}, **more)


def matrix(*rows):
    return np.array(rows, "float32")


A, B = matrix([1, 0], [1, 1]), matrix([2, 1], [0, 1])


def test_the_digits_are_predicted_as_keras_predicted_them():
    """A trained CNN on real images: what Keras 2 recorded when it was saved, in float32."""
    recorded = np.load(EXAMPLES / "digits_cnn_predictions.npz")
    scans = recorded["scans"].astype("float32") / 16
    images = np.stack([scans.repeat(4, axis=1).repeat(4, axis=2)] * 3, axis=-1)
    found = triptych.load(EXAMPLES / "digits_cnn.h5").predict(images)
    assert found.dtype == np.float32
    assert np.abs(found - recorded["predictions"]).max() <= 1e-5
    assert (found.argmax(axis=1) == recorded["predictions"].argmax(axis=1)).all()


def test_layers_in_turn():
    """Without calls, each layer takes what the one before it yields."""
    chain = Architecture((dense("a"), dense("b")), (Input("x", (None, 2)),))
    result = evaluate(chain, {"a.kernel": A, "b.kernel": B}, [X], watch=["a"])
    assert np.array_equal(result.outputs[0], X @ A @ B)
    assert np.array_equal(result.watched["a"][0][0], X @ A)


def test_a_graph_with_two_inputs_two_outputs_and_a_shared_layer():
    """Values go by name; a layer that is called twice has one weight."""
    graph = Architecture(
        (dense("shared"), Layer("difference", "Subtract")),
        (Input("left", (None, 2)), Input("right", (None, 2))),
        (Call("shared", ("left",), outputs=("l",)), Call("shared", ("right",), outputs=("r",)), Call("difference", ("l", "r"))),
        ("difference", "l"),
    )
    model = Model(Panels(architecture=graph, weights=Weights.from_arrays({"shared.kernel": A})))
    expected = [(X - 2 * X) @ A, X @ A]
    for inputs in ([X, 2 * X], {"right": 2 * X, "left": X}):
        for found, wanted in zip(model.predict(inputs), expected, strict=True):
            assert np.array_equal(found, wanted)
    watched = evaluate(graph, {"shared.kernel": A}, [X, 2 * X], watch=["shared"]).watched["shared"]
    assert [len(watched), *(np.array_equal(one[0], n * X @ A) for n, one in enumerate(watched, 1))] == [2, True, True]


def test_nested_and_wrapped_layers():
    """A nested architecture is applied call by call, a sublayer where its wrapper says; both own weights under their paths."""
    inner = Architecture((dense("d"),), (Input("i", (None, 2)),), (Call("d", ("i",), outputs=("y",)),), ("y", "i"))
    outer = Architecture(
        (Layer("inner", "Model", architecture=inner), Layer("steps", "TimeDistributed", sublayers={"layer": dense("")}), Layer("seq", "Reshape", {"target_shape": [1, 2]})),
        (Input("x", (None, 2)),),
        (Call("inner", ("x",), outputs=("y", "same")), Call("seq", ("y",)), Call("steps", ("seq",))),
        ("steps", "same"),
    )
    found, same = evaluate(outer, {"inner.d.kernel": A, "steps.layer.kernel": B}, [X]).outputs
    assert np.array_equal(found, (X @ A @ B)[:, None])
    assert np.array_equal(same, X)


def test_stored_axes_and_tied_weights():
    """A weight that is stored transposed, and one tensor for two layers."""
    tied = {"kernel": WeightReference("w", axes=(1, 0))}
    chain = Architecture((dense("a", weights=tied), dense("b", weights={"kernel": WeightReference("w")})), (Input("x", (None, 2)),))
    assert np.array_equal(evaluate(chain, {"w": A}, [X]).outputs[0], X @ A.T @ A)


def test_numbers_of_other_widths():
    """float64 throughout when asked; a layer of half precision rounds what it takes and what it yields."""
    chain = Architecture((dense("a"),), (Input("x", (None, 2)),))
    weights = {"a.kernel": (A / 3).astype("float32")}
    wide = evaluate(chain, weights, [X.astype("float64") / 7], dtype="float64").outputs[0]
    assert wide.dtype == np.float64
    assert np.array_equal(wide, X.astype("float64") / 7 @ weights["a.kernel"].astype("float64"))
    half = Architecture((dense("a", compute_dtype="float16"),), (Input("x", (None, 2)),))
    narrow = evaluate(half, weights, [X / 7]).outputs[0]
    assert narrow.dtype == np.float16
    operands = [one.astype("float16").astype("float32") for one in (X / 7, weights["a.kernel"])]
    assert np.array_equal(narrow, (operands[0] @ operands[1]).astype("float16"))
    brain = Architecture((dense("a", dtype="bfloat16"),), (Input("x", (None, 2)),))
    assert evaluate(brain, weights, [X]).outputs[0].dtype.name == "bfloat16"


def test_a_mask_goes_from_layer_to_layer():
    """Embedding makes it, Dense hands it on, the mean over the steps leaves masked ones out; what knows no masks drops it."""
    layers = (Layer("e", "Embedding", {"input_dim": 3, "output_dim": 2, "mask_zero": True}), dense("d"), Layer("m", "GlobalAveragePooling1D"))
    words = np.array([[1, 2, 0], [2, 0, 0]], "int32")
    table = matrix([9, 9], [1, 2], [3, 4])
    weights = {"e.embeddings": table, "d.kernel": A}
    chain = Architecture(layers, (Input("x", (None, 3), "int32"),))
    assert np.array_equal(evaluate(chain, weights, [words]).outputs[0], matrix([2, 3], [3, 4]) @ A)
    dropped = Architecture((layers[0], Layer("p", "ZeroPadding1D", {"padding": [[0, 0]]}), *layers[1:]), chain.inputs)
    assert np.allclose(evaluate(dropped, weights, [words]).outputs[0], table[words].mean(axis=1) @ A)


def test_a_mask_that_a_call_says():
    """The argument `mask` takes the place of the one that came along."""
    graph = Architecture(
        (Layer("m", "GlobalAveragePooling1D"),),
        (Input("x", (None, 2, 1)), Input("which", (None, 2), "bool")),
        (Call("m", ("x",), {"mask": {"value": "which"}}),),
        ("m",),
    )
    found = evaluate(graph, {}, [X[..., None], np.array([[True, False], [True, True]])]).outputs[0]
    assert found.tolist() == [[1.0], [3.5]]


def test_one_layer_alone(dense):
    """A layer by its path on arrays of one's own."""
    model = dense(4, 2)
    x = np.ones((3, 3), "float32")
    assert np.allclose(model.evaluate_layer("dense_0", x), x @ model.weights["dense_0.kernel"] + model.weights["dense_0.bias"])
    assert model.evaluate_layer("dense_0", x).shape == (3, 4)
    with pytest.raises(UsageError, match="dense_7"):
        model.evaluate_layer("dense_7", x)


def test_an_extension_type_is_named():
    """What cannot be computed is an error that names the layer and its type."""
    chain = Architecture((Layer("flip", "example:Flip"), dense("d")), (Input("x", (None, 2)),))
    with pytest.raises(UnsupportedError, match=r"example:Flip.*flip") as caught:
        evaluate(chain, {"d.kernel": A}, [X])
    assert (caught.value.problems[0].code, caught.value.problems[0].place) == ("LAYER_NOT_EVALUABLE", "/layers/0/type")
    odd = Architecture((Layer("d", "Dense", {"units": 2, "use_bias": False, "activation": "example:odd"}),), chain.inputs)
    with pytest.raises(UnsupportedError, match="'d'.*example:odd"):
        evaluate(odd, {"d.kernel": A}, [X])


def test_what_does_not_fit(dense):
    """Inputs, weights and architectures that do not fit are refused, by what was expected."""
    model = dense(4)
    for inputs, text in (([X, X], "1 inputs, got 2"), (X, "'x' of shape"), ({"y": X}, "inputs x")):
        with pytest.raises(UsageError, match=text):
            model.predict(inputs)
    with pytest.raises(UsageError, match="float32 or float64"):
        model.predict(X, dtype="int8")
    with pytest.raises(UsageError, match="architecture"):
        Model(Panels(weights=model.weights)).predict(X)
    x = np.ones((2, 3), "float32")
    with pytest.raises(WeightsMismatchError, match="kernel of layer 'dense_0'"):
        Model(Panels(architecture=model.architecture)).predict(x)
    with pytest.raises(WeightsMismatchError, match=r"\(3, 4\), got \(4, 3\)"):
        evaluate(model.architecture, {"dense_0.kernel": np.ones((4, 3)), "dense_0.bias": np.ones(4)}, [x])
    broken = Architecture((Layer("c", "Conv2D", {"filters": 1, "kernel_size": [3, 3]}),), (Input("x", (None, 3)),))
    with pytest.raises(InvalidModelError):
        evaluate(broken, {}, [x])
    with pytest.raises(UsageError, match="watch"):
        evaluate(model.architecture, model.weights, [x], watch=["nothing"])


def test_an_empty_batch(dense):
    """No row in, no row out."""
    assert dense(4, 2).predict(np.ones((0, 3), "float32")).shape == (0, 2)


def test_spectral_normalization(judging, errors):
    """After training the kernel that is stored is divided already: Keras, trained for a step, yields the same."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import keras

        layer = keras.layers.SpectralNormalization(keras.layers.Dense(3, use_bias=False))
        layer(X, training=True)
        theirs = keras.ops.convert_to_numpy(layer(X, training=False))
        by_name = {one.path.split("/")[-1]: keras.ops.convert_to_numpy(one) for one in layer.weights}
    ours = Architecture((Layer("s", "SpectralNormalization", {"units": 3}, {"layer": dense("", 3)}),), (Input("x", (None, 2)),))
    assert [slot.tensor for slot in weight_slots(ours)] == ["s.vector_u", "s.layer.kernel"]
    assert [slot.shape for slot in weight_slots(ours)] == [by_name["vector_u"].shape, by_name["kernel"].shape]
    found = evaluate(ours, {"s.vector_u": by_name["vector_u"], "s.layer.kernel": by_name["kernel"]}, [X]).outputs[0]
    error = judging.relative_error(found, theirs)
    errors("SpectralNormalization", "Keras 3, TensorFlow", {"units": 3}, error)
    assert error <= 1e-6


def test_weights_that_fit_only_another_input():
    """An extent that the architecture leaves open is settled by what is given, and weights are held to it."""
    norm = Layer("norm", "LayerNormalization", {"epsilon": 0.001, "center": False})
    chain = Architecture((norm,), (Input("x", (None, None)),))
    assert evaluate(chain, {"norm.gamma": np.ones(2, "float32")}, [X]).outputs[0].shape == (2, 2)
    with pytest.raises(WeightsMismatchError, match="expected gamma of layer"):
        evaluate(chain, {"norm.gamma": np.ones(3, "float32")}, [X])
    added = Architecture((Layer("add", "Add"),), (Input("a", (None, None)), Input("b", (None, None))), (Call("add", ("a", "b")),), ("add",))
    with pytest.raises(UsageError, match="/calls/0"):
        evaluate(added, {}, [X, np.ones((2, 3), "float32")])


def test_a_mask_of_channels_is_none_of_positions():
    """A mask of the axis behind the batch does not fit the positions where that axis holds the channels."""
    mean = Layer("mean", "GlobalAveragePooling1D", {"data_format": "channels_first"})
    x = np.arange(12, dtype="float32").reshape(1, 4, 3)
    masked = Architecture((Layer("mask", "Masking"), mean), (Input("x", (None, 4, 3)),))
    with pytest.raises(UnsupportedError, match="expected a mask of the 3 positions"):
        evaluate(masked, {}, [x])
    inputs = (Input("x", (None, 4, 3)), Input("m", (None, 3), "bool"))
    said = Architecture((mean,), inputs, (Call("mean", ("x",), arguments={"mask": {"value": "m"}}),), ("mean",))
    assert np.array_equal(evaluate(said, {}, [x, np.array([[True, False, True]])]).outputs[0], x[..., [0, 2]].mean(axis=-1))


def test_attention_over_some_axes_heeds_masks():
    """A key that a mask excludes gets no weight, whichever axes are attended over."""
    heads = {"num_heads": 1, "key_dim": 1, "use_bias": False}
    ones = {f"heads.{name}_kernel": np.ones((1, 1, 1), "float32") for name in ("query", "key", "value", "output")}
    x = np.arange(6, dtype="float32").reshape(1, 2, 3, 1)
    for axes, expected in (([1], [[0, 1, 2], [0, 1, 2]]), ([1, 2], None), ([2], None)):
        layer = Layer("heads", "MultiHeadAttention", {**heads, "attention_axes": axes})
        said = {"value_mask": {"value": "m"}, "return_attention_scores": True}
        inputs = (Input("x", (None, 2, 3, 1)), Input("m", (None, None), "bool"))
        graph = Architecture((layer,), inputs, (Call("heads", ("x", "x"), said, ("y", "w")),), ("y", "w"))
        result, weights = evaluate(graph, ones, [x, np.array([[True, False]])]).outputs
        assert weights.shape == {(1,): (1, 3, 1, 2, 2), (1, 2): (1, 1, 2, 3, 2, 3), (2,): (1, 2, 1, 3, 3)}[tuple(axes)]
        assert np.allclose(weights.sum(axis=(-1, -2) if len(axes) == 2 else -1), 1)
        if axes == [1, 2]:
            assert not weights[..., 1, :].any()
        if expected is not None:
            assert np.array_equal(result[0, ..., 0], expected)
    with pytest.raises(UnsupportedError, match="expected a mask of the first axes"):
        evaluate(graph, ones, [x, np.array([[True, False, True]])])
