"""What evaluator tests share: inputs and weights for a layer of the grid, our result, and the relative error against a framework's."""

from __future__ import annotations

import importlib.util
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def load_module(path):
    """A test helper by its file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


grids = load_module(HERE.parent / "test_against_keras.py")


def concrete(shape):
    """A shape with extents for what is unknown, none of them equal to another."""
    return tuple({0: 3}.get(i, 4 + i) if extent is None else extent for i, extent in enumerate(shape))


def arrays(shapes, dtype="float32", seed=0):
    """Random inputs of `shapes`."""
    generator = np.random.default_rng(seed)
    return [generator.normal(size=concrete(shape)).astype(dtype) for shape in shapes]


def random_weight(generator, role, shape):
    """A weight as training could have made it."""
    if role == "moving_variance":
        return generator.uniform(0.3, 2, shape).astype("float32")
    spread = 1 / np.sqrt(max(np.prod(shape[:-1], dtype=int), 1)) if len(shape) > 1 else 0.5
    return (generator.normal(size=shape) * spread + (1 if role in {"gamma", "scale"} else 0)).astype("float32")


def relative_error(ours, theirs):
    """Largest difference by largest magnitude; infinite where shapes, or places without a finite number, differ."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.shape != theirs.shape:
        return float("inf")
    if not np.isfinite(theirs).all():
        return 0.0 if np.array_equal(ours, theirs, equal_nan=True) else float("inf")
    if not theirs.size:
        return 0.0
    difference = np.abs(ours.astype("float64") - theirs.astype("float64")).max()
    return float(difference / max(np.abs(theirs).max(), 1e-30))


def keras_call(keras, layer, inputs, seed=0):
    """The weights, random, and the results of a real Keras layer of `layer`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if layer.config.get("activation") == "hard_sigmoid_keras2":
            layer = replace(layer, config={**layer.config, "activation": "hard_sigmoid"})
        built = grids.build(keras, layer)
        given = [keras.ops.convert_to_tensor(one) if hasattr(keras, "ops") else one for one in inputs]
        first = given if len(given) > 1 else given[0]
        # Also when it is built: while training, some layers of Keras on PyTorch change their input in place.
        how = {"training": False} if "training" in built.call.__code__.co_varnames else {}
        built(first, **how)
        owned = [v for v in built.weights if "seed_generator" not in getattr(v, "path", v.name)]
        generator = np.random.default_rng(seed)
        for variable in owned:
            variable.assign(random_weight(generator, grids.role(layer, variable), tuple(variable.shape)))
        result = built(first, **how)
        to_numpy = keras.ops.convert_to_numpy if hasattr(keras, "ops") else np.asarray
        results = list(result) if isinstance(result, list | tuple) else [result]
        return [to_numpy(v) for v in owned], [to_numpy(one) for one in results]
