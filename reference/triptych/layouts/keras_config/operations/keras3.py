"""Operations of Keras 3 (``keras.ops``) that it keeps in graphs beside its layers, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from triptych.layouts.keras_config.operations import meanings as m
from triptych.layouts.keras_config.operations.functions import Function, Wanted, functions, lacking
from triptych.layouts.keras_config.operations.said import Argument, Constant, Said, is_integer, nested
from triptych.layouts.keras_config.operations.tensorflow import brackets
from triptych.layouts.keras_config.plain import unsayable
from triptych.model import Json

_PAIRS = {
    "add": "Add",
    "subtract": "Subtract",
    "multiply": "Multiply",
    "divide": "Divide",
    "floor_divide": "FloorDivide",
    "remainder": "Mod",
    "power": "Power",
    "maximum": "Maximum",
    "minimum": "Minimum",
    "equal": "Equal",
    "not_equal": "NotEqual",
    "less": "Less",
    "less_equal": "LessEqual",
    "greater": "Greater",
    "greater_equal": "GreaterEqual",
    "logical_and": "LogicalAnd",
    "logical_or": "LogicalOr",
}
_SINGLES = {
    "negative": "Negative",
    "absolute": "Absolute",
    "sign": "Sign",
    "square": "Square",
    "logical_not": "LogicalNot",
    "floor": "Floor",
    "ceil": "Ceil",
    "reciprocal": "Reciprocal",
    "sqrt": "Sqrt",
    "exp": "Exp",
    "expm1": "Expm1",
    "log": "Log",
    "log1p": "Log1p",
    "log2": "Log2",
    "log10": "Log10",
    "sin": "Sin",
    "cos": "Cos",
    "tan": "Tan",
    "arctan": "Arctan",
    "sinh": "Sinh",
    "cosh": "Cosh",
    "tanh": "Tanh",
    "is_nan": "Isnan",
    "is_finite": "Isfinite",
    "identity": "Copy",
}
_FUNCTIONS_OF_NN = {"sigmoid": "Sigmoid", "relu": "Relu", "softmax": "Softmax", "log_softmax": "LogSoftmax"}
_REDUCTIONS = {"sum": "Sum", "product": "Prod", "mean": "Mean", "max": "Max", "min": "Min", "any": "Any", "all": "All", "variance": "Var"}
_ACTIVATIONS = {
    "silu": "Silu",
    "selu": "Selu",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "hard_sigmoid": "HardSigmoid",
    "hard_silu": "HardSilu",
    "hard_tanh": "HardTanh",
    "tanh_shrink": "TanhShrink",
    "log_sigmoid": "LogSigmoid",
    "sparse_plus": "SparsePlus",
}
"""Activation -> the operation of it without parameters."""
_AT_A_HALF = {"hard_shrink": "HardShrink", "soft_shrink": "SoftShrink"}
_ACTIVATING = {**_ACTIVATIONS, "relu": "Relu", "relu6": "Relu6", "sigmoid": "Sigmoid", "tanh": "Tanh", "exponential": "Exp", "linear": "Copy"}
_NUMPY, _NN, _MATH, _CORE = (f"keras.src.ops.{name}" for name in ("numpy", "nn", "math", "core"))
_MODULES = {
    **dict.fromkeys((*_ACTIVATIONS.values(), *_AT_A_HALF.values(), "LeakyRelu", "Elu", "Gelu", "Squareplus"), _NN),
    **dict.fromkeys((*_FUNCTIONS_OF_NN.values(), "Relu6", "OneHot", "Normalize"), _NN),
    **dict.fromkeys(("Logsumexp", "Rsqrt", "Erf", "TopK"), _MATH),
    **dict.fromkeys(("Cast", "Slice", "Unstack"), _CORE),
}
"""Class -> its module, where that is not numpy's."""


def _relu6(x: Argument) -> Said:
    return m.clip(x, 0, 6)


def _round(x: Argument, decimals: Argument) -> Said:
    return m.single("round")(x) if not decimals else unsayable("digits")


def _sum_dtype(meaning: m.Meaning) -> m.Meaning:
    """`meaning` for what takes a dtype, which has to be that of the operand."""

    def held(x: Argument, axis: Argument, keepdims: Argument, dtype: Argument) -> Said:
        if dtype is not None and dtype != m.the_tensor(x).dtype:
            unsayable("a sum of another dtype")
        return meaning(x, axis, keepdims)

    return held


