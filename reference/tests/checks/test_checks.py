"""What relates two places is judged, each fault at its place, and whatever a document says is an answer or a declared error."""

import copy
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.checks import CHECKS, check_architecture, check_panels, tensors, weights
from triptych.documents import parse_architecture
from triptych.errors import Findings, TriptychError, UnsupportedError, registry
from triptych.model import Architecture, Component, Layer, Loss, Metric, Panels, Tensor, Training, Weights, WeightReference

GRAPH = {
    "format_version": "1.0",
    "inputs": [{"name": "x", "shape": [None, 2]}, {"name": "y", "shape": [None, 2]}],
    "layers": [
        {"name": "shared", "type": "Dense", "config": {"units": 2}},
        {"name": "sum", "type": "Add"},
        {"name": "deep", "type": "Model", "architecture": {
            "inputs": [{"name": "x", "shape": [None, 2]}],
            "layers": [{"name": "each", "type": "org.example:Wrapper", "sublayers": {"layer": {"type": "Dense", "config": {"units": 3}}}}, {"name": "shared", "type": "Flatten"}],
            "calls": [{"layer": "shared", "inputs": ["x"]}], "outputs": ["shared"]}},
    ],
    "calls": [
        {"layer": "shared", "inputs": ["x"], "outputs": ["a"]},
        {"layer": "shared", "inputs": ["y"], "outputs": ["b"]},
        {"layer": "sum", "inputs": ["a", "b"], "arguments": {"mask": {"value": "a"}}},
        {"layer": "deep", "inputs": ["sum"]},
    ],
    "outputs": ["deep", "a"],
}  # fmt: skip


def problems(data):
    findings = Findings()
    architecture = parse_architecture(data, findings)
    check_architecture(architecture, findings)
    return [(problem.requirement, problem.place) for problem in findings.problems]


def changed(change):
    data = copy.deepcopy(GRAPH)
    change(data)
    return problems(data)


INNER = "/layers/2/architecture"


def inner(data):
    return data["layers"][2]["architecture"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: None, []),
        (lambda d: d["layers"].append({"name": "sum", "type": "Add"}), [("ARC-004", "/layers/3/name")]),
        (lambda d: inner(d)["layers"].append({"name": "each", "type": "Flatten"}), [("ARC-004", f"{INNER}/layers/2/name")]),
        (lambda d: d["calls"][1].update(outputs=["x"]), [("ARC-014", "/calls/1/outputs/0"), ("ARC-016", "/calls/2/inputs/1")]),
        (lambda d: d["calls"].append({"layer": "sum", "inputs": ["a"]}), [("ARC-014", "/calls/4/layer")]),
        (lambda d: inner(d)["calls"][0].update(layer="sum"), [("ARC-015", f"{INNER}/calls/0/layer"), ("ARC-017", f"{INNER}/outputs/0")]),
        (lambda d: d["calls"].reverse(), [("ARC-016", "/calls/0/inputs/0"), ("ARC-016", "/calls/1/inputs/0"), ("ARC-016", "/calls/1/inputs/1"), ("ARC-016", "/calls/1/arguments/mask/value")]),
        (lambda d: inner(d)["calls"][0].update(inputs=["a"]), [("ARC-016", f"{INNER}/calls/0/inputs/0")]),
        (lambda d: d.update(outputs=["deep", "c", "shared"]), [("ARC-017", "/outputs/1"), ("ARC-017", "/outputs/2")]),
        (lambda d: inner(d)["layers"][0].update(weights={"k": {"tensor": "k", "axes": [1]}}), [("ARC-019", f"{INNER}/layers/0/weights/k/axes")]),
        (lambda d: inner(d)["layers"][0]["sublayers"]["layer"].update(config={"units": 0}), [("LYR-003", f"{INNER}/layers/0/sublayers/layer/config/units")]),
        (lambda d: inner(d)["layers"][0]["sublayers"]["layer"].update(config={"units": 3.0}), [("DOC-027", f"{INNER}/layers/0/sublayers/layer/config/units")]),
        (lambda d: inner(d).update(extensions={"EXT_a": {}}), [("EXT-002", f"{INNER}/extensions/EXT_a")]),
        (lambda d: d["layers"][0].update(name="e\u0301"), [("ARC-006", "/layers/0/name"), ("ARC-015", "/calls/0/layer"), ("ARC-015", "/calls/1/layer")]),
    ],
)  # fmt: skip
def test_each_fault_is_found_at_its_place(change, expected):
    assert changed(change) == expected


