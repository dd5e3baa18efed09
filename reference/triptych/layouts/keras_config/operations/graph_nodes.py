"""Nodes of TensorFlow's graphs that Keras kept as layers in TensorFlow 2.1 to 2.3 (``TensorFlowOpLayer``), and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from triptych.layouts.keras_config.operations import meanings as m
from triptych.layouts.keras_config.operations.said import Argument, Said, is_integer
from triptych.layouts.keras_config.operations.tensorflow import FUNCTIONS
from triptych.layouts.keras_config.plain import unsayable
from triptych.layouts.numerals import is_position
from triptych.model import Json

CLASS = "TensorFlowOpLayer"
_DTYPES = {"DT_FLOAT": "float32", "DT_DOUBLE": "float64", "DT_HALF": "float16", "DT_BFLOAT16": "bfloat16", "DT_BOOL": "bool"}
_DTYPES |= {f"DT_{sign}INT{bits}": f"{sign.lower()}int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)}


@dataclass(frozen=True, slots=True)
class Node:
    """A node with its inputs, constants among them."""

    inputs: list[Argument]
    attributes: Mapping[str, Json]

    def flag(self, name: str) -> bool:
        """A boolean attribute."""
        return self._value(name).get("b") is True

    def number(self, name: str) -> int:
        """An integer attribute, which JSON holds as a string."""
        return int(self._value(name).get("i", 0))

    def fraction(self, name: str) -> float:
        """A floating-point attribute."""
        return float(self._value(name)["f"])

    def numbers(self, name: str) -> list[int]:
        """An attribute that lists integers."""
        listed = self._value(name).get("list", {})
        return [int(one) for one in listed.get("i", [])]

    def dtype(self, name: str) -> str:
        """A dtype attribute."""
        return _DTYPES.get(str(self._value(name).get("type")), "")

    def _value(self, name: str) -> Mapping[str, Json]:
        found = self.attributes.get(name, {})
        return found if isinstance(found, dict) else {}


def read_node(config: Mapping[str, Json], values: list[Argument]) -> Said:
    """What the node in the `config` of a layer means, called with `values` of the graph.

    Raises:
        Unsayable: No operation of ours.
    """
    definition, constants = config.get("node_def"), config.get("constants")
    if not isinstance(definition, dict) or not isinstance(constants, dict) or not isinstance(definition.get("attr", {}), dict):
        unsayable("a node that is no data")
    inputs = list(values)
    for index, value in sorted((int(key), value) for key, value in constants.items() if is_position(str(key))):
        inputs.insert(index, value)
    meaning = NODES.get(str(definition.get("op")))
    if meaning is None:
        unsayable("a node")
    try:
        return meaning(Node(inputs, definition.get("attr", {})))
    except (TypeError, ValueError, IndexError, OverflowError, AttributeError, KeyError):
        unsayable("inputs or attributes of other kinds")


def _like(function: str) -> Callable[[Node], Said]:
    """A node that takes what a function of TensorFlow takes, in its order."""
    return lambda node: FUNCTIONS[function].mean(node.inputs, {})


def _reduction(op: str) -> Callable[[Node], Said]:
    return lambda node: m.reduction(op)(*node.inputs, node.flag("keep_dims"))


def _activation(name: str) -> Callable[[Node], Said]:
    return lambda node: m.activation(name)(*node.inputs)


def _strided(node: Node) -> Said:
    x, begin, end, strides = node.inputs
    masks = {name: node.number(f"{name}_mask") for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
    key: list[Argument] = []
    for place, (first, last, step) in enumerate(zip(*map(m.integers, (begin, end, strides)), strict=True)):
        said = {name for name, bits in masks.items() if bits >> place & 1}
        if "ellipsis" in said:
            key.append(Ellipsis)
        elif "new_axis" in said:
            key.append(None)
        elif "shrink_axis" in said:
            key.append(first)
        else:
            key.append(slice(None if "begin" in said else first, None if "end" in said else last, None if step == 1 else step))
    return m.item(x, key)


def _joined(node: Node) -> Said:
    *values, axis = node.inputs
    return m.together("concatenate")(values, axis)


def _product(left: str, right: str) -> Callable[[Node], Said]:
    return lambda node: m.matmul(*node.inputs, flip_left=node.flag(left), flip_right=node.flag(right))


def _gathered(node: Node) -> Said:
    return m.gather(*node.inputs) if not node.number("batch_dims") else unsayable("a batch of indices")


def _one_hot(node: Node) -> Said:
    indices, depth, on, off = node.inputs
    return FUNCTIONS["one_hot"].mean([indices, depth], {"on_value": on, "off_value": off, "axis": node.number("axis"), "dtype": node.dtype("T")})


def _cumulative(node: Node) -> Said:
    return FUNCTIONS["math.cumsum"].mean(node.inputs, {"exclusive": node.flag("exclusive"), "reverse": node.flag("reverse")})


def _reshaped(node: Node) -> Said:
    x, shape = node.inputs
    return m.reshape(x, [shape] if is_integer(shape) else shape)


_NAMED_ALIKE = (
    *("Maximum", "Minimum", "Equal", "Less", "Greater", "Pow", "FloorMod", "FloorDiv", "ArgMax", "ArgMin"),
    *("Abs", "Sign", "Square", "Floor", "Ceil", "Round", "Reciprocal", "Sqrt", "Rsqrt", "Exp", "Expm1", "Log", "Log1p"),
    *("Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh", "Tanh", "Sigmoid", "Erf"),
)
_FUNCTIONS = {
    **{name: f"math.{name.lower()}" for name in _NAMED_ALIKE},
    "Mul": "math.multiply",
    "Add": "math.add",
    "AddV2": "math.add",
    "Sub": "math.subtract",
    "RealDiv": "realdiv",
    "Neg": "math.negative",
    "NotEqual": "math.not_equal",
    "LessEqual": "math.less_equal",
    "GreaterEqual": "math.greater_equal",
    "LogicalAnd": "math.logical_and",
    "LogicalOr": "math.logical_or",
    "LogicalNot": "math.logical_not",
    "IsNan": "math.is_nan",
    "IsFinite": "math.is_finite",
    "Relu": "nn.relu",
    "Relu6": "nn.relu6",
    "Identity": "identity",
    "Softmax": "nn.softmax",
    "LogSoftmax": "nn.log_softmax",
    "Transpose": "transpose",
    "ExpandDims": "expand_dims",
    "Tile": "tile",
    "ReverseV2": "reverse",
    "BroadcastTo": "broadcast_to",
    "Slice": "slice",
    "SelectV2": "where",
    "ClipByValue": "clip_by_value",
    "MatrixBandPart": "linalg.band_part",
    "ZerosLike": "zeros_like",
    "OnesLike": "ones_like",
    "TopKV2": "math.top_k",
}
"""Operation of a node -> the function that takes the same in the same order."""
NODES: dict[str, Callable[[Node], Said]] = {
    **{name: _like(function) for name, function in _FUNCTIONS.items()},
    **{name: _reduction(op) for name, op in (("Sum", "sum"), ("Prod", "product"), ("Mean", "mean"), ("Max", "max"), ("Min", "min"), ("Any", "any"), ("All", "all"))},
    **{name: _activation(name.lower()) for name in ("Elu", "Selu", "Softplus", "Softsign")},
    "LeakyRelu": lambda node: m.activation("leaky_relu")(node.inputs[0], node.fraction("alpha")),
    "Reshape": _reshaped,
    "StridedSlice": _strided,
    "ConcatV2": _joined,
    "Pack": lambda node: m.together("stack")(node.inputs, node.number("axis")),
    "Squeeze": lambda node: m.axes("squeeze")(node.inputs[0], node.numbers("squeeze_dims") or None),
    "Split": lambda node: FUNCTIONS["split"].mean([node.inputs[1], node.number("num_split"), node.inputs[0]], {}),
    "SplitV": lambda node: FUNCTIONS["split"].mean(node.inputs, {}),
    "MatMul": _product("transpose_a", "transpose_b"),
    "BatchMatMul": _product("adj_x", "adj_y"),
    "BatchMatMulV2": _product("adj_x", "adj_y"),
    "Cast": lambda node: m.cast(node.inputs[0], node.dtype("DstT")),
    "Pad": lambda node: FUNCTIONS["pad"].mean(node.inputs, {}),
    "PadV2": lambda node: FUNCTIONS["pad"].mean([node.inputs[0], node.inputs[1], "CONSTANT", node.inputs[2]], {}),
    "GatherV2": _gathered,
    "OneHot": _one_hot,
    "Cumsum": _cumulative,
}
"""Operation of a node -> what it means."""
