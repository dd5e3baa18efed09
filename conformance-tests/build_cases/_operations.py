"""Cases of operations as calls, of named extents and of composite layers (chapters 20, 25 and 27)."""

from __future__ import annotations

import copy
from collections.abc import Iterable

import kit
from kit import Case
from lyr import bad, call, good, graph

AT = "architecture.json#"
DENSE = {"name": "dense", "type": "Dense", "config": {"units": 4}}
OPERATIONS = graph(
    [DENSE],
    [call("dense", "x"),
     {"op": "multiply", "config": {"right": 0.5}, "inputs": ["dense"], "outputs": ["halved"]},
     {"op": "add", "inputs": ["halved", "x"], "outputs": ["y"]}],
    ["y"], x=[None, 4])


def op(name, inputs, outputs, **config):
    """A call of an operation."""
    return {"op": name, **({"config": config} if config else {}), "inputs": inputs, "outputs": outputs}


def operated(*calls, out=("y",), **inputs):
    """A graph of operations only."""
    return graph([], list(calls), list(out), **(inputs or {"x": [None, 4]}))


def sized(slug, title, one, shape, count, *, values=("y",)):
    """An accepting case that shows the shape of an operation's result: its elements, one a row, enter a Dense layer of one unit."""
    flat = [op("flatten", [values[0]], ["flat"], start_axis=1), call("dense", "flat")]
    architecture = graph([{"name": "dense", "type": "Dense", "config": {"units": 1, "use_bias": False}}], [one, *flat], ["dense"], x=shape)
    return good(f"lyr-016-operation-{slug}", title, ["LYR-016"], architecture, parameters=(count, 0))


def objects() -> Iterable[Case]:
    twin = "arc-028-operations"
    yield good(twin, "Calls of a layer and of operations", ["ARC-028", "ARC-029", "ARC-010", "LYR-030", "LYR-031", "LYR-032"], OPERATIONS,
               parameters=(20, 0))

    def broken(id_, title, change, pointer, code="SCHEMA_VIOLATION"):
        data = copy.deepcopy(OPERATIONS)
        change(data["calls"])
        return bad(id_, title, id_[:7].upper(), data, code, AT + pointer, twin=twin, stage="schema")

    yield broken("arc-028-neither", "A call of nothing", lambda calls: calls.append({"inputs": ["x"], "outputs": ["z"]}), "/calls/3")
    yield broken("arc-028-both", "A call of a layer and of an operation", lambda calls: calls[1].update(layer="dense"), "/calls/1/layer")
    yield broken("arc-028-outputs-missing", "An operation whose result has no name", lambda calls: calls.append({"op": "exp", "inputs": ["x"]}), "/calls/3")
    yield broken("arc-028-layer-with-config", "A call of a layer with a config", lambda calls: calls[0].update(config={}), "/calls/0/config")
    yield broken("arc-028-operation-with-arguments", "A call of an operation with arguments",
                 lambda calls: calls[2].update(arguments={"training": False}), "/calls/2/arguments")
    yield bad("arc-029-capital", "The prefix of an extension operation begins with a capital", "ARC-029",
              operated(op("Org.example:Fold", ["x"], ["y", "z"], kernel=[3, 3])), "OPERATION_SYNTAX", f"{AT}/calls/0/op",
              stage="schema", twin="arc-029-extension-operation")
    yield good("arc-029-extension-operation", "An operation of somebody else", ["ARC-029", "LYR-030"],
               operated(op("org.example:Fold", ["x"], ["y", "z"], kernel=[3, 3])))


