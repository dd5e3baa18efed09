"""Cases of chapter 60: extensions that are known, unknown, required and carried along."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

import kit
from kit import Case

Json = kit.Json
PLAIN: dict[str, Json] = {"format_version": "1.0", "layers": [{"name": "flat", "type": "Flatten"}]}
OPTIONAL: dict[str, Json] = {
    "format_version": "1.0",
    "inputs": [{"name": "x", "shape": [None, 2, 2], "extensions": {"EXT_units": {"unit": "mm"}}}],
    "layers": [
        {"name": "flat", "type": "Flatten", "extensions": {"EXT_colours": {"colour": "red", "depth": [1, {"a": 1.0}]}, "EXT_units": {}}},
        {"name": "each", "type": "org.example:Wrapper", "sublayers": {"layer": {"type": "Flatten", "extensions": {"EXT_colours": {}}}}},
        {"name": "inner", "type": "Model", "architecture": {"layers": [], "extensions": {"EXT_units": {"unit": "m"}}}},
    ],
    "calls": [{"layer": "flat", "inputs": ["x"], "extensions": {"EXT_units": {"unit": "cm"}}}],
    "outputs": ["flat"],
    "extensions_used": ["EXT_colours", "EXT_units"],
    "extensions": {"EXT_colours": {"palette": None}},
}
"""Data of extensions that nobody knows, at every object that may hold some."""
KNOWN: dict[str, Json] = {**PLAIN, "extensions_used": ["keras"], "extensions_required": ["keras"], "extensions": {"keras": {"class_name": "Sequential"}}}
TRAINING: dict[str, Json] = {
    "format_version": "1.0",
    "optimizer": {"type": "SGD", "config": {"learning_rate": 0.1}, "extensions": {"EXT_a": {"x": 1}}},
    "losses": [{"type": "MeanSquaredError", "extensions": {"EXT_a": {}}}],
    "metrics": [{"type": "MeanSquaredError", "extensions": {"EXT_b": {}}}],
    "extensions_used": ["EXT_a", "EXT_b", "EXT_c"],
    "extensions": {"EXT_c": {}},
}
AT = "architecture.json#"


def edited(base: dict[str, Json], change: Callable[[dict[str, Json]], object]) -> dict[str, Json]:
    """A copy of `base` after `change`."""
    data = copy.deepcopy(base)
    change(data)
    return data


def rejects(id_: str, title: str, base: dict[str, Json], change: Callable[[dict[str, Json]], object], stage: str, code: str, pointer: str, twin: str) -> Case:  # noqa: PLR0917 - a row of a table
    return Case(id_, title, [id_[:7].upper()], kit.package(edited(base, change)), rejected=(stage, code, AT + pointer), twin=twin)


def cases() -> Iterable[Case]:
    all_ = ["EXT-001", "EXT-002", "EXT-003", "EXT-004", "EXT-005", "EXT-006", "EXT-007"]
    yield Case("ext-001-unknown-and-optional", "Unknown extensions at every object that may hold some", all_, kit.package(OPTIONAL), accepted=kit.observe(OPTIONAL))
    yield Case("ext-007-rewritten", "Unknown extensions survive a rewrite", ["EXT-007"], kit.package(OPTIONAL), op="rewrite", role="writer", accepted=kit.observe(OPTIONAL), written=kit.package(OPTIONAL))
    yield Case("ext-007-training", "Unknown extensions of training survive a rewrite", ["EXT-002", "EXT-007"][::-1], kit.package(training=TRAINING), op="rewrite", role="writer", profile="training",
               accepted=kit.observe(training=TRAINING), written=kit.package(training=TRAINING))
    more = {"extensions_used": ["EXT_a"], "extensions": {"EXT_a": {"x": {"float": "NaN"}}}}
    yield Case("ext-007-manifest", "Unknown extensions of the manifest survive a rewrite", ["EXT-007", "EXT-002"], kit.package(PLAIN, manifest=more), op="rewrite", role="writer",
               accepted=kit.observe(PLAIN), written=kit.package(PLAIN, manifest=more))
    listed = {**PLAIN, "extensions_used": ["EXT_a"]}
    yield Case("ext-002-listed-without-data", "An extension that is listed and holds no data", ["EXT-002", "EXT-004", "EXT-005", "EXT-006"], kit.package(listed), accepted=kit.observe(listed))
    twin = "ext-001-unknown-and-optional"
    for name, title in (("1st", "begins with a digit"), ("my-extension", "has a hyphen"), ("", "is empty"), ("x" * 65, "has 65 characters")):
        word = {"": "empty", "x" * 65: "65-characters"}.get(name, name)
        yield rejects(f"ext-001-{word}", f"A name that {title}", PLAIN, lambda d, name=name: d.update(extensions_used=[name], extensions={name: {}}), "schema", "EXTENSION_NAME_SYNTAX", f"/extensions/{name}", twin)
    yield rejects("ext-002-unlisted-at-the-top", "Data of an extension that is not listed", OPTIONAL, lambda d: d["extensions"].update(EXT_a={}), "semantic", "EXTENSION_UNLISTED", "/extensions/EXT_a", twin)
    yield rejects("ext-002-unlisted-in-a-layer", "A layer with data of an extension that is not listed", PLAIN, lambda d: d["layers"][0].update(extensions={"keras": {}}), "semantic", "EXTENSION_UNLISTED", "/layers/0/extensions/keras", twin)
    yield rejects("ext-002-unlisted-in-a-sublayer", "A sublayer with data of an extension that is not listed", OPTIONAL, lambda d: d["layers"][1]["sublayers"]["layer"]["extensions"].update(EXT_b={}),
                  "semantic", "EXTENSION_UNLISTED", "/layers/1/sublayers/layer/extensions/EXT_b", twin)
    yield Case("ext-002-unlisted-in-training", "A loss with data of an extension that is not listed", ["EXT-002"], kit.package(training=edited(TRAINING, lambda d: d["losses"][0]["extensions"].update(EXT_d={}))),
               rejected=("semantic", "EXTENSION_UNLISTED", "training.json#/losses/0/extensions/EXT_d"), twin="ext-002-listed-in-training", profile="training")
    yield Case("ext-002-listed-in-training", "Data of listed extensions at every object of training", ["EXT-002"], kit.package(training=TRAINING),
               accepted=kit.observe(training=TRAINING), profile="training")
    yield Case("ext-002-unlisted-in-manifest", "A manifest with data of an extension that is not listed", ["EXT-002"], kit.package(PLAIN, manifest={**more, "extensions_used": ["EXT_b"]}),
               rejected=("semantic", "EXTENSION_UNLISTED", "manifest.json#/extensions/EXT_a"), twin="ext-002-listed-in-manifest")
    yield Case("ext-002-listed-in-manifest", "A manifest with data of an extension that is listed", ["EXT-002"], kit.package(PLAIN, manifest=more), accepted=kit.observe(PLAIN))
    yield Case("ext-003-required-and-used", "A known extension, used and required", ["EXT-003", "EXT-004"], kit.package(KNOWN), accepted=kit.observe(KNOWN), needs=["keras"])
    yield rejects("ext-003-required-not-used", "An extension required and not used", {**PLAIN, "extensions_required": ["keras"]}, lambda d: d, "semantic", "EXTENSION_NOT_USED", "/extensions_required/0", twin)
    yield Case("ext-004-used-by-manifest", "An unknown extension that the manifest uses", ["EXT-004"], kit.package(PLAIN, manifest={"extensions_used": ["EXT_a"]}),
               accepted=kit.observe(PLAIN))
    yield rejects("ext-004-unknown-and-required", "An unknown extension that is required", listed, lambda d: d.update(extensions_required=["EXT_a"]), "semantic", "EXTENSION_UNSUPPORTED", "/extensions_required/0", "ext-002-listed-without-data")
    yield Case("ext-004-required-by-training", "An unknown extension that training requires", ["EXT-004"], kit.package(training={**TRAINING, "extensions_required": ["EXT_b"]}),
               rejected=("semantic", "EXTENSION_UNSUPPORTED", "training.json#/extensions_required/0"), twin=twin, profile="training")
    yield Case("ext-004-required-by-manifest", "An unknown extension that the manifest requires", ["EXT-004"], kit.package(PLAIN, manifest={"extensions_used": ["EXT_a"], "extensions_required": ["EXT_a"]}),
               rejected=("semantic", "EXTENSION_UNSUPPORTED", "manifest.json#/extensions_required/0"), twin="ext-004-used-by-manifest")
    yield rejects("ext-005-name-twice", "A name twice in a list", KNOWN, lambda d: d.update(extensions_used=["keras", "keras"]), "schema", "EXTENSION_LIST_MALFORMED", "/extensions_used", twin)
    yield rejects("ext-005-one-name", "A list that is one name", {**PLAIN, "extensions": {"E": {}}}, lambda d: d.update(extensions_used="E"), "schema", "EXTENSION_LIST_MALFORMED", "/extensions_used", twin)
    yield rejects("ext-006-data-is-text", "Data of an extension that is text", listed, lambda d: d.update(extensions={"EXT_a": "red"}), "schema", "EXTENSION_DATA_NOT_OBJECT", "/extensions/EXT_a", "ext-002-listed-without-data")
    yield rejects("ext-006-extensions-array", "Extensions as an array", listed, lambda d: d.update(extensions=[{"EXT_a": {}}]), "schema", "EXTENSION_DATA_NOT_OBJECT", "/extensions", "ext-002-listed-without-data")
