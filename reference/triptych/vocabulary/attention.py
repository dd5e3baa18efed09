"""Attention; a mask that is true lets an element be attended to."""

from __future__ import annotations

import math
from collections.abc import Sequence

from triptych.errors import Problem, UnsupportedError
from triptych.model import Shape
from triptych.vocabulary.activations import softmax
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, Weight, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import axis_of, compatible, same, text
from triptych.vocabulary.formula import Evaluation, Mask
from triptych.vocabulary.kinds import AXES, BOOLEAN, FRACTION, SIZE, Kind, choice, optional
from triptych.vocabulary.members import SEED, USE_BIAS, weight_members

FAMILY = "Attention"


def _attention(call: LayerCall) -> Shape | list[Shape]:
    query, value = call.inputs[:2]
    key = call.inputs[2] if len(call.inputs) > 2 else value
    if not compatible(query[:1] + query[2:], key[:1] + key[2:]) or not compatible(key[:-1], value[:-1]):
        raise ShapeError(f"expected query, value and key that fit together, got {text(query)}, {text(value)} and {text(key)}")
    result = (*query[:-1], value[-1])
    return [result, (*query[:-1], value[-2])] if call.arguments.get("return_attention_scores") else result


def _attended_axes(axes: list[int] | None, query: Shape) -> list[int]:
    """The axes of `query` that are attended over, counted from the front.

    Raises:
        ShapeError: There is no such axis, one is named twice, or the batch or the last is.
    """
    found = [axis_of(axis, query) for axis in axes or range(1, len(query) - 1)]
    if len(set(found)) < len(found) or {0, len(query) - 1} & set(found):
        raise ShapeError(f"expected attention over axes of {text(query)} other than the batch and the last, each once, got {axes}")
    return found


def _multi_head(call: LayerCall) -> Shape | list[Shape]:
    query, value = call.inputs[:2]
    key = call.inputs[2] if len(call.inputs) > 2 else value
    if len({len(query), len(value), len(key)}) > 1 or not compatible(key[:-1], value[:-1]):
        raise ShapeError(f"expected query, value and key that fit together, got {text(query)}, {text(value)} and {text(key)}")
    axes = _attended_axes(call.config["attention_axes"], query)
    others = [axis for axis in range(len(query) - 1) if axis not in axes]
    if not all(same(query[axis], key[axis]) for axis in others):
        raise ShapeError(f"expected query and key that agree where they are not attended over, got {text(query)} and {text(key)}")
    result = (*query[:-1], *(call.config["output_shape"] or query[-1:]))
    if not call.arguments.get("return_attention_scores"):
        return result
    return [
        result,
        (*(query[axis] for axis in others), call.config["num_heads"], *(query[axis] for axis in axes), *(key[axis] for axis in axes)),
    ]


def _key_of(call: Evaluation) -> Array:
    return call.inputs[2] if len(call.inputs) > 2 else call.inputs[1]


def _mask_of(call: Evaluation, number: int, name: str) -> Mask:
    """The mask that a call gives for an input, else the one that came with it."""
    given = call.arguments.get(name)
    if given is not None:
        return np.asarray(given, dtype=bool)
    return call.masks[number] if number < len(call.masks) else None


def attend(scores: Array, allowed: Mask) -> Array:
    """The softmax of `scores` along the last axis, over the elements that are `allowed`; over all where none is."""
    if allowed is not None:
        scores = np.where(allowed, scores, np.finfo(scores.dtype).min)
    return softmax(scores)


def causal(queries: int, keys: int) -> Array:
    """Query i may attend to keys 0 … i."""
    return np.tri(queries, keys, dtype=bool)


def _both(one: Mask, two: Mask) -> Mask:
    return two if one is None else one if two is None else one & two


def _similarity(call: Evaluation) -> Array:
    query, key, scale = call.inputs[0], _key_of(call), call.weights.get("scale", 1)
    if call.config["score_mode"] == "dot":
        return query @ key.swapaxes(-1, -2) * scale
    return call.weights["concat_score_weight"] * np.tanh(scale * _sums(query, key)).sum(axis=-1)


def _additive_similarity(call: Evaluation) -> Array:
    return (call.weights.get("scale", 1) * np.tanh(_sums(call.inputs[0], _key_of(call)))).sum(axis=-1)


def _sums(query: Array, key: Array) -> Array:
    """Each query plus each key."""
    return query[..., :, None, :] + key[..., None, :, :]


def _attended(call: Evaluation) -> Array | list[Array]:
    return _mixed(call, _similarity(call))