def configs() -> Iterable[Case]:
    twin = "arc-028-operations"
    yield bad("lyr-030-misspelt-operation", "An operation is misspelt", "LYR-030", operated(op("mutliply", ["x", "x"], ["y"])),
              "OPERATION_UNKNOWN", f"{AT}/calls/0/op", twin=twin)
    cast = operated(op("cast", ["x"], ["y"], dtype="int32"))
    yield good("lyr-031-required-member", "A cast says its dtype", ["LYR-031", "LYR-032"], cast)
    yield bad("lyr-031-dtype-missing", "A cast does not say its dtype", "LYR-031", operated(op("cast", ["x"], ["y"])),
              "OPERATION_CONFIG_INVALID", f"{AT}/calls/0/config", stage="schema", twin="lyr-031-required-member")
    yield bad("lyr-031-unknown-member", "An operation has a member that its table does not list", "LYR-031",
              operated(op("softmax", ["x"], ["y"], axes=[1])), "OPERATION_CONFIG_INVALID", f"{AT}/calls/0/config/axes", stage="schema",
              twin="lyr-031-required-member")
    yield good("lyr-032-infinite-literal", "A literal is not finite", ["LYR-032"],
               operated(op("greater", ["x"], ["m"], right=0), op("where", ["m", "x"], ["y"], on_false={"float": "-Infinity"})))
    yield good("lyr-032-slice-entries", "A slice has entries of every kind", ["LYR-032", "LYR-007"],
               operated(op("slice", ["x"], ["y"], entries=["new", [None, None, -1], "rest", 0]), x=[None, 5, 4]))
    yield bad("lyr-032-slice-of-two", "An entry of a slice has no step", "LYR-032",
              operated(op("slice", ["x"], ["y"], entries=[[0, 1]])), "OPERATION_CONFIG_INVALID", f"{AT}/calls/0/config/entries/0",
              stage="schema", twin="lyr-032-slice-entries")
    parts = '{"format_version": "1.0", "inputs": [{"name": "x", "shape": [null]}], "layers": [], "calls": [{"op": "split", "config": {"parts": [1'
    yield Case("lyr-032-more-than-65536-parts", "A split into 65537 parts", ["LYR-032"], kit.package(kit.Generated((
        (parts, 1), (", 1", 65536), (']}, "inputs": ["x"], "outputs": ["y"]}], "outputs": ["x"]}', 1)))), op="validate", role="validator", profile="layers",
        rejected=("schema", "OPERATION_CONFIG_INVALID", f"{AT}/calls/0/config/parts"), twin="lyr-032-all-of-joining-and-splitting")
    yield bad("lyr-032-literal-text", "A literal is a string", "LYR-032", operated(op("add", ["x"], ["y"], right="1")),
              "OPERATION_CONFIG_INVALID", f"{AT}/calls/0/config/right", stage="schema", twin="lyr-032-infinite-literal")


def fitting() -> Iterable[Case]:
    twin = "lyr-006-operation-of-two"
    yield good(twin, "Operations take two inputs, or one and a literal", ["LYR-006", "LYR-007", "LYR-009"],
               operated(op("add", ["x", "x"], ["two"]), op("subtract", ["two"], ["y"], left=1)))
    yield bad("lyr-006-operation-of-one", "A sum of one input and no literal", "LYR-006", operated(op("add", ["x"], ["y"])),
              "CALL_INPUT_COUNT", f"{AT}/calls/0", twin=twin)
    yield bad("lyr-006-literal-too-many", "A sum of two inputs and a literal", "LYR-006", operated(op("add", ["x", "x"], ["y"], left=1)),
              "CALL_INPUT_COUNT", f"{AT}/calls/0", twin=twin)
    yield good("lyr-009-parts-are-named", "A call names both parts", ["LYR-009", "LYR-007"],
               operated(op("split", ["x"], ["y", "z"], parts=[1, 3], axis=1)))
    yield bad("lyr-009-parts-are-not-named", "A call names one part of two", "LYR-009", operated(op("split", ["x"], ["y"], parts=2, axis=1)),
              "CALL_OUTPUT_COUNT", f"{AT}/calls/0", twin="lyr-009-parts-are-named")
    for slug, title, one, inputs in (
        ("sum-of-two-shapes", "A sum of two shapes that differ", op("add", ["x", "z"], ["y"]), {"x": [None, 4], "z": [None, 3]}),
        ("matmul-of-other-extents", "A matrix product of extents that differ", op("matmul", ["x", "z"], ["y"]), {"x": [None, 4], "z": [3, 2]}),
        ("einsum-of-two-extents", "A letter of an equation has two extents", op("einsum", ["x", "z"], ["y"], equation="ij,kj->ik"), {"x": [None, 4], "z": [2, 3]}),
        ("reshape-with-a-rest", "A reshape leaves elements over", op("reshape", ["x"], ["y"], shape=[None, 3, -1]), {"x": [None, 4]}),
        ("transpose-of-one-axis", "A transpose names one axis of two", op("transpose", ["x"], ["y"], axes=[0]), {"x": [None, 4]}),
        ("slice-outside", "An index lies outside its axis", op("slice", ["x"], ["y"], entries=["rest", 4]), {"x": [None, 4]}),
        ("axis-outside", "An axis is not one of the input's", op("softmax", ["x"], ["y"], axis=2), {"x": [None, 4]}),
        ("split-that-does-not-fill", "Parts do not fill the axis", op("split", ["x"], ["y", "z"], parts=[1, 2], axis=1), {"x": [None, 4]}),
    ):
        yield bad(f"lyr-007-{slug}", title, "LYR-007", operated(one, **inputs), "CALL_INPUT_SHAPE", f"{AT}/calls/0", twin=twin)


