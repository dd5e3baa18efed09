"""Masks of several values that become one: Keras 2 lets a step count where it does in all of them, Keras 3 where it does in any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from common import Row, document, layer, numbers

_BOTH, _FIRST, _SECOND = (True, True), (True, False), (False, True)
_CASES = (
    ("Add", {}, _BOTH),
    ("Add", {}, _FIRST),
    ("Multiply", {}, _BOTH),
    ("Multiply", {}, _SECOND),
    ("Maximum", {}, _BOTH),
    ("Minimum", {}, _FIRST),
    ("Concatenate", {}, _BOTH),
    ("Concatenate", {}, _FIRST),
    ("Concatenate", {"axis": 1}, _BOTH),
)


def rows(keras: Any, package: str, rule: str) -> Iterator[Row]:
    """Two values of which one or both are masked, merged, and the mean over the steps that count."""
    for type_, config, masked in _CASES if rule != "none" else _CASES[::2]:
        yield _row(keras, package, rule, type_, config, masked)


def _row(keras: Any, package: str, rule: str, type_: str, config: dict[str, Any], masked: tuple[bool, bool]) -> Row:
    which = "both" if all(masked) else "the first" if masked[0] else "the second"
    slug = f"masks-{rule}-{type_.lower()}{'-steps' if config else ''}-{which.removeprefix('the ')}"
    x, y = numbers(f"{slug} x", (2, 4, 2)), numbers(f"{slug} y", (2, 4, 2))
    x[0, 2:], x[1, 0], y[0, 1:3], y[1, 3] = 0, 0, 0, 0
    given = [keras.layers.Input((4, 2)) for _ in range(2)]
    values = [keras.layers.Masking(0.0)(one) if on else one for one, on in zip(given, masked, strict=True)]
    if rule == "none":
        values = [one * 1.0 for one in values]  # the same numbers without a mask: Keras 3.0 to 3.3 lost it in the merging layer
    mean = keras.layers.GlobalAveragePooling1D()
    model = keras.Model(given, mean(getattr(keras.layers, type_)(**config)(values)))
    names = [f"masked_{name}" if on else name for name, on in zip("xy", masked, strict=True)]
    layers = [layer("Masking", {"mask_value": 0.0}, f"masked_{name}") for name, on in zip("xy", masked, strict=True) if on]
    calls = [{"layer": f"masked_{name}", "inputs": [name]} for name, on in zip("xy", masked, strict=True) if on]
    layers += [layer(type_, {**config, "masks": rule}, "merge"), layer("GlobalAveragePooling1D")]
    calls += [{"layer": "merge", "inputs": names}, {"layer": "layer", "inputs": ["merge"]}]
    whole = document(layers, {"x": x, "y": y}, calls)
    call = f"{package}.layers.{type_}({', '.join(f'{key}={value}' for key, value in config.items())}) of Masking{' × 1.0' if rule == 'none' else ''}, then GlobalAveragePooling1D"
    title = f"Masks, {rule}: {type_}{' of steps' if config else ''}, {which} masked"
    return Row(slug, title, whole, {}, {"x": x, "y": y}, lambda: [np.asarray(model([x, y]))], call, requirements=("EVL-001", "EVL-003"))