def _additively_attended(call: Evaluation) -> Array | list[Array]:
    return _mixed(call, _additive_similarity(call))


def _mixed(call: Evaluation, scores: Array) -> Array | list[Array]:
    """The values, weighted by the softmax of `scores`."""
    value_mask = _mask_of(call, 1, "value_mask")
    allowed = None if value_mask is None else value_mask[:, None, :]
    if call.arguments.get("use_causal_mask"):
        allowed = _both(allowed, causal(*scores.shape[-2:]))
    weights = attend(scores, allowed)
    result = weights @ call.inputs[1]
    query_mask = _mask_of(call, 0, "query_mask")
    if query_mask is not None:
        result = result * query_mask[..., None]
    return [result, weights] if call.arguments.get("return_attention_scores") else result


def _query_mask(call: Evaluation, outputs: Sequence[Array]) -> Sequence[Mask]:
    """The query's mask, for the result."""
    return [_mask_of(call, 0, "query_mask"), *[None] * (len(outputs) - 1)]


def heads_attend(query: Array, key: Array, value: Array, axes: Sequence[int], allowed: Mask) -> tuple[Array, Array]:
    """The results of all heads, and their weights, for projections of shape (batch, …, heads, extent).

    `axes` are those attended over. The weights have the shape (batch, other axes, heads, queries' axes, keys' axes); `allowed` stretches
    to it, with the axes of queries, and those of keys, as one.
    """
    heads = query.ndim - 2
    order = [axis for axis in range(heads) if axis not in axes] + [heads, *axes, heads + 1]
    free = heads - len(axes) + 1

    def flat(x: Array) -> Array:
        x = x.transpose(order)
        return x.reshape(*x.shape[:free], math.prod(x.shape[free:-1]), x.shape[-1])

    scores = flat(query / math.sqrt(query.shape[-1])) @ flat(key).swapaxes(-1, -2)
    queries, keys = ([x.shape[axis] for axis in axes] for x in (query, key))
    weights = attend(scores, allowed)
    mixed = weights @ flat(value)
    mixed = mixed.reshape(*mixed.shape[:free], *queries, mixed.shape[-1]).transpose(np.argsort(order))
    return mixed, weights.reshape(*scores.shape[:free], *queries, *keys)


def _steps_of(mask: Array, x: Array, axes: Sequence[int]) -> Array:
    """`mask`, of the first axes of `x`, as (batch, other axes, 1 for the heads, the steps of `axes` as one)."""
    wide = x.shape[:-1]
    if mask.shape != wide[: mask.ndim]:
        message = f"expected a mask of the first axes of {text(x.shape)}, got one of {text(mask.shape)}"
        raise UnsupportedError((Problem("LAYER_NOT_EVALUABLE", "", "", message),))
    others = [axis for axis in range(len(wide)) if axis not in axes]
    stretched = np.broadcast_to(mask.reshape(*mask.shape, *[1] * (len(wide) - mask.ndim)), wide).transpose(*others, *axes)
    return stretched.reshape(*stretched.shape[: len(others)], 1, math.prod(stretched.shape[len(others) :]))


def allowed_pairs(call: Evaluation, axes: Sequence[int]) -> Mask:
    """Which query may attend to which key, from all masks a call has; stretches to (batch, axes other than `axes`, heads, queries, keys)."""
    query, value, key = call.inputs[0], call.inputs[1], _key_of(call)
    queries, keys = (math.prod(x.shape[axis] for axis in axes) for x in (query, key))
    allowed: Mask = None
    query_mask = _mask_of(call, 0, "query_mask")
    if query_mask is not None:
        allowed = _steps_of(query_mask, query, axes)[..., None]
    for number, name, x in ((1, "value_mask", value), (2, "key_mask", key)):
        mask = _mask_of(call, number, name)
        if mask is not None:
            allowed = _both(allowed, _steps_of(mask, x, axes)[..., None, :])
    if call.arguments.get("use_causal_mask"):
        allowed = _both(allowed, causal(queries, keys))
    given = call.arguments.get("attention_mask")
    if given is None:
        return allowed
    return _both(_pairs_of(np.asarray(given, dtype=bool), call, axes, (queries, keys)), allowed)