def shapes() -> Iterable[Case]:
    image = [None, 6, 4]
    for slug, title, one, count in (
        ("sum", "A sum over an axis", op("sum", ["x"], ["y"], axes=[1]), 4),
        ("mean-keepdims", "A mean keeps its axis", op("mean", ["x"], ["y"], axes=[-1], keepdims=True), 6),
        ("transpose", "A transpose of three axes", op("transpose", ["x"], ["y"], axes=[0, 2, 1]), 24),
        ("slice", "A slice with a step drops an axis", op("slice", ["x"], ["y"], entries=[[None, None, None], [1, None, 2]]), 12),
        ("pad", "A pad of the last axis", op("pad", ["x"], ["y"], padding=[[0, 0], [0, 0], [1, 2]]), 42),
        ("one-hot", "Indices become vectors", op("one_hot", ["x"], ["y"], depth=5), 120),
        ("tile", "Elements are repeated", op("tile", ["x"], ["y"], repeats=[2, 1]), 48),
        ("gather", "Rows are looked up", op("gather", ["x"], ["y"], indices=[0, 5, 5], axis=1), 12),
        ("matmul", "A product with a constant", op("einsum", ["x", "x"], ["y"], equation="bij,bkj->bik"), 36),
        ("concatenate", "A value joined with itself", op("concatenate", ["x", "x"], ["y"], axis=1), 48),
        ("expand-dims", "A further axis", op("expand_dims", ["x"], ["y"], axes=[1]), 24),
        ("reshape", "A reshape that keeps the batch", op("reshape", ["x"], ["y"], shape=[None, -1, 2]), 24),
    ):
        yield sized(slug, title, one, image, count)


EXCITE = {
    "parameters": {"activation": {"default": "relu"}, "channels": {}, "reduced": {}},
    "inputs": ["x"],
    "layers": [
        {"name": "down", "type": "Dense", "config": {"units": {"parameter": "reduced"}, "activation": {"parameter": "activation"}}},
        {"name": "up", "type": "Dense", "config": {"units": {"parameter": "channels"}, "activation": "sigmoid"}},
    ],
    "calls": [
        op("mean", ["x"], ["pooled"], axes=[1, 2]), call("down", "pooled"), call("up", "down"), op("expand_dims", ["up"], ["gates"], axes=[1, 2]),
        op("multiply", ["x", "gates"], ["excited"]),
    ],
    "outputs": ["excited"],
}
USE = {"name": "first", "type": "Excite", "config": {"channels": 4, "reduced": 2}}
EXCITED = {
    "format_version": "1.0", "inputs": [{"name": "image", "shape": [None, 8, 8, 4]}],
    "layers": [USE, {**USE, "name": "second", "config": {"activation": "tanh", "channels": 4, "reduced": 1}}],
    "composites": {"Excite": EXCITE},
}
"""2 x (4 x 2 + 2 + 2 x 4 + 4) - (4 + 1 + 4) weights: the second has one unit less."""
SCALED = {
    "format_version": "1.0", "inputs": [{"name": "x", "shape": [None, 4]}],
    "layers": [{"name": "half", "type": "Scaled", "config": {"by": 0.5}}],
    "composites": {"Scaled": {"parameters": {"by": {}}, "layers": [{"name": "scale", "type": "example:Scale", "config": {"by": {"parameter": "by"}}}]}},
}


