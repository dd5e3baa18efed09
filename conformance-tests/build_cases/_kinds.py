"""What belongs to each kind of values that a config may hold, and what just does not: written by hand from the specification.

A *fault* is a value that a kind refuses for one reason only, and the place of the problem within it. Of a value that has none of
several forms, the place is the value's own (chapter 90), unless its JSON type tells which form is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

Json = Any
Fault = tuple[Json, str]
MOST = 2**53 - 1
"""The largest integer of a config."""
TEXT = "a" * 1024
"""The longest text of most kinds of it."""
ASSET = "t"
"""An asset with tokens that are integers, and so are texts; its name is as short as can be."""


@dataclass(frozen=True)
class Kind:
    """Values that, taken together, use all that the kind allows up to its ends, and faults that leave out nothing that it forbids."""

    good: Sequence[Json]
    faults: Sequence[Fault]


def integer(least: int, most: int = MOST, *more: Json) -> Kind:
    """Integers in a range, and `more`."""
    return Kind([least, most, *more], [(least + 0.5, ""), (least - 1, ""), (most + 1, "")])


def number(*good: float, outside: Sequence[float] = ()) -> Kind:
    """Numbers; `good` has the ends of the range that belong to it, and `outside` lies just beyond."""
    return Kind(good, [("1", ""), *((one, "") for one in outside)])


def choice(*names: str) -> Kind:
    """One of some words."""
    return Kind(names, [("other", "")])


def listed(item: Kind, least: int = 0, most: int | None = None, *, differ: Sequence[int] = ()) -> Kind:
    """Arrays of `least` to `most` items; `differ` is an array as long as can be of items that differ."""
    one, length = item.good[0], max(least, 1)
    lengths = [[one] * size for size in {least, most} - {length, None}] if not differ else [list(differ)]
    ends = [([one] * (least - 1), "")] * (least > 0) + [([one] * ((most or 0) + 1), "")] * (most is not None)
    return Kind([*([good] * length for good in item.good), *lengths], [(3, ""), *ends, *(([fault, *[one] * (length - 1)], f"/0{place}") for fault, place in item.faults)])


def union(single: Kind, several: Kind, *more: Json) -> Kind:
    """Forms whose JSON type tells them apart: a value that is meant as one of them is judged as such."""
    return Kind([*single.good, *several.good, *more], [*single.faults, *(fault for fault in several.faults if fault != (3, ""))])


def either(*forms: Kind, more: Sequence[Json] = ()) -> Kind:
    """Forms none of which a faulty value has: it is at fault as a whole."""
    faults = {repr(fault): fault for form in forms for fault, _ in form.faults}
    return Kind([*(good for form in forms for good in form.good), *more], [(fault, "") for fault in faults.values() if fault not in more])


def component(*types: str) -> Kind:
    """An object with a type, which is one of `types` or an extension type, and a config."""
    good = [*({"type": one} for one in types), {"type": f"o:{'o' * 1022}"}, {"type": "org.example:Own", "config": {"any": [1]}}]
    own = {"type": "org.example:Own"}
    wrong = ("Own", 3, "Org:Own", "org.example:", "org.example: Own", f"o:{'O' * 1023}")
    return Kind(good, [(3, ""), ({"config": {}}, ""), ({**own, "more": 1}, "/more"), ({**own, "config": 3}, "/config"), *(({"type": one}, "/type") for one in wrong)])


def vocabulary(*good: Json, wrong: Sequence[Json]) -> Kind:
    """Tokens, such as `good` and none that is `wrong`, the asset that lists them, or null, as it is beside every size but null (which is the first of three)."""
    assets = ({}, {"asset": 3}, {"asset": ""}, {"asset": f"{TEXT}a"}, {"asset": ASSET, "more": 1})
    return Kind([one for some in ({"asset": ASSET}, [good[0]], list(good)) for one in (some, None, None)], [(fault, "") for fault in (3, [], *([one] for one in wrong), *assets)])


ACTIVATIONS = (
    "linear", "relu", "relu6", "sigmoid", "tanh", "softmax", "log_softmax", "softplus", "softsign", "elu", "selu", "gelu", "gelu_tanh", "silu", "mish", "exponential",
    "leaky_relu", "hard_sigmoid", "hard_sigmoid_keras2", "hard_silu", "hard_tanh", "hard_shrink", "soft_shrink", "tanh_shrink", "log_sigmoid", "squareplus", "sparse_plus",
    "sparse_sigmoid", "sparsemax",
)
"""The table of chapter 25."""
DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "bfloat16", "float32", "float64")
FLOAT = Kind([{"float": one} for one in ("NaN", "Infinity", "-Infinity")], [({}, ""), ({"float": "nan"}, ""), ({"float": "NaN", "more": 1}, "")])
"""A number that is not finite (chapter 10)."""
ANY_INTEGER = Kind([-MOST, MOST], [(1.5, ""), (-MOST - 1, ""), (MOST + 1, "")])
AXIS = Kind([-32, 31], [(1.5, ""), (-33, ""), (32, "")])
AXES = listed(AXIS, 1, 32, differ=range(32))
NUMBER = number(0.5)
FRACTION = number(0.0, 1.0, outside=[-0.5, 1.5])
NOT_NEGATIVE = number(0.0, outside=[-0.5])
PAIR = listed(integer(0), 2, 2)
OPERAND = Kind([0.5, True], [("1", "")])
KINDS = {
    "boolean": Kind([True, False], [("true", "")]),
    "string": Kind(["any"], [(3, "")]),
    "string of ≤ 1024 characters": Kind([TEXT], [(3, ""), (f"{TEXT}a", "")]),
    "letters": Kind(["a" * 52], [(3, ""), ("a1", ""), ("a" * 53, "")]),
    "integer": ANY_INTEGER,
    "integer ≥ 1 | -1": Kind([1, -1, MOST + 1], [(1.5, ""), (-2, ""), (0, "")]),
    "0 | 1": integer(0, 1),
    "number": NUMBER,
    "number > 0": number(0.5, outside=[0]),
    "number ≥ 0": NOT_NEGATIVE,
    "number ≥ 1": number(1.0, outside=[0.5]),
    "number ≤ 0": number(0.0, outside=[0.5]),
    "number in 0…1": FRACTION,
    "number in 0…1, not 1": number(0.0, outside=[-0.5, 1]),
    "number in 0…1 | array of them": union(FRACTION, listed(FRACTION)),
    "number or numbers": union(NUMBER, listed(NUMBER)),
    "number or numbers | null": union(NUMBER, listed(NUMBER, 1), None),
    "number | array of numbers": union(NUMBER, listed(NUMBER)),
    "number or [lower, upper]": union(NUMBER, listed(NUMBER, 2, 2)),
    "[lowest, highest]": listed(NUMBER, 2, 2),
    "numbers": listed(NUMBER),
    "array of numbers": listed(NUMBER),
    "array of ≥ 1 × number": listed(NUMBER, 1),
    "array of ≥ 1 × number ≥ 0": Kind([[0.5, 0.0]], listed(NOT_NEGATIVE, 1).faults),
    "array of ≥ 1 × integer ≥ 0": listed(integer(0), 1),
    "array of integers": listed(ANY_INTEGER),
    "array of integers or null": Kind([*listed(ANY_INTEGER).good, None], listed(ANY_INTEGER).faults),
    "array of integers ≥ 1": listed(integer(1), 1, 32),
    "list of integers ≥ 1": listed(integer(1), 1, 30),
    "list of integers ≥ 1 or nulls": listed(integer(1, MOST, None), 0, 31),
    "list of integers or nulls": Kind([[1, None], [], [1] * 32], [fault for fault in listed(integer(1), 0, 32).faults if fault[0] != [MOST + 1]]),
    "list of integers": listed(integer(-1), 0, 31),
    "list of axes from 1": listed(integer(1, 31), 1, 31, differ=range(1, 32)),
    "axis": AXIS,
    "axes": AXES,
    "axis or axes": union(AXIS, AXES),
    "axis or 2 axes": union(AXIS, listed(AXIS, 2, 2)),
    "axis, axes or null": union(AXIS, Kind([[], *AXES.good], listed(AXIS, 0, 32).faults), None),
    "axes or null": Kind([[], *AXES.good, None], listed(AXIS, 0, 32).faults),
    "array of [begin, end]": listed(PAIR, 0, 32),
    "array of extents": listed(integer(0), 0, 32),
    "array of extents or null": listed(integer(0, MOST, None), 0, 32),
    "array of extents, -1 or null": listed(integer(-1, MOST, None), 0, 32),
    "integer ≥ 1, or array of extents": either(integer(1, 65536), Kind([[0, MOST], [1]], [("3", ""), ([], ""), ([1.5], ""), ([-1], ""), ([MOST + 1], "")])),
    "array of integers, [begin, end, step], `new` and `rest`": Kind(
        [["new", "rest", MOST, -MOST, [None, MOST, -MOST]], [], ["new"] * 64],
        [(3, ""), (["new"] * 65, ""), *(([fault], "/0") for fault in (
            "all", 1.5, MOST + 1, -MOST - 1, {}, [0, 1], [0, 1, 1, 1], [0, 1, 1.5], [0, 1, MOST + 1], [0, 1, -MOST - 1]))],
    ),
    'array of strings | `{"asset": NAME}` | null': vocabulary("a", "b", wrong=[3]),
    'array of integers | `{"asset": NAME}` | null': vocabulary(-MOST, MOST, wrong=["3", 1.5, MOST + 1, -MOST - 1]),
    "activation": either(
        choice(*ACTIVATIONS), Kind(["org.example:odd", f"o:{'o' * 1022}"], [(3, ""), ("Org:odd", ""), (f"o:{'o' * 1023}", "")]),
        Kind([{"type": "LeakyReLU", "config": {"negative_slope": 0.25}}],
             [({"config": {}}, ""), ({"type": 3}, ""), ({"type": "ReLU", "config": 3}, ""), ({"type": "ReLU", "more": 1}, "")])),
    "initializer": component(
        "Zeros", "Ones", "Constant", "Identity", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Orthogonal", "GlorotNormal", "GlorotUniform",
        "HeNormal", "HeUniform", "LecunNormal", "LecunUniform"),
    "regularizer": component("L1", "L2", "L1L2", "OrthogonalRegularizer"),
    "constraint": component("MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm"),
    "number ≥ 0 | schedule": union(NOT_NEGATIVE, component(
        "Constant", "ExponentialDecay", "InverseTimeDecay", "PolynomialDecay", "PiecewiseConstantDecay", "CosineDecay", "CosineDecayRestarts", "StepDecay", "LinearWarmup",
        "OneCycle", "ReduceOnPlateau")),
    "number, boolean or null": either(OPERAND, FLOAT, more=[None]),
    "number or boolean": either(OPERAND, FLOAT),
    "number or null": either(Kind([0.5], [("1", ""), (True, "")]), FLOAT, more=[None]),
    "number, boolean, or an array of these": either(
        OPERAND, FLOAT, Kind([[0.5], [True], *([one] for one in FLOAT.good)], [(["1"], ""), ([None], ""), ([{}], ""), ([{"float": "nan"}], ""), ([{"float": "NaN", "more": 1}], "")])),
    "dtype": choice(*DTYPES),
}
"""Words of a table -> the kind. What `kind` reads off the words does not stand here, nor the array of more than 65536 parts."""
EQUATIONS = {
    "layers": Kind(["ab,bc->ac", f"{'a' * 123},b->c"], [(3, ""), ("ab,bc", ""), (f"{'a' * 124},b->c", "")]),
    "operations": Kind(["...ij,...jk->...ik", f"{'a' * 251},b->c"], [(3, ""), ("ab,bc", ""), (f"{'a' * 252},b->c", "")]),
}
"""The one kind whose words mean another thing in chapter 26 (one letter of each axis, two factors) than in chapter 27."""


@cache
def kind(words: str, chapter: str = "") -> Kind:
    """The kind that a table calls `words`."""
    if words == "equation":
        return EQUATIONS[chapter]
    if words in KINDS:
        return KINDS[words]
    if range_ := re.fullmatch(r"integer ≥ (\d+)", words):
        return integer(int(range_[1]))
    if array := re.fullmatch(r"array of (\d) × (.+)", words):
        item = array[2].removeprefix("(").removesuffix(")") if array[2].startswith("(") else array[2]
        if item == array[2] and item.endswith(" | null"):
            return optional(listed(kind(item.removesuffix(" | null")), int(array[1]), int(array[1])))
        return listed(PAIR if item == "[begin, end]" else kind(item), int(array[1]), int(array[1]))
    if words.endswith(" | null"):
        return optional(kind(words.removesuffix(" | null")))
    names, _, rest = words.partition(" | array of ")
    found = choice(*re.findall(r"`(\w+)`", names))
    assert " | ".join(f"`{name}`" for name in found.good) == names, words
    return either(found, kind(f"array of {rest}")) if rest else found


def optional(one: Kind) -> Kind:
    """`one`, or null."""
    return Kind([None, *one.good], one.faults)


def mentioned(lines: Iterable[str]) -> set[str]:
    """The words of the tables that a table of configs uses."""
    return {line.strip().rpartition(": ")[0] for line in lines if line.startswith("  ")}
