"""What the tests of written SavedModels share: many models joined into one, and TensorFlow that serves it."""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from triptych.adapter import _texts
from triptych.dtypes import numpy_dtype
from triptych.layouts import safetensors_weights
from triptych.layouts.saved_model.graph.signature import input_names
from triptych.model import Architecture, Call, Input, Layer, Panels, Weights
from triptych.model.composites import expand
from triptych.package import read_package
from triptych.vocabulary import infer, weight_slots
from triptych.vocabulary.evaluator import evaluate

VOCABULARY = Path(__file__).parents[2] / "vocabulary" / "evaluator"
sys.path.insert(0, str(VOCABULARY))  # where the grids of the vocabulary's own tests are

import grid as numbers
import judging as grids

ROLES = {"variance": "moving_variance"}
INTEGERS = {"Embedding": ("int32", 0), "CategoryEncoding": ("int32", 4), "IntegerLookup": ("int64", 40), "StringLookup": ("string", None), "TextVectorization": ("string", None)}
"""Types whose inputs are no floating-point numbers -> dtype, and below what (0: their rows)."""
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


def _shaped(graph, found, pointer=""):
    """`graph` with the shapes that its calls give to the inputs of composites, which say none themselves."""
    layers = []
    for index, layer in enumerate(graph.layers):
        place = f"{pointer}/layers/{index}"
        if layer.architecture is not None and found.layers[place].calls:
            given = found.layers[place].calls[0].inputs
            inputs = tuple(replace(one, shape=shape) if one.shape is None else one for one, shape in zip(layer.architecture.inputs, given, strict=False))
            layer = replace(layer, architecture=_shaped(replace(layer.architecture, inputs=inputs), found, f"{place}/architecture"))
        layers.append(layer)
    return replace(graph, layers=tuple(layers))


def _prefixed(graph, prefix):
    """`graph` with other names for the tensors that it names."""
    return replace(graph, name=None, composites={}, extensions_used=(), extensions_required=(), layers=tuple(_layer(one, prefix) for one in graph.layers))


