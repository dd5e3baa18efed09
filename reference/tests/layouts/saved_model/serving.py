"""What the tests of written SavedModels share: many models joined into one, and TensorFlow that serves it."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from triptych.adapter import _texts
from triptych.dtypes import numpy_dtype
from triptych.layouts import safetensors_weights
from triptych.model import Architecture, Call, Input, Layer, Panels, Weights
from triptych.model.composites import expand
from triptych.package import read_package
from triptych.vocabulary import infer, weight_slots

CASES = Path(__file__).parents[4] / "conformance-tests" / "cases" / "evl"


@dataclass(frozen=True)
class Example:
    """A model with what it is given and what it must yield."""

    title: str
    panels: Panels
    inputs: tuple
    """An array for each input."""
    outputs: tuple
    """An array for each output; None where only shapes matter."""
    tolerance: float = 1e-5


def example_of(case):
    """The example in a case of the conformance suite."""
    panels = read_package(case / "input" / "model")
    given = safetensors_weights.LAYOUT.read(case / "input" / "inputs.safetensors").weights
    inputs = tuple(_texts(given[one.name]) if one.dtype == "string" else given[one.name] for one in panels.architecture.inputs)
    said = json.loads((case / "expected.json").read_text())["outputs"]
    tolerance = json.loads((case / "case.json").read_text())["tolerance"]
    return Example(case.name, panels, inputs, tuple(map(_array, said.values())), tolerance.get("relative", 1e-5))


def _array(said):
    dtype = numpy_dtype(said["dtype"])
    parts = 2 if dtype.kind == "c" else 1
    half = dtype.itemsize // parts
    data = b"".join(bytes.fromhex(bits)[start : start + half][::-1] for bits in said["bits"] for start in range(0, dtype.itemsize, half))
    return np.frombuffer(data, dtype).reshape(said["shape"])


def _prefixed(graph, prefix):
    """`graph` with other names for the tensors that it names."""
    return replace(graph, name=None, composites={}, extensions_used=(), extensions_required=(), layers=tuple(_layer(one, prefix) for one in graph.layers))


def _layer(layer, prefix):
    return replace(
        layer,
        weights={role: replace(one, tensor=prefix + one.tensor) for role, one in layer.weights.items()},
        sublayers={role: _layer(one, prefix) for role, one in layer.sublayers.items()},
        architecture=None if layer.architecture is None else _prefixed(layer.architecture, prefix),
    )


def joined(examples):
    """One model that holds all of `examples`, side by side."""
    layers, inputs, calls, outputs, tensors, assets = [], [], [], [], {}, {}
    for number, one in enumerate(examples):
        name = f"m{number}"
        graph = expand(one.panels.architecture)
        slots = {slot.tensor: f"{name}.{slot.tensor}" for slot in weight_slots(graph, infer(graph))}
        tensors |= {stored: one.panels.weights.tensors[tensor] for tensor, stored in slots.items() if one.panels.weights and tensor in one.panels.weights}
        assets |= one.panels.assets
        layers.append(Layer(name, "Model", architecture=_prefixed(graph, f"{name}.")))
        names = tuple(f"{name}_in{index}" for index in range(len(graph.inputs)))
        yielded = tuple(f"{name}_out{index}" for index in range(max(len(graph.outputs), 1)))
        inputs += [Input(label, given.shape, given.dtype) for label, given in zip(names, graph.inputs, strict=True)]
        calls.append(Call(name, names, outputs=yielded))
        outputs += yielded
    architecture = Architecture(tuple(layers), tuple(inputs), tuple(calls), tuple(outputs))
    return Panels(architecture=architecture, weights=Weights(tensors) if tensors else None, assets=assets)


def serve(folder, panels, inputs):
    """What TensorFlow makes of `inputs` with the SavedModel in `folder`: an array for each output, in order."""
    import tensorflow as tf

    declared = panels.architecture.inputs
    signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
    given = {}
    for one, array in zip(declared, inputs, strict=True):
        given[one.name] = tf.constant(np.asarray(array, object)) if one.dtype == "string" else tf.constant(np.asarray(array).astype(numpy_dtype(one.dtype)))
    yielded = signature(**given)
    names = panels.architecture.outputs or (panels.architecture.layers[-1].name,)
    return [yielded[name].numpy() for name in names]


def relative_error(found, expected):
    """Largest difference by largest magnitude; infinite where dtypes, shapes or places without a finite number differ."""
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return float("inf")
    if found.dtype.kind in "biuSUO" or not found.size:
        return 0.0 if np.array_equal(found, expected) else float("inf")
    wide = "complex128" if found.dtype.kind == "c" else "float64"
    found, expected = found.astype(wide), expected.astype(wide)
    finite = np.isfinite(expected)
    if not np.array_equal(np.where(finite, 0, expected), np.where(np.isfinite(found), 0, found), equal_nan=True):
        return float("inf")
    return float(np.abs(np.where(finite, found - expected, 0)).max() / max(np.abs(expected[finite]).max(initial=0), 1e-30))


def loosened(example):
    """`example` with as few extents known before a call as its weights allow; None if none can be left open."""
    graph = example.panels.architecture
    wanted = [slot.shape for slot in weight_slots(graph, infer(graph))]
    for keep in (0, 1):
        inputs = tuple(
            replace(one, shape=tuple(extent if keep and axis == len(one.shape) - 1 else None for axis, extent in enumerate(one.shape)), names=())
            for one in graph.inputs
        )
        open_graph = replace(graph, inputs=inputs)
        found = infer(open_graph)
        if inputs != graph.inputs and not found.problems and [slot.shape for slot in weight_slots(open_graph, found)] == wanted:
            return replace(example, title=f"{example.title}, open", panels=replace(example.panels, architecture=open_graph))
    return None
