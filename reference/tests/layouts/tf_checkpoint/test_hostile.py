"""Object graphs that no TensorFlow wrote: an error with its place, or a model and a note; never a wrong model, never time without end."""

import numpy as np
import pytest

import triptych
from triptych.layouts.tensorflow.bundle import Strings, write_bundle
from triptych.layouts.tensorflow.object_graph import KEY, VALUE, Attribute, Node, ObjectGraph, Slot, graph_bytes
from triptych.model import Tensor

ONE = Tensor.from_array(np.arange(3, dtype="float32"))
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def variable(key, full_name=""):
    return Node({}, (Attribute(VALUE, full_name, key + SUFFIX),))


def written(tmp_path, graph, keys):
    data = graph_bytes(ObjectGraph(tuple(graph))) if isinstance(graph, list) else graph
    write_bundle(tmp_path / "ck", [*((key + SUFFIX, ONE) for key in keys), (KEY, Strings((data,)))])
    return tmp_path / "ck"


def test_circles_lead_to_each_object_once(tmp_path):
    path = written(tmp_path, [Node({"a": 1, "me": 0}), Node({"up": 0, "me": 1, "w": 2, "again": 2}), variable("a/w")], ["a/w"])
    assert list(triptych.load(path).weights) == ["a.w"]


def test_a_key_that_is_not_stored_is_an_error_at_the_key(tmp_path):
    with pytest.raises(triptych.InvalidModelError) as caught:
        triptych.load(written(tmp_path, [Node({"w": 1}), variable("w")], ["other"]))
    assert caught.value.problems[0].place == repr("w" + SUFFIX)


def test_the_graph_is_no_tensor_of_an_object(tmp_path):
    graph = [Node({"w": 1}), Node({}, (Attribute(VALUE, "", KEY),))]
    with pytest.raises(triptych.InvalidModelError):
        triptych.load(written(tmp_path, graph, []))


def test_names_that_come_twice_are_made_distinct(tmp_path):
    """Full names are free text: two layers that say one name keep the names that lead to them."""
    layers = {f"layer_with_weights-{number}": 1 + number for number in range(3)}
    nodes = [Node(layers), *(Node({"kernel": 4 + number}) for number in range(3)), *(variable(f"{number}", "dense/kernel") for number in range(3))]
    path = written(tmp_path, nodes, ["0", "1", "2"])
    assert sorted(triptych.load(path).weights) == [f"layer_with_weights-{number}.kernel" for number in range(3)]


def test_one_key_of_two_objects_is_one_tensor(tmp_path):
    path = written(tmp_path, [Node({"a": 1, "b": 2}), variable("a"), variable("a")], ["a"])
    model = triptych.load(path)
    assert list(model.weights) == ["a"]
    triptych.save(model, tmp_path / "again.ckpt")
    assert triptych.load(tmp_path / "again.ckpt").panels.extensions == model.panels.extensions


def test_odd_local_names_become_names_of_tensors(tmp_path):
    path = written(tmp_path, [Node({"x\ny": 1, "": 2, "a" * 2000: 3}), variable("0"), variable("1"), variable("2")], ["0", "1", "2"])
    triptych.save(triptych.load(path), tmp_path / "package")
    assert triptych.validate(tmp_path / "package", full=True) == ()


def test_slots_of_nothing_and_of_each_other_are_kept_as_they_are(tmp_path):
    slots = (Slot(2, "m", 3), Slot(3, "m", 2), Slot(0, "v", 4), Slot(1, "m", 1))
    path = written(tmp_path, [Node({"opt": 1, "w": 2}), Node({}, (), slots), variable("w"), variable("s"), variable("t")], ["w", "s", "t"])
    model = triptych.load(path)
    assert list(model.weights) == ["w"]
    assert sorted(model.training.state) == ["optimizer.momentum.w", "tensorflow.t/.ATTRIBUTES/VARIABLE_VALUE"]
    triptych.save(model, tmp_path / "package")


def test_a_chain_without_end_is_refused(tmp_path):
    with pytest.raises(triptych.UnsupportedError, match="steps"):
        triptych.load(written(tmp_path, [*(Node({"next": number + 1}) for number in range(5000)), variable("w")], ["w"]))


def test_a_million_objects_are_refused(tmp_path):
    with pytest.raises(triptych.UnsupportedError, match="objects"):
        triptych.load(written(tmp_path, b"\x0a\x00" * 1_000_000, []))


def test_a_step_that_is_no_count_stays_a_tensor(tmp_path):
    nodes = [Node({"o": 1}), Node({"iter": 2, "decay": 3}), variable("i", "SGD/iter"), variable("d", "SGD/decay")]
    model = triptych.load(written(tmp_path, nodes, ["i", "d"]))
    assert model.training.progress is None
    assert len(model.training.state) == 2


def test_strings_become_assets_and_go_back(tmp_path):
    words = Strings((b"one", b"", b"caf\xc3\xa9"), (3,))
    lines = Strings((b"a\nb", b"c"), (2,))
    write_bundle(tmp_path / "ck", [("words", words), ("lines", lines), ("config", Strings((b'{"a":\n1}',))), ("n", ONE)])
    model = triptych.load(tmp_path / "ck")
    assert model.notes == ("'lines': 2 strings, of which some have several lines",)
    assert sorted(bytes(asset.read()) for asset in model.panels.assets.values()) == sorted([b"one\n\ncaf\xc3\xa9", b'{"a":\n1}'])
    triptych.save(model, tmp_path / "again.ckpt")
    from triptych.layouts.tensorflow.bundle import open_bundle

    again = open_bundle(tmp_path / "again.ckpt")
    assert again.strings("words") == words.values
    assert set(again.keys) == {"words", "config", "n"}


def test_extensions_that_a_hand_made_nonsense_are_not_believed(tmp_path):
    from dataclasses import replace

    panels = triptych.load(written(tmp_path, [Node({"w": 1}), variable("w")], ["w"])).panels
    for objects in ([{"children": [["w", 9]]}], [{"attributes": [[1, 2, 3]]}], [7], {}, [{"children": [["w", True]]}]):
        facts = {**panels.extensions["tensorflow"]["checkpoint"], "objects": objects}
        odd = replace(panels, extensions={"tensorflow": {"checkpoint": facts}})
        triptych.save(triptych.Model(odd), tmp_path / "named.ckpt")
        assert list(triptych.load(tmp_path / "named.ckpt").weights) == ["w"]