def _layer(layer, prefix):
    config, vocabulary = layer.config, layer.config.get("vocabulary")
    if isinstance(vocabulary, dict):
        config = {**config, "vocabulary": {"asset": prefix + vocabulary["asset"]}}
    return replace(
        layer,
        config=config,
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
        graph = _shaped(graph, infer(graph))
        slots = {slot.tensor: f"{name}.{slot.tensor}" for slot in weight_slots(graph, infer(graph))}
        tensors |= {stored: one.panels.weights.tensors[tensor] for tensor, stored in slots.items() if one.panels.weights and tensor in one.panels.weights}
        assets |= {f"{name}.{asset}": content for asset, content in one.panels.assets.items()}
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
    for name, one, array in zip(input_names(panels.architecture), declared, inputs, strict=True):
        given[name] = tf.constant(np.asarray(array, object)) if one.dtype == "string" else tf.constant(np.asarray(array).astype(numpy_dtype(one.dtype)))
    yielded = signature(**given)
    names = panels.architecture.outputs or (panels.architecture.layers[-1].name,)
    return [yielded[name].numpy() for name in names]


def relative_error(found, expected):
    """Largest difference by largest magnitude; infinite where dtypes, shapes or places without a finite number differ."""
    found, expected = np.asarray(found), np.asarray(expected)
    if found.dtype.kind == "O":
        expected = _texts(expected) if expected.dtype == np.uint8 else np.vectorize(str.encode, [object])(expected)
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return float("inf")
    if found.dtype.kind in "biuSUO" or not found.size:
        return 0.0 if np.array_equal(found, expected) else float("inf")
    wide = "complex128" if found.dtype.kind == "c" else "float64"
    found, expected = found.astype(wide), expected.astype(wide)
    finite = np.isfinite(expected)
    if not np.array_equal(np.where(finite, 0, expected), np.where(np.isfinite(found), 0, found), equal_nan=True):
        return float("inf")
    with np.errstate(invalid="ignore"):
        differences = np.where(finite, found - expected, 0)
    return float(np.abs(differences).max() / max(np.abs(expected[finite]).max(initial=0), 1e-30))


def loosened(example):
    """`example` with as few extents known before a call as its weights allow; None if none can be left open."""
    graph = example.panels.architecture
    before = infer(graph)
    wanted = [slot.shape for slot in weight_slots(graph, before)]
    for keep in (0, 1):
        inputs = tuple(
            replace(one, shape=tuple(extent if keep and axis == len(one.shape) - 1 else None for axis, extent in enumerate(one.shape)), names=())
            for one in graph.inputs
        )
        open_graph = replace(graph, inputs=inputs)
        found = infer(open_graph)
        if inputs != graph.inputs and not found.problems and [slot.shape for slot in weight_slots(open_graph, found)] == wanted and ranks(found) == ranks(before):
            return replace(example, title=f"{example.title}, open", panels=replace(example.panels, architecture=open_graph))
    return None


def ranks(inference):
    """How many axes each output has, as far as that is known."""
    return [None if shape is None else len(shape) for shape in inference.outputs or ()]


def in_dtype(example, dtype):
    """`example` with layers, weights and inputs of another floating-point dtype, and what the evaluator makes of it."""
    graph = expand(example.panels.architecture)

    def recast(layer):
        return replace(
            layer,
            dtype=dtype if "float" in layer.dtype else layer.dtype,
            compute_dtype=None,
            sublayers={role: recast(one) for role, one in layer.sublayers.items()},
            architecture=None if layer.architecture is None else replace(layer.architecture, layers=tuple(map(recast, layer.architecture.layers))),
        )

    floating = [one.dtype.startswith("float") for one in graph.inputs]
    inputs = tuple(replace(one, dtype=dtype if wide else one.dtype) for one, wide in zip(graph.inputs, floating, strict=True))
    changed = replace(graph, layers=tuple(map(recast, graph.layers)), inputs=inputs)
    weights = {name: array.astype(numpy_dtype(dtype)) if "float" in array.dtype.name else array for name, array in (example.panels.weights or {}).items()}
    arrays = tuple(array.astype(numpy_dtype(dtype)) if wide else array for array, wide in zip(example.inputs, floating, strict=True))
    with np.errstate(over="ignore"):
        expected = evaluate(changed, weights, arrays, assets=example.panels.assets).outputs
    panels = replace(example.panels, architecture=changed, weights=Weights.from_arrays(weights) if weights else None)
    return Example(f"{example.title}, {dtype}", panels, arrays, tuple(expected), {"float64": 1e-12, "float16": 2e-3, "bfloat16": 2e-2}[dtype])


def of_integers(example):
    """`example` on whole numbers, and what the evaluator makes of them; None if it takes no floating-point numbers, or none of other kinds."""
    graph = example.panels.architecture
    if not any(one.dtype == "float32" for one in graph.inputs):
        return None
    inputs = tuple(replace(one, dtype="int32" if one.dtype == "float32" else one.dtype) for one in graph.inputs)
    arrays = tuple((array.clip(-99, 99) * 4).astype("int32") if array.dtype == np.float32 else array for array in example.inputs)
    changed = replace(graph, inputs=inputs)
    try:
        with np.errstate(all="ignore"):
            expected = evaluate(changed, example.panels.weights or {}, arrays, assets=example.panels.assets).outputs
    except (OverflowError, TypeError, ValueError):
        return None
    return Example(f"{example.title}, integers", replace(example.panels, architecture=changed), arrays, tuple(expected))


def grid_examples():
    """An example for each option that the grid of shapes and the grid of numbers try, with random weights, as the evaluator computes it."""
    for name, config, shapes in [*grids.grids.grid(), *numbers.more()]:
        yield of_layer(Layer("x", name, config), shapes)
    for layer, shapes in grids.grids.wrappers():
        yield of_layer(layer, shapes)


def of_layer(layer, shapes):
    """An example of one layer on random inputs."""
    dtype, most = INTEGERS.get(layer.type, ("float32", 0))
    generator = np.random.default_rng(0)
    arrays = []
    for shape in map(grids.concrete, shapes):
        if dtype == "string":
            arrays.append(generator.choice(["the", "of", "and"], shape))
        else:
            arrays.append((generator.integers(0, most or layer.config.get("input_dim", 3), shape) if layer.type in INTEGERS else generator.normal(size=shape)).astype(dtype))
    names = tuple(f"in{number}" for number in range(len(shapes)))
    inputs = tuple(Input(name, shape, dtype) for name, shape in zip(names, shapes, strict=True))
    found = infer(Architecture((layer,), inputs, (Call("x", names, outputs=("y",)),), ("y",)))
    count = len(found.layers["/layers/0"].calls[0].outputs)
    outputs = tuple(f"out{number}" for number in range(count))
    graph = Architecture((layer,), inputs, (Call("x", names, outputs=outputs),), outputs)
    weights = {slot.tensor: grids.random_weight(generator, ROLES.get(slot.role, slot.role), slot.shape) for slot in weight_slots(graph)}
    expected = evaluate(graph, weights, arrays).outputs
    title = f"{layer.type} {dict(layer.config)} on {shapes}"
    return Example(title, Panels(architecture=graph, weights=Weights.from_arrays(weights) if weights else None), tuple(arrays), tuple(expected))