def _cumulative(x: Argument, axis: Argument, dtype: Argument) -> Said:
    given = m.the_tensor(x)
    if given.dtype in (*m.NARROW, "bool") or (dtype is not None and dtype != given.dtype):
        unsayable("a sum of another dtype")
    return Said("cumulative_sum", (given,), {"axis": m.the_axis(axis)})


def _normalized(x: Argument, axis: Argument, order: Argument, epsilon: Argument) -> Said:
    if order not in (None, 2):
        unsayable("a norm")
    given = m.the_tensor(x)
    least = 1e-7 if epsilon is None else epsilon
    return Said("l2_normalize", (given,), {"axes": m.axes_of(-1 if axis is None else axis), "epsilon": least, "epsilon_on": "norm"})


def _largest(x: Argument, k: Argument) -> Said:
    return Said("top_k", (m.the_tensor(x),), {"k": k}, outputs=2)


def _split(x: Argument, parts: Argument, axis: Argument) -> Said:
    given = m.the_tensor(x)
    place = 0 if axis is None else m.the_axis(axis)
    if is_integer(parts):
        return Said("split", (given,), {"parts": parts, "axis": place}, outputs=parts)
    extent = m.shape_of(given)[place]
    if extent is None:
        unsayable("an axis of unknown extent")
    ends = [0, *m.integers(parts), extent]
    sizes = [end - begin for begin, end in pairwise(ends)]
    return Said("split", (given,), {"parts": sizes, "axis": place}, outputs=len(sizes))


def _pad(x: Argument, width: Argument, mode: Argument, fill: Argument) -> Said:
    given = m.the_tensor(x)
    pairs = [[width, width]] if is_integer(width) else width
    if isinstance(pairs, list) and pairs and is_integer(pairs[0]):
        pairs = [pairs if len(pairs) == 2 else pairs * 2]
    if isinstance(pairs, list) and len(pairs) == 1:
        pairs = pairs * len(m.shape_of(given))
    config: dict[str, Json] = {"padding": pairs, "mode": mode or "constant"}
    return Said("pad", (given,), config | ({"fill": fill} if fill else {}))


def _one_hot(x: Argument, depth: Argument, axis: Argument, dtype: Argument) -> Said:
    return m.one_hot(x, depth, axis, dtype or "float32")


def _take(x: Argument, indices: Argument, axis: Argument) -> Said:
    return m.gather(x, indices, axis) if axis is not None else unsayable("a flat index")


def _take_along(x: Argument, indices: Argument, axis: Argument) -> Said:
    given = m.the_tensor(x)
    return Said("take_along_axis", (given, m.the_tensor(indices)), {"axis": m.the_axis(axis)})


def _moved(x: Argument, source: Argument, destination: Argument) -> Said:
    rank = len(m.shape_of(m.the_tensor(x)))
    origins, goals = ([axis % rank for axis in m.integers(one)] for one in (source, destination))
    order = [axis for axis in range(rank) if axis not in origins]
    for goal, origin in sorted(zip(goals, origins, strict=True)):
        order.insert(goal, origin)
    return m.transpose(x, order)


def _swapped(x: Argument, one: Argument, other: Argument) -> Said:
    order = list(range(len(m.shape_of(m.the_tensor(x)))))
    a, b = m.the_axis(one), m.the_axis(other)
    order[a], order[b] = order[b], order[a]
    return m.transpose(x, order)


def _flat(x: Argument) -> Said:
    return m.reshape(x, [-1])


def _triangle(part: str) -> m.Meaning:
    def meaning(x: Argument, diagonal: Argument) -> Said:
        given = m.the_tensor(x)
        return Said("triangle", (given,), {"part": part, "diagonal": diagonal or 0})

    return meaning


def _stretched(x: Argument, shape: Argument) -> Said:
    given = m.the_tensor(x)
    return Said("broadcast_to", (given,), {"shape": m.integers(shape)})


