"""Cases of operations as calls, of named extents and of composite layers (chapters 20, 25 and 27)."""

from __future__ import annotations

import copy
from collections.abc import Iterable

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


def arc_cases() -> Iterable[Case]:
    """The cases of chapter 20."""
    yield from objects()


def lyr_cases() -> Iterable[Case]:
    """The cases of chapters 25 and 27."""
    for part in (configs, fitting, shapes):
        yield from part()
