"""Operations: their schemas, shapes and formulas, against values by hand, numpy, torch and keras.ops."""

from __future__ import annotations

import json
import math

import jsonschema
import numpy as np
import pytest

from triptych import resources
from triptych.documents import schemas
from triptych.documents.architecture import architecture_to_data, parse_architecture
from triptych.errors import Findings, UnsupportedError, UsageError
from triptych.vocabulary import infer
from triptych.vocabulary.evaluator import evaluate
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.operations import FAMILIES, OPERATIONS, OperationShapes
from triptych.vocabulary.operations.computing import compute

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(2, 3, 4)).astype("float32")
Y = RANDOM.normal(size=(3, 1)).astype("float32")
POSITIVE = np.abs(X) + np.float32(0.1)
IDS = np.array([[0, 2], [4, 1]], dtype="int32")
TRUE = X > 0

GRID = [
    *((name, {}, (X, Y)) for name in ("add", "subtract", "multiply", "divide", "maximum", "minimum", "remainder", "floor_divide")),
    *((name, {}, (X, X.round())) for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")),
    *((name, {}, (TRUE, X < 0.5)) for name in ("logical_and", "logical_or")),
    ("power", {"right": 2.5}, (POSITIVE,)),
    ("power", {"left": 2.0}, (X,)),
    ("add", {"right": 1}, (IDS,)),
    ("add", {"right": 0.5}, (IDS,)),
    ("divide", {"right": 2}, (IDS,)),
    ("subtract", {"left": 1.0}, (X,)),
    ("where", {}, (TRUE, X, Y)),
    ("where", {"on_false": -math.inf}, (TRUE, X)),
    *((name, {}, (X,)) for name in ("negative", "absolute", "sign", "square", "floor", "ceil", "round", "reciprocal", "exp", "expm1", "sin", "cos", "tan")),
    *((name, {}, (X,)) for name in ("arctan", "sinh", "cosh", "tanh", "sigmoid", "relu", "erf", "logical_not")),
    *((name, {}, (POSITIVE,)) for name in ("sqrt", "rsqrt", "log", "log1p", "log2", "log10")),
    *((name, {}, (np.array([1, np.nan, np.inf, -np.inf], "float32"),)) for name in ("is_nan", "is_finite")),
    *(("activate", {"activation": name}, (X,)) for name in ("silu", "gelu", "elu", "softplus", "mish", "log_sigmoid", "softmax")),
    ("activate", {"activation": "leaky_relu", "alpha": 0.3}, (X,)),
    ("clip", {"minimum": -0.5, "maximum": 0.25}, (X,)),
    ("clip", {"minimum": 0, "maximum": None}, (X,)),
    ("cast", {"dtype": "int32"}, (X * 3,)),
    ("cast", {"dtype": "bool"}, (IDS,)),
    *((name, {"axes": axes, "keepdims": keep}, (X,)) for name in ("sum", "mean", "max", "min", "product", "logsumexp", "variance") for axes, keep in ((None, False), ([1], True), ([-1, 0], False))),
    *((name, {"axes": [1], "keepdims": False}, (TRUE,)) for name in ("any", "all")),
    *((name, {"axis": axis, "keepdims": False}, (X,)) for name in ("argmax", "argmin") for axis in (0, -1)),
    *((name, {"axis": axis}, (X * 50,)) for name in ("softmax", "log_softmax") for axis in (1, -1)),
    ("cumulative_sum", {"axis": 1}, (X,)),
    ("top_k", {"k": 2}, (X,)),
    ("reshape", {"shape": [None, -1]}, (X,)),
    ("reshape", {"shape": [4, 6]}, (X,)),
    ("transpose", {"axes": [0, 2, 1]}, (X,)),
    ("transpose", {}, (X,)),
    ("squeeze", {"axes": [1]}, (X[:, :1],)),
    ("expand_dims", {"axes": [1]}, (X,)),
    ("expand_dims", {"axes": [-1]}, (X,)),
    ("broadcast_to", {"shape": [2, None, 5]}, (Y,)),
    ("flip", {"axes": [1]}, (X,)),
    ("concatenate", {"axis": -1}, (X, X[..., :1])),
    ("stack", {"axis": 1}, (X, X + 1)),
    ("split", {"parts": 2, "axis": -1}, (X,)),
    ("split", {"parts": [1, 3], "axis": 2}, (X,)),
    ("tile", {"repeats": [2, 1, 3]}, (X,)),
    ("repeat", {"repeats": 2, "axis": 1}, (X,)),
    ("roll", {"shifts": [1, -2], "axes": [0, 2]}, (X,)),
    ("pad", {"padding": [[0, 0], [1, 2], [0, 1]], "fill": 7}, (X,)),
    ("pad", {"padding": [[0, 0], [1, 2], [0, 1]], "mode": "reflect"}, (X,)),
    ("gather", {"axis": 1, "indices": [2, 0, 0]}, (X,)),
    ("gather", {"axis": 2}, (X, IDS % 4)),
    ("take_along_axis", {"axis": 2}, (X, np.argsort(X, axis=2))),
    ("one_hot", {"depth": 5}, (IDS,)),
    ("matmul", {}, (X, X.transpose(0, 2, 1))),
    ("matmul", {}, (X, X[0, 0])),
    ("einsum", {"equation": "bij,bkj->bik"}, (X, X)),
    ("einsum", {"equation": "...i,ji->...j"}, (X, Y @ np.ones((1, 4), "float32"))),
    ("triangle", {"part": "lower", "diagonal": -1}, (X,)),
    ("triangle", {"part": "upper"}, (X,)),
]


def named(one):
    name, config, inputs = one
    return f"{name}-{'-'.join(f'{key}={value}' for key, value in config.items())}-{'x'.join(str(x.ndim) for x in inputs)}"


def _torch_activation(functions, config):
    if config["activation"] == "softmax":
        return lambda x: x.softmax(-1)
    function = getattr(functions, {"log_sigmoid": "logsigmoid"}.get(config["activation"], config["activation"]))
    return (lambda x: function(x, config["alpha"])) if "alpha" in config else function


def by_torch(name, config, inputs):
    """What PyTorch makes of it; written with its own functions, not with ours."""
    import torch
    import torch.nn.functional as F

    t = [torch.from_numpy(np.ascontiguousarray(x)) for x in inputs]
    waiting = iter(t)
    pair = ("on_true", "on_false") if name == "where" else ("left", "right")
    first = next(waiting) if name == "where" else None
    has_pair = name in {"add", "subtract", "multiply", "divide", "maximum", "minimum", "remainder", "floor_divide", "power", "where", "equal", "not_equal",
                        "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or"}
    a, b = [config[one] if config.get(one) is not None else next(waiting) for one in pair] if has_pair else (t[0], None)
    axes = config.get("axes")
    dim, keep = (None if axes is None else tuple(axes)), config.get("keepdims", False)
    every = tuple(range(t[0].ndim)) if dim is None else dim
    table = {
        "subtract": lambda: a - b, "add": lambda: a + b, "multiply": lambda: a * b, "divide": lambda: a / b, "power": lambda: a**b,
        "maximum": lambda: torch.maximum(a, b), "minimum": lambda: torch.minimum(a, b), "remainder": lambda: torch.remainder(a, b),
        "floor_divide": lambda: torch.floor_divide(a, b), "equal": lambda: a == b, "not_equal": lambda: a != b, "less": lambda: a < b,
        "less_equal": lambda: a <= b, "greater": lambda: a > b, "greater_equal": lambda: a >= b, "logical_and": lambda: a & b, "logical_or": lambda: a | b,
        "where": lambda: torch.where(first, a, b),
        "negative": lambda: -a, "absolute": lambda: a.abs(), "is_nan": lambda: a.isnan(), "is_finite": lambda: a.isfinite(),
        "activate": lambda: _torch_activation(F, config)(a),
        "clip": lambda: a.clamp(config["minimum"], config["maximum"]), "cast": lambda: a.to(getattr(torch, config["dtype"])),
        "sum": lambda: a.sum(every, keepdim=keep), "mean": lambda: a.mean(every, keepdim=keep), "max": lambda: a.amax(every, keepdim=keep),
        "min": lambda: a.amin(every, keepdim=keep), "logsumexp": lambda: a.logsumexp(every, keepdim=keep),
        "variance": lambda: a.var(every, correction=0, keepdim=keep), "any": lambda: a.any(axes[0]), "all": lambda: a.all(axes[0]),
        "product": lambda: torch.from_numpy(np.asarray(np.prod(inputs[0], axis=dim, keepdims=keep))),
        "argmax": lambda: a.argmax(config["axis"]), "argmin": lambda: a.argmin(config["axis"]),
        "softmax": lambda: a.softmax(config["axis"]), "log_softmax": lambda: a.log_softmax(config["axis"]), "cumulative_sum": lambda: a.cumsum(config["axis"]),
        "top_k": lambda: a.topk(config["k"]), "reshape": lambda: a.reshape([a.shape[i] if e is None else e for i, e in enumerate(config["shape"])]),
        "transpose": lambda: a.permute(axes or list(range(a.ndim))[::-1]), "squeeze": lambda: a.squeeze(axes[0]), "expand_dims": lambda: a.unsqueeze(axes[0]),
        "broadcast_to": lambda: a.expand([-1 if e is None else e for e in config["shape"]]), "flip": lambda: a.flip(axes),
        "concatenate": lambda: torch.cat(t, config["axis"]), "stack": lambda: torch.stack(t, config["axis"]),
        "split": lambda: a.split(config["parts"] if isinstance(config["parts"], list) else a.shape[config["axis"]] // config["parts"], config["axis"]),
        "tile": lambda: a.tile(config["repeats"]), "repeat": lambda: a.repeat_interleave(config["repeats"], config["axis"]),
        "roll": lambda: a.roll(config["shifts"], axes),
        "pad": lambda: F.pad(a, [n for pair in reversed(config["padding"][(0 if config.get("mode") is None else 1):]) for n in pair],
                             **({"value": config["fill"]} if "fill" in config else {"mode": config["mode"]})),
        "gather": lambda: a[(slice(None),) * config["axis"] + ((torch.tensor(config["indices"]) if "indices" in config else t[1].long()),)],
        "take_along_axis": lambda: torch.gather(a, config["axis"], t[1]), "one_hot": lambda: F.one_hot(a.long(), config["depth"]).float(),
        "matmul": lambda: torch.matmul(*t), "einsum": lambda: torch.einsum(config["equation"], *t),
        "triangle": lambda: (torch.tril if config["part"] == "lower" else torch.triu)(a, config.get("diagonal", 0)),
    }
    result = table[name]() if name in table else getattr(torch, name)(a)
    return [one.numpy() for one in result] if isinstance(result, (tuple, list)) else [result.numpy()]


def departure(found, expected):
    """Largest difference by largest magnitude, of what is finite."""
    found, expected = found.astype("float64"), expected.astype("float64")
    finite = np.isfinite(expected)
    return float(np.abs(found[finite] - expected[finite]).max(initial=0) / max(np.abs(expected[finite]).max(initial=0), 1e-30))


@pytest.mark.parametrize("one", GRID, ids=map(named, GRID))
def test_a_formula_yields_what_torch_yields_and_the_shape_that_is_said(one, errors):
    """Within 1e-5 relative; dtypes of one kind; the rule of the shape agrees, and with an unknown batch, too."""
    name, config, inputs = one
    mine, torchs = compute(name, config, inputs), by_torch(*one)
    assert len(mine) == len(torchs)
    rule, resolved = OPERATIONS[name].rule, OPERATIONS[name].resolve(config)
    said = rule(OperationShapes(resolved, tuple(x.shape for x in inputs)))
    assert [tuple(shape) for shape in (said if isinstance(said, list) else [said])] == [x.shape for x in mine]
    for x, y in zip(mine, torchs, strict=True):
        assert x.dtype.kind == y.dtype.kind or (x.dtype.kind, y.dtype.kind) == ("b", "b")
        assert x.dtype != np.float64
        np.testing.assert_allclose(x.astype("float64"), y.astype("float64"), rtol=1e-5, atol=1e-6)
    errors(name, "NumPy" if name == "product" else "PyTorch", config, max(map(departure, mine, torchs)))
    loose = rule(OperationShapes(resolved, tuple((None, *x.shape[1:]) if x.ndim else x.shape for x in inputs))) if name not in {"broadcast_to"} else said
    for unknown, known in zip(loose if isinstance(loose, list) else [loose], said if isinstance(said, list) else [said], strict=True):
        assert len(unknown) == len(known)
        assert all(a is None or a == b or name == "reshape" for a, b in zip(unknown, known, strict=True))


def test_the_grid_has_every_operation():
    """Those that torch does not have are below."""
    below = {"attention", "slice", "flatten", "constant", "identity", "l2_normalize"}
    assert {name for name, _, _ in GRID} | below == set(OPERATIONS)
    assert {found.family for found in OPERATIONS.values()} == {family.FAMILY for family in FAMILIES}


@pytest.mark.parametrize(
    ("entries", "index"),
    [
        ([0], np.s_[0]),
        (["rest", -1], np.s_[..., -1]),
        ([[None, None, None], [1, None, None], [None, None, 2]], np.s_[:, 1:, ::2]),
        (["new", [None, None, -1], "rest", "new"], np.s_[None, ::-1, ..., None]),
        ([[0, 1, None], "rest", [-3, -1, 1]], np.s_[0:1, ..., -3:-1:1]),
        ([[5, 9, None]], np.s_[5:9]),
    ],
)
def test_a_slice_is_numpys(entries, index, errors):
    """Value and shape."""
    (mine,) = compute("slice", {"entries": entries}, [X])
    errors("slice", "NumPy", entries, departure(mine, X[index]))
    np.testing.assert_array_equal(mine, X[index])
    assert OPERATIONS["slice"].rule(OperationShapes({"entries": entries}, (X.shape,))) == X[index].shape


def test_attention_is_torchs(errors):
    """With and without a mask, causal or not, with a scale."""
    import torch

    q, k, v = (torch.from_numpy(RANDOM.normal(size=(2, 3, n, d)).astype("float32")) for n, d in ((4, 5), (6, 5), (6, 2)))
    seen = torch.from_numpy(RANDOM.random((2, 1, 4, 6)) > 0.3)
    seen[..., 0] = True
    for config, mask, torchs in (
        ({}, None, {}),
        ({"scale": 0.5}, None, {"scale": 0.5}),
        ({"causal": True}, None, {"is_causal": True}),
        ({}, seen, {"attn_mask": seen}),
        ({}, seen.float() * 3, {"attn_mask": seen.float() * 3}),
    ):
        given = [one.numpy() for one in (q, k, v, *([] if mask is None else [mask]))]
        (mine,) = compute("attention", config, given)
        expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, **torchs).numpy()
        errors("attention", "PyTorch", config, departure(mine, expected))
        np.testing.assert_allclose(mine, expected, rtol=1e-5, atol=1e-6)


def test_flatten_constant_and_identity():
    """By hand."""
    np.testing.assert_array_equal(compute("flatten", {"start_axis": 1}, [X])[0], X.reshape(2, 12))
    np.testing.assert_array_equal(compute("flatten", {"start_axis": 0, "end_axis": 1}, [X])[0], X.reshape(6, 4))
    (made,) = compute("constant", {"value": [1, 2, 3, 4], "shape": [2, 2], "dtype": "int32"}, [])
    assert made.tolist() == [[1, 2], [3, 4]] and made.dtype == np.int32
    assert compute("constant", {"value": -math.inf}, [])[0] == -np.inf
    assert compute("identity", {}, [X])[0] is X or np.array_equal(compute("identity", {}, [X])[0], X)


def test_l2_normalize_by_hand():
    """3, 4 has length 5; the two places of epsilon differ for what is shorter than it."""
    x = np.array([[3, 4], [0.03, 0.04]], "float32")
    (norm,) = compute("l2_normalize", {"axes": [1], "epsilon": 0.1, "epsilon_on": "norm"}, [x])
    (square,) = compute("l2_normalize", {"axes": [1], "epsilon": 0.1, "epsilon_on": "square"}, [x])
    np.testing.assert_allclose(norm, [[0.6, 0.8], [0.3, 0.4]], rtol=1e-6)
    np.testing.assert_allclose(square, [[0.6, 0.8], [0.03 / math.sqrt(0.1), 0.04 / math.sqrt(0.1)]], rtol=1e-6)


def test_values_by_hand():
    """Dtypes and rounding that are easily got wrong."""
    assert compute("round", {}, [np.array([0.5, 1.5, 2.5, -0.5], "float32")])[0].tolist() == [0, 2, 2, 0]
    assert compute("remainder", {"right": 3}, [np.array([-1, 4], "int32")])[0].tolist() == [2, 1]
    assert compute("cast", {"dtype": "int32"}, [np.array([-1.7, 1.7], "float32")])[0].tolist() == [-1, 1]
    assert compute("sum", {}, [np.array([True, True, False])])[0] == 2
    assert compute("subtract", {"left": 1}, [np.array([True, False])])[0].tolist() == [0, 1]
    assert compute("cumulative_sum", {"axis": 0, "exclusive": True, "reverse": True}, [np.array([1, 2, 3], "int32")])[0].tolist() == [5, 3, 0]
    assert compute("top_k", {"k": 2}, [np.array([1, 3, 3, 2], "int32")])[1].tolist() == [1, 2]
    assert compute("one_hot", {"depth": 2, "axis": 0}, [np.array([1, 7], "int32")])[0].tolist() == [[0, 0], [1, 0]]
    assert compute("divide", {"left": 1}, [np.array([0.0, 2.0], "float32")])[0].tolist() == [np.inf, 0.5]
    assert compute("variance", {"correction": 1}, [np.array([1, 2, 3], "float32")])[0] == 1
    mixed = compute("add", {}, [IDS, np.ones(2, "float32")])[0]
    assert mixed.dtype == np.float32
    assert compute("add", {}, [IDS, np.ones(2, "float64")])[0].dtype == np.float64
    assert compute("add", {"right": 0.5}, [IDS], "float64")[0].dtype == np.float64


def test_narrow_numbers_are_rounded_at_the_end():
    """float16 in, float16 out, computed in float32; a cast says its own dtype."""
    x = np.array([1000, 1, 1], "float16")
    (total,) = compute("sum", {}, [x])
    assert total.dtype == np.float16 and total == np.float16(1002)
    assert compute("cast", {"dtype": "float32"}, [x])[0].dtype == np.float32
    assert compute("cast", {"dtype": "bfloat16"}, [np.array([1.01], "float32")])[0].astype("float32")[0] == np.float32(1.0078125)
    assert compute("cast", {"dtype": "float16"}, [X], "float64")[0].dtype == np.float64


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_schema_takes_its_own_defaults(name):
    """A valid 2020-12 schema; members in the order of the definition; no member takes an array of an object."""
    schema = json.loads(resources.read_text(f"schemas/1.0/operations/{name}.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    found = OPERATIONS[name]
    assert schemas.member_order(f"operations/{name}") == tuple(one.name for one in found.fields)
    for one in found.fields:
        if not one.required:
            jsonschema.validate(one.default, schema["properties"][one.name])
        findings = Findings()
        schemas.check(f"operations/{name}", {one.name: [{}]}, findings)
        assert any(problem.requirement == "LYR-032" for problem in findings.problems), one.name


def graph(calls, outputs, **inputs):
    return {
        "format_version": "1.0", "inputs": [{"name": name, "shape": shape} for name, shape in inputs.items()],
        "layers": [{"name": "dense", "type": "Dense", "config": {"units": 4, "use_bias": False}}], "calls": calls, "outputs": outputs,
    }


EXAMPLE = graph(
    [
        {"layer": "dense", "inputs": ["x"]},
        {"op": "subtract", "config": {"left": 1.0}, "inputs": ["dense"], "outputs": ["rest"]},
        {"op": "where", "config": {"on_false": {"float": "-Infinity"}}, "inputs": ["m", "rest"], "outputs": ["y"]},
    ],
    ["y"], x=[None, 4], m=[None, 4],
)


def test_a_graph_is_read_written_inferred_and_evaluated():
    """A layer, a literal on the left and one that is not finite."""
    architecture = parse_architecture(EXAMPLE, Findings())
    assert architecture_to_data(architecture) == EXAMPLE
    assert architecture.calls[2].config == {"on_false": -math.inf}
    inference = infer(architecture)
    assert inference.problems == () and inference.outputs == ((None, 4),)
    assert inference.operations["/calls/1"].inputs == ((None, 4),)
    kernel, x, m = np.eye(4, dtype="float32") * 2, X[0], np.array([1, 0, 1, 1], "float32") * np.ones((3, 1), "float32")
    (y,) = evaluate(architecture, {"dense.kernel": kernel}, [x, m]).outputs
    np.testing.assert_allclose(y, np.where(m, 1 - 2 * x, -np.inf), rtol=1e-6)


def test_operations_inside_a_nested_architecture():
    """Shapes and values go through."""
    inner = {key: value for key, value in graph([{"op": "sum", "config": {"axes": [-1]}, "inputs": ["x"], "outputs": ["s"]}], ["s"], x=[None, 4]).items() if key != "format_version"}
    outer = {"format_version": "1.0", "inputs": [{"name": "x", "shape": [None, 4]}],
             "layers": [{"name": "inner", "type": "Model", "architecture": {**inner, "layers": []}}],
             "calls": [{"layer": "inner", "inputs": ["x"]}], "outputs": ["inner"]}
    architecture = parse_architecture(outer, Findings())
    assert infer(architecture).outputs == ((None,),)
    assert evaluate(architecture, {}, [X[0]]).outputs[0].tolist() == pytest.approx(X[0].sum(-1).tolist())


def test_keras_2_refuses_what_tensorflow_refuses():
    """A choice by numbers instead of truths: a conversion names the call."""
    from triptych.errors import ConversionError
    from triptych.layouts.keras_config.architecture import write_model_config

    with pytest.raises(ConversionError, match="calls/2.*truths made of numbers"):
        write_model_config(parse_architecture(EXAMPLE, Findings()))


def test_what_cannot_be_evaluated():
    """An extension operation; inputs that do not fit."""
    with pytest.raises(UnsupportedError):
        compute("torch:fold", {}, [X])
    with pytest.raises(UsageError):
        compute("add", {}, [X, X[:, :2]])
    with pytest.raises(UsageError):
        compute("gather", {"axis": 0}, [X, np.array([9])])
    with pytest.raises(UsageError):
        compute("max", {}, [np.zeros((0,), "float32")])


@pytest.mark.parametrize(
    ("name", "config", "shapes"),
    [
        ("add", {}, [(2, 3), (2,)]),
        ("reshape", {"shape": [-1, -1]}, [(2, 3)]),
        ("reshape", {"shape": [7]}, [(2, 3)]),
        ("reshape", {"shape": [2, 3, None]}, [(2, 3)]),
        ("reshape", {"shape": [None, 4]}, [(None, 3)]),
        ("transpose", {"axes": [0]}, [(2, 3)]),
        ("squeeze", {"axes": [0]}, [(2, 3)]),
        ("sum", {"axes": [0, -2]}, [(2, 3)]),
        ("slice", {"entries": ["rest", "rest"]}, [(2, 3)]),
        ("slice", {"entries": [0, 0, 0]}, [(2, 3)]),
        ("slice", {"entries": [[0, 1, 0]]}, [(2, 3)]),
        ("slice", {"entries": [2]}, [(2, 3)]),
        ("einsum", {"equation": "ij->ik"}, [(2, 3)]),
        ("einsum", {"equation": "ij->ii"}, [(2, 3)]),
        ("einsum", {"equation": "...i->i"}, [(2, 3)]),
        ("matmul", {}, [(2, 3), (2, 3)]),
        ("matmul", {}, [(), (2, 3)]),
        ("pad", {"padding": [[0, 1]]}, [(2, 3)]),
        ("pad", {"padding": [[0, 0], [3, 0]], "mode": "reflect"}, [(2, 3)]),
        ("broadcast_to", {"shape": [2, 4]}, [(2, 3)]),
        ("split", {"parts": 2, "axis": 1}, [(2, 3)]),
        ("constant", {"value": [1, 2], "shape": [3]}, []),
        ("concatenate", {"axis": 0}, [(2, 3), (2, 4)]),
        ("stack", {"axis": 0}, [(2, 3), (3,)]),
        ("top_k", {"k": 4}, [(2, 3)]),
        ("attention", {}, [(2, 3), (2, 4), (2, 4)]),
    ],
)
def test_shapes_that_do_not_fit(name, config, shapes):
    """A ShapeError, never another exception."""
    with pytest.raises(ShapeError):
        OPERATIONS[name].rule(OperationShapes(OPERATIONS[name].resolve(config), tuple(shapes)))


def test_a_reshape_keeps_what_is_not_known():
    """An unknown extent that is kept does not hide what remains."""
    rule = OPERATIONS["reshape"].rule
    assert rule(OperationShapes({"shape": [None, -1]}, ((None, 3, 4),))) == (None, 12)
    assert rule(OperationShapes({"shape": [-1, 4]}, ((None, 3, 4),))) == (None, 4)
    assert rule(OperationShapes({"shape": [None, None, 2, -1]}, ((None, None, 8),))) == (None, None, 2, 4)
