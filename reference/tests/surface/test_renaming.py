"""Rules that rename tensors: what a pattern fits, what follows a weight, and what is wrong with rules, all at once."""

import json
import re
import time
from pathlib import Path

import numpy as np
import pytest

import triptych
from triptych import InvalidModelError, WeightsMismatchError
from triptych.model import Panels, Weights
from triptych.surface.renaming import renamed


EXAMPLE = Path(__file__).parents[3] / "examples" / "digits_cnn.h5"


def names(held, rules):
    """The names that tensors called `held` have after `rules`."""
    weights = Weights.from_arrays({name: np.float32([index]) for index, name in enumerate(held)})
    after = renamed(Panels(weights=weights), rules).weights
    return [after_name for after_name, _ in sorted(after.items(), key=lambda item: item[1][0])]


@pytest.mark.parametrize(
    ("held", "rules", "expected"),
    [
        (["a.weight"], {"a.weight": "b.kernel"}, ["b.kernel"]),
        (["module.a.weight", "module.b"], {"module.**": "$1"}, ["a.weight", "b"]),
        (["layers.0.attn.q.weight"], {"layers.*.**.weight": "block_$1.$2.kernel"}, ["block_0.attn.q.kernel"]),
        (["conv1.w", "conv12.w"], {"conv*.w": "c.$1"}, ["c.1", "c.12"]),
        (["x_ab_ab_y"], {"x*_ab*y": "$1|$2"}, ["|_ab_"]),
        (["a.b", "a.c"], {"a.*": "z.$1", "a.c": "kept"}, ["z.b", "kept"]),
        (["a.b"], {"a.b": "$1$$"}, ["$1$$"]),
        (["a.b"], {"*.b": "$$$1"}, ["$a"]),
        (["a", "b"], {"a": "b", "b": "a"}, ["b", "a"]),
        (["a*.b", "ac.b"], {"a*.b": "one"}, ["one", "ac.b"]),
        (["h.1", "h.2"], {"h.*": "first.$1", "*.2": "second"}, ["first.1", "first.2"]),
    ],
)
def test_rules_rename(held, rules, expected):
    assert names(held, rules) == expected


@pytest.mark.parametrize(
    ("held", "rules", "messages"),
    [
        (["a.weight"], {"b.weight": "c"}, [r"#/b\.weight: .*there are 'a\.weight'"]),
        (["a.b.c"], {"a.*": "x"}, ["#/a.*: expected the name of a tensor"]),
        (["a.x", "b.x"], {"*.x": "x"}, ["expected a name for each tensor, got 'x' for 'a.x' and for 'b.x'"]),
        (["a", "b"], {"a": "b"}, ["got 'b' for 'a' and for 'b'"]),
        (["a.b"], {"a.*": "$2"}, [r"one of the 1 stars.*got \$2"]),
        (["a.b"], {"**.**": "x", "a**": "y", "": "", "a/b": "c"}, [r"#/\*\*\.\*\*: expected at most one", r"#/a\*\*: expected at most one", "#/: expected a new name", "#/a~1b: expected the name"]),
    ],
)
def test_rules_that_cannot_be_are_all_named(held, rules, messages):
    with pytest.raises(WeightsMismatchError) as caught:
        names(held, rules)
    said = [str(problem) for problem in caught.value.problems]
    for message in messages:
        assert any(re.search(message, one) for one in said), (message, said)
    assert {problem.code for problem in caught.value.problems} == {"RENAME_INVALID"}


def test_a_pattern_made_to_be_slow_is_not():
    begin = time.process_time()
    with pytest.raises(WeightsMismatchError):
        names(["a" * 1000], {"*a" * 200 + "b": "x"})
    assert time.process_time() - begin < 1


def test_slots_and_the_architecture_follow(tmp_path):
    source = triptych.load(EXAMPLE)
    model = triptych.load(EXAMPLE, rename={"conv_1.*": "stem.$1", "dense_2.kernel": "head"})
    triptych.save(model, tmp_path / "m.triptych")
    again = triptych.load(tmp_path / "m.triptych")
    assert {"stem.kernel", "stem.bias", "head", "dense_2.bias"} <= set(again.weights)
    assert "optimizer.momentum.stem.kernel" in again.training.state
    assert "optimizer.velocity.head" in again.training.state
    for before, after in zip(source.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    # Keras has names of its own, so that its file is what it would have been.
    triptych.save(again, tmp_path / "after.h5")
    triptych.save(source, tmp_path / "before.h5")
    assert triptych.load(tmp_path / "after.h5").training.state.keys() == source.training.state.keys()


def test_the_arrangement_of_a_pytorch_file_follows(tmp_path):
    torch = pytest.importorskip("torch")
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    torch.save({"net": {f"module.{k}": v for k, v in layer.state_dict().items()}, "optimizer": optimizer.state_dict(), "note": "kept"}, tmp_path / "a.pt")
    notes = triptych.save(triptych.load(tmp_path / "a.pt", rename={"module.**": "fc.$1"}), tmp_path / "b.pt")
    assert notes == ()
    before, after = (torch.load(tmp_path / name, weights_only=True) for name in ("a.pt", "b.pt"))
    assert list(after["net"]) == ["fc.weight", "fc.bias"]
    assert after["note"] == "kept"
    assert after["optimizer"]["param_groups"] == before["optimizer"]["param_groups"]
    for number, slots in before["optimizer"]["state"].items():
        for slot, value in slots.items():
            assert torch.equal(after["optimizer"]["state"][number][slot], value)


@pytest.mark.parametrize("text", ['{"a": "b"}', "a: b\n"])
def test_a_file_says_the_rules_in_json_or_yaml(tmp_path, text):
    (tmp_path / "rules").write_text(text)
    assert names(["a"], tmp_path / "rules") == ["b"]


@pytest.mark.parametrize("text", ["[1]", '{"a": 1, "b": null}', '{"a": "b", "a": "c"}', "a: &x b\nc: *x\n", "{", '{"a": {"b": "c"}}', "x" * 5_000_000])
def test_a_file_that_says_none_is_refused_with_its_name(tmp_path, text):
    (tmp_path / "rules.yaml").write_text(text)
    with pytest.raises(triptych.TriptychError, match=r"rules\.yaml"):
        names(["a"], tmp_path / "rules.yaml")


def test_every_member_that_is_no_name_is_listed(tmp_path):
    (tmp_path / "rules.json").write_text(json.dumps({"a/b": 1, "c": "d", "e": []}))
    with pytest.raises(InvalidModelError) as caught:
        names(["c"], tmp_path / "rules.json")
    assert [problem.place for problem in caught.value.problems] == ["rules.json#/a~1b", "rules.json#/e"]
