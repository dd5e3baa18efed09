"""Emitters of attention; a mask that is true lets an element be attended to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from operator import and_
from typing import Any

from triptych.layouts.saved_model.graph.activations import softmax
from triptych.layouts.saved_model.graph.elementary import cast, matmul, not_equal, product, total, unary, where
from triptych.layouts.saved_model.graph.emission import Emission, Mask, Refusal, emits
from triptych.layouts.saved_model.graph.families.operations.multiplying import within
from triptych.layouts.saved_model.graph.shaping import expand, extent, extents, reshape, stretch, take, transpose
from triptych.layouts.saved_model.graph.values import Value
from triptych.vocabulary.arrays import np


def _booleans(call: Emission, given: Any) -> Value:
    """A mask that a call gives."""
    if not isinstance(given, Value):
        return call.body.constant(np.asarray(given, bool))
    return given if given.dtype == "bool" else not_equal(given, 0)


def _key_of(call: Emission) -> Value:
    return call.inputs[2] if len(call.inputs) > 2 else call.inputs[1]


def _mask_of(call: Emission, number: int, name: str) -> Mask:
    """The mask that a call gives for an input, else the one that came with it."""
    given = call.arguments.get(name)
    if given is not None:
        return _booleans(call, given)
    return call.masks[number] if number < len(call.masks) else None


def _attend(scores: Value, allowed: Mask) -> Value:
    """The softmax of `scores` along the last axis, over the elements that are `allowed`; over all where none is."""
    return softmax(scores if allowed is None else where(allowed, scores, float(np.finfo(scores.dtype).min)))


def _all_of(masks: Sequence[Mask]) -> Mask:
    """Where all of the masks that there are hold."""
    said = [one for one in masks if one is not None]
    return reduce(and_, said) if said else None


def _query_mask(call: Emission, outputs: Sequence[Value]) -> Sequence[Mask]:
    """The query's mask, for the result."""
    return [_mask_of(call, 0, "query_mask"), *[None] * (len(outputs) - 1)]


def _sums(query: Value, key: Value) -> Value:
    """Each query plus each key."""
    return expand(query, -2) + expand(key, -3)


def _mixed(call: Emission, scores: Value) -> Value | list[Value]:
    """The values, weighted by the softmax of `scores`."""
    value_mask, query_mask = _mask_of(call, 1, "value_mask"), _mask_of(call, 0, "query_mask")
    causal = within(scores, extent(scores, -2), extent(scores, -1)) if call.arguments.get("use_causal_mask") else None
    weights = _attend(scores, _all_of([None if value_mask is None else expand(value_mask, 1), causal]))
    result = matmul(weights, call.inputs[1])
    if query_mask is not None:
        result *= cast(expand(query_mask, -1), result.dtype)
    return [result, weights] if call.arguments.get("return_attention_scores") else result


@emits("Attention", mask=_query_mask)
def _attention(call: Emission) -> Value | list[Value]:
    query, key, scale = call.inputs[0], _key_of(call), call.weights.get("scale", 1)
    if call.config["score_mode"] == "dot":
        return _mixed(call, matmul(query, key, transposed=True) * scale)
    return _mixed(call, call.weights["concat_score_weight"] * total(unary("Tanh", scale * _sums(query, key)), [-1]))


@emits("AdditiveAttention", mask=_query_mask)
def _additive_attention(call: Emission) -> Value | list[Value]:
    return _mixed(call, total(call.weights.get("scale", 1) * unary("Tanh", _sums(call.inputs[0], _key_of(call))), [-1]))


def _project(call: Emission, x: Value, name: str, axes: int = 1) -> Value:
    """The last `axes` axes of `x` times the kernel `name`, plus its bias."""
    kernel = call.weights[f"{name}_kernel"]
    summed, made = extents(kernel)[:axes], extents(kernel)[axes:]
    outer = extents(x)[:-axes]
    x = x if axes == 1 else reshape(x, [*outer, product(summed)])
    y = reshape(matmul(x, reshape(kernel, [product(summed), product(made)])), [*outer, *made])
    bias = call.weights.get(f"{name}_bias")
    return y if bias is None else y + bias


def _steps_of(mask: Value, x: Value, axes: Sequence[int]) -> Value:
    """`mask`, of the first axes of `x`, as (batch, other axes, 1 for the heads, the steps of `axes` as one)."""
    rank = x.ndim - 1
    if mask.ndim > rank:
        raise Refusal(f"expected a mask of the first axes of {rank + 1}, got one of {mask.ndim} axes")
    others = [axis for axis in range(rank) if axis not in axes]
    if mask.ndim < rank:
        mask = stretch(reduce(expand, [-1] * (rank - mask.ndim), mask), extents(x)[:-1])
    turned = expand(transpose(mask, [*others, *axes]), len(others))
    whole, place = extents(turned), len(others) + 1
    return turned if len(axes) == 1 else reshape(turned, [*whole[:place], product(whole[place:])])


