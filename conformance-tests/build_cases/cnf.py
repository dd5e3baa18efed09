"""Cases of chapter 90: what a reader, a validator and a writer owe whoever runs them."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable

import kit
from kit import ARCHIVE, Case

ARCHITECTURE = {
    "format_version": "1.0",
    "inputs": [{"name": "x", "shape": [None, 2]}],
    "layers": [{"name": "dense", "type": "Dense", "config": {"units": 2}}],
}
YAML = """\
format_version: "1.0"
inputs:
  - name: x
    shape: [null, 2]
layers:
  - name: dense
    type: Dense
    config:
      units: 2
"""
TENSORS = {"dense.kernel": kit.f32([2, 2], 1.0, -2.0, 0.5, 0.0), "dense.bias": kit.f32([2], 0.25, -0.0)}
SEEN = kit.observe(ARCHITECTURE, TENSORS)
ODD_BITS = {
    "bfloat16": ("bfloat16", [3], struct.pack("<3H", 0x7FC1, 0x8000, 0x0001)),
    "complex64": ("complex64", [1], struct.pack("<2I", 0x3F800000, 0x80000000)),
    "empty": ("float32", [0, 3], b""),
    "float16": ("float16", [2], struct.pack("<2H", 0x7E01, 0xFC00)),
    "float32": ("float32", [2, 2], struct.pack("<4I", 0x7FC00001, 0xFF800000, 0x00000001, 0x80000000)),
    "float64": ("float64", [1], struct.pack("<Q", 0xFFF8000000000001)),
    "float8_e4m3fn": ("float8_e4m3fn", [2], b"\x7f\x80"),
    "int64": ("int64", [2], struct.pack("<2q", -(2**63), 2**63 - 1)),
    "long": ("uint8", [65], bytes(range(65))),
    "scalar": ("uint64", [], struct.pack("<Q", 2**64 - 1)),
    "truth": ("bool", [2], b"\x01\x00"),
}
TRAINING = {
    "format_version": "1.0",
    "optimizer": {"type": "SGD", "config": {"learning_rate": 0.01, "momentum": 0.9}},
    "losses": [{"type": "MeanSquaredError"}],
}
STATE = {"optimizer.momentum.dense.bias": kit.f32([2]), "optimizer.momentum.dense.kernel": kit.f32([2, 2])}
SHARDS = [["dense.bias"], ["dense.kernel"]]
SHARD_BYTES = 16
"""Both shards' tensors fit, and not both tensors one shard."""


def cases() -> Iterable[Case]:
    plain = kit.package(ARCHITECTURE, TENSORS)
    packed = {ARCHIVE: kit.archive(plain)}
    yield Case("cnf-001-one-layer", "A package of one layer and its weights", ["CNF-001", "CNF-002"], plain, accepted=SEEN)
    yield Case("cnf-001-one-layer-archive", "The same package as an archive", ["CNF-001", "CNF-002"], packed, accepted=SEEN, profile="archive")
    yield Case("cnf-001-bit-patterns", "NaN payloads, subnormals, signed zeros and extremes of many dtypes", ["CNF-001"],
               kit.package(tensors=ODD_BITS), accepted=kit.observe(tensors=ODD_BITS))
    yield from validator_cases(plain)
    yield from writer_cases(plain, packed)


def renamed(architecture: kit.Json) -> kit.Files:
    """A package whose architecture and asset have a number sign in their names."""
    files = kit.package(architecture, assets={"assets/#1.txt": b"1"})
    manifest = json.loads(files["manifest.json"])
    manifest["members"]["c#/net.json"] = manifest["members"].pop("architecture.json")
    manifest["sections"]["architecture"] = "c#/net.json"
    return {"assets/#1.txt": files["assets/#1.txt"], "c#/net.json": files["architecture.json"], "manifest.json": kit.document(manifest)}


