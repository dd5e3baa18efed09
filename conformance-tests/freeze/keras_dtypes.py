"""Keras on integers and booleans, and on masks that go through graphs: of which dtype layers yield what, and which steps count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from common import EXACT, LOOSE, Row, document, integers, layer, numbers

Json = Any
MEAN = layer("GlobalAveragePooling1D", name="mean")


def rows(keras: Any) -> Iterator[Row]:
    """All of them."""
    yield from dtypes(keras.layers)
    yield from masks(keras, keras.layers)


def dtypes(layers: Any) -> Iterator[Row]:
    """What one layer makes of integers and booleans."""
    image, steps = integers("dtypes image", (1, 3, 4, 2), 9, least=-9), integers("dtypes steps", (2, 4, 3), 9, least=-9)
    some, pixels = numbers("dtypes some", (2, 4, 3)), np.abs(steps).astype("uint8")
    kernel = numbers("dtypes kernel", (3, 2))

    def one(slug: str, title: str, type_: str, config: Mapping[str, Json], inputs: Sequence[np.ndarray], made: Any, *, weights: Mapping[str, np.ndarray] | None = None,
            tolerance: Mapping[str, float] = EXACT) -> Row:
        def run() -> list[np.ndarray]:
            given = list(inputs) if len(inputs) > 1 else inputs[0]
            found = made(given)
            if weights:
                made.set_weights(list(weights.values()))
                found = made(given)
            return [np.asarray(found)]

        named = {f"x{number}": array for number, array in enumerate(inputs)}
        whole = document([layer(type_, config)], named, [{"layer": "layer", "inputs": list(named)}])
        said = ", ".join(f"{array.dtype}" for array in inputs)
        return Row(f"dtypes-{slug}", title, whole, dict(weights or {}), named, run, f"keras.layers.{type_} of {said}", tolerance=tolerance, requirements=("EVL-008", "EVL-001"))

    yield one("largest-of-integers", "The largest of integers under padding is an integer", "MaxPooling2D", {"pool_size": [2, 2], "strides": [2, 2], "padding": "same_upper"}, [image],
              layers.MaxPooling2D(2, padding="same"))
    yield one("largest-of-all-integers", "The largest of all integers is an integer", "GlobalMaxPooling1D", {}, [steps], layers.GlobalMaxPooling1D())
    yield one("largest-of-bytes-in-parts", "The largest of bytes in parts is a byte", "AdaptiveMaxPooling1D", {"output_size": [2]}, [pixels], layers.AdaptiveMaxPooling1D(2))
    yield one("flat-booleans", "Booleans that are moved stay booleans", "Flatten", {}, [steps > 0], layers.Flatten())
    yield one("bytes-enlarged", "Bytes that are repeated stay bytes", "UpSampling1D", {"size": [2]}, [pixels], layers.UpSampling1D(2))
    yield one("integers-after-dropout", "Integers go through dropout", "Dropout", {"rate": 0.5}, [steps], layers.Dropout(0.5))
    yield one("sum-of-integers", "A sum of integers is one", "Add", {}, [steps, steps], layers.Add())
    yield one("sum-of-integers-and-numbers", "A sum of integers and floating-point numbers", "Add", {}, [steps, some], layers.Add(), tolerance=LOOSE)
    yield one("larger-of-bytes-with-and-without-sign", "The larger of bytes with and without a sign", "Maximum", {}, [pixels, steps.astype("int8")], layers.Maximum())
    yield one("integers-joined-with-numbers", "Integers are joined with floating-point numbers", "Concatenate", {"axis": 1}, [steps, some], layers.Concatenate(axis=1))
    yield one("mean-of-bytes", "A mean of bytes is no byte", "Average", {}, [pixels, pixels[::-1].copy()], layers.Average(), tolerance=LOOSE)
    yield one("dense-of-integers", "A Dense layer takes integers as numbers", "Dense", {"units": 2, "use_bias": False}, [steps], layers.Dense(2, use_bias=False),
              weights={"layer.kernel": kernel}, tolerance=LOOSE)
    yield one("slope-of-integers", "A slope below 0 of integers", "LeakyReLU", {"negative_slope": 0.25}, [steps], layers.LeakyReLU(negative_slope=0.25), tolerance=LOOSE)
    yield one("scaled-bytes", "Bytes are scaled as numbers", "Rescaling", {"scale": 0.5, "offset": 1.0}, [pixels], layers.Rescaling(0.5, 1.0), tolerance=LOOSE)


def masks(keras: Any, layers: Any) -> Iterator[Row]:
    """Masks that go through a graph; the mean over the steps that count shows them."""
    x, y = numbers("dtypes masked x", (2, 4, 2)), numbers("dtypes masked y", (2, 4, 2))
    x[0, 2:], x[1, 0], y[0, 1:3] = 0, 0, 0
    kernel = numbers("dtypes masks kernel", (2, 2))
    masked = layer("Masking", {"mask_value": 0.0}, "masked")
    start = {"layer": "masked", "inputs": ["x"]}

    def one(slug: str, title: str, parts: Sequence[Json], calls: Sequence[Json], build: Any, call: str, *, weights: Mapping[str, np.ndarray] | None = None, both: bool = False) -> Row:
        given = {"x": x, "y": y} if both else {"x": x}

        def run() -> list[np.ndarray]:
            entering = [layers.Input((4, 2)) for _ in given]
            model = keras.Model(entering, build(*entering))
            if weights:
                model.set_weights(list(weights.values()))
            return [np.asarray(model([*given.values()]))]

        whole = document([masked, *parts], given, [start, *calls], ["mean"])
        return Row(f"masks-{slug}", title, whole, dict(weights or {}), given, run, call, outputs=["mean"], requirements=("EVL-001", "EVL-003"))

    def mean(name: str) -> Json:
        return {"layer": "mean", "inputs": [name]}

    mask, average = layers.Masking(0.0), layers.GlobalAveragePooling1D()
    dense = layer("Dense", {"units": 2, "use_bias": False}, "dense")
    yield one("through-dense", "A mask goes through a Dense layer", [dense, MEAN], [{"layer": "dense", "inputs": ["masked"]}, mean("dense")],
              lambda a: average(layers.Dense(2, use_bias=False)(mask(a))), "mean(Dense(Masking))", weights={"dense.kernel": kernel})
    yield one("through-an-operation", "A mask does not go through an operation", [MEAN], [{"op": "multiply", "config": {"right": 2.0}, "inputs": ["masked"], "outputs": ["twice"]}, mean("twice")],
              lambda a: average(mask(a) * 2.0), "mean(Masking × 2)")
    yield one("through-each-step", "A mask goes around what is applied to each step", [{"name": "each", "type": "TimeDistributed", "sublayers": {"layer": {k: v for k, v in dense.items() if k != "name"}}}, MEAN],
              [{"layer": "each", "inputs": ["masked"]}, mean("each")],
              lambda a: average(layers.TimeDistributed(layers.Dense(2, use_bias=False))(mask(a))), "mean(TimeDistributed(Dense)(Masking))", weights={"each.layer.kernel": kernel})
    inner = {"inputs": [{"name": "x", "shape": [None, 4, 2]}], "layers": [dense, MEAN], "calls": [{"layer": "dense", "inputs": ["x"]}, mean("dense")], "outputs": ["mean"]}

    def nested(a: Any) -> Any:
        entering = layers.Input((4, 2))
        return keras.Model(entering, average(layers.Dense(2, use_bias=False)(entering)))(mask(a))

    yield one("into-a-nested-model", "A mask goes into a nested model", [{"name": "mean", "type": "Model", "architecture": inner}], [mean("masked")],
              nested, "Model(mean(Dense))(Masking)", weights={"mean.dense.kernel": kernel})
    yield one("joined-batches", "Where batches are joined, masks are", [layer("Concatenate", {"axis": 0}, "joined"), MEAN],
              [{"layer": "joined", "inputs": ["masked", "y"]}, mean("joined")], lambda a, b: average(layers.Concatenate(axis=0)([mask(a), b])), "mean(Concatenate(axis=0)(Masking, y))", both=True)
    yield one("none-left", "Where no key counts, all have the same part", [layer("Attention", name="attention"), MEAN],
              [{"op": "equal", "config": {"right": 100.0}, "inputs": ["x"], "outputs": ["never"]}, {"op": "any", "config": {"axes": [2]}, "inputs": ["never"], "outputs": ["no"]},
               {"layer": "attention", "inputs": ["x", "x"], "arguments": {"mask": [None, {"value": "no"}]}, "outputs": ["attended"]}, mean("attended")],
              lambda a: average(layers.Attention()([a, a], mask=[None, keras.ops.any(keras.ops.equal(a, 100.0), axis=2)])), "mean(Attention()([x, x], mask=[None, all False]))")
