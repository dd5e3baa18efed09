"""Cases of chapter 45: what weights are called in files of Keras and TensorFlow. The names were asked of the frameworks, see ``freeze/make_names.py``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import kit
from kit import Case

NAMES = Path(__file__).resolve().parents[1] / "freeze" / "names.json"
FORMS = ["NAM-001", "NAM-002", "NAM-003", "NAM-004"]


def one(type_: str) -> kit.Json:
    """An architecture of one layer that lists its weight."""
    layer = {"name": "d", "type": type_, "config": {"units": 1, "use_bias": False}, "weights": {"kernel": {"tensor": "d.kernel"}}}
    return {"format_version": "1.0", "name": "m", "inputs": [{"name": "x", "shape": [None, 2]}], "layers": [layer]}


def cases() -> Iterable[Case]:
    for row in json.loads(NAMES.read_bytes())["rows"]:
        yield Case(f"nam-001-{row['slug']}", row["title"], FORMS, kit.package(row["architecture"]), op="names", profile="names", accepted={"names": row["names"]})
    said = {
        "keras2": {"objects": "layer_with_weights-0/kernel", "hdf5": "d/d/kernel:0"},
        "keras3": {"objects": "_functional/_operations/1/_kernel", "hdf5": "d/m/d/kernel", "paths": "layers/dense/vars/0"},
    }
    yield Case("nam-005-known-type", "A weight that is listed has the names of its type", ["NAM-005"], kit.package(one("Dense")), op="names", profile="names",
               accepted={"names": {"d.kernel": said}})
    yield Case("nam-005-unknown-type", "A layer of somebody else's type has a weight", ["NAM-005"], kit.package(one("org.example:Dense")), op="names", profile="names",
               rejected=("semantic", "WEIGHT_NAME_UNKNOWN", "architecture.json#/layers/0/type"), twin="nam-005-known-type")
