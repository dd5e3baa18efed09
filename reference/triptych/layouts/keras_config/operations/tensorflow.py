"""Functions of TensorFlow that Keras 2 keeps as layers (``TFOpLambda``, ``SlicingOpLambda``), and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from triptych.layouts.keras_config.nodes import Value
from triptych.layouts.keras_config.operations import meanings as m
from triptych.layouts.keras_config.operations.functions import Function, Wanted, functions, lacking
from triptych.layouts.keras_config.operations.said import Argument, Constant, Said, is_integer
from triptych.layouts.keras_config.plain import unsayable
from triptych.model import Json

GETITEM = "__operators__.getitem"
_PAIRS = {
    "add": "__operators__.add",
    "subtract": "math.subtract",
    "multiply": "math.multiply",
    "divide": "math.truediv",
    "floor_divide": "math.floordiv",
    "remainder": "math.floormod",
    "power": "math.pow",
    "maximum": "math.maximum",
    "minimum": "math.minimum",
    "equal": "math.equal",
    "not_equal": "math.not_equal",
    "less": "math.less",
    "less_equal": "math.less_equal",
    "greater": "math.greater",
    "greater_equal": "math.greater_equal",
    "logical_and": "math.logical_and",
    "logical_or": "math.logical_or",
}
"""Operation of two operands -> the function that is written for it."""
_OTHER_PAIRS = {
    "math.add": "add",
    "__operators__.sub": "subtract",
    "__operators__.mul": "multiply",
    "math.divide": "divide",
    "__operators__.truediv": "divide",
    "realdiv": "divide",
    "compat.v1.floor_div": "floor_divide",
    "__operators__.floordiv": "floor_divide",
    "math.mod": "remainder",
    "__operators__.mod": "remainder",
    "__operators__.pow": "power",
    "__operators__.eq": "equal",
    "__operators__.ne": "not_equal",
    "__operators__.and": "logical_and",
    "__operators__.or": "logical_or",
    **{f"compat.v1.{name}": name for name in ("add", "subtract", "multiply", "maximum", "minimum", "equal", "not_equal")},
}
"""Other functions of two operands -> operation."""
SINGLES = {
    "negative": "math.negative",
    "absolute": "math.abs",
    "sign": "math.sign",
    "square": "math.square",
    "logical_not": "math.logical_not",
    "floor": "math.floor",
    "ceil": "math.ceil",
    "round": "math.round",
    "reciprocal": "math.reciprocal",
    "sqrt": "math.sqrt",
    "rsqrt": "math.rsqrt",
    "exp": "math.exp",
    "expm1": "math.expm1",
    "log": "math.log",
    "log1p": "math.log1p",
    "sin": "math.sin",
    "cos": "math.cos",
    "tan": "math.tan",
    "arctan": "math.atan",
    "sinh": "math.sinh",
    "cosh": "math.cosh",
    "tanh": "math.tanh",
    "sigmoid": "math.sigmoid",
    "relu": "nn.relu",
    "erf": "math.erf",
    "is_nan": "math.is_nan",
    "is_finite": "math.is_finite",
    "identity": "identity",
}
_OTHER_SINGLES = {
    "abs": "absolute",
    "nn.tanh": "tanh",
    "nn.sigmoid": "sigmoid",
    **{name: name for name in ("sqrt", "exp", "square", "tanh", "sigmoid", "floor", "sin", "cos", "sign", "round")},
}
_REDUCTIONS = {
    "sum": "math.reduce_sum",
    "product": "math.reduce_prod",
    "mean": "math.reduce_mean",
    "max": "math.reduce_max",
    "min": "math.reduce_min",
    "any": "math.reduce_any",
    "all": "math.reduce_all",
    "logsumexp": "math.reduce_logsumexp",
    "variance": "math.reduce_variance",
}
_ACTIVATIONS = {"elu": "nn.elu", "selu": "nn.selu", "softplus": "math.softplus", "softsign": "nn.softsign", "log_sigmoid": "math.log_sigmoid"}
"""Activation -> the function of it without parameters."""
_ACTIVATING = {**_ACTIVATIONS, "relu": "nn.relu", "relu6": "nn.relu6", "sigmoid": "math.sigmoid", "tanh": "math.tanh", "exponential": "math.exp", "linear": "identity", "silu": "nn.silu"}
_PADDING = {"CONSTANT": "constant", "REFLECT": "reflect", "SYMMETRIC": "symmetric"}


def _relu6(x: Argument) -> Said:
    return m.clip(x, 0, 6)


def _silu(x: Argument, beta: Argument) -> Said:
    return m.activation("silu")(x) if beta in (None, 1.0) else unsayable("a factor inside")


def _argument(op: str) -> m.Meaning:
    def meaning(x: Argument, axis: Argument) -> Said:
        return m.place(op)(x, 0 if axis is None else axis)

    return meaning


def _product(left: Argument, right: Argument, flip_left: Argument = None, flip_right: Argument = None) -> Said:
    return m.matmul(left, right, flip_left=bool(flip_left), flip_right=bool(flip_right))


def _split(x: Argument, parts: Argument, axis: Argument) -> Said:
    if isinstance(parts, list) and -1 in parts:
        unsayable("a part of the rest")
    given = m.the_tensor(x)
    config: dict[str, Json] = {"parts": parts, "axis": 0 if axis is None else m.the_axis(axis)}
    return Said("split", (given,), config, outputs=parts if is_integer(parts) else len(m.integers(parts)))


def _pad(x: Argument, paddings: Argument, mode: Argument, fill: Argument) -> Said:
    given = m.the_tensor(x)
    kind = _PADDING.get(str(mode or "CONSTANT").upper()) or unsayable("a padding")
    config: dict[str, Json] = {"padding": paddings, "mode": kind}
    return Said("pad", (given,), config | ({"fill": fill} if fill else {}))


def _gather(x: Argument, indices: Argument, axis: Argument) -> Said:
    return m.gather(x, indices, 0 if axis is None else axis)


def _one_hot(x: Argument, depth: Argument, axis: Argument, dtype: Argument) -> Said:
    return m.one_hot(x, depth, axis, dtype or "float32")


def _cumulative(x: Argument, axis: Argument, exclusive: Argument, reverse: Argument) -> Said:
    given = m.the_tensor(x)
    config = {"axis": 0 if axis is None else m.the_axis(axis), "exclusive": bool(exclusive), "reverse": bool(reverse)}
    return Said("cumulative_sum", (given,), config)


def _normalized(x: Argument, axis: Argument, epsilon: Argument) -> Said:
    given = m.the_tensor(x)
    least = 1e-12 if epsilon is None else epsilon
    return Said("l2_normalize", (given,), {"axes": m.axes_of(axis), "epsilon": least, "epsilon_on": "square"})


def _largest(x: Argument, k: Argument) -> Said:
    return Said("top_k", (m.the_tensor(x),), {"k": 1 if k is None else k}, outputs=2)


def _band(x: Argument, lower: Argument, upper: Argument) -> Said:
    given = m.the_tensor(x)
    if lower == -1 and is_integer(upper) and upper >= 0:
        return Said("triangle", (given,), {"part": "lower", "diagonal": upper})
    if upper == -1 and is_integer(lower) and lower >= 0:
        return Said("triangle", (given,), {"part": "upper", "diagonal": -lower})
    return unsayable("a band")


def _stretched(x: Argument, shape: Argument) -> Said:
    given = m.the_tensor(x)
    return Said("broadcast_to", (given,), {"shape": m.integers(shape)})


FUNCTIONS: dict[str, Function] = {
    **functions("x y", {name: m.pair(op) for op, name in _PAIRS.items()}, incompatible_shape_error=(True,)),
    **functions("x y", {name: m.pair(op) for name, op in _OTHER_PAIRS.items()}, incompatible_shape_error=(True,)),
    **functions("x", {name: m.single(op) for op, name in SINGLES.items()}),
    **functions("x", {name: m.single(op) for name, op in _OTHER_SINGLES.items()}),
    **functions("features", {"nn.relu": m.single("relu"), "nn.relu6": _relu6}),
    **functions("features", {name: m.activation(ours) for ours, name in _ACTIVATIONS.items()}),
    **functions("features beta", dict.fromkeys(("nn.silu", "nn.swish", "nn.swish2"), _silu)),
    **functions("features alpha", {"nn.leaky_relu": m.activation("leaky_relu")}),
    **functions("features approximate", {"nn.gelu": lambda x, approximate: m.gelu(x, approximate is True)}),
    **functions("input", {"identity": m.single("identity")}),
    **functions("input_tensor axis keepdims", {name: m.reduction(op) for op, name in _REDUCTIONS.items()}),
    **functions("input axis", {"math.argmax": _argument("argmax"), "math.argmin": _argument("argmin")}, output_type=("int32", "int64")),
    **functions("logits axis", {"nn.softmax": m.along("softmax"), "nn.log_softmax": m.along("log_softmax")}),
    **functions("x axis exclusive reverse", {"math.cumsum": _cumulative}),
    **functions("x axis epsilon", {"math.l2_normalize": _normalized, "nn.l2_normalize": _normalized}),
    **functions("input k", {"math.top_k": _largest, "nn.top_k": _largest}, sorted=(True,), index_type=("int32",)),
    **functions("tensor shape", {"reshape": m.reshape, "compat.v1.reshape": m.reshape}),
    **functions("a perm", {"transpose": m.transpose, "compat.v1.transpose": m.transpose}, conjugate=(False,)),
    **functions("input axis", {"squeeze": m.axes("squeeze"), "compat.v1.squeeze": m.axes("squeeze")}),
    **functions("input axis", {"expand_dims": m.axes("expand_dims"), "compat.v1.expand_dims": m.axes("expand_dims")}),
    **functions("tensor axis", {"reverse": m.axes("flip")}),
    **functions("input shape", {"broadcast_to": _stretched}),
    **functions("tensor slice_spec", {GETITEM: m.item}),
    **functions("input_ begin size", {"slice": m.window}),
    **functions("values axis", {"concat": m.together("concatenate"), "stack": m.together("stack")}),
    **functions("value num_or_size_splits axis", {"split": _split}),
    **functions("tensor paddings mode constant_values", {"pad": _pad, "compat.v1.pad": _pad}),
    **functions("input multiples", {"tile": m.tile}),
    **functions("input repeats axis", {"repeat": m.repeat}),
    **functions("input shift axis", {"roll": m.roll}),
    **functions("params indices axis", {"gather": _gather, "compat.v1.gather": _gather}, batch_dims=(0,)),
    **functions("indices depth axis dtype", {"one_hot": _one_hot}, on_value=(1, 1.0), off_value=(0, 0.0)),
    **functions("condition x y", {"where": m.where, "compat.v2.where": m.where}),
    **functions("input dtype", {"zeros_like": m.filled_with(0), "ones_like": m.filled_with(1)}, optimize=(True,)),
    **functions("t clip_value_min clip_value_max", {"clip_by_value": m.clip}),
    **functions("x dtype", {"cast": m.cast, "compat.v1.cast": m.cast}),
    **functions(
        "a b transpose_a transpose_b",
        {"linalg.matmul": _product, "matmul": _product, "__operators__.matmul": _product},
        **dict.fromkeys(("adjoint_a", "adjoint_b", "a_is_sparse", "b_is_sparse", "grad_a", "grad_b"), (False,)),
    ),
    **functions("input num_lower num_upper", {"linalg.band_part": _band}),
}
"""Symbol of a function -> what its calls mean."""


@dataclass(frozen=True, slots=True)
class Written:
    """A call of a function of TensorFlow: its first argument, and the others by name."""

    function: str
    first: Argument
    named: Mapping[str, Argument] = field(default_factory=dict)


def write(wanted: Wanted) -> Written:
    """The call that computes what is `wanted`.

    Raises:
        Lacking: TensorFlow has no function for it, or Keras 2 could not keep the call.
    """
    config, x = wanted.config, (wanted.operands[0] if wanted.operands else None)
    if wanted.op in _PAIRS:
        left, right = wanted.with_literals("left", "right")
        if is_integer(left) and isinstance(right, Value) and m.is_floating(right.dtype):
            left = float(left)  # a first operand does not take the dtype of the second
        return Written(_PAIRS[wanted.op], left, {"y": right, "name": None})
    if wanted.op in SINGLES:
        return Written(SINGLES[wanted.op], x)
    if wanted.op in _REDUCTIONS:
        if config.get("correction"):
            lacking("a variance that divides by one less")
        return Written(_REDUCTIONS[wanted.op], x, {"axis": config["axes"], "keepdims": config["keepdims"]})
    writer = _WRITERS.get(wanted.op)
    return writer(wanted, config, x) if writer is not None else lacking("no such function")


def _write_place(function: str) -> Callable[..., Written]:
    def write_it(_: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
        if config["keepdims"]:
            lacking("an index that keeps its axis")
        return Written(function, x, {"axis": config["axis"], "output_type": "int32"})

    return write_it


def _write_axis(function: str) -> Callable[..., Written]:
    return lambda _, config, x: Written(function, x, {"axis": config["axis"]})


def _write_together(function: str) -> Callable[..., Written]:
    return lambda wanted, config, _: Written(function, list(wanted.operands), {"axis": config["axis"]})


def _write_activation(_: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    name, alpha = config["activation"], config["alpha"]
    if name == "leaky_relu":
        return Written("nn.leaky_relu", x, {"alpha": 0.2 if alpha is None else alpha})
    if name in ("gelu", "gelu_tanh"):
        return Written("nn.gelu", x, {"approximate": name == "gelu_tanh"})
    if name in ("softmax", "log_softmax"):
        return Written(f"nn.{name}", x, {"axis": -1})
    if name not in _ACTIVATING or (name == "elu" and alpha not in (None, 1)):
        lacking(f"the activation {name}")
    return Written(_ACTIVATING[name], x)


def _write_clip(_: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    least, most = config["minimum"], config["maximum"]
    if least is None and most is None:
        return Written("identity", x)
    if least is None or most is None:
        name, bound = ("math.minimum", most) if least is None else ("math.maximum", least)
        return Written(name, x, {"y": bound, "name": None})
    return Written("clip_by_value", x, {"clip_value_min": least, "clip_value_max": most})


def _write_normalized(_: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    # The root of a number that is not below ε² is not below ε.
    epsilon = config["epsilon"] if config["epsilon_on"] == "square" else config["epsilon"] ** 2
    return Written("math.l2_normalize", x, {"axis": config["axes"], "epsilon": epsilon})


def _write_expanded(wanted: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    if len(config["axes"]) == 1:
        return Written("expand_dims", x, {"axis": config["axes"][0]})
    width = wanted.rank + len(config["axes"])
    fresh = {axis % width for axis in config["axes"]}
    return Written(GETITEM, x, {"slice_spec": [None if axis in fresh else slice(None) for axis in range(width)]})


def brackets(entries: list[Json]) -> list[Argument]:
    """What stands in square brackets for the entries of a slice."""
    special: dict[str, Argument] = {"new": None, "rest": Ellipsis}
    return [slice(*one) if isinstance(one, list) else special.get(one, one) if isinstance(one, str) else one for one in entries]


def _write_item(_: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    return Written(GETITEM, x, {"slice_spec": brackets(config["entries"]) or [Ellipsis]})


def _write_repeated(wanted: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    counts = config["repeats"]
    if len(counts) > wanted.rank:
        lacking("more axes than the operand has")
    return Written("tile", x, {"multiples": [1] * (wanted.rank - len(counts)) + counts})


def _write_pad(_: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    mode = next((theirs for theirs, ours in _PADDING.items() if ours == config["mode"]), None)
    if mode is None:
        lacking(f"the padding {config['mode']}")
    return Written("pad", x, {"paddings": config["padding"], "mode": mode, "constant_values": config["fill"]})


def _write_gather(wanted: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    indices = wanted.operands[1] if config["indices"] is None else config["indices"]
    if isinstance(indices, list) and min(indices, default=0) < 0:
        lacking("an index that is counted from the end")
    return Written("gather", x, {"indices": indices, "axis": config["axis"]})


def _write_where(wanted: Wanted, _: Mapping[str, Json], x: Argument) -> Written:
    if (fill := m.fill_of(wanted.config)) is not None:
        if fill[0] not in (0, 1):
            lacking("a number other than 0 and 1 in the shape of a value")
        return Written("ones_like" if fill[0] else "zeros_like", x, {"dtype": fill[1]})
    if isinstance(wanted.input, Value) and wanted.input.dtype not in (None, "bool"):
        lacking("truths made of numbers")
    rest = Wanted(wanted.op, wanted.config, wanted.operands[1:], wanted.outputs)
    on_true, on_false = rest.with_literals("on_true", "on_false")
    return Written("where", x, {"x": on_true, "y": on_false})


def _write_product(wanted: Wanted, _: Mapping[str, Json], x: Argument) -> Written:
    left, right = wanted.operands
    for one in (left, right):
        if one.shape is None or len(one.shape) < 2:
            lacking("a product with a value of one axis")
    return Written("linalg.matmul", x, {"b": right})


def _write_einsum(wanted: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    for flips in ((True, False), (False, True), (True, True)):
        if config["equation"] == m.turned(flip_left=flips[0], flip_right=flips[1]):
            return Written("linalg.matmul", x, {"b": wanted.operands[1], "transpose_a": flips[0], "transpose_b": flips[1]})
    return lacking("an equation: Keras 2 loses what it is applied to")


def _write_triangle(_: Wanted, config: Mapping[str, Json], x: Argument) -> Written:
    lower, diagonal = config["part"] == "lower", config["diagonal"]
    if (diagonal < 0) if lower else (diagonal > 0):
        lacking("a triangle without its diagonal")
    return Written("linalg.band_part", x, {"num_lower": -1 if lower else -diagonal, "num_upper": diagonal if lower else -1})


def _write_shape(wanted: Wanted, _: Mapping[str, Json], x: Argument) -> Written:
    return Written("reshape", x, {"shape": wanted.filled()})


def _write_stretched(wanted: Wanted, _: Mapping[str, Json], x: Argument) -> Written:
    shape = wanted.filled()
    return Written("broadcast_to", x, {"shape": shape}) if -1 not in shape else lacking("an extent that is not known")


_WRITERS: dict[str, Callable[..., Written]] = {
    "argmax": _write_place("math.argmax"),
    "argmin": _write_place("math.argmin"),
    "softmax": _write_axis("nn.softmax"),
    "log_softmax": _write_axis("nn.log_softmax"),
    "concatenate": _write_together("concat"),
    "stack": _write_together("stack"),
    "activate": _write_activation,
    "clip": _write_clip,
    "cast": lambda _, config, x: Written("cast", x, {"dtype": config["dtype"]}),
    "cumulative_sum": lambda _, config, x: Written("math.cumsum", x, dict(config)),
    "l2_normalize": _write_normalized,
    "top_k": lambda _, config, x: Written("math.top_k", x, {"k": config["k"]}),
    "reshape": _write_shape,
    "flatten": _write_shape,
    "transpose": lambda _, config, x: Written("transpose", x, {"perm": config["axes"]}),
    "squeeze": lambda _, config, x: Written("squeeze", x, {"axis": config["axes"]}),
    "expand_dims": _write_expanded,
    "broadcast_to": _write_stretched,
    "slice": _write_item,
    "flip": lambda wanted, config, x: Written("reverse", x, {"axis": list(range(wanted.rank)) if config["axes"] is None else config["axes"]}),
    "split": lambda _, config, x: Written("split", x, {"num_or_size_splits": config["parts"], "axis": config["axis"]}),
    "tile": _write_repeated,
    "repeat": lambda _, config, x: Written("repeat", x, {"repeats": config["repeats"], "axis": config["axis"]}),
    "roll": lambda _, config, x: Written("roll", x, {"shift": config["shifts"], "axis": config["axes"]}),
    "pad": _write_pad,
    "gather": _write_gather,
    "one_hot": lambda _, config, x: Written("one_hot", x, {name: config[name] for name in ("depth", "axis", "dtype")}),
    "where": _write_where,
    "matmul": _write_product,
    "einsum": _write_einsum,
    "triangle": _write_triangle,
}


def spell(value: Argument, spell_value: Callable[[Argument], Json]) -> Json:
    """An argument as Keras 2 writes it, values of the graph as `spell_value` has them."""
    if isinstance(value, list):
        return [spell(one, spell_value) for one in value]
    if value is Ellipsis:
        return {"class_name": "__ellipsis__"}
    if isinstance(value, slice):
        return {"start": value.start, "stop": value.stop, "step": value.step}
    return value if value is None or isinstance(value, bool | int | float | str) else spell_value(value)


__all__ = ["FUNCTIONS", "GETITEM", "Constant", "Written", "brackets", "spell", "write"]