def validator_cases(plain: kit.Files) -> Iterable[Case]:
    yield Case("cnf-003-one-layer", "A package without a problem", ["CNF-003", "PKG-008", "PKG-009", "PKG-019"], plain, op="validate", role="validator", accepted=SEEN)
    broken = kit.document({**ARCHITECTURE, "layer": []})
    yield Case("cnf-003-a-digest-and-a-schema", "A document has another digest, and a member too many", ["CNF-003", "PKG-008"],
               kit.package(ARCHITECTURE, TENSORS, replace={"architecture.json": broken}, manifest_edit=lambda m: m["members"]["architecture.json"].update(digest=kit.digest(b""))), op="validate",
               role="validator", twin="cnf-003-one-layer", rejected=("semantic", "MEMBER_DIGEST_MISMATCH", "architecture.json"))
    yield Case("cnf-003-two-members-unlisted", "Two files that the manifest does not list", ["CNF-003", "PKG-019"], {**plain, "a.txt": b"", "assets/\u00e9.txt": b""}, op="validate",
               role="validator", twin="cnf-003-one-layer", rejected=("semantic", "MEMBER_UNLISTED", "a.txt"), also=[("MEMBER_UNLISTED", "assets/\\xe9.txt")])
    twin = "cnf-003-number-signs-in-names"
    yield Case(twin, "Names of members hold number signs", ["CNF-003", "ARC-001", "PKG-019"], renamed(ARCHITECTURE), op="validate", role="validator",
               accepted=kit.observe(ARCHITECTURE, assets={"assets/#1.txt": b"1"}))
    yield Case("cnf-003-a-fault-behind-a-number-sign", "A member too many in a document whose name holds a number sign", ["CNF-003", "ARC-001"], renamed({**ARCHITECTURE, "layer": []}),
               op="validate", role="validator", twin=twin, rejected=("schema", "SCHEMA_VIOLATION", "c\\x23/net.json#/layer"))
    yield Case("cnf-003-unlisted-number-sign", "A file that is not listed is named like a place", ["CNF-003", "PKG-019"], {**renamed(ARCHITECTURE), "c#/net.json#/layers": b""},
               op="validate", role="validator", twin=twin, rejected=("semantic", "MEMBER_UNLISTED", "c\\x23/net.json\\x23/layers"))
    numbers = '{{"format_version": "1.0", "layers": [{{"name": "a", "type": "org.example:A", "config": {{"x": {}, "y": [0, {}]}}}}]}}'
    yield Case("cnf-003-two-numbers", "Two numbers in range", ["CNF-003", "DOC-006"], kit.package(numbers.format(1, 2).encode()), op="validate",
               role="validator", accepted=kit.observe(json.loads(numbers.format(1, 2))))
    yield Case("cnf-003-two-numbers-out-of-range", "Two numbers are out of range", ["CNF-003", "DOC-006"],
               kit.package(numbers.format(2**64, -(2**63) - 1).encode()), op="validate", role="validator", twin="cnf-003-two-numbers",
               rejected=("json", "NUMBER_OUT_OF_RANGE", "architecture.json#/layers/0/config/x"),
               also=[("NUMBER_OUT_OF_RANGE", "architecture.json#/layers/0/config/y/1")])
    broken = '{"format_version": "1.0", "layers": [{"name": "a", "type": "org.example:A", "config": {"x": 1e999, "y": [0, "\\ud800"]}}]}'
    yield Case("cnf-003-a-number-and-a-surrogate", "A number is out of range, and a surrogate stands alone", ["CNF-003", "DOC-007", "DOC-005"], kit.package(broken.encode()), op="validate",
               role="validator", twin="cnf-003-a-number-and-a-string", rejected=("json", "NUMBER_OUT_OF_RANGE", "architecture.json#/layers/0/config/x"),
               also=[("STRING_LONE_SURROGATE", "architecture.json#/layers/0/config/y/1")])
    sound = broken.replace("1e999", "1.0e+3").replace("\\ud800", "\\u00e9")
    yield Case("cnf-003-a-number-and-a-string", "A number in range, and an escape of a character", ["CNF-003", "DOC-007", "DOC-005"], kit.package(sound.encode()), op="validate",
               role="validator", accepted=kit.observe(json.loads(sound)))
    tagged = 'format_version: "1.0"\nlayers:\n  - {{name: a, type: "org.example:A", config: {{x: {}}}}}\n'
    yield Case("cnf-003-a-scalar-without-a-tag", "A number without a tag", ["CNF-003", "DOC-021", "DOC-029"], kit.package(tagged.format("1.5")), op="validate", role="validator",
               profile="yaml", accepted=kit.observe({"format_version": "1.0", "layers": [{"name": "a", "type": "org.example:A", "config": {"x": 1.5}}]}))
    yield Case("cnf-003-a-tag-and-a-scalar", "A scalar that begins like a number has a tag", ["CNF-003", "DOC-021", "DOC-029"], kit.package(tagged.format("!!str 1x")), op="validate",
               role="validator", profile="yaml", twin="cnf-003-a-scalar-without-a-tag", rejected=("json", "YAML_TAG", "architecture.yaml#/layers/0/config/x"),
               also=[("YAML_AMBIGUOUS_SCALAR", "architecture.yaml#/layers/0/config/x")])
    twin = "cnf-003-records"
    yield Case(twin, "Each member has a record", ["CNF-003", "DOC-027", "PKG-005"], plain, op="validate", role="validator", accepted=SEEN)
    yield Case("cnf-003-a-float-before-a-size", "A size is another number, and a float", ["CNF-003", "DOC-027"],
               kit.package(ARCHITECTURE, TENSORS, manifest_edit=lambda m: m["members"]["architecture.json"].update(size=1.0)), op="validate", role="validator", twin=twin,
               rejected=("semantic", "INTEGER_EXPECTED", "manifest.json#/members/architecture.json/size"))
    yield Case("cnf-003-behind-an-empty-name", "The record of an empty name has a digest that is a number", ["CNF-003", "PKG-005"],
               kit.package(ARCHITECTURE, TENSORS, manifest_edit=lambda m: m["members"].update({"": {"size": 1, "digest": 1}})), op="validate", role="validator", twin=twin,
               rejected=("schema", "MANIFEST_MALFORMED", "manifest.json#/members//digest"))
    twin = "cnf-003-two-layers"
    two = {"format_version": "1.0", "layers": [{"name": name, "type": "Dense", "config": {"units": 2}} for name in "ab"]}
    yield Case(twin, "A package of two layers", ["CNF-003", "ARC-001", "ARC-004", "LYR-001", "LYR-002", "VER-002"], kit.package(two), op="validate", role="validator", profile="layers", accepted=kit.observe(two))

    def several(name: str, broken: list[str], title: str, change: kit.Json, first: tuple[str, str, str], *also: tuple[str, str]) -> Case:
        return Case(name, title, ["CNF-003", *broken], kit.package(change), op="validate", role="validator", profile="layers", twin=twin, rejected=first, also=also)

    at = "architecture.json#"
    dense = two["layers"][0]
    yield several("cnf-003-a-config-before-a-name", ["LYR-002"], "A config breaks its schema, and a name is not in normalisation form C",
                  {**two, "layers": [{**dense, "config": {}}, {**dense, "name": "e\u0301"}]}, ("schema", "LAYER_CONFIG_INVALID", f"{at}/layers/0/config"))
    yield several("cnf-003-a-version-before-a-schema", ["VER-002"], "A version is no string, and a member is unknown",
                  {**two, "format_version": 1, "layer": []}, ("schema", "VERSION_SYNTAX", f"{at}/format_version"))
    yield several("cnf-003-a-schema-before-an-integer", ["ARC-001"], "A member is unknown, and an integer has a point",
                  {**two, "layer": [], "layers": [{**dense, "config": {"units": 2.0}}]}, ("schema", "SCHEMA_VIOLATION", f"{at}/layer"))
    yield several("cnf-003-a-name-and-a-type", ["ARC-004", "LYR-001"], "A name stands twice, and a type is misspelt",
                  {**two, "layers": [{**dense, "type": "Dence"}, dense]}, ("semantic", "LAYER_TYPE_UNKNOWN", f"{at}/layers/0/type"),
                  ("LAYER_DUPLICATE_NAME", f"{at}/layers/1/name"))