OPERATIONS: dict[str, Function] = {
    **functions("x1 x2", {name: m.pair(op) for op, name in _PAIRS.items()}),
    **functions("x1 x2", {"TrueDivide": m.pair("divide"), "Remainder": m.pair("remainder"), "Matmul": m.matmul}),
    **functions("x", {name: m.single(op) for op, name in _SINGLES.items()}),
    **functions("x", {name: m.single(op) for op, name in (("sigmoid", "Sigmoid"), ("relu", "Relu"), ("rsqrt", "Rsqrt"), ("erf", "Erf"))}),
    **functions("x", {"Abs": m.single("absolute"), "Relu6": _relu6, "Ravel": _flat}),
    **functions("x", {name: m.activation(ours) for ours, name in _ACTIVATIONS.items()}),
    **functions("x negative_slope", {"LeakyRelu": m.activation("leaky_relu")}),
    **functions("x alpha", {"Elu": m.activation("elu")}),
    **functions("x approximate", {"Gelu": m.gelu}),
    **functions("x", {name: m.activation(ours) for ours, name in _AT_A_HALF.items()}, threshold=(0.5,)),
    **functions("x", {"Squareplus": m.activation("squareplus")}, b=(4,)),
    **functions("x decimals", {"Round": _round}),
    **functions("x axis", {"Softmax": m.along("softmax"), "LogSoftmax": m.along("log_softmax")}),
    **functions("x axis keepdims", {_REDUCTIONS[op]: m.reduction(op) for op in ("mean", "max", "min", "any", "all", "variance")}),
    **functions("x axis keepdims", {"Logsumexp": m.reduction("logsumexp"), "Amax": m.reduction("max"), "Amin": m.reduction("min")}),
    **functions("x axis keepdims dtype", {"Sum": _sum_dtype(m.reduction("sum")), "Prod": _sum_dtype(m.reduction("product"))}),
    **functions("x axis keepdims", {"Argmax": m.place("argmax"), "Argmin": m.place("argmin")}),
    **functions("x axis dtype", {"Cumsum": _cumulative}),
    **functions("x axis order epsilon", {"Normalize": _normalized}),
    **functions("x k", {"TopK": _largest}, sorted=(True,)),
    **functions("x newshape", {"Reshape": m.reshape}),
    **functions("x axes", {"Transpose": m.transpose}),
    **functions("x source destination", {"Moveaxis": _moved}),
    **functions("x axis1 axis2", {"Swapaxes": _swapped}),
    **functions("x axis", {"Squeeze": m.axes("squeeze"), "ExpandDims": m.axes("expand_dims"), "Flip": m.axes("flip")}),
    **functions("x shape", {"BroadcastTo": _stretched}),
    **functions("x key", {"GetItem": m.item}),
    **functions("inputs start_indices shape", {"Slice": m.window}),
    **functions("xs axis", {"Concatenate": m.together("concatenate")}),
    **functions("x axis", {"Stack": m.together("stack")}),
    **functions("x indices_or_sections axis", {"Split": _split}),
    **functions("x pad_width mode constant_values", {"Pad": _pad}),
    **functions("x repeats", {"Tile": m.tile}),
    **functions("x repeats axis", {"Repeat": m.repeat}),
    **functions("x shift axis", {"Roll": m.roll}),
    **functions("x indices axis", {"Take": _take, "TakeAlongAxis": _take_along}),
    **functions("x num_classes axis dtype", {"OneHot": _one_hot}, sparse=(False,)),
    **functions("x dtype", {"ZerosLike": m.filled_with(0), "OnesLike": m.filled_with(1)}),
    **functions("x fill_value dtype", {"FullLike": m.full_like}),
    **functions("condition x1 x2", {"Where": m.where}),
    **functions("x x_min x_max", {"Clip": m.clip}),
    **functions("x dtype", {"Cast": m.cast}),
    **functions("x k", {"Tril": _triangle("lower"), "Triu": _triangle("upper")}),
}
"""Class of an operation -> what its calls mean; members of its config are parameters, too."""


def einsum(equation: Argument, operands: list[Argument]) -> Said:
    """What a call of ``Einsum``, which takes any number of operands, means."""
    text = equation.replace(" ", "") if isinstance(equation, str) else unsayable("an equation")
    given = tuple(m.operand(one, operands) for one in operands)
    return Said("einsum", given, {"equation": text})


