"""Rows of Keras 3: cells and what runs them, convolutional recurrence, further attention, resizing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from common import EXACT, Row, document, layer, numbers, unless_compared
from rows_keras import arrays, fill, single

Json = Any
GATES = ("kernel", "recurrent_kernel", "bias")
PLAIN = {"units": 2, "activation": "tanh"}
GATED = {**PLAIN, "recurrent_activation": "sigmoid"}
CELLS = (("SimpleRNNCell", PLAIN, 1), ("LSTMCell", GATED, 2), ("GRUCell", {**GATED, "reset_after": True}, 1))


@unless_compared
def cell(slug: str, title: str, type_: str, config: Mapping[str, Json], states: int) -> Row:
    """One step: the result and the states."""
    inputs = {name: numbers(f"{slug} {name}", (2, 3 if name == "x" else 2)) for name in ["x", "h", "c"][: 1 + states]}
    one = getattr(keras.layers, type_)(**config)
    given = [keras.ops.convert_to_tensor(array) for array in inputs.values()]

    def run() -> list[np.ndarray]:
        result, after = one(given[0], given[1:])
        return arrays([result, *(after if isinstance(after, (list, tuple)) else [after])])

    run()
    weights = fill(one, slug, GATES)
    outputs = ["result", "next_h", "next_c"][: 1 + states]
    whole = document([layer(type_, config)], inputs, [{"layer": "layer", "inputs": list(inputs), "outputs": ["result", *outputs[1:]]}], outputs)
    return Row(slug, title, whole, weights, inputs, run, f"keras.layers.{type_}({config})", outputs)


def cells() -> Iterator[Row | None]:
    for type_, config, states in CELLS:
        yield cell(f"{type_.lower()}-one-step", f"One step of a {type_}", type_, config, states)
        for slug, options in (("", {}), ("-sequences-backwards", {"return_sequences": True, "go_backwards": True})):
            build = lambda type_=type_, config=config, options=options: keras.layers.RNN(getattr(keras.layers, type_)(**config), **options)  # noqa: E731
            yield single(f"rnn-{type_.lower()}{slug}", f"RNN over a {type_}" + (", every step, backwards" if slug else ""), "RNN", options, (2, 3, 2), build=build,
                         sublayers={"cell": {"type": type_, "config": config}}, names=[f"cell.{role}" for role in GATES])
    stacked = {"type": "StackedRNNCells", "sublayers": {"cell_0": {"type": "SimpleRNNCell", "config": PLAIN}, "cell_1": {"type": "LSTMCell", "config": {**GATED, "units": 1}}}}
    yield single("rnn-stacked", "RNN over two cells, one above the other", "RNN", {}, (2, 3, 2), sublayers={"cell": stacked},
                 build=lambda: keras.layers.RNN(keras.layers.StackedRNNCells([keras.layers.SimpleRNNCell(2), keras.layers.LSTMCell(1)])),
                 names=[f"cell.cell_{number}.{role}" for number in (0, 1) for role in GATES])


def convolutional() -> Iterator[Row | None]:
    gates = {"filters": 1, "activation": "tanh", "recurrent_activation": "sigmoid"}
    for rank, shape in ((1, (1, 2, 4, 2)), (2, (1, 2, 3, 3, 1)), (3, (1, 2, 2, 3, 2, 1))):
        config = {**gates, "kernel_size": [2] * rank}
        yield single(f"convlstm{rank}d", f"Convolutional LSTM over {rank} axes", f"ConvLSTM{rank}D", config, shape, names=GATES)
        yield single(f"convlstm{rank}d-same-upper", f"Convolutional LSTM over {rank} axes, padded, every step", f"ConvLSTM{rank}D",
                     {**config, "padding": "same_upper", "return_sequences": True}, shape, names=GATES)


def attending() -> Iterator[Row | None]:
    query, value = (2, 3, 2), (2, 4, 2)
    yield single("additiveattention", "Additive attention with a learned scale", "AdditiveAttention", {}, query, value, names=("scale",))
    yield single("additiveattention-no-scale", "Additive attention without a scale", "AdditiveAttention", {"use_scale": False}, query, value, names=())
    heads = {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1}
    names = [f"{part}_{what}" for part in ("query", "key", "value", "output") for what in ("kernel", "bias")]
    yield single("groupqueryattention", "Two query heads share a key", "GroupQueryAttention", heads, (1, 3, 2), (1, 4, 2), names=names, as_list=False)


def resizing() -> Iterator[Row | None]:
    image = (1, 3, 4, 1)
    yield single("resizing-bilinear", "Resizing, bilinear", "Resizing", {"height": 5, "width": 3}, image)
    yield single("resizing-nearest", "Resizing, nearest", "Resizing", {"height": 5, "width": 6, "interpolation": "nearest"}, image, tolerance=EXACT)
    yield single("upsampling2d-bicubic", "Bicubic enlargement in Keras", "UpSampling2D", {"size": [2, 2], "interpolation": "bicubic"}, (1, 3, 3, 1))
    for what, tolerance in (("Max", EXACT), ("Average", {"relative": 1e-5})):
        yield single(f"adaptive{what.lower()}pooling2d-keras", f"Adaptive pooling to 2 × 3 in Keras, {what}", f"Adaptive{what}Pooling2D", {"output_size": [2, 3]}, (1, 5, 4, 1), tolerance=tolerance)
    pads = ((0, 0), (1, 2), (2, 0), (0, 0))
    x = numbers("symmetric", (1, 3, 2, 1))
    ends: Sequence[Json] = [[1, 2], [2, 0]]
    for mode in ("symmetric", "reflect"):
        if mode == "reflect":
            pads, ends = ((0, 0), (1, 2), (1, 0), (0, 0)), [[1, 2], [1, 0]]
        yield Row(f"padding2d-{mode}-keras", f"Padding that mirrors, {mode}", document([layer("Padding2D", {"padding": ends, "mode": mode})], {"x": x}), {}, {"x": x},
                  lambda pads=pads, mode=mode: arrays(keras.ops.pad(x, pads, mode=mode)), f"keras.ops.pad(x, {pads}, mode={mode!r})", tolerance=EXACT)


def einsum() -> Iterator[Row | None]:
    for slug, config, shape, names in (
        ("", {"equation": "abc,cd->abd", "output_shape": [None, 3], "bias_axes": "d"}, (2, 2, 2), ("kernel", "bias")),
        ("-heads", {"equation": "abc,cde->abde", "output_shape": [None, 2, 2], "bias_axes": "de", "activation": "relu"}, (1, 3, 2), ("kernel", "bias")),
        ("-ellipsis", {"equation": "...x,xy->...y", "output_shape": [3]}, (2, 2, 2), ("kernel",)),
    ):
        yield single(f"einsumdense{slug}", f"EinsumDense {config['equation']}", "EinsumDense", config, shape, names=names)


def preparing() -> Iterator[Row | None]:
    known = {"mean": [0.5, -1.0, 2.0], "variance": [4.0, 0.25, 0.0]}
    yield single("normalization", "Normalisation by numbers in the config, one variance being 0", "Normalization", known, (2, 3), names=())
    yield single("normalization-invert", "The same, inverted", "Normalization", {**known, "invert": True}, (2, 3), names=())
    x = np.asarray([[-2.0, 0.0, 0.5], [0.25, 1.0, 9.0]], "float32")
    bins = {"bin_boundaries": [0.0, 0.5, 2.0]}
    for mode in ("one_hot", "multi_hot", "count"):
        ask = keras.layers.Discretization(**bins, output_mode=mode)
        config = {**bins, "output_mode": mode}
        yield Row(f"discretization-{mode.replace('_', '-')}", f"Numbers put into bins, {mode}", document([layer("Discretization", config)], {"x": x}), {}, {"x": x},
                  lambda ask=ask: arrays(ask(x)), f"keras.layers.Discretization({config})", tolerance=EXACT)
    tokens = np.asarray([[1, 3, 1], [0, 2, 2]], "int32")
    for mode in ("one_hot", "multi_hot", "count"):
        ask = keras.layers.CategoryEncoding(4, output_mode=mode)
        config = {"num_tokens": 4, **({"output_mode": mode} if mode != "multi_hot" else {})}
        yield Row(f"categoryencoding-{mode.replace('_', '-')}", f"Integers encoded, {mode}", document([layer("CategoryEncoding", config)], {"x": tokens}), {}, {"x": tokens},
                  lambda ask=ask: arrays(ask(tokens)), f"keras.layers.CategoryEncoding({config})", tolerance=EXACT)
    x = numbers("spectral", (2, 3))
    one = keras.layers.SpectralNormalization(keras.layers.Dense(2))
    one(x)
    weights = {"layer.layer.kernel": numbers("spectral kernel", (3, 2)), "layer.layer.bias": numbers("spectral bias", (2,)), "layer.vector_u": numbers("spectral u", (1, 2))}
    one.layer.set_weights([weights["layer.layer.kernel"], weights["layer.layer.bias"]])
    one.vector_u.assign(weights["layer.vector_u"])
    whole = document([layer("SpectralNormalization", {"units": 2}, sublayers={"layer": {"type": "Dense", "config": {"units": 2}}})], {"x": x})
    yield Row("spectralnormalization", "A divided kernel is applied as it is after training", whole, weights, {"x": x}, lambda: arrays(one(x, training=False)),
              "keras.layers.SpectralNormalization(keras.layers.Dense(2))", requirements=("EVL-001", "EVL-002"))


def rows() -> Iterator[Row | None]:
    """All of them."""
    for part in (cells, convolutional, attending, resizing, einsum, preparing):
        yield from part()