def composites() -> Iterable[Case]:
    twin = "arc-031-composite"
    yield good(twin, "Two layers use one composite", ["ARC-031", "ARC-032", "ARC-033", "ARC-034", "ARC-035", "LYR-001"], EXCITED,
               {f"{use}.{path}": kit.f32(shape) for use, units in (("first", 2), ("second", 1))
                for path, shape in (("down.bias", [units]), ("down.kernel", [4, units]), ("up.bias", [4]), ("up.kernel", [units, 4]))},
               parameters=(35, 0))
    yield good("arc-035-weights-elsewhere", "A use of a composite says where a weight inside it is", ["ARC-035"],
               changed(EXCITED, lambda d: d["layers"][0].update(weights={"down.kernel": {"tensor": "fc1.weight", "axes": [1, 0]}})),
               {"fc1.weight": kit.f32([2, 4]),
                **{f"{use}.{path}": kit.f32(shape) for use, units in (("first", 2), ("second", 1))
                   for path, shape in (("down.bias", [units]), ("down.kernel", [4, units]), ("up.bias", [4]), ("up.kernel", [units, 4]))
                   if (use, path) != ("first", "down.kernel")}},
               parameters=(35, 0))
    yield good("arc-035-inside-a-wrapper", "A wrapper holds a composite that is sequential", ["ARC-035", "ARC-031"], {
        "format_version": "1.0", "inputs": [{"name": "x", "shape": [None, 5, 4]}],
        "layers": [{"name": "each", "type": "TimeDistributed", "sublayers": {"layer": {"type": "Pair", "config": {"units": 3}}}}],
        "composites": {"Pair": {"parameters": {"units": {}}, "layers": [
            {"name": "one", "type": "Dense", "config": {"units": {"parameter": "units"}}}, {"name": "two", "type": "Dense", "config": {"units": 1}}]}},
    }, parameters=(19, 0))
    for slug, title, change, pointer in (
        ("layers-missing", "A composite without layers", lambda d: d["composites"].update(Idle={}), "/composites/Idle"),
        ("name-of-an-extension", "A composite is named like an extension type", lambda d: d["composites"].update({"example:Idle": {"layers": []}}),
         "/composites/example:Idle"),
        ("parameter-with-a-type", "A parameter says more than a default", lambda d: d["composites"].update(
            Idle={"parameters": {"units": {"type": "integer"}}, "layers": []}), "/composites/Idle/parameters/units/type"),
    ):
        yield bad(f"arc-031-{slug}", title, "ARC-031", changed(EXCITED, change), "SCHEMA_VIOLATION", AT + pointer, stage="schema", twin=twin)
    idle = {"parameters": {"units": {}}, "layers": [{"name": "dense", "type": "Dense", "config": {"units": {"parameter": "unit"}}}]}
    yield bad("arc-032-misspelt-parameter", "A composite names a parameter that it does not have", "ARC-032",
              changed(EXCITED, lambda d: d["composites"].update(Idle=idle)), "PARAMETER_UNDEFINED",
              f"{AT}/composites/Idle/layers/0/config/units/parameter", twin=twin)
    loop = {"layers": [{"name": "again", "type": "Loop"}]}
    yield bad("arc-033-itself", "A composite uses itself", "ARC-033", changed(EXCITED, lambda d: d["composites"].update(Loop=loop)),
              "COMPOSITE_RECURSIVE", f"{AT}/composites/Loop", twin=twin)
    boxes = {f"Box{level}": {"layers": [{"name": name, "type": f"Box{level + 1}"} for name in "ab"]} for level in range(16)}
    many = {"format_version": "1.0", "layers": [{"name": "x", "type": "Box0"}], "composites": {**boxes, "Box16": {"layers": []}}}
    yield good("arc-034-many-in-few-words", "Composites that double eight times", ["ARC-034"], {**many, "layers": [{"name": "x", "type": "Box8"}]},
               parameters=(0, 0))
    yield bad("arc-034-too-many-in-few-words", "Composites that double sixteen times", "ARC-034", many, "COMPOSITE_TOO_LARGE", f"{AT}/composites",
              twin="arc-034-many-in-few-words")