@dataclass(frozen=True, slots=True)
class Written:
    """An operation of Keras 3: its class, what it is called with, and its config."""

    class_name: str
    arguments: list[Argument]
    config: Mapping[str, Json] = field(default_factory=dict)
    named: Mapping[str, Argument] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """Where the class is."""
        return _MODULES.get(self.class_name, _NUMPY)


def write(wanted: Wanted) -> Written:
    """The operation that computes what is `wanted`.

    Raises:
        Lacking: Keras 3 has none.
    """
    config, x = wanted.config, (wanted.operands[0] if wanted.operands else None)
    if wanted.op in _PAIRS:
        return Written(_PAIRS[wanted.op], wanted.with_literals("left", "right"))
    if wanted.op in _SINGLES:
        return Written(_SINGLES[wanted.op], [x])
    if wanted.op in _REDUCTIONS:
        if config.get("correction"):
            lacking("a variance that divides by one less")
        return Written(_REDUCTIONS[wanted.op], [x], {"axis": config["axes"], "keepdims": config["keepdims"]})
    writer = _WRITERS.get(wanted.op)
    return writer(wanted, config, x) if writer is not None else lacking("no such operation")


def _named(class_name: str, *members: str, **renamed: str) -> Callable[..., Written]:
    """An operation of one operand whose config has `members`, or ours under another name."""
    keys = {**{member: member for member in members}, **renamed}
    return lambda _, config, x: Written(class_name, [x], {key: config[member] for key, member in keys.items()})


