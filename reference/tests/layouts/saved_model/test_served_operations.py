"""TensorFlow serves every operation as the evaluator computes it: all options, all dtypes, numbers at the edges, extents that are not known."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from triptych.layouts.saved_model import writer
from triptych.layouts.saved_model.graph.emission import OPERATION_EMITTERS
from triptych.model import Architecture, Call, Input, Panels
from triptych.vocabulary.operations import OPERATIONS
from triptych.vocabulary.operations.computing import compute

sys.path.insert(0, str(Path(__file__).parent))  # where serving is
sys.path.insert(0, str(Path(__file__).parents[2] / "vocabulary" / "operations"))  # where the grid of operations is

import serving
import test_operations

INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
PAIRS = [name for name, found in OPERATIONS.items() if found.literals == ("left", "right")]
SINGLE = ["negative", "absolute", "sign", "square", "logical_not", "relu", "floor", "exp", "is_nan"]
REDUCED = ["sum", "product", "mean", "max", "min", "any", "all", "argmax", "variance", "cumulative_sum", "top_k"]
EDGES = np.array([-math.inf, -2.5, -1.5, -0.5, -0.0, 0.0, 0.5, 1.5, 2.5, 7.0, math.inf, math.nan], "float32")
X = test_operations.X


def of(name, config, arrays):
    """An example of one operation."""
    with np.errstate(all="ignore"):
        expected = compute(name, config, arrays)
    names, outputs = tuple(f"in{number}" for number in range(len(arrays))), tuple(f"out{number}" for number in range(len(expected)))
    inputs = tuple(Input(label, array.shape, array.dtype.name) for label, array in zip(names, arrays, strict=True))
    graph = Architecture((), inputs, (Call("", names, op=name, config=config, outputs=outputs),), outputs)
    title = f"{name} {config} on {[(one.dtype, one.shape) for one in inputs]}"
    return serving.Example(title, Panels(architecture=graph), tuple(arrays), tuple(expected))


def config_of(name):
    """What an operation along axes cannot do without."""
    return {"argmax": {"axis": 1}, "cumulative_sum": {"axis": 1, "exclusive": True, "reverse": True}, "top_k": {"k": 2}}.get(name, {})


def of_integers():
    for dtype in [*INTEGERS, "bool"]:
        left = np.array([[7, 3, 0, 5], [1, 5, 5, 100]]).astype(dtype)
        right = np.array([2, 3, 4, 0]).astype(dtype)
        for name in PAIRS:
            yield of(name, {}, (left, right))
        for name in (*SINGLE, *REDUCED):
            yield of(name, config_of(name), (left,))
        yield of("matmul", {}, (left, right))
        yield of("einsum", {"equation": "ij,ij->i"}, (left, left))
        yield of("clip", {"minimum": 1, "maximum": None}, (left,))
        yield of("triangle", {"part": "lower", "diagonal": 1}, (left,))
        yield of("pad", {"padding": [[0, 0], [2, 1]], "mode": "symmetric"}, (left,))
        yield of("where", {"on_false": 3}, (left, right))
        yield of("one_hot", {"depth": 6, "axis": 0, "dtype": "uint8"}, (left,))
        yield of("take_along_axis", {"axis": 1}, (left, np.array([[-1, 0], [1, 2]], "int64")))
        for other in ("int8", "bool", "float64"):
            yield of("cast", {"dtype": other}, (left,))
            yield of("add", {}, (left, np.array([[1], [0]]).astype(other)))


def of_overflows():
    """Sums and products that wrap around, and means that must not."""
    for dtype in ("int8", "uint8", "int16", "uint16", "int32"):
        top = np.iinfo(dtype).max
        wide = np.array([[top, top, 3, top - 1], [top // 2 + 1, top, 7, top]], dtype)
        for name in ("add", "subtract", "multiply"):
            yield of(name, {}, (wide, wide[0]))
        for name in ("negative", "square"):
            yield of(name, {}, (wide,))
        for config in ({}, {"axes": [1]}, {"axes": [0], "keepdims": True}):
            for name in ("sum", "product", "mean", "variance", "logsumexp"):
                yield of(name, config, (wide,))
        yield of("cumulative_sum", {"axis": 1}, (wide,))
        yield of("matmul", {}, (wide, wide.T.copy()))
        yield of("einsum", {"equation": "ij,ij->i"}, (wide, wide))
        yield of("einsum", {"equation": "ij->j"}, (wide,))


def of_edges():
    for name in PAIRS:
        yield of(name, {}, (EDGES[:, None], EDGES))
    for name in (*SINGLE, "round", "ceil", "rsqrt", "log", "sigmoid", "is_finite", "erf", "tanh", "log1p"):
        yield of(name, {}, (EDGES,))
    for name in ("max", "min", "sum", "any", "all", "logsumexp"):
        for several in (EDGES, EDGES[:-1], EDGES[1:-2]):
            yield of(name, {}, (several,))
    yield of("clip", {"minimum": -1.0, "maximum": 2}, (EDGES,))
    yield of("argmax", {"axis": 0, "keepdims": True}, (np.array([3, 7, 7, 1], "float32"),))
    yield of("cast", {"dtype": "int32"}, (EDGES[1:-2],))


def of_shapes():
    for entries in ([0, "new", [None, None, -1]], ["rest", 1], [[-2, None, None], "new", "rest", [None, -1, 2]], [[5, 1, -2]], [-1, -1, -1]):
        yield of("slice", {"entries": entries}, (X,))
    for equation, arrays in (("ii->i", (np.eye(3, dtype="float32"),)), ("a,b,bc->ca", (X[0, 0], X[0, :, 0], X[0])), ("...a->a...", (X,)), (",i->i", (X[0, 0, 0], X[0, 0])), ("...ij,jk,...k->...i", (X, X[0].T, X[:, 0, :3])), ("i...,...->i...", (X[0, 0], X[0, 0, 0]))):
        yield of("einsum", {"equation": equation}, arrays)
    for left, right in ((X[0, 0], X[0, 0]), (X, X[0].T), (X[0, 0], X.transpose(0, 2, 1)), (X[:, None], X.transpose(0, 2, 1)[None])):
        yield of("matmul", {}, (left, right))
    for diagonal in (-2, 0, 1):
        for part in ("lower", "upper"):
            yield of("triangle", {"part": part, "diagonal": diagonal}, (X,))
    yield of("attention", {"causal": True, "scale": 0.5}, (X, X, X))
    yield of("attention", {}, (X, X[:1], X[:1], X[..., :3] > 0.5))
    yield of("reshape", {"shape": [None, 2, -1, 2]}, (X[:, :2],))
    yield of("reshape", {"shape": [0, 3]}, (X[:0],))
    yield of("squeeze", {}, (X[:1, :1],))
    yield of("squeeze", {"axes": []}, (X[:1],))
    yield of("expand_dims", {"axes": [0, -1]}, (X,))
    yield of("flip", {}, (X,))
    yield of("sum", {"axes": []}, (X,))
    yield of("roll", {"shifts": [], "axes": []}, (X,))
    yield of("tile", {"repeats": [3, 2]}, (X[0, 0],))
    yield of("pad", {"padding": [[1, 0], [0, 2], [0, 0]], "mode": "edge"}, (X,))
    yield of("gather", {"axis": -1, "indices": [-1, 0, -4]}, (X,))
    yield of("gather", {"axis": 1}, (X, np.array([[-1, 0]], "int16")))
    yield of("split", {"parts": [0, 3], "axis": 1}, (X,))
    yield of("concatenate", {"axis": 0}, (X, X.astype("float64"), test_operations.TRUE))
    yield of("power", {"left": 2, "right": None}, (test_operations.IDS,))


def of_constants():
    """Constants, side by side with an input: a signature has one at least."""
    for dtype in (*INTEGERS, "bool", "float16", "float64"):
        for config in ({"value": [1, 0, 2.5, 3.5], "shape": [2, 2]}, {"value": True}, {"value": math.inf if "float" in dtype else 3, "shape": [0, 2]}):
            (expected,) = compute("constant", {**config, "dtype": dtype}, ())
            calls = (Call("", (), op="constant", config={**config, "dtype": dtype}, outputs=("out",)), Call("", ("x",), op="identity", outputs=("y",)))
            graph = Architecture((), (Input("x", X.shape, "float32"),), calls, ("out", "y"))
            yield serving.Example(f"constant {config} {dtype}", Panels(architecture=graph), (X,), (expected, X))


def joined_and_served(folder, examples):
    """What differs from what is expected, by the example."""
    panels = serving.joined(examples)
    writer.write(panels, folder / "model")
    served = iter(serving.serve(folder / "model", panels, [array for one in examples for array in one.inputs]))
    errors = [(serving.relative_error(next(served), expected), one) for one in examples for expected in one.outputs]
    return {one.title: error for error, one in errors if error > one.tolerance}


def test_every_operation_has_an_emitter():
    """No operation of the vocabulary is refused as a whole."""
    assert set(OPERATION_EMITTERS) == set(OPERATIONS)


@pytest.mark.parametrize("examples", [of_integers, of_overflows, of_edges, of_shapes, of_constants])
def test_operations_are_served_as_the_evaluator_computes_them(tmp_path, examples):
    """Of whole numbers, of numbers that are none, of the options that shapes depend on, and of nothing."""
    assert joined_and_served(tmp_path, list(examples())) == {}


def test_extents_need_not_be_known(tmp_path):
    """The grid of the vocabulary's own tests, with every extent open that the operation lets be open."""
    examples = [of(name, config, arrays) for name, config, arrays in test_operations.GRID]
    opened = [one for one in map(serving.loosened, examples) if one is not None]
    assert len(opened) > len(examples) / 2
    assert joined_and_served(tmp_path, [*examples, *opened]) == {}
