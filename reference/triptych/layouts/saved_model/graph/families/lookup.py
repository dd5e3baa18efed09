"""Emitters of types that replace what a vocabulary lists by its place there: tables that are filled when a graph is loaded."""

from __future__ import annotations

from typing import Any

from triptych.layouts.saved_model.graph.attributes import Type
from triptych.layouts.saved_model.graph.elementary import cast, equal, is_floating, not_equal, reduce, where
from triptych.layouts.saved_model.graph.emission import Emission, Refusal, emits
from triptych.layouts.saved_model.graph.encoding import encode
from triptych.layouts.saved_model.graph.shaping import pad, take
from triptych.layouts.saved_model.graph.tables import find, table
from triptych.layouts.saved_model.graph.values import Value
from triptych.vocabulary.arrays import np
from triptych.vocabulary.lookup import masks
from triptych.vocabulary.lookup_tokens import Tokens, VocabularyError, tokens_of

UNKNOWN = -2
"""What a table has for no token."""


@emits("StringLookup")
def _strings(call: Emission) -> Value:
    return look_up(call, integers=False)


@emits("IntegerLookup")
def _integers(call: Emission) -> Value:
    if is_floating(call.input):
        raise Refusal(f"expected integers to look up, got {call.input.dtype}")
    return look_up(call, integers=True)


def look_up(call: Emission, *, integers: bool) -> Value:
    """What a lookup yields."""
    config, tokens = call.config, _tokens(call, integers=integers)
    if config["invert"]:
        return _inverted(call, tokens, integers=integers)
    indices = _indices(call, tokens, integers=integers)
    count = config["num_oov_indices"] + len(tokens)
    extent = config["max_tokens"] if config["pad_to_max_tokens"] else count
    if config["output_mode"] != "tf_idf":
        return encode(call, indices, extent, config["output_dtype"])
    given = config["idf_weights"]
    weights = call.weights["idf_weights"] if given is None else call.body.made(given, call.dtype)
    return encode(call, indices, extent) * pad(weights, {0: (0, extent - (weights.shape[0] or 0))})


def _tokens(call: Emission, *, integers: bool) -> Tokens:
    try:
        tokens = tokens_of(call.config, call.assets, integers=integers)
    except VocabularyError as error:
        raise Refusal(str(error)) from error
    if tokens is None:
        raise Refusal("expected a vocabulary, got none: it is not known yet, or stands in another file")
    return tokens


def _array(tokens: Tokens, dtype: str) -> Any:
    """Tokens as an array; strings as the bytes that stand for them."""
    if dtype != "string":
        return np.asarray(tokens, np.dtype(dtype))
    array = np.empty(len(tokens), object)
    array[:] = [str(one).encode("utf-8", "surrogateescape") for one in tokens]
    return array


def _inverted(call: Emission, tokens: Tokens, *, integers: bool) -> Value:
    """The token at each place."""
    config, x, first = call.config, cast(call.input, "int64"), masks(call.config)
    values = [*[config["mask_token"]] * first, *[config["oov_token"]] * config["num_oov_indices"], *tokens, config["oov_token"]]
    last = len(values) - 1
    place = where((x >= 0) & (x < last), x, last)
    return take(x.body.constant(_array(values, config["output_dtype"] or call.integers if integers else "string")), place, 0)


def _indices(call: Emission, tokens: Tokens, *, integers: bool) -> Value:
    """The index of each element; -1 for a masked one that is to be encoded."""
    config, first = call.config, masks(call.config)
    buckets = config["num_oov_indices"]
    x = cast(call.input, "int64") if integers else call.input
    places = {token: index for index, token in enumerate(tokens, first + buckets)}
    if config["mask_token"] is not None:
        places[config["mask_token"]] = 0 if first else -1
    known = table(call.body, _array(list(places), x.dtype), np.asarray(list(places.values()), np.int64))
    found = find(known, x, first if buckets == 1 else UNKNOWN, "int64")
    if buckets == 1:
        return found
    return where(equal(found, UNKNOWN), first + _bucket(call, x), found) if buckets else _all_known(found)


def _bucket(call: Emission, x: Value) -> Value:
    """Which of several indices for unknown tokens each element gets."""
    buckets = call.config["num_oov_indices"]
    if x.dtype != "string":
        if call.config["oov_method"] == "floormod":
            rest: Value = x % buckets
            return rest
        x = x.body.one("AsString", [x], "string", x.shape, T=Type(x.dtype))
    return x.body.one("StringToHashBucketFast", [x], "int64", x.shape, num_buckets=buckets)


def _all_known(found: Value) -> Value:
    """`found`, where a prediction fails if there is no index for one of the elements."""
    holds, message = reduce("All", not_equal(found, UNKNOWN)), np.asarray("expected tokens of the vocabulary only, as there is no index for others", object)
    name = found.body.unique(f"{found.body.scope}/Assert".lstrip("/"))
    found.body.node("Assert", [holds, found.body.constant(message)], [], name=name, T=[Type("string")])
    return found.body.one("Identity", [found], found.dtype, found.shape, T=Type(found.dtype), after=[name])