def test_sequential_architectures_are_judged_too():
    data = {"format_version": "1.0", "inputs": [{"name": "x", "shape": []}, {"name": "x", "shape": []}], "layers": []}
    assert problems(data) == [("ARC-013", "/inputs"), ("ARC-014", "/inputs/1/name")]


def test_canonical_names_collide_only_without_a_word():
    def model(reference):
        nested = Architecture((Layer("b", "org.example:B", weights={"k": WeightReference("a.b.k")}),))
        layers = (Layer("a", "Model", architecture=nested), Layer("a.b", "Dense", {"units": 1, "use_bias": False}, weights=reference))
        findings = Findings()
        check_architecture(Architecture(layers), findings)
        return [(problem.requirement, problem.place) for problem in findings.problems]

    assert model({}) == []
    assert model({"kernel": WeightReference("a.b.k")}) == []
    dense = Layer("b", "Dense", {"units": 1, "use_bias": False})
    findings = Findings()
    check_architecture(Architecture((Layer("a", "Model", architecture=Architecture((dense,))), Layer("a.b", "Dense", {"units": 1, "use_bias": False}))), findings)
    assert [(problem.requirement, problem.place) for problem in findings.problems] == [("ARC-018", "/layers/1")]


def test_shapes_are_looked_at_only_in_a_sound_graph():
    """Otherwise each fault would trail others behind it; types are looked at where they stand."""
    both = changed(lambda d: (d["layers"][1].update(type="Nonsense"), d.update(outputs=["nothing"])))
    assert both == [("ARC-017", "/outputs/0"), ("LYR-001", "/layers/1/type")]


def tensor(shape=(2, 2), dtype="float32"):
    return Tensor(dtype, shape, lambda: pytest.fail("a check read a tensor"))


def panels(state=(), **training):
    stored = Weights({"d.kernel": tensor()})
    architecture = Architecture((Layer("d", "Dense", {"units": 2, "use_bias": False}),))
    return Panels(architecture, stored, Training(state=Weights({name: tensor() for name in state}), **training))


def found(model, members=None):
    findings = Findings()
    check_panels(model, findings, members)
    return [(problem.requirement, problem.place) for problem in findings.problems]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("optimizer.iteration", None), ("optimizer.momentum.d.kernel", None), ("random.generator", None), ("keras.x.y/z:0", None), ("metrics.accuracy.total", None), ("optimizer.m2.d.kernel", None),
        ("iteration", "TRN-008"), ("optimizer.", "TRN-008"), ("optimizer.Momentum.d.kernel", "TRN-008"), ("optimizer..d.kernel", "TRN-008"), ("optimizer.momentum.", "TRN-008"), (".x", "TRN-008"), ("Random.x", "TRN-008"),
        ("random.", "TRN-008"), ("1.x", "TRN-008"), ("optimizer.iteration\n", "TRN-008"), ("optimizer.momentum.d.bias", "TRN-009"), ("optimizer.momentum.kernel", "TRN-009"),
    ],
)  # fmt: skip
def test_names_of_state_tensors(name, expected):
    place = "/" + name.replace("~", "~0").replace("/", "~1")
    assert found(panels([name])) == ([] if expected is None else [(expected, place)])


def test_a_sharded_state_is_faulted_in_its_index():
    members = {"architecture": "architecture.json", "weights": "model.safetensors.index.json", "training": "training.json", "training_state": "training.safetensors.index.json"}
    assert found(panels(["optimizer.m.q"]), members) == [("TRN-009", "training.safetensors.index.json#/weight_map/optimizer.m.q")]
    model = panels()
    wrong = Panels(model.architecture, Weights({"d.kernel": tensor(), "e": tensor()}), model.training)
    assert found(wrong, members) == [("LYR-014", "model.safetensors.index.json#/weight_map/e")]


def test_outputs_of_losses_and_metrics():
    losses, metrics = (Loss("t:A", output="d"), Loss("t:A"), Loss("t:A", output="x")), (Metric("t:B", output="D"),)
    assert found(panels(losses=losses, metrics=metrics)) == [("TRN-007", "/losses/2/output"), ("TRN-007", "/metrics/0/output")]
    assert found(Panels(training=Training(losses=losses))) == []


