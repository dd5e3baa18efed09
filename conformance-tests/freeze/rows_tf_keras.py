"""Keras 2 (tf_keras): what it computes otherwise than Keras 3, and what only it has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import tf_keras
from common import LOOSE, Row, document, layer, numbers

Json = Any


def versions() -> dict[str, str]:
    """What answered."""
    return {"tf_keras": tf_keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__}


def single(slug: str, title: str, type_: str, config: dict[str, Json], x: np.ndarray, one: Any, call: str, roles: tuple[str, ...] = (), **more: Any) -> Row:
    """A layer by itself."""
    one(x)
    weights = {f"layer.{role}": numbers(f"{slug} {role}", weight.shape) for role, weight in zip(roles, one.weights, strict=True)}
    one.set_weights(list(weights.values()))
    return Row(slug, title, document([layer(type_, config)], {"x": x}), weights, {"x": x}, lambda: [one(x).numpy()], call, tolerance=LOOSE, **more)


def rows() -> Iterator[Row]:
    """All of them."""
    import keras_attention
    import keras_lookups
    import keras_masks

    yield from keras_lookups.rows(tf_keras.layers, keras2=True)
    yield from keras_masks.rows(tf_keras, "tf_keras", "all")
    yield from keras_attention.rows(tf_keras)
    wide = np.asarray([[-8.0, -2.75, -1.5, -0.25], [0.0, 0.5, 2.25, 7.0]], "float32")
    gates = ("kernel", "recurrent_kernel", "bias")
    steps = numbers("keras2 steps", (2, 3, 2))
    layers = tf_keras.layers
    yield single("activation-hard-sigmoid-keras2", "Keras 2's hard_sigmoid has the slope 0.2", "Activation", {"activation": "hard_sigmoid_keras2"}, wide,
                 layers.Activation("hard_sigmoid"), "tf_keras.layers.Activation('hard_sigmoid')")
    yield single("thresholdedrelu", "ThresholdedReLU", "ThresholdedReLU", {"theta": 0.5}, wide, layers.ThresholdedReLU(0.5), "tf_keras.layers.ThresholdedReLU(0.5)")
    for type_ in ("RandomHeight", "RandomWidth"):
        image, augment = numbers("augmented", (1, 2, 3, 1)), getattr(layers, type_)(0.2)
        yield Row(type_.lower(), f"{type_} changes nothing after training", document([layer(type_, {"factor": 0.2})], {"x": image}), {}, {"x": image},
                  lambda augment=augment, image=image: [augment(image, training=False).numpy()], f"tf_keras.layers.{type_}(0.2)", tolerance={"ulp": 0},
                  requirements=("EVL-001", "EVL-002"))
    old = {"units": 2, "activation": "tanh", "recurrent_activation": "hard_sigmoid_keras2"}
    yield single("lstm-hard-sigmoid-keras2", "LSTM with Keras 2's hard_sigmoid gates", "LSTM", old, steps, layers.LSTM(2, recurrent_activation="hard_sigmoid"),
                 "tf_keras.layers.LSTM(2, recurrent_activation='hard_sigmoid')", gates)
    yield single("gru-reset-before-hard-sigmoid-keras2", "Keras 1's GRU: reset before, hard_sigmoid gates", "GRU", {**old, "reset_after": False}, steps,
                 layers.GRU(2, recurrent_activation="hard_sigmoid", reset_after=False),
                 "tf_keras.layers.GRU(2, recurrent_activation='hard_sigmoid', reset_after=False)", gates)
    yield single("conv2dtranspose-keras2", "A padded, strided transposed convolution in Keras 2", "Conv2DTranspose",
                 {"filters": 1, "kernel_size": [3, 3], "strides": [2, 2], "padding": "same_upper"}, numbers("keras2 transpose", (1, 2, 3, 2)),
                 layers.Conv2DTranspose(1, 3, 2, padding="same"), "tf_keras.layers.Conv2DTranspose(1, 3, 2, padding='same')", ("kernel", "bias"))
    small = numbers("small", (2, 6), step=1 / 256, spread=0.05)
    yield single("layernormalization-keras2", "Layer normalisation of small values in Keras 2", "LayerNormalization", {"epsilon": 1e-3}, small,
                 layers.LayerNormalization(), "tf_keras.layers.LayerNormalization()", ("gamma", "beta"))
    image = numbers("keras2 bicubic", (1, 3, 3, 1))
    yield single("upsampling2d-bilinear-keras2", "Bilinear enlargement in Keras 2", "UpSampling2D", {"size": [2, 2], "interpolation": "bilinear"}, image,
                 layers.UpSampling2D(2, interpolation="bilinear"), "tf_keras.layers.UpSampling2D(2, interpolation='bilinear')")
    channels = numbers("blocks", (1, 2, 1, 8))
    for type_, ask, x in (("PixelShuffle", tf.nn.depth_to_space, channels), ("PixelUnshuffle", tf.nn.space_to_depth, channels.reshape(1, 4, 2, 2))):
        yield Row(f"{type_.lower()}-tensorflow", f"{type_} in TensorFlow: blocks before channels", document([layer(type_, {"block_size": 2, "order": "block_first"})], {"x": x}), {},
                  {"x": x}, lambda ask=ask, x=x: [ask(x, 2).numpy()], f"tf.nn.{ask.__name__}(x, 2)", tolerance={"ulp": 0})
    x = numbers("neighbours tf", (1, 1, 2, 5))
    yield Row("localresponsenormalization-tensorflow", "TensorFlow: the sum of squares is not divided", document([layer("LocalResponseNormalization",
              {"size": 3, "alpha": 0.5, "beta": 0.75, "bias": 1.0, "divide_by_size": False})], {"x": x}), {}, {"x": x},
              lambda: [tf.nn.local_response_normalization(x, 1, 1.0, 0.5, 0.75).numpy()], "tf.nn.local_response_normalization(x, 1, 1.0, 0.5, 0.75)")
