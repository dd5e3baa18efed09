"""Cases of chapter 20: layers, calls, values and the tensors they name."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

import _documents
import _edges
import _operations
import kit
from kit import Case

Json = kit.Json
SEQUENTIAL: dict[str, Json] = {
    "format_version": "1.0",
    "name": "tiny",
    "inputs": [{"name": "x", "shape": [None, 2]}],
    "layers": [
        {"name": "hidden", "type": "Dense", "config": {"units": 3, "activation": "relu"}},
        {"name": "drop", "type": "Dropout", "config": {"rate": 0.5}},
        {"name": "scores", "type": "Dense", "config": {"units": 2}},
    ],
}
GRAPH: dict[str, Json] = {
    "format_version": "1.0",
    "inputs": [{"name": "left", "shape": [None, 2]}, {"name": "right", "shape": [None, 2]}],
    "layers": [
        {"name": "shared", "type": "Dense", "config": {"units": 2}},
        {"name": "sum", "type": "Add"},
        {"name": "flat", "type": "Flatten"},
    ],
    "calls": [
        {"layer": "shared", "inputs": ["left"], "outputs": ["left_features"]},
        {"layer": "shared", "inputs": ["right"], "outputs": ["right_features"]},
        {"layer": "sum", "inputs": ["left_features", "right_features"]},
        {"layer": "flat", "inputs": ["sum"]},
    ],
    "outputs": ["flat", "right_features"],
}
"""Two inputs, a layer called twice, two outputs."""
NESTED: dict[str, Json] = {
    "format_version": "1.0",
    "inputs": [{"name": "x", "shape": [None, 2]}],
    "layers": [
        {"name": "encoder", "type": "Model", "architecture": {
            "name": "inner", "inputs": [{"name": "x", "shape": [None, 2]}], "layers": [{"name": "dense", "type": "Dense", "config": {"units": 3}}]}},
        {"name": "dense", "type": "Dense", "config": {"units": 1, "use_bias": False}},
    ],
}
WRAPPED: dict[str, Json] = {
    "format_version": "1.0",
    "inputs": [{"name": "x", "shape": [None, 5, 2]}],
    "layers": [{"name": "each", "type": "TimeDistributed", "sublayers": {"layer": {"type": "Dense", "config": {"units": 3}}}}],
}
TIED: dict[str, Json] = {
    "format_version": "1.0",
    "inputs": [{"name": "x", "shape": [None, 2]}],
    "layers": [
        {"name": "first", "type": "Dense", "config": {"units": 3, "use_bias": False}},
        {"name": "back", "type": "Dense", "config": {"units": 2, "use_bias": False}, "weights": {"kernel": {"tensor": "first.kernel", "axes": [1, 0]}}},
    ],
}
"""The second matrix is the first one transposed."""
AT = "architecture.json#"


def edited(base: dict[str, Json], change: Callable[[dict[str, Json]], object]) -> dict[str, Json]:
    """A copy of `base` after `change`."""
    data = copy.deepcopy(base)
    change(data)
    return data


def accepts(id_: str, title: str, architecture: dict[str, Json], *more: str, tensors: kit.Json = None, parameters: tuple[int, int] | None = None) -> Case:
    return Case(id_, title, [id_[:7].upper(), *more], kit.package(architecture, tensors), accepted=kit.observe(architecture, tensors, parameters=parameters),
                profile="core" if parameters is None else "layers")


def rejects(id_: str, title: str, base: dict[str, Json], change: Callable[[dict[str, Json]], object], stage: str, code: str, pointer: str, twin: str, **more: str) -> Case:  # noqa: PLR0917 - a row of a table
    return Case(id_, title, [id_[:7].upper()], kit.package(edited(base, change)), rejected=(stage, code, AT + pointer), twin=twin, **more)


def schema(id_: str, title: str, base: dict[str, Json], change: Callable[[dict[str, Json]], object], pointer: str, twin: str, code: str = "SCHEMA_VIOLATION") -> Case:  # noqa: PLR0917 - a row of a table
    return rejects(id_, title, base, change, "schema", code, pointer, twin)


def semantic(id_: str, title: str, base: dict[str, Json], change: Callable[[dict[str, Json]], object], code: str, pointer: str, twin: str, **more: str) -> Case:  # noqa: PLR0917 - a row of a table
    return rejects(id_, title, base, change, "semantic", code, pointer, twin, **more)


def cases() -> Iterable[Case]:
    yield from object_cases()
    yield from name_cases()
    yield from graph_cases()
    yield from tensor_cases()
    yield from rule_cases()
    yield from _operations.arc_cases()
    yield from _edges.arc_cases()
    yield from _documents.arc_cases()


def object_cases() -> Iterable[Case]:
    yield accepts("arc-001-sequential", "Three layers in turn", SEQUENTIAL, "ARC-002", "ARC-003", "ARC-013")
    yield accepts("arc-001-no-layers", "An architecture without layers", {"format_version": "1.0", "layers": []})
    full = edited(SEQUENTIAL, lambda d: d.update(metadata={"author": "Ada"}, extensions_used=["keras"], extensions={"keras": {"class_name": "Sequential"}}))
    yield accepts("arc-001-every-member", "An architecture with metadata and an extension", full)
    twin = "arc-001-sequential"
    yield schema("arc-001-layers-missing", "No member layers", SEQUENTIAL, lambda d: d.pop("layers"), "", twin)
    yield schema("arc-001-unknown-member", "A member that no table lists", SEQUENTIAL, lambda d: d.update(optimizer="adam"), "/optimizer", twin)
    yield schema("arc-001-layers-object", "Layers as an object", SEQUENTIAL, lambda d: d.update(layers={}), "/layers", twin)
    yield schema("arc-001-nested-version", "A nested architecture with a version", NESTED, lambda d: d["layers"][0]["architecture"].update(format_version="1.0"), "/layers/0/architecture/format_version", twin)
    image = edited(SEQUENTIAL, lambda d: d["inputs"][0].update(shape=[None, 4, 0], dtype="bfloat16", metadata={"unit": "mm"}))
    image["layers"] = [{"name": "flat", "type": "Flatten"}]
    yield accepts("arc-002-every-member", "An input with an empty axis, a dtype and metadata", image)
    yield schema("arc-002-shape-missing", "An input without a shape", SEQUENTIAL, lambda d: d["inputs"][0].pop("shape"), "/inputs/0", twin)
    yield schema("arc-002-extent-with-a-fraction", "An extent of one and a half", SEQUENTIAL, lambda d: d["inputs"][0].update(shape=[None, 1.5]), "/inputs/0/shape/1", twin)
    yield schema("arc-002-negative-extent", "An extent of -1", SEQUENTIAL, lambda d: d["inputs"][0].update(shape=[None, -1]), "/inputs/0/shape/1", twin)
    yield schema("arc-002-extent-of-2-to-53", "An extent of 2^53", SEQUENTIAL, lambda d: d["inputs"][0].update(shape=[None, 2**53]), "/inputs/0/shape/1", twin)
    yield schema("arc-002-unknown-member", "An input with a member that no table lists", SEQUENTIAL, lambda d: d["inputs"][0].update(batch_size=1), "/inputs/0/batch_size", twin)
    rich = edited(SEQUENTIAL, lambda d: d["layers"][0].update(trainable=False, dtype="float16", compute_dtype="float32", metadata={"from": "paper"}))
    yield accepts("arc-003-every-member", "A layer with dtypes and metadata", rich)
    yield schema("arc-003-type-missing", "A layer without a type", SEQUENTIAL, lambda d: d["layers"][1].pop("type"), "/layers/1", twin)
    yield schema("arc-003-name-missing", "A layer without a name", SEQUENTIAL, lambda d: d["layers"][1].pop("name"), "/layers/1", twin)
    yield schema("arc-003-misspelt-member", "A misspelt member of a layer", SEQUENTIAL, lambda d: d["layers"][0].update(trainabel=False), "/layers/0/trainabel", twin)
    foreign: dict[str, Json] = {"format_version": "1.0", "layers": [{"name": "a", "type": "keras:A"}]}
    yield schema("arc-003-config-array", "A config that is an array", foreign, lambda d: d["layers"][0].update(config=[0.5]), "/layers/0/config", "arc-007-extension-type")
    yield accepts("arc-007-extension-type", "A type of somebody else", {"format_version": "1.0", "layers": [{"name": "a", "type": "keras:My Layer>v2"}]}, "ARC-003")
    yield schema("arc-007-no-prefix", "An extension type without a prefix", foreign, lambda d: d["layers"][0].update(type=":A"), "/layers/0/type", "arc-007-extension-type", "LAYER_TYPE_SYNTAX")
    yield schema("arc-007-capital", "A prefix that begins with a capital", foreign, lambda d: d["layers"][0].update(type="Keras:A"), "/layers/0/type", "arc-007-extension-type", "LAYER_TYPE_SYNTAX")
    yield accepts("arc-008-nested", "A nested architecture", NESTED, "ARC-009")
    yield schema("arc-008-model-without-architecture", "A layer of type Model without an architecture", NESTED, lambda d: d["layers"][0].pop("architecture"), "/layers/0", "arc-008-nested", "MODEL_ARCHITECTURE_MISMATCH")
    yield schema("arc-008-architecture-in-a-dense-layer", "A Dense layer with an architecture", NESTED, lambda d: d["layers"][1].update(architecture={"layers": []}), "/layers/1/architecture", "arc-008-nested", "MODEL_ARCHITECTURE_MISMATCH")
    yield schema("arc-009-model-with-config", "A layer of type Model with a config", NESTED, lambda d: d["layers"][0].update(config={}), "/layers/0/config", "arc-008-nested")
    yield accepts("arc-022-wrapper", "A layer inside a wrapper", WRAPPED)
    yield schema("arc-022-sublayer-with-name", "A sublayer with a name", WRAPPED, lambda d: d["layers"][0]["sublayers"]["layer"].update(name="a"), "/layers/0/sublayers/layer/name", "arc-022-wrapper")
    yield schema("arc-022-sublayer-without-type", "A sublayer without a type", WRAPPED, lambda d: d["layers"][0]["sublayers"]["layer"].pop("type"), "/layers/0/sublayers/layer", "arc-022-wrapper")
    probe: dict[str, Json] = {"format_version": "1.0", "layers": [{"name": "a", "type": "org.example:Wrapper", "sublayers": {"inner": {"type": "Flatten"}}}]}
    yield accepts("arc-022-extension-wrapper", "A sublayer of an extension type", probe)
    yield schema("arc-022-role-in-capitals", "A role in capitals", probe, lambda d: d["layers"][0].update(sublayers={"Inner": {"type": "Flatten"}}), "/layers/0/sublayers/Inner", "arc-022-extension-wrapper")
    yield accepts("arc-021-bfloat16", "A layer of bfloat16 weights", edited(SEQUENTIAL, lambda d: d["layers"][0].update(dtype="bfloat16")))
    words: dict[str, Json] = {"format_version": "1.0", "inputs": [{"name": "text", "shape": [None, 1], "dtype": "string"}], "layers": [{"name": "split", "type": "org.example:Split"}]}
    yield accepts("arc-021-string", "An input of strings", words)
    yield schema("arc-021-layer-of-strings", "A layer of strings", words, lambda d: d["layers"][0].update(dtype="string"), "/layers/0/dtype", "arc-021-string", "DTYPE_UNKNOWN")
    yield schema("arc-021-float", "A dtype without its width", SEQUENTIAL, lambda d: d["layers"][0].update(dtype="float"), "/layers/0/dtype", "arc-021-bfloat16", "DTYPE_UNKNOWN")
    yield schema("arc-021-safetensors-name", "A dtype as a safetensors header names it", SEQUENTIAL, lambda d: d["inputs"][0].update(dtype="BF16"), "/inputs/0/dtype", "arc-021-bfloat16", "DTYPE_UNKNOWN")


def name_cases() -> Iterable[Case]:
    pair: dict[str, Json] = {"format_version": "1.0", "layers": [{"name": "a", "type": "Flatten"}, {"name": "b", "type": "Flatten"}]}
    yield accepts("arc-004-two-names", "Two layers with names of their own", pair)
    yield accepts("arc-004-same-name-inside", "A nested layer named as one outside", NESTED)
    yield semantic("arc-004-two-layers-same-name", "Two layers with one name", pair, lambda d: d["layers"][1].update(name="a"), "LAYER_DUPLICATE_NAME", "/layers/1/name", "arc-004-two-names")
    inner: dict[str, Json] = {"format_version": "1.0", "layers": [{"name": "m", "type": "Model", "architecture": pair}]}
    inner["layers"][0]["architecture"] = {"layers": pair["layers"]}
    yield semantic("arc-004-same-name-in-nested", "Two layers of a nested architecture with one name", inner, lambda d: d["layers"][0]["architecture"]["layers"][1].update(name="a"),
                   "LAYER_DUPLICATE_NAME", "/layers/0/architecture/layers/1/name", "arc-004-two-names")
    long = edited(pair, lambda d: d["layers"][0].update(name="\u00e9" * 512))
    yield accepts("arc-005-long-name", "A name of 512 characters and 1,024 bytes", long)
    yield accepts("arc-005-slashes-and-spaces", "Names with slashes, dots, tildes and spaces", edited(pair, lambda d: (d["layers"][0].update(name="block 1/conv.2~a"), d["layers"][1].update(name="."))))
    yield schema("arc-005-empty-name", "An empty name", pair, lambda d: d["layers"][0].update(name=""), "/layers/0/name", "arc-005-slashes-and-spaces", "NAME_SYNTAX")
    yield schema("arc-005-line-break", "A line break in a name", pair, lambda d: d["layers"][0].update(name="a\n"), "/layers/0/name", "arc-005-slashes-and-spaces", "NAME_SYNTAX")
    yield schema("arc-005-c1-control", "A control character above ASCII in a name", pair, lambda d: d["layers"][0].update(name="a\x9b"), "/layers/0/name", "arc-005-slashes-and-spaces", "NAME_SYNTAX")
    yield schema("arc-005-number", "A number as a name", pair, lambda d: d["layers"][0].update(name=1), "/layers/0/name", "arc-005-slashes-and-spaces", "NAME_SYNTAX")
    yield schema("arc-005-1025-characters", "A name of 1,025 characters", pair, lambda d: d["layers"][0].update(name="x" * 1025), "/layers/0/name", "arc-005-slashes-and-spaces", "NAME_SYNTAX")
    yield accepts("arc-006-composed", "An accented name in one character", edited(pair, lambda d: d["layers"][0].update(name="caf\u00e9")))
    yield semantic("arc-006-decomposed", "An accented name in two characters", pair, lambda d: d["layers"][0].update(name="cafe\u0301"), "NAME_NOT_NFC", "/layers/0/name", "arc-006-composed")


def graph_cases() -> Iterable[Case]:
    twin = "arc-010-graph"
    yield accepts("arc-010-graph", "Two inputs, a shared layer and two outputs", GRAPH, "ARC-011", "ARC-012", "ARC-014", "ARC-015", "ARC-016", "ARC-017", "ARC-026")
    probe: dict[str, Json] = {
        "format_version": "1.0", "inputs": [{"name": "x", "shape": [None, 2]}, {"name": "m", "shape": [None]}],
        "layers": [{"name": "a", "type": "org.example:Attend"}],
        "calls": [{"layer": "a", "inputs": ["x"], "arguments": {"causal": True, "mask": {"value": "m"}, "state": [{"value": "x"}, None, [0.5, "s"]]}, "outputs": ["y", "z"]}],
        "outputs": ["z", "x"]}
    yield accepts("arc-010-arguments", "Arguments that are literals, values and arrays", probe, "ARC-016", "ARC-017")
    yield accepts("arc-010-no-calls-made", "A graph that hands its input on", {"format_version": "1.0", "inputs": [{"name": "x", "shape": [None]}], "layers": [], "calls": [], "outputs": ["x"]}, "ARC-011")
    yield schema("arc-010-inputs-missing", "A call without inputs", GRAPH, lambda d: d["calls"][3].pop("inputs"), "/calls/3", twin)
    yield schema("arc-010-unknown-member", "A call with a member that no table lists", GRAPH, lambda d: d["calls"][3].update(training=True), "/calls/3/training", twin)
    yield schema("arc-010-argument-object", "An argument that is another object", probe, lambda d: d["calls"][0]["arguments"].update(mask={"tensor": "m"}), "/calls/0/arguments/mask/tensor", "arc-010-arguments")
    one: dict[str, Json] = {"format_version": "1.0", "inputs": [{"name": "x", "shape": [None, 2]}], "layers": [{"name": "flat", "type": "Flatten"}],
                            "calls": [{"layer": "flat", "inputs": ["x"]}], "outputs": ["x"]}
    yield schema("arc-010-inputs-a-name", "The inputs of a call as one name", one, lambda d: d["calls"][0].update(inputs="x"), "/calls/0/inputs", twin)
    yield schema("arc-011-outputs-missing", "Calls without outputs", GRAPH, lambda d: d.pop("outputs"), "", twin, "ARCHITECTURE_INCOMPLETE")
    yield schema("arc-011-outputs-alone", "Outputs without calls", one, lambda d: d.pop("calls"), "", twin, "ARCHITECTURE_INCOMPLETE")
    source: dict[str, Json] = {"format_version": "1.0", "inputs": [], "layers": [{"name": "s", "type": "org.example:Source"}], "calls": [{"layer": "s", "inputs": []}], "outputs": ["s"]}
    yield schema("arc-012-inputs-missing", "Calls without inputs", source, lambda d: d.pop("inputs"), "", twin, "ARCHITECTURE_INCOMPLETE")
    yield accepts("arc-013-no-input", "A sequential architecture that does not say its input", edited(SEQUENTIAL, lambda d: d.pop("inputs")))
    flat: dict[str, Json] = {"format_version": "1.0", "inputs": [{"name": "x", "shape": [None, 2]}], "layers": [{"name": "flat", "type": "Flatten"}]}
    yield semantic("arc-013-two-inputs", "A sequential architecture with two inputs", flat, lambda d: d["inputs"].append({"name": "y", "shape": [None, 2]}), "SEQUENTIAL_SEVERAL_INPUTS", "/inputs", "arc-001-sequential")
    yield semantic("arc-014-call-twice-unnamed", "A layer called twice without names for its values", GRAPH, lambda d: d["calls"].append({"layer": "flat", "inputs": ["left"]}), "VALUE_DUPLICATE_NAME", "/calls/4/layer", twin)
    yield semantic("arc-014-two-inputs-same-name", "Two inputs with one name", probe, lambda d: d["inputs"].append({"name": "m", "shape": [None]}), "VALUE_DUPLICATE_NAME", "/inputs/2/name", twin)
    yield semantic("arc-015-no-such-layer", "A call of a layer that is not there", GRAPH, lambda d: d["calls"].append({"layer": "flatten", "inputs": ["left"]}), "CALL_UNKNOWN_LAYER", "/calls/4/layer", twin)
    nested = edited(NESTED, lambda d: d.update(calls=[{"layer": "encoder", "inputs": ["x"]}], outputs=["encoder"]))
    yield accepts("arc-015-nested-layer-called-inside", "A graph whose layer is an architecture", nested)
    yield semantic("arc-015-nested-layer", "A call of a layer inside a nested architecture", edited(nested, lambda d: d["layers"].pop(1)), lambda d: d["calls"].append({"layer": "dense", "inputs": ["x"]}),
                   "CALL_UNKNOWN_LAYER", "/calls/1/layer", "arc-015-nested-layer-called-inside")
    yield semantic("arc-016-later-value", "A call that takes the value of a later call", probe, lambda d: d["calls"][0].update(inputs=["y"]), "VALUE_UNDEFINED", "/calls/0/inputs/0", "arc-010-arguments")
    yield semantic("arc-016-no-such-argument", "An argument that refers to no value", probe, lambda d: d["calls"][0]["arguments"]["state"][0].update(value="w"), "VALUE_UNDEFINED", "/calls/0/arguments/state/0/value", "arc-010-arguments")
    yield semantic("arc-017-no-such-value", "An output that is no value", probe, lambda d: d.update(outputs=["z", "a"]), "VALUE_UNDEFINED", "/outputs/1", "arc-010-arguments")


def tensor_cases() -> Iterable[Case]:
    names: dict[str, Json] = {
        "format_version": "1.0", "inputs": [{"name": "x", "shape": [None, 2]}],
        "layers": [
            {"name": "a", "type": "Model", "architecture": {"inputs": [{"name": "x", "shape": [None, 2]}], "layers": [{"name": "b", "type": "Dense", "config": {"units": 2, "use_bias": False}}]}},
            {"name": "a_b", "type": "Dense", "config": {"units": 2, "use_bias": False}}]}
    yield accepts("arc-018-own-tensors", "Every weight has a tensor of its own", names)
    yield accepts("arc-018-tied", "Two layers share one tensor, and one of them says so", TIED, "ARC-020", tensors={"first.kernel": kit.f32([2, 3])})
    yield semantic("arc-018-dotted-name", "A name with a dot equals the path of a nested layer", names, lambda d: d["layers"][1].update(name="a.b"), "TENSOR_NAME_COLLISION", "/layers/1", "arc-018-own-tensors", profile="layers")
    probe: dict[str, Json] = {"format_version": "1.0", "layers": [{"name": "a", "type": "org.example:Probe", "weights": {"k": {"tensor": "k", "axes": [2, 0, 1]}, "s": {"tensor": "s", "axes": [], "trainable": False}}}]}
    yield accepts("arc-019-permutations", "Axes that permute three axes and none", probe, "ARC-020")
    yield semantic("arc-019-axis-twice", "An axis twice", probe, lambda d: d["layers"][0]["weights"]["k"].update(axes=[2, 0, 0]), "WEIGHT_AXES_NOT_PERMUTATION", "/layers/0/weights/k/axes", "arc-019-permutations")
    yield semantic("arc-019-axis-missing", "Axes that begin at 1", probe, lambda d: d["layers"][0]["weights"]["k"].update(axes=[1, 2, 3]), "WEIGHT_AXES_NOT_PERMUTATION", "/layers/0/weights/k/axes", "arc-019-permutations")
    yield schema("arc-020-tensor-missing", "A weight that names no tensor", probe, lambda d: d["layers"][0]["weights"]["k"].pop("tensor"), "/layers/0/weights/k", "arc-019-permutations")
    yield schema("arc-020-weight-is-a-name", "A weight that is a name", probe, lambda d: d["layers"][0]["weights"].update(k="k"), "/layers/0/weights/k", "arc-019-permutations")
    yield schema("arc-020-trainable-text", "Whether a weight is trainable, in words", probe, lambda d: d["layers"][0]["weights"]["k"].update(trainable="no"), "/layers/0/weights/k/trainable", "arc-019-permutations")


def rule_cases() -> Iterable[Case]:
    yield accepts("arc-023-paths", "Tensors named by path and role", NESTED,
                  tensors={"encoder.dense.kernel": kit.f32([2, 3]), "encoder.dense.bias": kit.f32([3]), "dense.kernel": kit.f32([3, 1])}, parameters=(12, 0))
    yield accepts("arc-023-sublayer-path", "Tensors of a sublayer named by its role", WRAPPED, tensors={"each.layer.kernel": kit.f32([2, 3]), "each.layer.bias": kit.f32([3])}, parameters=(9, 0))
    frozen = edited(NESTED, lambda d: d["layers"][0].update(trainable=False))
    yield accepts("arc-024-frozen-outside", "A frozen layer freezes what is nested in it", frozen, parameters=(3, 9))
    norm: dict[str, Json] = {"format_version": "1.0", "inputs": [{"name": "x", "shape": [None, 4]}], "layers": [{"name": "bn", "type": "BatchNormalization", "config": {"epsilon": 0.001, "momentum": 0.99}}]}
    yield accepts("arc-024-by-the-table", "Roles that the table says are not trainable", norm, parameters=(8, 8))
    said = edited(norm, lambda d: d["layers"][0].update(weights={"gamma": {"tensor": "g", "trainable": False}}))
    yield accepts("arc-024-by-the-reference", "A weight that says it is not trainable", said, parameters=(4, 12))
    yield accepts("arc-025-in-turn", "Each layer takes what the one before yields", SEQUENTIAL, parameters=(17, 0))
    yield accepts("arc-026-unnamed-value", "A call without names yields a value named as its layer", edited(GRAPH, lambda d: d.update(outputs=["sum"])))
    yield accepts("arc-027-transposed", "A matrix stored transposed", edited(SEQUENTIAL, lambda d: d["layers"][0].update(weights={"kernel": {"tensor": "fc1.weight", "axes": [1, 0]}, "bias": {"tensor": "fc1.bias"}})),
                  tensors={"fc1.weight": kit.f32([3, 2]), "fc1.bias": kit.f32([3]), "scores.kernel": kit.f32([3, 2]), "scores.bias": kit.f32([2])}, parameters=(17, 0))
    convolution: dict[str, Json] = {
        "format_version": "1.0", "inputs": [{"name": "x", "shape": [None, 8, 4]}],
        "layers": [{"name": "conv", "type": "Conv1D", "config": {"filters": 2, "kernel_size": [3], "use_bias": False}, "weights": {"kernel": {"tensor": "conv.weight", "axes": [2, 1, 0]}}}]}
    yield accepts("arc-027-channels-first", "A kernel of 3 by 4 by 2 stored as 2 by 4 by 3", convolution, tensors={"conv.weight": kit.f32([2, 4, 3])}, parameters=(24, 0))
    turned = edited(convolution, lambda d: d["layers"][0]["weights"]["kernel"].update(axes=[2, 0, 1]))
    yield accepts("arc-027-turned", "A kernel of 3 by 4 by 2 stored as 4 by 2 by 3", turned, tensors={"conv.weight": kit.f32([4, 2, 3])}, parameters=(24, 0))
