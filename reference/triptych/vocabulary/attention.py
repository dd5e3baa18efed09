"""Attention; a mask that is true lets an element be attended to."""

from __future__ import annotations

from triptych.model import Shape
from triptych.vocabulary.definition import Field, LayerCall, Weight, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import compatible, text
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


def _multi_head(call: LayerCall) -> Shape | list[Shape] | None:
    query, value = call.inputs[:2]
    key = call.inputs[2] if len(call.inputs) > 2 else value
    if len({len(query), len(value), len(key)}) > 1 or not compatible(key[:-1], value[:-1]):
        raise ShapeError(f"expected query, value and key that fit together, got {text(query)}, {text(value)} and {text(key)}")
    result = (*query[:-1], *(call.config["output_shape"] or query[-1:]))
    if not call.arguments.get("return_attention_scores"):
        return result
    if len(query) != 3:
        return None
    return [result, (query[0], call.config["num_heads"], query[1], value[1])]


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
)
_HEAD = "num_heads, {extent}"
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
)
