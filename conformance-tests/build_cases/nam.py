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
    around = {"name": "d", "type": "org.example:Around", "sublayers": {"inner": {"type": "Dense", "config": {"units": 1, "use_bias": False}}}}
    for slug, title, architecture, place in (
        ("around-a-known-type", "A layer of somebody else's type holds one with a weight", {**one("Dense"), "layers": [around]}, "layers/0/type"),
        ("unknown-operation", "A call names somebody else's operation", graph([{"op": "org.example:fold", "inputs": ["x"], "outputs": ["y"]}, call("d", "y")], ["d"]), "calls/0/op"),
        ("unknown-type-without-a-call", "No call names a layer of somebody else's type with a weight",
         graph([call("d", "x")], ["d"], one("org.example:Dense")["layers"][0] | {"name": "e"}), "layers/1/type"),
    ):
        yield Case(f"nam-005-{slug}", title, ["NAM-005"], kit.package(architecture), op="names", profile="names",
                   rejected=("semantic", "WEIGHT_NAME_UNKNOWN", f"architecture.json#/{place}"), twin="nam-005-known-type")
    yield from shared()


def call(layer: str, *inputs: str) -> kit.Json:
    return {"layer": layer, "inputs": list(inputs)}


def graph(calls: list[kit.Json], outputs: list[str], *more: kit.Json) -> kit.Json:
    """The Dense of `one`, other layers and some calls."""
    architecture = one("Dense")
    return {**architecture, "layers": [*architecture["layers"], *more], "calls": calls, "outputs": outputs}


def names(number2: int, number3: int, layer: str, path: str) -> kit.Json:
    """What each Keras calls the kernel of a Dense in a graph."""
    return {"keras2": {"objects": f"layer_with_weights-{number2}/kernel", "hdf5": f"{layer}/{layer}/kernel:0"},
            "keras3": {"objects": f"_operations/{number3}/_kernel", "hdf5": f"{layer}/{layer}/kernel", "paths": f"layers/{path}/vars/0"}}


def shared() -> Iterable[Case]:
    """Tensors of several weights, and weights of layers that lead nowhere."""
    def dense(name: str, tensor: str, units: int = 2) -> kit.Json:
        return {"name": name, "type": "Dense", "config": {"units": units, "use_bias": False}, "weights": {"kernel": {"tensor": tensor}}}

    late, early = dense("late", "both"), dense("early", "both")
    yield Case("nam-006-tied-weights", "A tensor has the names of its first layer in the order of Keras", ["NAM-006"],
               kit.package(graph([call("early", "x"), call("late", "early"), call("d", "late")], ["d"], late, early)), op="names", profile="names",
               accepted={"names": {"both": names(0, 1, "early", "dense"), "d.kernel": names(2, 3, "d", "dense_2")}})
    aside, idle, tied = dense("aside", "aside.kernel"), dense("idle", "idle.kernel"), dense("tied", "d.kernel", 1)
    yield Case("nam-007-layers-that-lead-nowhere", "No call names a layer, nothing takes what another yields", ["NAM-007"],
               kit.package(graph([call("aside", "x"), call("d", "x")], ["d"], aside, idle, tied)), op="names", profile="names",
               accepted={"names": {"d.kernel": names(0, 1, "d", "dense")}})
