"""What the rows of every framework share: numbers to feed in, and one record of what came out."""

from __future__ import annotations

import functools
import hashlib
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from exact_numbers import numbers

Json = Any
Array = np.ndarray
FORMATS = {"float32": ("<f", 4), "float64": ("<d", 8), "int32": ("<i", 4), "int64": ("<q", 8), "bool": ("?", 1), "float16": ("<e", 2), "uint8": ("B", 1), "int8": ("b", 1), "int16": ("<h", 2)}
LOOSE, EXACT, FINE = {"relative": 1e-5}, {"ulp": 0}, {"relative": 1e-12}
"""Tolerances: arithmetic in float32; numbers only moved or chosen; arithmetic in float64."""


@dataclass
class Row:
    """One frozen case, before it is run."""

    slug: str
    """Becomes the case's identifier, after the requirement."""
    title: str
    architecture: dict[str, Json]
    weights: dict[str, Array]
    """By name of the stored tensor."""
    inputs: dict[str, Array]
    run: Callable[[], Sequence[Array]]
    """Asks the framework for the outputs, in order."""
    call: str
    """What is asked, for people."""
    outputs: Sequence[str] = ("layer",)
    tolerance: Mapping[str, float] = field(default_factory=lambda: LOOSE)
    requirements: Sequence[str] = ("EVL-001",)
    assets: Mapping[str, str] = field(default_factory=dict)
    """Member name -> text."""


def positive(name: str, shape: Sequence[int], *, dtype: str = "float32") -> Array:
    """Variances: between 0.5 and 1.5."""
    return np.asarray(1 + np.clip(numbers(name, shape, dtype="float64"), -0.5, 0.5), dtype)


def integers(name: str, shape: Sequence[int], below: int, *, least: int = 0) -> Array:
    """Integers from `least` on."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
    return np.random.RandomState(seed).randint(least, below, tuple(shape)).astype("int32")


def layer(type_: str, config: Mapping[str, Json] | None = None, name: str = "layer", **more: Json) -> dict[str, Json]:
    """A layer of an architecture document."""
    return {"name": name, "type": type_, **({"config": dict(config)} if config else {}), **more}


def document(layers: Sequence[Json], inputs: Mapping[str, Array], calls: Sequence[Json] | None = None, outputs: Sequence[str] | None = None) -> dict[str, Json]:
    """An architecture document; the batch of each input is open."""
    said = [
        {"name": name, "shape": [None, *array.shape[1:]], **({"dtype": dtype} if (dtype := "string" if array.dtype.kind == "U" else array.dtype.name) != "float32" else {})}
        for name, array in inputs.items()
    ]
    whole: dict[str, Json] = {"format_version": "1.0", "inputs": said, "layers": list(layers)}
    if calls is not None:
        whole |= {"calls": list(calls), "outputs": list(outputs or ["layer"])}
    return whole


def spelled(array: Array) -> dict[str, Json]:
    """An array as the suite spells tensors; strings as their bytes along a further axis."""
    if array.dtype.kind in "UO":
        texts = [one if isinstance(one, bytes) else one.encode() for one in array.ravel().tolist()]
        width = max(map(len, texts))
        array = np.frombuffer(b"".join(text.ljust(width, b"\0") for text in texts), np.uint8).reshape(*array.shape, width)
    form, _ = FORMATS[array.dtype.name]
    values = array.ravel().tolist()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "bits": [struct.pack(form, value)[::-1].hex() for value in values]}


def record(row: Row) -> dict[str, Json]:
    """`row` with what its framework yields, as plain data."""
    got = [np.asarray(one) for one in row.run()]
    assert len(got) == len(row.outputs), (row.slug, len(got))
    for one in got:
        assert np.isfinite(one).all() if one.dtype.kind == "f" else True, row.slug
    return {
        "slug": row.slug, "title": row.title, "requirements": list(row.requirements), "call": row.call, "tolerance": dict(row.tolerance),
        "architecture": row.architecture,
        "tensors": {name: spelled(row.weights[name]) for name in sorted(row.weights)},
        "inputs": {name: spelled(array) for name, array in row.inputs.items()},
        "outputs": {name: spelled(one) for name, one in zip(row.outputs, got, strict=True)},
        **({"assets": dict(row.assets)} if row.assets else {}),
    }


def unless_compared(build: Callable[..., Row]) -> Callable[..., Row | None]:
    """`build`, which yields None where a backend that is only compared cannot do what is asked."""
    @functools.wraps(build)
    def attempt(*args: Any, **options: Any) -> Row | None:
        try:
            row = build(*args, **options)
            if "--compare" in sys.argv:
                got = row.run()
                row.run = lambda: got
        except Exception as error:
            if "--compare" not in sys.argv:
                raise
            print(f"{args[0] if args else build.__name__}: not here: {type(error).__name__}")
            return None
        return row

    return attempt
