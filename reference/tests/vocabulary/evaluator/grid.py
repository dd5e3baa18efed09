"""The option grid of the families Core, Convolution, Pooling, Normalization, Reshaping, Resizing and Augmentation, and of PReLU, which has weights.

Also a program: ``python grid.py OUT MOST`` has Keras 3, on the backend that KERAS_BACKEND names, compute `some_cases` into a pickle.
"""

import pickle
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import judging

from triptych.model import Architecture, Call, Input, Layer
from triptych.vocabulary import LAYER_TYPES, infer, weight_slots
from triptych.vocabulary.evaluator import evaluate

TOLERANCE = 1e-5

FAMILIES = {"Core", "Convolution", "Pooling", "Normalization", "Reshaping", "Resizing", "Augmentation"}
IMAGE = (None, 13, 10, 6)
FIRST = (None, 6, 13, 10)

def more():
    """What the grid of shapes does not need: options that change numbers only."""
    for activation in ("softmax", "gelu", "silu", "elu", "hard_sigmoid", "hard_sigmoid_keras2"):
        yield "Dense", {"units": 7, "activation": activation}, [(None, 4)]
        yield "Conv2D", {"filters": 4, "kernel_size": [3, 2], "activation": activation}, [IMAGE]
    yield "Rescaling", {"scale": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "offset": [0.5] * 6}, [IMAGE]
    for size in ([2, 3], [1, 4]):
        for interpolation in ("nearest", "bilinear", "bicubic"):
            yield "UpSampling2D", {"size": size, "interpolation": interpolation}, [IMAGE]
    yield "Conv2DTranspose", {"filters": 4, "kernel_size": [2, 5], "strides": [3, 2], "padding": "same_upper"}, [IMAGE]
    yield "Conv2DTranspose", {"filters": 4, "kernel_size": [2, 5], "strides": [3, 2]}, [IMAGE]
    yield "Conv2D", {"filters": 4, "kernel_size": [4, 4], "padding": "same_upper", "dilation_rate": [2, 3]}, [IMAGE]
    yield "Conv2D", {"filters": 5, "kernel_size": [3, 3], "padding": "same_upper", "strides": [2, 3], "data_format": "channels_first"}, [FIRST]
    yield "Conv1D", {"filters": 4, "kernel_size": [4], "padding": "same_upper", "strides": [3], "groups": 2}, [(None, 17, 6)]
    yield "LayerNormalization", {"axis": [1, 3], "epsilon": 1e-5}, [IMAGE]
    yield "UnitNormalization", {"axis": [1, 2]}, [IMAGE]
    yield "BatchNormalization", {"axis": 2, "momentum": 0.99, "epsilon": 1e-5}, [IMAGE]


def cases():
    """(type, config, input shapes) of these families."""
    for name, config, shapes in [*judging.grids.grid(), *more()]:
        if LAYER_TYPES[name].family in FAMILIES or name == "PReLU":
            yield name, config, shapes


def some_cases(most):
    """At most `most` of each type, spread over its options."""
    by_type = {}
    for case in cases():
        by_type.setdefault(case[0], []).append(case)
    return [case for of in by_type.values() for case in of[:: -(-len(of) // most)]]


def inputs_of(name, config, shapes):
    """Random inputs; integers where the type looks rows up."""
    if name == "Embedding":
        return [np.random.default_rng(0).integers(0, config["input_dim"], judging.concrete(shape)).astype("int32") for shape in shapes]
    return judging.arrays(shapes)


def ours(layer, inputs, weights, outputs=1, dtype=None):
    """What the evaluator makes of it."""
    names = [f"in{i}" for i in range(len(inputs))]
    architecture = Architecture(
        (layer,),
        tuple(Input(name, (None, *one.shape[1:]), one.dtype.name) for name, one in zip(names, inputs, strict=True)),
        (Call("x", tuple(names), outputs=tuple(f"out{i}" for i in range(outputs))),),
        tuple(f"out{i}" for i in range(outputs)),
    )
    slots = weight_slots(architecture, infer(architecture))
    assert [slot.shape for slot in slots] == [one.shape for one in weights]
    return evaluate(architecture, {s.tensor: w for s, w in zip(slots, weights, strict=True)}, inputs, dtype=dtype).outputs


def compare(errors, framework, name, config, shapes, judged, tolerance=TOLERANCE):
    """Judge one case and note its error."""
    weights, theirs = judged
    inputs = inputs_of(name, config, shapes)
    try:
        found = ours(Layer("x", name, config), inputs, weights, len(theirs))
    except Exception as problem:
        problem.add_note(f"{name} {config} on {shapes}")
        raise
    error = max(map(judging.relative_error, found, theirs))
    errors(name, framework, config, error)
    assert error <= tolerance, (framework, name, config, shapes, error)


def main(out, most):
    import keras

    results = []
    for name, config, shapes in some_cases(int(most)):
        try:
            results.append(judging.keras_call(keras, Layer("x", name, config), inputs_of(name, config, shapes)))
        except Exception as error:  # noqa: BLE001 - the judge says what this backend cannot do
            results.append(f"{type(error).__name__}: {error}"[:300])
    Path(out).write_bytes(pickle.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