def _pairs_of(mask: Array, call: Evaluation, axes: Sequence[int], wanted: tuple[int, int]) -> Array:
    """An attention mask with an axis of extent 1 for each that it does not have before those attended over."""
    rank, pairs = call.input.ndim + len(axes), 2 * len(axes)
    first, last = mask.shape[: max(mask.ndim - pairs, 0)], mask.shape[-pairs:]
    found = (math.prod(last[: len(axes)]), math.prod(last[len(axes) :]))
    if not pairs <= mask.ndim <= rank or found != wanted:
        message = f"expected an attention mask of {pairs} to {rank} axes for {wanted[0]} queries and {wanted[1]} keys, got {text(mask.shape)}"
        raise UnsupportedError((Problem("LAYER_NOT_EVALUABLE", "", "", message),))
    return mask.reshape(*first, *[1] * (rank - mask.ndim), *wanted)


def project(call: Evaluation, x: Array, name: str, axes: int = 1) -> Array:
    """The last `axes` axes of `x` times the kernel `name`, plus its bias."""
    return np.tensordot(x, call.weights[f"{name}_kernel"], axes=axes) + call.weights.get(f"{name}_bias", 0)


def _grouped(call: LayerCall) -> Shape | list[Shape]:
    query, value = call.inputs[:2]
    key = call.inputs[2] if len(call.inputs) > 2 else value
    if {len(query), len(value), len(key)} != {3} or not compatible(key[:-1], value[:-1]):
        raise ShapeError(f"expected query, value and key that fit together, got {text(query)}, {text(value)} and {text(key)}")
    heads, shared = call.config["num_query_heads"], call.config["num_key_value_heads"]
    if heads % shared:
        raise ShapeError(f"expected a number of heads that {shared} divides, got {heads}")
    if not call.arguments.get("return_attention_scores"):
        return query
    return [query, (query[0], heads, query[1], value[1])]


def _grouped_heads(call: Evaluation) -> Array | list[Array]:
    times = call.config["num_query_heads"] // call.config["num_key_value_heads"]
    query = project(call, call.inputs[0], "query")
    key = np.repeat(project(call, _key_of(call), "key"), times, axis=-2)
    value = np.repeat(project(call, call.inputs[1], "value"), times, axis=-2)
    mixed, weights = heads_attend(query, key, value, [1], allowed_pairs(call, [1]))
    result = project(call, mixed, "output", axes=2)
    return [result, weights] if call.arguments.get("return_attention_scores") else result


def _heads(call: Evaluation) -> Array | list[Array]:
    query = project(call, call.inputs[0], "query")
    key = project(call, _key_of(call), "key")
    value = project(call, call.inputs[1], "value")
    axes = _attended_axes(call.config["attention_axes"], call.input.shape)
    mixed, weights = heads_attend(query, key, value, axes, allowed_pairs(call, axes))
    result = project(call, mixed, "output", axes=2)
    return [result, weights] if call.arguments.get("return_attention_scores") else result


