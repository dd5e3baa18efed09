"""Operations that sum products: of matrices, by an equation, and attention."""

from __future__ import annotations

from triptych.model import Shape
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import compatible, same, text
from triptych.vocabulary.kinds import BOOLEAN, INTEGER, NUMBER, choice, optional
from triptych.vocabulary.operations.definition import OperationShapes, OperationValues, define
from triptych.vocabulary.operations.kinds import EQUATION
from triptych.vocabulary.operations.operands import counted, floating, stretched, unified

FAMILY = "Products"


def _matmul(call: OperationShapes) -> Shape:
    left, right = call.inputs
    if not left or not right:
        raise ShapeError(f"expected inputs with an axis at least, got {text(left)} and {text(right)}")
    one, two = left if len(left) > 1 else (1, *left), right if len(right) > 1 else (*right, 1)
    if not same(one[-1], two[-2]):
        raise ShapeError(f"expected the last extent of the first to be the last but one of the second, got {text(left)} and {text(right)}")
    tail = (*(one[-2:-1] if len(left) > 1 else ()), *(two[-1:] if len(right) > 1 else ()))
    return (*stretched(one[:-2], two[:-2]), *tail)


def _terms(equation: str) -> tuple[list[str], str]:
    inputs, _, output = equation.partition("->")
    return inputs.split(","), output


def _einsum(call: OperationShapes) -> Shape:
    terms, output = _terms(call.config["equation"])
    if len(terms) != len(call.inputs):
        raise ShapeError(f"expected {len(terms)} inputs for {call.config['equation']}, got {len(call.inputs)}")
    extents: dict[str, int | None] = {}
    rest: Shape = ()
    for term, shape in zip(terms, call.inputs, strict=True):
        before, dots, after = term.partition("...")
        free = len(shape) - len(before) - len(after)
        if free < 0 or (free and not dots):
            raise ShapeError(f"expected an input with the axes {term}, got {text(shape)}")
        if dots:
            rest = stretched(rest, shape[len(before) : len(before) + free])
        for letter, extent in zip(before + after, (*shape[: len(before)], *shape[len(before) + free :]), strict=True):
            known = extents.get(letter)
            if not same(known, extent):
                raise ShapeError(f"expected one extent for {letter}, got {known} and {extent}")
            extents[letter] = extent if known is None else known
    before, dots, after = output.partition("...")
    missing = [letter for letter in before + after if letter not in extents]
    if missing or len(set(before + after)) < len(before + after) or (rest and not dots):
        raise ShapeError(f"expected a result with axes of the inputs, each once, got {output}")
    return (*(extents[letter] for letter in before), *(rest if dots else ()), *(extents[letter] for letter in after))


def _attention_shapes(call: OperationShapes) -> Shape:
    query, key, value = call.inputs[:3]
    if min(len(query), len(key), len(value)) < 2 or not (same(query[-1], key[-1]) and same(key[-2], value[-2])):
        raise ShapeError(f"expected query, key and value that fit, got {text(query)}, {text(key)} and {text(value)}")
    batch = stretched(stretched(query[:-2], key[:-2]), value[:-2])
    if len(call.inputs) > 3:
        scores = (*batch, query[-2], key[-2])
        if not compatible(stretched(call.inputs[3], scores), scores):
            raise ShapeError(f"expected a mask that stretches to {text(scores)}, got {text(call.inputs[3])}")
    return (*batch, query[-2], value[-1])


def _attention(call: OperationValues) -> Array:
    query, key, value = (floating(one, call.dtype) for one in call.inputs[:3])
    scale = call.config["scale"]
    factor = query.dtype.type(1 / np.sqrt(query.shape[-1]) if scale is None else scale)
    scores = np.matmul(query * factor, np.swapaxes(key, -1, -2))
    least = scores.dtype.type(-np.inf)
    if call.config["causal"]:
        scores = np.where(np.tri(scores.shape[-2], scores.shape[-1], dtype=bool), scores, least)
    if len(call.inputs) > 3:
        mask = call.inputs[3]
        scores = np.where(mask, scores, least) if mask.dtype == bool else scores + mask.astype(scores.dtype)
    weights = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    return np.matmul(weights / np.sum(weights, axis=-1, keepdims=True), value)


def _triangle(call: OperationShapes) -> Shape:
    if len(call.input) < 2:
        raise ShapeError(f"expected an input of at least 2 axes, got {text(call.input)}")
    return call.input


def _triangular(call: OperationValues) -> Array:
    cut = np.tril if call.config["part"] == "lower" else np.triu
    return np.asarray(cut(call.input, call.config["diagonal"]))


define(
    "matmul",
    FAMILY,
    "The matrix product of the last two axes; a value of one axis is a row on the left and a column on the right, and that axis is gone.",
    words="the axes before the last two aligned at the end, extent 1 stretched; the last but one of the first; the last of the second",
    rule=_matmul,
    formula=lambda call: np.asarray(np.matmul(*(counted(one) for one in unified(call.inputs, call.dtype)))),
    inputs=(2, 2),
    keras="ops.matmul",
    torch="torch.matmul",
)
define(
    "einsum",
    FAMILY,
    "For each index of the result the sum, over all letters that it lacks, of the products of the inputs; `...` stands for axes aligned at the end.",
    words="the extents of the letters of the result",
    rule=_einsum,
    formula=lambda call: np.asarray(np.einsum(call.config["equation"], *(counted(one) for one in unified(call.inputs, call.dtype)))),
    fields=(Field("equation", EQUATION, "A letter for each axis of each input, an arrow and those of the result."),),
    inputs=(1, 8),
    keras="ops.einsum",
    torch="torch.einsum",
)
define(
    "attention",
    FAMILY,
    "softmax(query × keyᵀ × scale, along the last axis) × value, over the last two axes; inputs are query, key, value and a mask: true where a key counts, or numbers that are added before the softmax.",
    words="the axes before the last two, extent 1 stretched; the last but one of the query; the last of the value",
    rule=_attention_shapes,
    formula=_attention,
    fields=(
        Field("scale", optional(NUMBER), "What scores are multiplied by; null: 1 / sqrt(the last extent of the query).", None),
        Field("causal", BOOLEAN, "Whether a query counts no key behind its own place, from the first on.", default=False),
    ),
    inputs=(3, 4),
    torch="torch.nn.functional.scaled_dot_product_attention",
)
define(
    "triangle",
    FAMILY,
    "x where the column is at most (`lower`) or at least (`upper`) the row plus diagonal, else 0; over the last two axes.",
    words="input",
    rule=_triangle,
    formula=_triangular,
    fields=(
        Field("part", choice("lower", "upper"), "Which part stays."),
        Field("diagonal", INTEGER, "How far the part is moved to the right.", 0),
    ),
    keras="ops.tril",
    torch="torch.tril",
)
