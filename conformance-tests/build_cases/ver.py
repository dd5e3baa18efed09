"""Cases of chapter 70: the version that every document carries."""

from __future__ import annotations

from collections.abc import Iterable

import kit
from kit import Case

PLAIN: dict[str, kit.Json] = {"format_version": "1.0", "layers": [{"name": "flat", "type": "Flatten"}]}
TRAINING: dict[str, kit.Json] = {"format_version": "1.0", "progress": {"epoch": 1}}
TWIN = "ver-001-one-zero"


def architecture(version: kit.Json) -> dict[str, kit.Json]:
    """The architecture with another version."""
    return {**PLAIN, "format_version": version}


def rejects(id_: str, title: str, version: kit.Json, code: str) -> Case:
    return Case(id_, title, [id_[:7].upper()], kit.package(architecture(version)), rejected=("schema", code, "architecture.json#/format_version"), twin=TWIN)


def cases() -> Iterable[Case]:
    yield Case("ver-004-lowest-version", "What version 1.0 can say is written as 1.0", ["VER-004"], kit.package(PLAIN, training=TRAINING), op="rewrite", role="writer", profile="training",
               accepted=kit.observe(PLAIN, training=TRAINING), written=kit.package(PLAIN, training=TRAINING))
    yield Case("ver-005-first-version", "Documents of the first version of this major version", ["VER-005"], kit.package(PLAIN), accepted=kit.observe(PLAIN))
    yield Case(TWIN, "Documents of version 1.0", ["VER-001", "VER-002", "VER-003"], kit.package(PLAIN, training=TRAINING), accepted=kit.observe(PLAIN, training=TRAINING), profile="core")
    layers = PLAIN["layers"]
    yield Case("ver-001-architecture-without", "An architecture without a version", ["VER-001"], kit.package({"layers": layers}), rejected=("schema", "VERSION_MISSING", "architecture.json#"), twin=TWIN)
    yield Case("ver-001-training-without", "A training document without a version", ["VER-001"], kit.package(PLAIN, training={"progress": {"epoch": 1}}),
               rejected=("schema", "VERSION_MISSING", "training.json#"), twin=TWIN, profile="training")
    yield Case("ver-001-manifest-without", "A manifest without a version", ["VER-001"], kit.package(PLAIN, manifest_edit=lambda m: m.pop("format_version") and None),
               rejected=("schema", "VERSION_MISSING", "manifest.json#"), twin=TWIN)
    for name, title, version in (("number", "A version that is a number", 1.0), ("one-part", "A version of one part", "1"), ("three-parts", "A version of three parts", "1.0.0"),
                                 ("leading-zero", "A version with a leading zero", "1.00"), ("prefix", "A version with a prefix", "v1.0"), ("space", "A version with a space", "1.0 ")):
        yield rejects(f"ver-002-{name}", title, version, "VERSION_SYNTAX")
    for name, title, version in (("next-minor", "The next minor version", "1.1"), ("next-major", "The next major version", "2.0"), ("minor-of-two-digits", "A minor version of two digits", "1.10"),
                                 ("before-the-first", "A version before the first", "0.9")):
        yield rejects(f"ver-003-{name}", title, version, "VERSION_UNSUPPORTED")
    later = {**architecture("1.1"), "layers": [{"name": "flat", "type": "Flatten", "quantum": True}], "wires": []}
    yield Case("ver-003-with-later-members", "A document of the next version, with members it may define", ["VER-003"], kit.package(later), rejected=("schema", "VERSION_UNSUPPORTED", "architecture.json#/format_version"), twin=TWIN)
    yield Case("ver-003-training-from-later", "A training document of the next version", ["VER-003"], kit.package(PLAIN, training={**TRAINING, "format_version": "1.1"}),
               rejected=("schema", "VERSION_UNSUPPORTED", "training.json#/format_version"), twin=TWIN, profile="training")
    yield Case("ver-003-manifest-from-later", "A manifest of the next version", ["VER-003"], kit.package(PLAIN, manifest_edit=lambda m: m.update(format_version="1.1")),
               rejected=("schema", "VERSION_UNSUPPORTED", "manifest.json#/format_version"), twin=TWIN)