define(
    "Attention",
    FAMILY,
    "Weights values by the softmax of the similarity of their keys to a query.",
    words="query, with the value's last extent; with `return_attention_scores` followed by the weights",
    rule=_attention,
    fields=(
        Field("use_scale", BOOLEAN, "Whether similarities are multiplied by a learned scale.", default=False),
        Field("score_mode", choice("dot", "concat"), "Similarity: scalar product, or sum of tanh of query + key.", "dot"),
        Field("dropout", FRACTION, "Fraction of the weights that is dropped while training.", 0.0),
        SEED,
    ),
    weights=(Weight("scale", "[]", when="use_scale"), Weight("concat_score_weight", "[]", when='score_mode == "concat"')),
    inputs=(2, 3),
    rank=(3, None),
    arguments=("return_attention_scores", "use_causal_mask"),
    torch="torch.nn.functional.scaled_dot_product_attention",
    equation="y = softmax(s) × value over the keys that are not masked; where all are, each has the same part; s = scale × query × keyᵀ, or with `concat` "
    "concat_score_weight × sum of tanh(scale × (query + key)) over the last axis; scale is 1 without `use_scale`; y is 0 where the query is masked",
    formula=_attended,
    mask=_query_mask,
)
define(
    "AdditiveAttention",
    FAMILY,
    "Weights values by the softmax of the sum of tanh of their keys plus a query.",
    words="query, with the value's last extent; with `return_attention_scores` followed by the weights",
    rule=_attention,
    fields=(
        Field("use_scale", BOOLEAN, "Whether each element of the sum is multiplied by a learned scale.", default=True),
        Field("dropout", FRACTION, "Fraction of the weights that is dropped while training.", 0.0),
    ),
    weights=(Weight("scale", "[input[-1]]", when="use_scale"),),
    inputs=(2, 3),
    rank=(3, None),
    arguments=("return_attention_scores", "use_causal_mask"),
    equation="as Attention, with s = sum of scale × tanh(query + key) over the last axis",
    formula=_additively_attended,
    mask=_query_mask,
)
define(
    "MultiHeadAttention",
    FAMILY,
    "Projects query, key and value for each head, attends, and projects the heads' results together.",
    words="query, with `output_shape` or the query's own last extent last; with `return_attention_scores` followed by the weights",
    rule=_multi_head,
    fields=(
        Field("num_heads", SIZE, "Number of heads."),
        Field("key_dim", SIZE, "Extent of a head's query and key; scores are divided by its root."),
        Field("value_dim", optional(SIZE), "Extent of a head's value; null: `key_dim`.", None),
        Field("dropout", FRACTION, "Fraction of the weights that is dropped while training.", 0.0),
        USE_BIAS,
        Field(
            "output_shape",
            optional(Kind("list of integers ≥ 1", {"type": "array", "items": SIZE.schema, "minItems": 1, "maxItems": 30})),
            "Last extents of the result; null: the query's last.",
            None,
        ),
        Field("attention_axes", optional(AXES), "Axes attended over; null: all but batch and the last.", None),
        *weight_members("kernel", "bias"),
        SEED,
    ),
    weights=(
        Weight("query_kernel", "[input[-1], num_heads, key_dim]"),
        Weight("query_bias", "[num_heads, key_dim]", when="use_bias"),
        Weight("key_kernel", "[inputs[-1][-1], num_heads, key_dim]"),
        Weight("key_bias", "[num_heads, key_dim]", when="use_bias"),
        Weight("value_kernel", "[inputs[1][-1], num_heads, value_dim or key_dim]"),
        Weight("value_bias", "[num_heads, value_dim or key_dim]", when="use_bias"),
        Weight("output_kernel", "[num_heads, value_dim or key_dim, *(output_shape or input[-1:])]"),
        Weight("output_bias", "[*(output_shape or input[-1:])]", when="use_bias"),
    ),
    inputs=(2, 3),
    rank=(3, None),
    arguments=("attention_mask", "query_mask", "key_mask", "value_mask", "return_attention_scores", "use_causal_mask"),
    torch="torch.nn.MultiheadAttention",
    equation="for each head, q = query × query_kernel + query_bias, k and v alike; h = softmax(q × kᵀ / sqrt(key_dim)) × v over the pairs that "
    "no mask excludes; where all are excluded, each key has the same part; y = sum over heads of h × output_kernel, + output_bias",
    formula=_heads,
    mask=_query_mask,
)
define(
    "GroupQueryAttention",
    FAMILY,
    "Multi-head attention in which several query heads, one after the other, share a head of key and value.",
    words="query; with `return_attention_scores` followed by the weights",
    rule=_grouped,
    fields=(
        Field("head_dim", SIZE, "Extent of a head; scores are divided by its root."),
        Field("num_query_heads", SIZE, "Number of heads."),
        Field("num_key_value_heads", SIZE, "Number of heads of key and value; divides `num_query_heads`."),
        Field("dropout", FRACTION, "Fraction of the weights that is dropped while training.", 0.0),
        USE_BIAS,
        *weight_members("kernel", "bias"),
        SEED,
    ),
    weights=(
        Weight("query_kernel", "[input[-1], num_query_heads, head_dim]"),
        Weight("query_bias", "[num_query_heads, head_dim]", when="use_bias"),
        Weight("key_kernel", "[inputs[-1][-1], num_key_value_heads, head_dim]"),
        Weight("key_bias", "[num_key_value_heads, head_dim]", when="use_bias"),
        Weight("value_kernel", "[inputs[1][-1], num_key_value_heads, head_dim]"),
        Weight("value_bias", "[num_key_value_heads, head_dim]", when="use_bias"),
        Weight("output_kernel", "[num_query_heads, head_dim, input[-1]]"),
        Weight("output_bias", "[input[-1]]", when="use_bias"),
    ),
    inputs=(2, 3),
    rank=(3, 3),
    arguments=("attention_mask", "query_mask", "key_mask", "value_mask", "return_attention_scores", "use_causal_mask"),
    torch="torch.nn.functional.scaled_dot_product_attention(enable_gqa=True)",
    equation="as MultiHeadAttention, head i taking key and value of head i // (num_query_heads // num_key_value_heads)",
    formula=_grouped_heads,
    mask=_query_mask,
)
