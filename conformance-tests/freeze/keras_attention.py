"""Masks of attention: which query may attend to which key, by what each input's mask says, along one axis and along several.

Keras takes masks of inputs along one axis only; along several, and along another than the first, it is given the pairs that they leave as ``attention_mask``.
A query that may attend to no key gives each the same part in tf-keras' MultiHeadAttention, as chapter 28 has it, along one axis; in that of Keras 3.15 none any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from common import Row, document, layer, numbers

Json = Any
HEADS = {"num_heads": 2, "key_dim": 2}


def mask(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Booleans that follow from `name`, the first of each row true."""
    found = np.asarray(numbers(name, shape, step=1 / 64) > -0.3)
    found[..., 0] = True
    return found


def row(keras: Any, slug: str, title: str, type_: str, config: Mapping[str, Json], inputs: Mapping[str, np.ndarray], said: Json, roles: list[str], asked: Mapping[str, Any]) -> Row:
    """A call of an attention with masks among its inputs; `asked` is what Keras is given beside query, value and key."""
    built = {name: tuple(value) if isinstance(value, list) else value for name, value in config.items()}
    one = getattr(keras.layers, type_)(**built)
    values = [array for array in inputs.values() if array.dtype != bool]
    first = len(values)
    ask = (lambda: one(values, **asked)) if type_ in {"Attention", "AdditiveAttention"} else (lambda: one(*values, **asked))
    ask()
    weights = {f"layer.{role}": numbers(f"{slug} {role}", weight.shape) for role, weight in zip(roles, one.weights, strict=True)}
    one.set_weights(list(weights.values()))
    calls = [{"layer": "layer", "inputs": list(inputs)[:first], "arguments": said}]
    call = f"{keras.__name__}.layers.{type_}({', '.join(f'{name}={value!r}' for name, value in config.items())})(…, {', '.join(asked)})"
    return Row(slug, title, document([layer(type_, config)], inputs, calls), weights, dict(inputs), lambda: [np.asarray(ask())], call, requirements=("EVL-001", "EVL-003"))


def rows(keras: Any) -> Iterator[Row]:
    query, value, key = numbers("masked query", (2, 3, 2)), numbers("masked value", (2, 4, 2)), numbers("masked key", (2, 4, 2))
    of_query, of_value, of_key = mask("mask of query", (2, 3)), mask("mask of value", (2, 4)), mask("mask of key", (2, 4))
    of_query[0, 1] = of_query[1, 2] = of_value[0, 2] = of_value[1, 1] = False
    of_key[0, 3] = False
    projected = [f"{part}_{what}" for part in ("query", "key", "value", "output") for what in ("kernel", "bias")]
    three = {"x": query, "y": value, "z": key, "qm": of_query, "vm": of_value, "km": of_key}
    named = {"query_mask": {"value": "qm"}, "value_mask": {"value": "vm"}, "key_mask": {"value": "km"}}
    both = {"mask": [{"value": "qm"}, {"value": "vm"}]}
    if keras.__name__ != "tf_keras":
        flat = {"x": query, "y": value, "qm": of_query, "vm": of_value}
        yield row(keras, "attention-masks-of-both", "Masks of query and value", "Attention", {}, flat, both, [], {"mask": [of_query, of_value]})
        causal = {"x": query, "y": value[:, :3].copy(), "qm": of_query, "vm": of_value[:, :3].copy()}
        yield row(keras, "attention-masks-and-causal", "Masks of query and value, and no key that comes later", "Attention", {"use_scale": True}, causal, {**both, "use_causal_mask": True}, ["scale"],
                  {"mask": [of_query, of_value[:, :3]], "use_causal_mask": True})
        yield row(keras, "additiveattention-masks-of-both", "Additive attention, masks of query and value", "AdditiveAttention", {"use_scale": True}, flat, both, ["scale"], {"mask": [of_query, of_value]})
        yield row(keras, "groupqueryattention-masks-of-three", "Two pairs of heads that share keys, masks of query, value and key", "GroupQueryAttention",
                  {"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 2}, three, named, projected, {"query_mask": of_query, "value_mask": of_value, "key_mask": of_key})
        return
    yield row(keras, "multiheadattention-masks-of-three", "Masks of query, value and key", "MultiHeadAttention", HEADS, three, named, projected,
              {"attention_mask": of_query[:, :, None] & (of_value & of_key)[:, None, :]})
    wide, other = numbers("wide query", (2, 2, 3, 2)), numbers("wide value", (2, 3, 2, 2))
    wide_mask, other_mask = mask("mask of wide query", (2, 2, 3)), mask("mask of wide value", (2, 3, 2))
    wide_mask[0, 1, 2] = wide_mask[1, 0, 1] = other_mask[0, 2, 1] = other_mask[1, 1, 1] = False
    first = {"x": wide, "y": other, "qm": wide_mask[:, :, 0].copy(), "vm": other_mask[:, :, 1].copy()}
    pairs = np.broadcast_to(first["qm"][:, :, None, None, None] & first["vm"][:, None, None, :, None], (2, 2, 3, 3, 2))
    yield row(keras, "multiheadattention-two-axes-masked-rows", "Attention along two axes, masks along the first", "MultiHeadAttention", {**HEADS, "attention_axes": [1, 2]}, first, both, projected,
              {"attention_mask": pairs})
    lines = numbers("line values", (2, 2, 4, 2))
    line_mask = mask("mask of line values", (2, 2, 4))
    line_mask[0, 0, 2] = line_mask[1, 1, 3] = False
    inner = {"x": wide, "y": lines, "qm": wide_mask, "vm": line_mask}
    yield row(keras, "multiheadattention-inner-axis-masked", "Attention along the second axis, masks of query and value", "MultiHeadAttention", {**HEADS, "attention_axes": [2]}, inner, both, projected,
              {"attention_mask": wide_mask[..., :, None] & line_mask[..., None, :]})
    crossed = np.asarray(mask("crossed", (2, 2, 3, 4)))
    asked = {**inner, "am": crossed}
    yield row(keras, "multiheadattention-inner-axis-all-masks", "Masks of query and value, and one of pairs", "MultiHeadAttention", {**HEADS, "attention_axes": [2]}, asked,
              {**both, "attention_mask": {"value": "am"}}, projected, {"attention_mask": crossed & wide_mask[..., :, None] & line_mask[..., None, :]})