def writer_cases(plain: kit.Files, packed: kit.Files) -> Iterable[Case]:
    def rewrite(name: str, title: str, files: kit.Files, *, profile: str = "core", **options: object) -> Case:
        return Case(name, title, ["CNF-004"], files, op="rewrite", role="writer", profile=profile, accepted=SEEN, written=files, options=options)

    yield rewrite("cnf-004-directory", "A directory package is written again", plain)
    yield rewrite("cnf-004-archive", "An archive is written again", packed, profile="archive", form="archive")
    yield rewrite("cnf-004-bits", "Odd bit patterns are written again", kit.package(tensors=ODD_BITS))
    yield rewrite("cnf-004-sharded", "A sharded package is written again", kit.package(ARCHITECTURE, TENSORS, shards=SHARDS),
                  profile="sharded", max_shard_bytes=SHARD_BYTES)
    yield rewrite("cnf-004-yaml", "An architecture in YAML is written again", kit.package(YAML, TENSORS), profile="yaml", spelling="yaml")
    yield rewrite("cnf-004-training", "Training and its state are written again", kit.package(ARCHITECTURE, TENSORS, TRAINING, STATE), profile="training")
    same = kit.package(ARCHITECTURE, TENSORS)
    for name, title, files, profile, options in (
        ("from-archive", "A directory package from an archive", packed, "archive", {}),
        ("to-archive", "An archive from a directory package", plain, "archive", {"form": "archive"}),
        ("from-yaml", "JSON from YAML", kit.package(YAML, TENSORS), "yaml", {"spelling": "json"}),
        ("from-shards", "One file from two shards", kit.package(ARCHITECTURE, TENSORS, shards=SHARDS), "sharded", {}),
    ):
        yield Case(f"cnf-005-{name}", title, ["CNF-005"], files, op="rewrite", role="writer", profile=profile, accepted=SEEN, options=options,
                   written=packed if options.get("form") == "archive" else same)
    yield Case("cnf-005-from-data", "A package from plain data", ["CNF-005"], {"given.json": kit.document(SEEN)}, op="write", role="writer",
               accepted=SEEN, written=same)