def _write_activation(_: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    name, alpha = config["activation"], config["alpha"]
    parameters: dict[str, tuple[str, dict[str, Json]]] = {
        "leaky_relu": ("LeakyRelu", {"negative_slope": 0.2 if alpha is None else alpha}),
        "elu": ("Elu", {"alpha": 1.0 if alpha is None else alpha}),
        "gelu": ("Gelu", {"approximate": False}),
        "gelu_tanh": ("Gelu", {"approximate": True}),
        "softmax": ("Softmax", {"axis": -1}),
        "log_softmax": ("LogSoftmax", {"axis": -1}),
        "squareplus": ("Squareplus", {"b": 4}),
        **{ours: (theirs, {"threshold": 0.5}) for ours, theirs in _AT_A_HALF.items()},
    }
    if name in parameters:
        return Written(parameters[name][0], [x], parameters[name][1])
    return Written(_ACTIVATING[name], [x]) if name in _ACTIVATING else lacking(f"the activation {name}")


def _write_clip(_: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    least, most = config["minimum"], config["maximum"]
    if least is None and most is None:
        return Written("Copy", [x])
    if least is None or most is None:
        return Written("Minimum", [x, most]) if least is None else Written("Maximum", [x, least])
    return Written("Clip", [x], {"x_min": least, "x_max": most})


def _write_cumulative(_: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    if config["exclusive"] or config["reverse"]:
        lacking("a sum that is exclusive or reversed")
    return Written("Cumsum", [x], {"axis": config["axis"], "dtype": None})


def _write_normalized(_: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    epsilon = config["epsilon"] if config["epsilon_on"] == "norm" else config["epsilon"] ** 0.5
    return Written("Normalize", [x], {"axis": config["axes"], "order": 2, "epsilon": epsilon})


def _write_expanded(wanted: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    if len(config["axes"]) == 1:
        return Written("ExpandDims", [x], {"axis": config["axes"][0]})
    width = wanted.rank + len(config["axes"])
    fresh = {axis % width for axis in config["axes"]}
    return Written("GetItem", [x, [None if axis in fresh else slice(None) for axis in range(width)]])


def _write_together(class_name: str) -> Callable[..., Written]:
    return lambda wanted, config, _: Written(class_name, [list(wanted.operands)], {"axis": config["axis"]})


def _write_split(_: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    parts = config["parts"]
    places = parts if isinstance(parts, int) else [sum(parts[: number + 1]) for number in range(len(parts) - 1)]
    return Written("Split", [x], {"indices_or_sections": places, "axis": config["axis"]})


def _write_pad(_: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    if config["mode"] == "edge":
        lacking("the padding edge")
    fill = config["fill"] if config["mode"] == "constant" else None
    return Written("Pad", [x], {"pad_width": config["padding"], "mode": config["mode"]}, {"constant_values": fill})


def _write_gather(wanted: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    indices = wanted.operands[1] if config["indices"] is None else config["indices"]
    return Written("Take", [x, indices], {"axis": config["axis"]})


def _write_where(wanted: Wanted, _: Mapping[str, Json], x: Argument) -> Written:
    if (fill := m.fill_of(wanted.config)) is not None:
        return Written("FullLike", [x, fill[0]], {"dtype": fill[1]})
    rest = Wanted(wanted.op, wanted.config, wanted.operands[1:], wanted.outputs)
    return Written("Where", [x, *rest.with_literals("on_true", "on_false")])


def _write_shape(wanted: Wanted, _: Mapping[str, Json], x: Argument) -> Written:
    return Written("Reshape", [x], {"newshape": wanted.filled()})


def _write_stretched(wanted: Wanted, _: Mapping[str, Json], x: Argument) -> Written:
    shape = wanted.filled()
    return Written("BroadcastTo", [x], {"shape": shape}) if -1 not in shape else lacking("an extent that is not known")


def _write_triangle(_: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    return Written("Tril" if config["part"] == "lower" else "Triu", [x], {"k": config["diagonal"]})


_WRITERS: dict[str, Callable[..., Written]] = {
    "logsumexp": _named("Logsumexp", "keepdims", axis="axes"),
    "argmax": _named("Argmax", "axis", "keepdims"),
    "argmin": _named("Argmin", "axis", "keepdims"),
    "softmax": _named("Softmax", "axis"),
    "log_softmax": _named("LogSoftmax", "axis"),
    "sigmoid": _named("Sigmoid"),
    "relu": _named("Relu"),
    "rsqrt": _named("Rsqrt"),
    "erf": _named("Erf"),
    "round": lambda _, __, x: Written("Round", [x], {"decimals": 0}),
    "activate": _write_activation,
    "clip": _write_clip,
    "cast": _named("Cast", "dtype"),
    "cumulative_sum": _write_cumulative,
    "l2_normalize": _write_normalized,
    "top_k": lambda _, config, x: Written("TopK", [x], {"k": config["k"], "sorted": True}),
    "reshape": _write_shape,
    "flatten": _write_shape,
    "transpose": _named("Transpose", "axes"),
    "squeeze": _named("Squeeze", axis="axes"),
    "expand_dims": _write_expanded,
    "broadcast_to": _write_stretched,
    "slice": lambda _, config, x: Written("GetItem", [x, brackets(config["entries"]) or [Ellipsis]]),
    "flip": _named("Flip", axis="axes"),
    "concatenate": _write_together("Concatenate"),
    "stack": _write_together("Stack"),
    "split": _write_split,
    "tile": _named("Tile", "repeats"),
    "repeat": _named("Repeat", "repeats", "axis"),
    "roll": _named("Roll", shift="shifts", axis="axes"),
    "pad": _write_pad,
    "gather": _write_gather,
    "take_along_axis": lambda wanted, config, _: Written("TakeAlongAxis", list(wanted.operands), {"axis": config["axis"]}),
    "one_hot": lambda _, config, x: Written("OneHot", [x], {"num_classes": config["depth"], "axis": config["axis"], "dtype": config["dtype"], "sparse": False}),
    "where": _write_where,
    "matmul": lambda wanted, _, __: Written("Matmul", list(wanted.operands)),
    "einsum": lambda wanted, config, _: Written("Einsum", list(wanted.operands), {"subscripts": config["equation"]}),
    "triangle": _write_triangle,
}


def spell(value: Argument, spell_value: Callable[[Argument], Json]) -> Json:
    """An argument as Keras 3 writes it, values of the graph as `spell_value` has them."""
    if isinstance(value, list):
        return [spell(one, spell_value) for one in value]
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, slice):
        return {"class_name": "__slice__", "config": {"start": value.start, "stop": value.stop, "step": value.step}}
    if isinstance(value, Constant):
        return {"class_name": "__numpy__", "config": {"value": nested(value), "dtype": value.dtype}}
    return value if value is None or isinstance(value, bool | int | float | str) else spell_value(value)
