"""Composite layers: read, written, put in place, inferred, summarised and evaluated; judged by the same graph in numpy."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from triptych.checks import check_architecture
from triptych.documents.architecture import architecture_to_data, parse_architecture
from triptych.errors import Findings
from triptych.model.composites import expand
from triptych.vocabulary import infer, weight_slots
from triptych.vocabulary.evaluator import evaluate
from triptych.vocabulary.summary import render, summarize

EXCITE = {
    "parameters": {"activation": {"default": "relu"}, "channels": {}, "reduced": {}},
    "inputs": ["x"],
    "layers": [
        {"name": "down", "type": "Dense", "config": {"units": {"parameter": "reduced"}, "activation": {"parameter": "activation"}}},
        {"name": "up", "type": "Dense", "config": {"units": {"parameter": "channels"}, "activation": "sigmoid"}},
    ],
    "calls": [
        {"op": "mean", "config": {"axes": [1, 2]}, "inputs": ["x"], "outputs": ["pooled"]},
        {"layer": "down", "inputs": ["pooled"]},
        {"layer": "up", "inputs": ["down"]},
        {"op": "expand_dims", "config": {"axes": [1, 2]}, "inputs": ["up"], "outputs": ["gates"]},
        {"op": "multiply", "inputs": ["x", "gates"], "outputs": ["excited"]},
    ],
    "outputs": ["excited"],
}
DOCUMENT = {
    "format_version": "1.0",
    "inputs": [{"name": "image", "shape": [None, 5, 6, 4]}],
    "layers": [
        {"name": "first", "type": "Excite", "config": {"channels": 4, "reduced": 2}},
        {"name": "second", "type": "Excite", "config": {"activation": "tanh", "channels": 4, "reduced": 1}, "trainable": False},
    ],
    "composites": {"Excite": EXCITE},
}


def changed(change):
    data = copy.deepcopy(DOCUMENT)
    change(data)
    return data


def parsed(data=DOCUMENT):
    return parse_architecture(data, Findings())


def found(data):
    findings = Findings()
    check_architecture(parse_architecture(data, findings), findings)
    return [(problem.requirement, problem.place) for problem in findings.problems]


def test_a_document_comes_back():
    """What is read is written."""
    assert architecture_to_data(parsed()) == DOCUMENT
    assert list(architecture_to_data(parsed(changed(lambda d: d.update(metadata={"a": "b"}))))) == ["format_version", "inputs", "layers", "composites", "metadata"]


def test_weights_have_paths_through_the_use():
    """Names, shapes, and what is trainable; parameters and their defaults are in place."""
    architecture = parsed()
    slots = {slot.tensor: (slot.shape, slot.trainable) for slot in weight_slots(architecture)}
    assert slots["first.down.kernel"] == ((4, 2), True)
    assert slots["second.up.kernel"] == ((1, 4), False)
    assert len(slots) == 8
    assert infer(architecture).outputs == ((None, 5, 6, 4),)
    first, second = expand(architecture).layers
    assert (first.architecture.layers[0].config["activation"], second.architecture.layers[0].config["activation"]) == ("relu", "tanh")


def test_values_are_those_of_the_graph():
    """Squeeze-and-excite twice, by hand in numpy."""
    rng = np.random.default_rng(1)
    architecture = parsed()
    weights = {slot.tensor: rng.normal(size=slot.shape).astype("float32") for slot in weight_slots(architecture)}
    x = image = rng.normal(size=(3, 5, 6, 4)).astype("float32")
    for name, activation in (("first", lambda z: np.maximum(z, 0)), ("second", np.tanh)):
        pooled = x.mean((1, 2))
        down = activation(pooled @ weights[f"{name}.down.kernel"] + weights[f"{name}.down.bias"])
        x = x * (1 / (1 + np.exp(-(down @ weights[f"{name}.up.kernel"] + weights[f"{name}.up.bias"]))))[:, None, None, :]
    np.testing.assert_allclose(evaluate(architecture, weights, [image]).outputs[0], x, rtol=1e-5)
    watched = evaluate(architecture, weights, [image], watch=["first.down"]).watched
    assert watched["first.down"][0][0].shape == (3, 2)


def test_weights_elsewhere_by_path_and_role():
    """A use says where a weight inside it is stored; a role that is not there is a problem at the use."""
    data = changed(lambda d: d["layers"][0].update(weights={"down.kernel": {"tensor": "w", "axes": [1, 0]}}))
    (slot,) = [slot for slot in weight_slots(parsed(data)) if slot.tensor == "w"]
    assert (slot.path, slot.axes, slot.stored_shape, slot.place) == ("first.down", (1, 0), (2, 4), "/layers/0")
    assert found(data) == []
    wrong = changed(lambda d: d["layers"][0].update(weights={"down.kernle": {"tensor": "w"}}))
    assert found(wrong) == [("LYR-005", "/layers/0")]


def test_problems_inside_stand_at_the_use():
    """A config that its type does not take, a shape that does not fit, tensors that collide."""
    assert found(DOCUMENT) == []
    assert found(changed(lambda d: d["layers"][1]["config"].update(activation="rellu"))) == [("LYR-003", "/layers/1")]
    assert found(changed(lambda d: d["layers"][1]["config"].update(channels=3))) == [("LYR-007", "/layers/1")]
    assert found(changed(lambda d: d["inputs"][0].update(shape=[None, 4]))) == [("LYR-007", "/layers/0")]
    dotted = changed(lambda d: d["layers"].insert(0, {"name": "first.down", "type": "Dense", "config": {"units": 4}}))
    assert found(dotted) == [("ARC-018", "/layers/1"), ("ARC-018", "/layers/1")]
    broken = changed(lambda d: d["composites"]["Excite"]["calls"][1].update(inputs=["poled"]))
    assert found(broken)[0] == ("ARC-016", "/composites/Excite/calls/1/inputs/0")
    named = changed(lambda d: d["composites"]["Excite"].update(inputs=["x", "x"]))
    assert ("ARC-014", "/composites/Excite/inputs/1") in found(named)


def test_composites_in_composites_and_in_wrappers():
    """Parameters are handed on; a sublayer may use a composite."""
    data = {
        "format_version": "1.0", "inputs": [{"name": "x", "shape": [None, 5, 4]}],
        "layers": [{"name": "each", "type": "TimeDistributed", "sublayers": {"layer": {"type": "Outer", "config": {"size": 3}}}}],
        "composites": {
            "Inner": {"parameters": {"units": {}}, "layers": [{"name": "dense", "type": "Dense", "config": {"units": {"parameter": "units"}}}]},
            "Outer": {"parameters": {"size": {}}, "layers": [{"name": name, "type": "Inner", "config": {"units": {"parameter": "size"}}} for name in "ab"]},
        },
    }
    assert found(data) == []
    architecture = parsed(data)
    assert architecture_to_data(architecture) == data
    shapes = {slot.tensor: slot.shape for slot in weight_slots(architecture)}
    assert shapes == {"each.layer.a.dense.kernel": (4, 3), "each.layer.a.dense.bias": (3,), "each.layer.b.dense.kernel": (3, 3), "each.layer.b.dense.bias": (3,)}
    weights = {name: np.ones(shape, "float32") for name, shape in shapes.items()}
    (y,) = evaluate(architecture, weights, [np.ones((1, 5, 4), "float32")]).outputs
    assert y.tolist() == [[[16.0] * 3] * 5]


def chain(length):
    boxes = {f"Box{level}": {"layers": [{"name": "x", "type": f"Box{level + 1}"}]} for level in range(length)}
    return {"format_version": "1.0", "layers": [{"name": "x", "type": "Box0"}], "composites": {**boxes, f"Box{length}": {"layers": []}}}


@pytest.mark.parametrize(("length", "problems"), [(32, []), (33, [("ARC-034", "/composites")]), (3000, [("ARC-034", "/composites")])])
def test_depth_is_bounded(length, problems):
    """Without a deep recursion."""
    assert found(chain(length)) == problems


def test_recursion_through_others():
    """Both are part of the circle; what only leads to it is not. Nothing runs for ever, checked or not."""
    data = changed(lambda d: d["composites"].update(
        A={"layers": [{"name": "b", "type": "B"}, {"name": "c", "type": "B"}]}, B={"layers": [{"name": "a", "type": "A"}]}, C={"layers": [{"name": "a", "type": "A"}]}))
    assert found(data) == [("ARC-033", "/composites/A"), ("ARC-033", "/composites/B")]
    data["layers"].append({"name": "z", "type": "C"})
    infer(parsed(data))


def test_the_summary_shows_what_is_inside():
    """Under the use, with its type."""
    summary = summarize(parsed())
    assert [(row.name, row.type, row.depth, row.parameters) for row in summary.rows][:5] == [
        ("first", "Excite", 0, 22), ("x", "Input", 1, 0), ("down", "Dense", 1, 10), ("up", "Dense", 1, 12), ("pooled", "mean", 1, 0)]
    assert "Excite" in render(summary, 100)