def test_extensions_of_every_document_are_judged():
    component = Component("t:Adam", extensions={"EXT_a": {}})
    model = Panels(training=Training(component, extensions_used=("EXT_b",)), extensions={"EXT_c": {}})
    assert found(model, {"training": "training.json"}) == [("EXT-002", "manifest.json#/extensions/EXT_c"), ("EXT-002", "training.json#/optimizer/extensions/EXT_a")]
    with pytest.raises(UnsupportedError) as caught:
        found(Panels(training=Training(extensions_used=("EXT_b",), extensions_required=("EXT_b",))), {"training": "training.json"})
    assert [(problem.requirement, problem.place) for problem in caught.value.problems] == [("EXT-004", "training.json#/extensions_required/0")]


def test_every_check_enforces_a_requirement_with_a_semantic_code():
    stages = {requirement: entry["stage"] for entry in registry().values() for requirement in entry["requirements"]}
    assert {module.__name__ for module in (tensors, weights)}  # registered by being imported
    identifiers = [check.requirement for check in CHECKS]
    assert len(identifiers) == len(set(identifiers))
    assert {stages[identifier] for identifier in identifiers} == {"semantic"}
    assert all(check.find.__doc__ and re.fullmatch(r"[a-z_]+", check.find.__name__) for check in CHECKS)


def test_a_disabled_requirement_is_not_enforced():
    data = copy.deepcopy(GRAPH)
    data["outputs"] = ["nothing"]
    findings = Findings(frozenset({"ARC-017"}))
    architecture = parse_architecture(data, findings)
    with pytest.raises(Exception):  # noqa: B017, PT011 - what follows from a fault that was let through is nobody's promise
        check_architecture(architecture, findings)
        raise TriptychError
    assert findings.problems == []


words = st.sampled_from(["x", "y", "a", "b", "shared", "sum", "deep", "each", "layer", "kernel", "", "Dense", "Add", "Model", "LSTM", "Bidirectional", "TimeDistributed", "Concatenate", "Flatten", "org.example:A", "units", "forward"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 70) | st.sampled_from([0.5, 2.0, 2**53, {"float": "NaN"}]) | words, lambda v: st.lists(v, max_size=3) | st.dictionaries(words, v, max_size=3), max_leaves=5
)


def places(data, at=()):
    yield at
    for key, item in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from places(item, (*at, key))


SEQUENCE = {
    "format_version": "1.0",
    "inputs": [{"name": "x", "shape": [None, 8, 8, 3]}],
    "layers": [
        {"name": "conv", "type": "Conv2D", "config": {"filters": 2, "kernel_size": [3, 3], "padding": "same_upper", "dilation_rate": [1, 1], "activation": {"type": "LeakyReLU", "config": {"negative_slope": 0.1}}}},
        {"name": "pool", "type": "MaxPooling2D", "config": {"pool_size": [2, 2]}},
        {"name": "bn", "type": "BatchNormalization", "config": {"axis": -1, "epsilon": 0.001, "momentum": 0.99}},
        {"name": "pad", "type": "ZeroPadding2D", "config": {"padding": [[1, 1], [2, 0]]}},
        {"name": "rows", "type": "Reshape", "config": {"target_shape": [-1, 4]}},
        {"name": "turn", "type": "Permute", "config": {"dims": [2, 1]}},
        {"name": "bi", "type": "Bidirectional", "sublayers": {"forward": {"type": "GRU", "config": {"units": 3, "reset_after": True, "activation": "tanh", "recurrent_activation": "sigmoid"}}, "backward": {"type": "GRU", "config": {"units": 3, "reset_after": True, "activation": "tanh", "recurrent_activation": "sigmoid"}}}},
        {"name": "repeat", "type": "RepeatVector", "config": {"n": 3}},
        {"name": "each", "type": "TimeDistributed", "sublayers": {"layer": {"type": "Dense", "config": {"units": 2}}}},
    ],
}


def test_the_documents_that_are_mutated_are_valid():
    assert problems(GRAPH) == problems(SEQUENCE) == []


@settings(max_examples=1000, deadline=None)
@given(st.data(), st.sampled_from([GRAPH, SEQUENCE]))
def test_any_mutation_of_a_document_is_judged_and_never_crashes(data, base):
    document = copy.deepcopy(base)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(sorted(filter(None, places(document)), key=repr)))
        target = document
        for key in place[:-1]:
            target = target[key]
        if data.draw(st.booleans()) and isinstance(target, dict):
            target[data.draw(words)] = copy.deepcopy(data.draw(values))
        elif data.draw(st.booleans()):
            del target[place[-1]]
        else:
            target[place[-1]] = copy.deepcopy(data.draw(values))
        if len(list(places(document))) < 2:
            break
    try:
        problems(document)
    except TriptychError:
        pass