def _allowed_pairs(call: Emission, axes: Sequence[int]) -> Mask:
    """Which query may attend to which key, from all masks a call has; stretches to (batch, axes other than `axes`, heads, queries, keys)."""
    query, value, key = call.inputs[0], call.inputs[1], _key_of(call)
    query_mask, value_mask, key_mask = (_mask_of(call, number, name) for number, name in enumerate(("query_mask", "value_mask", "key_mask")))
    given = call.arguments.get("attention_mask")
    queries, keys = (product([extent(x, axis) for axis in axes]) for x in (query, key))
    return _all_of(
        [
            None if query_mask is None else expand(_steps_of(query_mask, query, axes), -1),
            *(None if one is None else expand(_steps_of(one, x, axes), -2) for one, x in ((value_mask, value), (key_mask, key))),
            within(query, queries, keys) if call.arguments.get("use_causal_mask") else None,
            None if given is None else _pairs_of(_booleans(call, given), query.ndim, axes),
        ]
    )


def _pairs_of(mask: Value, rank: int, axes: Sequence[int]) -> Value:
    """An attention mask for a query of `rank` axes, with an axis of extent 1 for each that it does not have before those attended over."""
    place = mask.ndim - 2 * len(axes)
    mask = reduce(expand, [max(place, 0)] * (rank + len(axes) - mask.ndim), mask)
    if len(axes) == 1:
        return mask
    whole = extents(mask)
    return reshape(mask, [*whole[: -2 * len(axes)], product(whole[-2 * len(axes) : -len(axes)]), product(whole[-len(axes) :])])


def _heads_attend(query: Value, key: Value, value: Value, axes: Sequence[int], allowed: Mask) -> tuple[Value, Value]:
    """The results of all heads, and their weights, for projections of shape (batch, …, heads, extent).

    `axes` are those attended over. The weights have the shape (batch, other axes, heads, queries' axes, keys' axes); `allowed` stretches
    to it, with the axes of queries, and those of keys, as one.
    """
    heads = query.ndim - 2
    order = [axis for axis in range(heads) if axis not in axes] + [heads, *axes, heads + 1]
    free = heads - len(axes) + 1

    def flat(x: Value) -> Value:
        x = transpose(x, order)
        whole = extents(x)
        return x if len(axes) == 1 else reshape(x, [*whole[:free], product(whole[free:-1]), whole[-1]])

    turned = flat(query / math.sqrt(query.shape[-1] or 1))
    scores = matmul(turned, flat(key), transposed=True)
    outer, queries, keys = extents(scores)[:free], [extent(query, axis) for axis in axes], [extent(key, axis) for axis in axes]
    weights = _attend(scores, allowed)
    mixed = matmul(weights, flat(value))
    if len(axes) > 1:
        mixed = reshape(mixed, [*outer, *queries, extent(mixed, -1)])
        weights = reshape(weights, [*outer, *queries, *keys])
    return transpose(mixed, [order.index(axis) for axis in range(len(order))]), weights


def _combined(call: Emission, query: Value, key: Value, value: Value, axes: Sequence[int]) -> Value | list[Value]:
    """The results of all heads, projected together."""
    mixed, weights = _heads_attend(query, key, value, axes, _allowed_pairs(call, axes))
    result = _project(call, mixed, "output", axes=2)
    return [result, weights] if call.arguments.get("return_attention_scores") else result


@emits("MultiHeadAttention", mask=_query_mask)
def _heads(call: Emission) -> Value | list[Value]:
    query, value = _project(call, call.inputs[0], "query"), _project(call, call.inputs[1], "value")
    rank = call.input.ndim
    axes = [axis % rank for axis in call.config["attention_axes"] or range(1, rank - 1)]
    return _combined(call, query, _project(call, _key_of(call), "key"), value, axes)


@emits("GroupQueryAttention", mask=_query_mask)
def _grouped_heads(call: Emission) -> Value | list[Value]:
    shared = call.config["num_key_value_heads"]
    sharing = np.arange(call.config["num_query_heads"]) // (call.config["num_query_heads"] // shared)
    query = _project(call, call.inputs[0], "query")
    key, value = (take(_project(call, x, name), sharing, -2) for x, name in ((_key_of(call), "key"), (call.inputs[1], "value")))
    return _combined(call, query, key, value, [1])
