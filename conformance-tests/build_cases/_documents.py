"""Cases of the documents themselves: some that use all that chapters 20, 30 and 50 allow, others full of faults.

A *part* is a piece of a document with its faults: pairs of the requirement broken and the place in the part. Each piece has one fault
for one reason, or several where they do not touch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import kit
from _kinds import MOST
from kit import Case

Json = Any
Fault = tuple[str, str]
Part = tuple[Json, Sequence[Fault]]
CODES = {
    "ARC-005": "NAME_SYNTAX", "ARC-007": "LAYER_TYPE_SYNTAX", "ARC-008": "MODEL_ARCHITECTURE_MISMATCH", "ARC-011": "ARCHITECTURE_INCOMPLETE", "ARC-012": "ARCHITECTURE_INCOMPLETE",
    "ARC-021": "DTYPE_UNKNOWN", "ARC-029": "OPERATION_SYNTAX", "DOC-015": "METADATA_NOT_STRINGS", "EXT-001": "EXTENSION_NAME_SYNTAX", "EXT-005": "EXTENSION_LIST_MALFORMED",
    "EXT-006": "EXTENSION_DATA_NOT_OBJECT", "PKG-005": "MANIFEST_MALFORMED", "TRN-006": "COMPONENT_TYPE_SYNTAX", "WGT-013": "SHARD_INDEX_MALFORMED",
}
"""Requirement -> code; SCHEMA_VIOLATION for every other one."""
LONG = "a" * 1025
DTYPES = (
    "bool", "float4_e2m1fn", "float6_e2m3fn", "float6_e3m2fn", "uint8", "int8", "float8_e5m2", "float8_e4m3fn", "float8_e8m0fnu", "float8_e4m3fnuz", "float8_e5m2fnuz", "int16",
    "uint16", "float16", "bfloat16", "int32", "uint32", "float32", "complex64", "float64", "int64", "uint64",
)
"""The table of chapter 20."""
NOT_FINITE = [{"float": one} for one in ("NaN", "Infinity", "-Infinity")]
NAMES = [f"e{number}" for number in range(256)]
"""As many extensions as a document may use."""
METADATA = [({"metadata": 3}, [("DOC-015", "/metadata")]), ({"metadata": {"a": 1}}, [("DOC-015", "/metadata/a")])]
EXTENSIONS = [({"extensions": 3}, [("EXT-006", "/extensions")]), ({"extensions": {"1st": {}}}, [("EXT-001", "/extensions/1st")]), ({"extensions": {"a": 3}}, [("EXT-006", "/extensions/a")])]


def beside(base: dict[str, Json], parts: Iterable[Part]) -> list[Part]:
    """Each part as members of an object that has those of `base`, too."""
    return [({**base, **part}, faults) for part, faults in parts]


def at(place: str, part: Part) -> list[Fault]:
    """The faults of a part that stands at `place`."""
    return [(requirement, place + rest) for requirement, rest in part[1]]


# --- chapter 20

def graphs(requirement: str, *, named: bool) -> list[Part]:
    """Faulty graphs: nested architectures, and composites, whose inputs are names and which have neither name nor extensions."""
    one_input = ["x"] if named else [{"name": "x", "shape": [None]}]
    none: dict[str, Json] = {"layers": []}
    parts: list[Part] = [
        (3, [(requirement, "")]),
        ({}, [(requirement, "")]),
        ({"layers": {}}, [(requirement, "/layers")]),
        ({"layers": [3], "more": 1}, [("ARC-003", "/layers/0"), (requirement, "/more")]),
        ({**none, "inputs": {}, "calls": {}, "outputs": {}}, [(requirement, f"/{name}") for name in ("inputs", "calls", "outputs")]),
        ({**none, "inputs": [], "calls": [3], "outputs": []}, [(requirement, "/inputs"), ("ARC-010", "/calls/0"), (requirement, "/outputs")]),
        ({**none, "inputs": [3], "calls": [], "outputs": [3]}, [("ARC-005" if named else "ARC-002", "/inputs/0"), ("ARC-005", "/outputs/0")]),
        ({**none, "inputs": one_input, "calls": []}, [("ARC-011", "")]),
        ({**none, "inputs": one_input, "outputs": ["x"]}, [("ARC-011", "")]),
        ({**none, "calls": [], "outputs": ["x"]}, [("ARC-012", "")]),
        *beside(none, METADATA),
    ]
    return parts if named else [*parts, *beside(none, EXTENSIONS), ({**none, "name": 3}, [("ARC-005", "/name")])]


def holders(requirement: str) -> list[Part]:
    """Faulty layers without their name, and sublayers."""
    plain = {"type": "org.example:A"}
    return [
        (3, [(requirement, "")]),
        ({}, [(requirement, "")]),
        *(({"type": wrong}, [("ARC-007", "/type")]) for wrong in (3, "a b", "A" * 257)),
        ({"type": "Model"}, [("ARC-008", "")]),
        ({**plain, "architecture": {"layers": []}}, [("ARC-008", "/architecture")]),
        ({"type": "Model", "architecture": {"layers": []}, "config": {}}, [("ARC-009", "/config")]),
        ({"type": "Model", "architecture": 3}, [("ARC-001", "/architecture")]),
        ({**plain, "config": 3, "sublayers": 3, "weights": 3, "trainable": "true", "dtype": "float", "compute_dtype": "float", "more": 1}, [
            *((requirement, f"/{name}") for name in ("config", "trainable", "more")), ("ARC-022", "/sublayers"), ("ARC-020", "/weights"), ("ARC-021", "/dtype"), ("ARC-021", "/compute_dtype")]),
        ({**plain, "sublayers": {"a": 3, "B": plain}, "weights": {"a": 3, "": {"tensor": "b"}}}, [
            ("ARC-022", "/sublayers/a"), ("ARC-022", "/sublayers/B"), ("ARC-020", "/weights/a"), ("ARC-005", "/weights/")]),
        *beside(plain, METADATA), *beside(plain, EXTENSIONS),
    ]


def weights() -> list[Part]:
    """Faulty weights."""
    named = {"tensor": "a"}
    axes = ({}, [0] * 33), ([1.5], [-1], [32])
    return [
        ({}, [("ARC-020", "")]),
        ({"tensor": 3}, [("ARC-005", "/tensor")]),
        ({**named, "trainable": "true", "more": 1}, [("ARC-020", "/trainable"), ("ARC-020", "/more")]),
        *(({**named, "axes": wrong}, [("ARC-020", "/axes")]) for wrong in axes[0]),
        *(({**named, "axes": wrong}, [("ARC-020", "/axes/0")]) for wrong in axes[1]),
    ]


def inputs() -> list[Part]:
    """Faulty inputs."""
    named, shape = {"name": "a"}, {"shape": [None]}
    return [
        (3, [("ARC-002", "")]),
        (named, [("ARC-002", "")]),
        (shape, [("ARC-002", "")]),
        *(({**shape, "name": wrong}, [("ARC-005", "/name")]) for wrong in (3, "", LONG, "a\u0085b")),
        ({**named, "shape": 3}, [("ARC-002", "/shape")]),
        ({**named, "shape": [1] * 33}, [("ARC-002", "/shape")]),
        *(({**named, "shape": [wrong]}, [("ARC-002", "/shape/0")]) for wrong in (True, 1.5, -1, MOST + 1, "a b", "a" * 65)),
        ({**named, **shape, "dtype": "float", "more": 1}, [("ARC-021", "/dtype"), ("ARC-002", "/more")]),
        *beside({**named, **shape}, METADATA), *beside({**named, **shape}, EXTENSIONS),
    ]


def calls() -> list[Part]:
    """Faulty calls."""
    layer, operation = {"layer": "a", "inputs": ["x"]}, {"op": "exp", "inputs": ["x"], "outputs": ["y"]}
    argued = [
        (3, ""), ({"": 1}, "/"), ({"a": {"value": 3}}, "/a/value"), ({"a": {"float": "nan"}}, "/a/float"), ({"a": {}}, "/a"), ({"a": {"value": "x", "float": "NaN"}}, "/a"),
        ({"a": [{}]}, "/a/0"), ({"a": {"more": 1}}, "/a/more"),
    ]
    return [
        (3, [("ARC-010", "")]),
        ({"layer": "a"}, [("ARC-010", "")]),
        ({"inputs": ["x"]}, [("ARC-028", "")]),
        ({**layer, "layer": 3, "more": 1}, [("ARC-005", "/layer"), ("ARC-010", "/more")]),
        ({**layer, "config": {}}, [("ARC-028", "/config")]),
        *(({**operation, "op": wrong}, [("ARC-029", "/op")]) for wrong in (3, "A b", "a" * 257)),
        ({"op": "exp", "inputs": ["x"]}, [("ARC-028", "")]),
        ({**operation, "config": 3}, [("ARC-010", "/config")]),
        ({**operation, "layer": "a", "arguments": {}}, [("ARC-028", "/layer"), ("ARC-028", "/arguments")]),
        ({**layer, "inputs": 3, "outputs": 3}, [("ARC-010", "/inputs"), ("ARC-010", "/outputs")]),
        ({**layer, "inputs": [3], "outputs": []}, [("ARC-005", "/inputs/0"), ("ARC-010", "/outputs")]),
        ({**layer, "outputs": [3]}, [("ARC-005", "/outputs/0")]),
        *(({**layer, "arguments": wrong}, [("ARC-005" if place in {"/", "/a/value"} else "ARC-010", f"/arguments{place}")]) for wrong, place in argued),
        *beside(layer, EXTENSIONS),
    ]


def architectures() -> Iterable[tuple[str, str, Json, list[Fault]]]:
    """(slug, title, document, faults) of whole architectures."""
    head: dict[str, Json] = {"format_version": "1.0"}

    def layered(slug: str, title: str, parts: Sequence[Part], place: str, holder: Callable[[Json, int], Json]) -> tuple[str, str, Json, list[Fault]]:
        layers = [holder(part, number) for number, (part, _) in enumerate(parts)]
        return slug, title, {**head, "layers": layers}, [fault for number, part in enumerate(parts) for fault in at(f"/layers/{number}{place}", part)]

    def named(part: Json, number: int) -> Json:
        return {"name": f"layer_{number}", **part} if isinstance(part, dict) else part

    def inside(member: str) -> Callable[[Json, int], Json]:
        return lambda part, number: {"name": f"layer_{number}", "type": "org.example:A", member: {"a": part}}

    yield layered("layers", "Layers full of faults", holders("ARC-003"), "", named)
    yield layered("sublayers", "Sublayers full of faults", holders("ARC-022"), "/sublayers/a", inside("sublayers"))
    yield layered("weights", "Weights full of faults", weights(), "/weights/a", inside("weights"))
    yield layered("nested-architectures", "Nested architectures full of faults", graphs("ARC-001", named=False), "/architecture",
                  lambda part, number: {"name": f"layer_{number}", "type": "Model", "architecture": part})
    parameters = ((3, ""), ({"A": {}}, "/A"), ({"a": 3}, "/a"), ({"a": {"more": 1}}, "/a/more"))
    composites: list[Part] = [*graphs("ARC-031", named=True), *(({"layers": [], "parameters": wrong}, [("ARC-031", f"/parameters{place}")]) for wrong, place in parameters)]
    faults = [fault for number, part in enumerate(composites) for fault in at(f"/composites/A{number}", part)]
    long, empty = "A" * 257, {"layers": []}
    yield ("composites", "Composites full of faults", {**head, "layers": [], "composites": {**{f"A{number}": part for number, (part, _) in enumerate(composites)}, long: empty, "a b": empty}},
           [*faults, ("ARC-031", f"/composites/{long}"), ("ARC-031", "/composites/a b")])
    yield ("inputs", "Inputs full of faults", {**head, "layers": [], "inputs": [part for part, _ in inputs()]},
           [fault for number, part in enumerate(inputs()) for fault in at(f"/inputs/{number}", part)])
    one_input = [{"name": "x", "shape": [None]}]
    yield ("calls", "Calls full of faults", {**head, "inputs": one_input, "layers": [], "calls": [part for part, _ in calls()], "outputs": ["x"]},
           [fault for number, part in enumerate(calls()) for fault in at(f"/calls/{number}", part)])
    yield ("types-of-members", "Members of other types than they have to be", {**head, "name": 3, "inputs": {}, "layers": {}, "calls": {}, "outputs": {}, "composites": [], "metadata": 3,
           "extensions_used": 3, "extensions_required": [3, *NAMES], "extensions": 3, "more": 1},
           [("ARC-005", "/name"), *(("ARC-001", f"/{name}") for name in ("inputs", "layers", "calls", "outputs", "more")), ("ARC-031", "/composites"), ("DOC-015", "/metadata"),
            ("EXT-005", "/extensions_used"), ("EXT-005", "/extensions_required"), ("EXT-001", "/extensions_required/0"), ("EXT-006", "/extensions")])
    yield ("members-of-members", "Members that hold what they must not", {**head, "inputs": [], "layers": [3], "calls": [3], "outputs": [], "extensions_used": ["a", "1st", "a"], "extensions_required": ["b", "b"]},
           [("ARC-001", "/inputs"), ("ARC-003", "/layers/0"), ("ARC-010", "/calls/0"), ("ARC-001", "/outputs"), ("EXT-001", "/extensions_used/1"), ("EXT-005", "/extensions_used"),
            ("EXT-005", "/extensions_required")])
    yield ("names-of-outputs", "An output that is no name", {**head, "inputs": one_input, "layers": [], "calls": [], "outputs": [3]}, [("ARC-005", "/outputs/0")])


def all_of_an_architecture() -> Json:
    """An architecture that has every member of every table, and every word where one of some is asked for."""
    said: dict[str, Json] = {"metadata": {"a": "b"}, "extensions": {"keras": {}}}
    graph = {"inputs": [{"name": "x", "shape": [None, 0, MOST, "n" * 64, *[1] * 28], **said}], "layers": [], "calls": [{"op": f"o:{'A' * 254}", "inputs": ["x"], "outputs": ["y"], "config": {}}], "outputs": ["y"], "metadata": {"a": "b"}}
    whole = {"weights": {"a": {"tensor": "b", "axes": [*range(32)], "trainable": False}}, "trainable": False, "dtype": "float16", "compute_dtype": "float32", **said}
    model = {"type": "Model", "architecture": {**graph, "name": "inner", "extensions": {"keras": {}}}}
    any_ = {"type": f"o:{'A' * 254}", "config": {"a": 1}}
    return {
        "format_version": "1.0", "name": LONG[1:], **said, "extensions_used": ["keras", "e" * 64, *NAMES[2:]], "extensions_required": [], "inputs": graph["inputs"],
        "layers": [
            {"name": "any", **any_, **whole, "sublayers": {"a": {**any_, **whole, "weights": {"c": {"tensor": "d"}}, "sublayers": {"b" * 64: any_}}, "m" * 64: {**model, **said}}},
            {"name": "model", **model, **said},
            *({"name": f"of_{one}", "type": "org.example:A", "dtype": one} for one in DTYPES),
        ],
        "calls": [{"layer": "any", "inputs": ["x"], "outputs": ["z"], "extensions": {"keras": {}}, "arguments": {"a": [{"value": "x"}, *NOT_FINITE], "b": True}}],
        "outputs": ["z"],
        "composites": {"A" * 256: {**graph, "inputs": ["x"], "parameters": {"a" * 64: {}, "b": {"default": [1]}}}},
    }


# --- chapter 50

def trainings() -> Iterable[tuple[str, str, Json, list[Fault]]]:
    """The same of whole training documents."""
    head: dict[str, Json] = {"format_version": "1.0"}

    def components(requirement: str, **own: Json) -> list[Part]:
        plain = {"type": "org.example:A"}
        return [
            (3, [(requirement, "")]),
            ({}, [(requirement, "")]),
            *(({"type": wrong}, [("TRN-006", "/type")]) for wrong in (3, "a b", "A" * 257)),
            ({**plain, "config": 3, "more": 1, **own}, [(requirement, "/config"), (requirement, "/more"), *((requirement, f"/{name}") for name in own)]),
            *beside(plain, EXTENSIONS),
        ]

    losses, metrics = ([*components(*one), ({"type": "org.example:A", "output": 3}, [("ARC-005", "/output")])] for one in (("TRN-003",), ("TRN-004",)))
    losses.append(({"type": "org.example:A", "weight": "1"}, [("TRN-003", "/weight")]))
    metrics.append(({"type": "org.example:A", "weighted": 1}, [("TRN-004", "/weighted")]))
    yield ("losses-and-metrics", "Losses and metrics full of faults", {**head, "losses": [part for part, _ in losses], "metrics": [part for part, _ in metrics]},
           [fault for name, parts in (("losses", losses), ("metrics", metrics)) for number, part in enumerate(parts) for fault in at(f"/{name}/{number}", part)])
    best = {"a": "1", "b": {}, "c": {"float": "nan"}, "d": {"float": "NaN", "more": 1}, "": 1}
    wrong_best = [("TRN-005", "/a"), ("TRN-005", "/b"), ("TRN-005", "/c/float"), ("TRN-005", "/d/more"), ("ARC-005", "/")]
    sizes = [({"step": 1.5, "epoch": -1, "samples": MOST + 1, "best": 3, "more": 1}, [("TRN-005", f"/{name}") for name in ("step", "epoch", "samples", "best", "more")]),
             ({"step": -1, "epoch": MOST + 1, "samples": 1.5, "best": best}, [*(("TRN-005", f"/{name}") for name in ("step", "epoch", "samples")), *((one, f"/best{place}") for one, place in wrong_best)]),
             (3, [("TRN-005", "")])]
    for number, ((optimizer, _), (progress, _)) in enumerate(pairs := list(zip(components("TRN-002"), [*sizes, *sizes[2:] * 9], strict=False)), 1):
        yield (f"an-optimizer-{number}", "An optimizer at fault, and progress", {**head, "optimizer": optimizer, "progress": progress},
               [*at("/optimizer", pairs[number - 1][0]), *at("/progress", pairs[number - 1][1])])
    yield ("types-of-members", "Members of other types than they have to be", {**head, "losses": {}, "metrics": {}, "metadata": 3, "extensions_used": 3, "extensions_required": ["a", "a"], "extensions": 3, "more": 1},
           [("TRN-001", "/losses"), ("TRN-001", "/metrics"), ("TRN-001", "/more"), ("DOC-015", "/metadata"), ("EXT-005", "/extensions_used"), ("EXT-005", "/extensions_required"), ("EXT-006", "/extensions")])


def all_of_a_training() -> Json:
    """A training document with every member."""
    part = {"type": f"o:{'A' * 254}", "config": {"a": 1}, "extensions": {"keras": {}}}
    return {
        "format_version": "1.0", "optimizer": part, "losses": [{**part, "output": "x", "weight": 0.5}], "metrics": [{**part, "output": "x", "weighted": True}],
        "progress": {"step": MOST, "epoch": 2, "samples": 3, "best": {"a": 1, "b": NOT_FINITE[0], "c": NOT_FINITE[1], "d": NOT_FINITE[2]}},
        "metadata": {"a": "b"}, "extensions_used": ["keras"], "extensions_required": [], "extensions": {"keras": {}},
    }


# --- chapters 30 and 40

ABSENT = object()
"""Stands for a member that is taken away."""


def replaced(manifest: dict[str, Json], changes: dict[str, Json]) -> dict[str, Json]:
    """A manifest after `changes`."""
    return {name: value for name, value in (manifest | changes).items() if value is not ABSENT}


def manifests() -> Iterable[tuple[str, str, Json, list[Fault]]]:
    """(slug, title, members put in place of others, faults) of whole manifests."""
    record: dict[str, Json] = {"size": 1, "digest": kit.digest(b"")}
    tensors: dict[str, Json] = {"size": 1, "header_digest": kit.digest(b""), "tensor_digests": {}}
    records: list[Part] = [
        (3, [("PKG-005", "")]),
        ({"digest": record["digest"]}, [("PKG-005", "")]),
        *(({**record, "size": wrong}, [("PKG-005", "/size")]) for wrong in ("1", 1.5, -1, MOST + 1)),
        *(({**record, "digest": wrong}, [("PKG-005", "/digest")]) for wrong in (3, "sha256:0", f"{record['digest']}0")),
        ({**tensors, **record, "more": 1}, [("PKG-005", "/header_digest"), ("PKG-005", "/tensor_digests"), ("PKG-005", "/more")]),
        ({"size": 1, "tensor_digests": {}}, [("PKG-005", "")]),
        ({"size": 1, "header_digest": record["digest"]}, [("PKG-005", "")]),
        ({**tensors, "header_digest": 3, "tensor_digests": 3}, [("PKG-005", "/header_digest"), ("PKG-005", "/tensor_digests")]),
        ({**tensors, "tensor_digests": {"a": 3}}, [("PKG-005", "/tensor_digests/a")]),
    ]
    yield ("members", "Records of members full of faults", {"members": {f"a{number}": part for number, (part, _) in enumerate(records)}},
           [fault for number, part in enumerate(records) for fault in at(f"/members/a{number}", part)])
    for missing in ("format", "sections", "members"):
        yield f"a-manifest-without-{missing}", "A manifest that lacks a member", {missing: ABSENT, "producer": {"name": "a", "more": 1}}, [("PKG-005", ""), ("PKG-005", "/producer/more")]
    sections = ("architecture", "weights", "training", "training_state")
    for slug, wrong in (("numbers", 3), ("empty", ""), ("too-long", LONG)):
        producer = {"name": 3, "version": 3} if wrong != LONG else {"name": LONG, "version": LONG}
        yield (f"names-{slug}", "Members of the manifest that are no names", {"sections": dict.fromkeys(sections, wrong), "license": wrong, "producer": producer},
               [("PKG-005", place) for place in (*(f"/sections/{name}" for name in sections), "/license", "/producer/name", "/producer/version")])
    for slug, more in (("types-of-members", {"sections": 3, "producer": 3, "provenance": 3, "metadata": 3, "extensions_used": 3, "extensions_required": 3, "extensions": 3}),
                       ("members-of-members", {"sections": {}, "producer": {}, "provenance": {"a": 1}, "metadata": {"a": 1}, "extensions_used": ["1st"], "extensions_required": ["1st"], "extensions": {"1st": {}}})):
        inner = slug != "types-of-members"
        yield (slug, "Members of the manifest of other types than they have to be", {"format": "other", "name": 3, "members": 3 if not inner else {}, **more, "more": 1},
               [("PKG-005", "/format"), ("ARC-005", "/name"), *([] if inner else [("PKG-005", "/members")]), ("PKG-005", "/sections"), ("PKG-005", "/producer"), ("DOC-015", "/provenance" + "/a" * inner),
                ("DOC-015", "/metadata" + "/a" * inner), *((("EXT-001", f"/{name}/0") if inner else ("EXT-005", f"/{name}")) for name in ("extensions_used", "extensions_required")),
                ("EXT-001", "/extensions/1st") if inner else ("EXT-006", "/extensions"), ("PKG-005", "/more")])


INDEX = "model.safetensors.index.json"
INDEXES = (
    ("root", "An index that is an array", [], [("WGT-013", "")]),
    ("map", "An index whose members are numbers", {"metadata": 3, "weight_map": 3, "more": 1}, [("WGT-013", f"/{name}") for name in ("metadata", "weight_map", "more")]),
    ("members", "An index that maps tensors to no names", {"weight_map": {"a": 3, "b": "", "c": LONG}}, [("WGT-013", f"/weight_map/{name}") for name in "abc"]),
)


# --- the cases

def rejecting(area: str, slug: str, title: str, files: kit.Files, member: str, faults: Sequence[Fault], twin: str, *, profile: str = "core") -> Case:  # noqa: PLR0917 - a row of a table
    """A rejecting case of several faults of one document."""
    primary = min(requirement for requirement, _ in faults if requirement.startswith(area.upper()))
    cited = [primary, *sorted({requirement for requirement, _ in faults} - {primary}), "CNF-003"]
    (code, place), *rest = [(CODES.get(requirement, "SCHEMA_VIOLATION"), f"{member}#{place}") for requirement, place in faults]
    return Case(f"{primary.lower()}-faults-of-{slug}", title, cited, files, op="validate", role="validator", profile=profile, twin=twin, rejected=("schema", code, place), also=rest)


def accepting(id_: str, title: str, requirements: Iterable[str], files: kit.Files, seen: Json, *, profile: str = "core") -> Case:
    """The accepting case beside them."""
    first = id_[:7].upper()
    return Case(id_, title, [first, *sorted({*requirements} - {first}), "CNF-003"], files, op="validate", role="validator", profile=profile, accepted=seen)


def arc_cases() -> Iterable[Case]:
    """The cases of chapter 20."""
    twin, whole, wrong = "arc-001-all-of-an-architecture", all_of_an_architecture(), list(architectures())
    yield accepting(twin, "An architecture with every member of every table", {one for *_, faults in wrong for one, _ in faults}, kit.package(whole), kit.observe(whole))
    for slug, title, data, faults in wrong:
        yield rejecting("arc", slug, title, kit.package(data), "architecture.json", faults, twin)


def trn_cases() -> Iterable[Case]:
    """The cases of chapter 50."""
    twin, whole, wrong = "trn-001-all-of-a-training-document", all_of_a_training(), list(trainings())
    yield accepting(twin, "A training document with every member", {one for *_, faults in wrong for one, _ in faults}, kit.package(training=whole), kit.observe(training=whole), profile="training")
    for slug, title, data, faults in wrong:
        yield rejecting("trn", slug, title, kit.package(training=data), "training.json", faults, twin, profile="training")


def pkg_cases() -> Iterable[Case]:
    """The cases of manifests."""
    yield from archive_cases()
    twin, wrong = "pkg-005-all-of-a-manifest", list(manifests())
    tensors, said = {"a": kit.f32([1])}, {"name": "net", "producer": {"name": LONG[1:], "version": LONG[1:]}, "license": LONG[1:], "provenance": {"a": "b"}, "metadata": {"a": "b"}}
    extended = {**said, "extensions_used": ["keras"], "extensions_required": [], "extensions": {"keras": {}}}
    yield accepting(twin, "A manifest with every member", {one for *_, faults in wrong for one, _ in faults}, kit.package(None, tensors, manifest=extended), kit.observe(None, tensors))
    for slug, title, changes, faults in wrong:
        yield rejecting("pkg", slug, title, kit.package(None, tensors, manifest_edit=lambda data, changes=changes: replaced(data, changes)), "manifest.json", faults, twin)


def of_1024_bytes(end: str) -> str:
    """The name of a member that is as long as can be."""
    return f"{f'{end[-1] * 200}/' * 4}{'a' * (220 - len(end))}{end}"


def archive_cases() -> Iterable[Case]:
    """The longest names of members; a folder of such would not fit on every system."""
    names = {"architecture.json": of_1024_bytes(".json"), "model.safetensors": of_1024_bytes(".safetensors"), "t": of_1024_bytes("t")}
    lookups = {"StringLookup": {}, "IntegerLookup": {}, "TextVectorization": {}}
    layers = [{"name": type_, "type": type_, "config": {"vocabulary": {"asset": names["t"]}, **config}} for type_, config in lookups.items()]
    architecture = {"format_version": "1.0", "inputs": [{"name": "x", "shape": [None]}], "layers": layers, "calls": [], "outputs": ["x"]}
    assets = {"t": b"7\n5\n"}
    files = kit.package(architecture, {}, assets=assets)
    manifest = {"format": "triptych", "format_version": "1.0", "sections": {"architecture": names["architecture.json"], "weights": names["model.safetensors"]},
                "members": {name: kit.member_record(name, files[plain]) for name, plain in sorted((name, plain) for plain, name in names.items())}}
    renamed = {**{name: files[plain] for plain, name in names.items()}, "manifest.json": kit.document(manifest)}
    yield accepting("pkg-002-names-of-1024-bytes", "Members whose names are as long as can be", ["PKG-002", "PKG-013", "LYR-036"], {kit.ARCHIVE: kit.archive(renamed)},
                    kit.observe(architecture, {}, assets={names["t"]: assets["t"]}), profile="archive")


def wgt_cases() -> Iterable[Case]:
    """The cases of indexes of shards."""
    twin, tensors, shards = "wgt-013-all-of-an-index", {"a": kit.f32([1]), "b": kit.f32([1])}, [["a"], ["b"]]
    yield accepting(twin, "An index with every member, and a licence of one letter", ["WGT-013"], kit.package(None, tensors, shards=shards, manifest={"license": "a"}), kit.observe(None, tensors), profile="sharded")
    for slug, title, data, faults in INDEXES:
        yield rejecting("wgt", f"an-index-{slug}", title, kit.package(None, tensors, shards=shards, replace={INDEX: kit.document(data)}), INDEX, faults, twin, profile="sharded")