def uses() -> Iterable[Case]:
    twin = "lyr-034-parameter-of-an-extension-type"
    yield good(twin, "A use of a composite says its parameter", ["LYR-034", "LYR-033"], SCALED)
    yield bad("lyr-033-named-dense", "A composite is named Dense", "LYR-033", changed(SCALED, lambda d: d["composites"].update(Dense={"layers": []})),
              "COMPOSITE_NAME_TAKEN", f"{AT}/composites/Dense", twin=twin)
    yield bad("lyr-034-parameter-missing", "A use of a composite lacks a parameter", "LYR-034", changed(SCALED, lambda d: d["layers"][0].pop("config")),
              "COMPOSITE_CONFIG_INVALID", f"{AT}/layers/0/config", twin=twin)
    yield bad("lyr-034-no-such-parameter", "A use of a composite says what is no parameter", "LYR-034",
              changed(SCALED, lambda d: d["layers"][0]["config"].update(factor=2)), "COMPOSITE_CONFIG_INVALID", f"{AT}/layers/0/config/factor", twin=twin)
    zero = changed(EXCITED, lambda d: d["layers"][0]["config"].update(reduced=0))
    yield bad("lyr-003-parameter-of-a-wrong-kind", "A parameter has a value that the layer inside does not take", "LYR-003", zero,
              "LAYER_CONFIG_INVALID", f"{AT}/layers/0", stage="schema", twin="lyr-003-values-of-every-kind")


def changed(base, change):
    """A copy of `base` after `change`."""
    data = copy.deepcopy(base)
    change(data)
    return data


def names() -> Iterable[Case]:
    """Names of extents among the inputs of an architecture."""
    pair = operated(op("add", ["x", "z"], ["y"]), x=["batch", "time_1", 4], z=["batch", "time_1", 4])
    yield good("arc-002-named-extents", "Two inputs of one length, whatever it is", ["ARC-002"], pair)
    yield bad("arc-002-name-with-a-space", "An extent has a name with a space", "ARC-002",
              changed(pair, lambda d: d["inputs"][0].update(shape=["batch", "time 1", 4])), "SCHEMA_VIOLATION", f"{AT}/inputs/0/shape/1",
              stage="schema", twin="arc-002-named-extents")


def nested_names() -> Iterable[Case]:
    inner = graph([], [op("subtract", ["x", "z"], ["y"])], ["y"], x=["n", 1], z=[1, "n"])
    inner.pop("format_version")
    outer = graph([{"name": "inner", "type": "Model", "architecture": inner}], [call("inner", "x", "z")], ["inner"], x=[3, 1], z=[1, 3])
    yield good("lyr-035-one-extent", "A nested architecture is given one extent for one name", ["LYR-035", "LYR-007"], outer, parameters=(0, 0))
    yield bad("lyr-035-two-extents", "A nested architecture is given two extents for one name", "LYR-035",
              changed(outer, lambda d: d["inputs"][1].update(shape=[1, 4])), "EXTENT_NAME_MISMATCH", f"{AT}/calls/0", twin="lyr-035-one-extent")


def arc_cases() -> Iterable[Case]:
    """The cases of chapter 20."""
    yield from objects()
    yield from names()
    yield from composites()


def lyr_cases() -> Iterable[Case]:
    """The cases of chapters 25 and 27."""
    for part in (configs, fitting, shapes, uses, nested_names):
        yield from part()
