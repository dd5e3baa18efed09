"""`Model`: the verbs people know, with the semantics of Keras' documentation and a report of every load."""

import io
import json

import numpy as np
import pytest

import triptych
from triptych import UsageError, WeightsMismatchError
from triptych.model import Architecture, Call, Input, Layer, Panels, WeightReference, Weights
from triptych.surface.model import Model


def assert_same(left, right):
    assert len(left) == len(right)
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a, b)


def test_get_weights_follows_the_layers_and_the_table_of_roles(dense):
    model = dense(4, 2)
    assert [w.shape for w in model.get_weights()] == [(3, 4), (4,), (4, 2), (2,)]


def test_set_weights_takes_what_get_weights_gives(dense):
    model, other = dense(4, 2), dense(4, 2, seed=1)
    model.set_weights(other.get_weights())
    assert_same(model.get_weights(), other.get_weights())


def test_set_weights_of_a_wrong_shape_changes_nothing(dense):
    model = dense(4, 2)
    before = model.get_weights()
    arrays = [*before[:2], np.zeros((5, 2), np.float32), before[3]]
    with pytest.raises(ValueError, match=r"dense_1\.kernel.*\(4, 2\).*\(5, 2\)"):
        model.set_weights(arrays)
    assert_same(model.get_weights(), before)


def test_set_weights_of_a_wrong_rank_is_refused(dense):
    model = dense(4)
    with pytest.raises(WeightsMismatchError, match=r"dense_0\.bias"):
        model.set_weights([model.get_weights()[0], np.zeros((4, 1), np.float32)])


def test_set_weights_of_a_wrong_number_is_refused(dense):
    with pytest.raises(ValueError, match="expected 4 arrays, got 3"):
        dense(4, 2).set_weights(dense(4, 2).get_weights()[:3])


def test_a_text_round_trip_keeps_the_architecture(dense):
    model = dense(4, 2)
    assert triptych.model_from_json(model.to_json()).architecture == model.architecture
    assert triptych.model_from_yaml(model.to_yaml()).architecture == model.architecture


@pytest.mark.parametrize("suffix", ["", ".triptych", ".h5"])
def test_a_saved_model_loads_with_the_same_weights(dense, tmp_path, suffix):
    model = dense(4, 2)
    assert triptych.save(model, tmp_path / f"m{suffix}") == ()
    loaded = triptych.load(tmp_path / f"m{suffix}")
    assert_same(loaded.get_weights(), model.get_weights())
    assert [layer.type for layer in loaded.architecture.layers] == ["Dense", "Dense"]


@pytest.mark.parametrize("suffix", ["", ".triptych", ".h5", ".safetensors"])
def test_saved_weights_load_into_a_twin(dense, tmp_path, suffix):
    model = dense(4, 2)
    model.save_weights(tmp_path / f"w{suffix}")
    assert triptych.load(tmp_path / f"w{suffix}").architecture is None
    twin = triptych.model_from_json(model.to_json())
    report = twin.load_weights(tmp_path / f"w{suffix}")
    assert_same(twin.get_weights(), model.get_weights())
    assert report.loaded == ("dense_0.kernel", "dense_0.bias", "dense_1.kernel", "dense_1.bias")
    assert not (report.skipped or report.missing or report.unexpected or report.mismatched)


@pytest.mark.parametrize("suffix", [".triptych", ".h5"])
def test_layers_match_by_position_whatever_their_names(dense, tmp_path, suffix):
    source = dense(4, 2, names=("a", "b"))
    source.save(tmp_path / f"m{suffix}")
    target = dense(4, 2, seed=1)
    target.load_weights(tmp_path / f"m{suffix}")
    assert_same(target.get_weights(), source.get_weights())


@pytest.mark.parametrize("suffix", [".triptych", ".h5"])
def test_by_name_loads_what_two_models_share_and_leaves_the_rest(dense, tmp_path, suffix):
    source = dense(4, 2, names=("base", "head"))
    source.save(tmp_path / f"m{suffix}")
    target = dense(4, 7, seed=1, names=("base", "new_head"))
    head_before = target.get_weights()[2:]
    report = target.load_weights(tmp_path / f"m{suffix}", by_name=True)
    assert_same(target.get_weights(), [*source.get_weights()[:2], *head_before])
    assert report.loaded == ("base.kernel", "base.bias")
    assert report.skipped == ("new_head.kernel", "new_head.bias")
    assert report.unexpected == ("head.kernel", "head.bias")


def test_by_name_with_no_name_in_common_is_an_error(dense, tmp_path):
    dense(4, names=("a",)).save(tmp_path / "m.triptych")
    with pytest.raises(WeightsMismatchError, match="at least one layer of the same name"):
        dense(4, names=("b",)).load_weights(tmp_path / "m.triptych", by_name=True)


def test_a_shape_that_differs_is_an_error_that_says_both_shapes(dense, tmp_path):
    dense(4, 2).save(tmp_path / "m.triptych")
    target = dense(4, 3, seed=1)
    before = target.get_weights()
    with pytest.raises(ValueError, match=r"\(4, 3\).*\(4, 2\)"):
        target.load_weights(tmp_path / "m.triptych")
    assert_same(target.get_weights(), before)


@pytest.mark.parametrize("by_name", [False, True])
def test_skip_mismatch_leaves_the_layer_and_warns_with_both_shapes(dense, tmp_path, by_name):
    source = dense(4, 2)
    source.save(tmp_path / "m.triptych")
    target = dense(4, 3, seed=1)
    head_before = target.get_weights()[2:]
    with pytest.warns(UserWarning, match=r"dense_1.*\(4, 3\).*\(4, 2\)"):
        report = target.load_weights(tmp_path / "m.triptych", by_name=by_name, skip_mismatch=True)
    assert_same(target.get_weights(), [*source.get_weights()[:2], *head_before])
    assert report.mismatched == ("dense_1.kernel", "dense_1.bias")
    assert report.loaded == ("dense_0.kernel", "dense_0.bias")


def test_another_number_of_layers_is_an_error(dense, tmp_path):
    dense(4, 2).save(tmp_path / "m.triptych")
    with pytest.raises(ValueError, match="expected 3 layers with weights, the source has 2"):
        dense(4, 2, 2).load_weights(tmp_path / "m.triptych")


def test_a_bare_safetensors_file_that_lacks_a_weight_is_an_error(dense, tmp_path):
    dense(4).save_weights(tmp_path / "w.safetensors")
    with pytest.raises(WeightsMismatchError, match=r"dense_1\.kernel"):
        dense(4, 2).load_weights(tmp_path / "w.safetensors")


def test_overwrite_false_refuses_and_keeps_the_old_file(dense, tmp_path):
    path = tmp_path / "m.triptych"
    dense(4).save(path)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="overwrite"):
        dense(5).save(path, overwrite=False)
    assert path.read_bytes() == before


def test_an_unknown_suffix_is_an_error_that_lists_the_known(dense, tmp_path):
    with pytest.raises(UsageError, match=r"\.triptych.*\.h5"):
        dense(4).save(tmp_path / "m.xyz")


def test_a_model_can_be_saved_over_the_file_it_is_read_from(dense, tmp_path):
    path = tmp_path / "m.triptych"
    model = dense(4, 2)
    model.save(path)
    before = path.read_bytes()
    loaded = triptych.load(path)
    loaded.save(path)
    assert path.read_bytes() == before
    assert_same(loaded.get_weights(), model.get_weights())


def test_summary_prints_one_text(dense):
    texts = []
    dense(4, 2).summary(print_fn=texts.append)
    assert len(texts) == 1
    assert "26" in texts[0]  # 3*4 + 4 + 4*2 + 2


def test_layers_of_a_weights_file_keep_apart_though_their_names_have_dots(dense, tmp_path):
    source = dense(4, 2, names=("block.a", "block.b"))
    source.save_weights(tmp_path / "w.h5")
    target = dense(4, 2, seed=1, names=("first", "second"))
    target.load_weights(tmp_path / "w.h5")
    assert_same(target.get_weights(), source.get_weights())
    report = dense(4, 7, names=("block.a", "head")).load_weights(tmp_path / "w.h5", by_name=True)
    assert report.loaded == ("block.a.kernel", "block.a.bias")
    assert report.unexpected == ("block.b.kernel", "block.b.bias")


def test_layers_of_a_weights_file_outlive_its_conversion_to_a_package(dense, tmp_path):
    source = dense(4, 2, names=("block.a", "block.b"))
    source.save_weights(tmp_path / "w.h5")
    triptych.load(tmp_path / "w.h5").save(tmp_path / "w.triptych")
    target = dense(4, 2, seed=1, names=("first", "second"))
    target.load_weights(tmp_path / "w.triptych")
    assert_same(target.get_weights(), source.get_weights())


def test_bare_tensors_under_other_names_are_refused_however_well_their_shapes_fit(dense, tmp_path):
    """A safetensors file has no order: what stands first in it is no first layer."""
    dense(4, 4, names=("z", "a"), inputs=4).save_weights(tmp_path / "w.safetensors")
    with pytest.raises(WeightsMismatchError, match=r"first\.kernel.*expected this weight"):
        dense(4, 4, names=("first", "second"), inputs=4).load_weights(tmp_path / "w.safetensors")


def test_bare_tensors_of_a_layer_are_told_by_their_roles(dense, tmp_path):
    source = dense(4, 2, names=("block.a", "head"))
    source.save_weights(tmp_path / "w.safetensors")
    target = dense(4, 7, seed=1, names=("block.a", "new"))
    report = target.load_weights(tmp_path / "w.safetensors", by_name=True)
    assert report.loaded == ("block.a.kernel", "block.a.bias")
    assert_same(target.get_weights()[:2], source.get_weights()[:2])


def test_skipping_warns_once_for_a_layer_of_bare_tensors(dense, tmp_path):
    dense(4, 2).save_weights(tmp_path / "w.safetensors")
    with pytest.warns(UserWarning, match=r"'dense_1' is skipped.*\(4, 3\).*\(4, 2\)") as heard:
        dense(4, 3).load_weights(tmp_path / "w.safetensors", skip_mismatch=True)
    assert len(heard) == 1


def with_custom_layer(name="mine", weights=()):
    layers = (Layer("in", "Dense", {"units": 2}), Layer(name, "keras:Mine", {"n": 1}, weights={role: WeightReference(f"{name}.{role}") for role in weights}), Layer("out", "Dense", {"units": 1}))
    calls = (Call("in", ("x",), outputs=("a",)), Call(name, ("a",), outputs=("b",)), Call("out", ("b",), outputs=("y",)))
    architecture = Architecture(layers, (Input("x", (None, 3)),), calls, ("y",), extensions_used=("keras",))
    tensors = {"in.kernel": (3, 2), "in.bias": (2,), "mine.scale": (2,), "mine.offset": (2,), "out.kernel": (2, 1), "out.bias": (1,)}
    arrays = {key: np.random.default_rng(n).standard_normal(shape, dtype=np.float32) for n, (key, shape) in enumerate(tensors.items())}
    return Model(Panels(architecture=architecture, weights=Weights.from_arrays(arrays) if weights else None))


@pytest.mark.parametrize("suffix", ["", ".triptych", ".h5"])
def test_a_layer_of_an_unknown_type_takes_the_weights_of_its_namesake(suffix, tmp_path):
    source, target = with_custom_layer(weights=("offset", "scale")), with_custom_layer()
    source.save(tmp_path / f"m{suffix}")
    report = target.load_weights(tmp_path / f"m{suffix}")
    assert sorted(report.loaded) == sorted(source.weights)
    for name in source.weights:
        np.testing.assert_array_equal(target.weights[name], source.weights[name])
    assert_same(target.get_weights(), source.get_weights())


def test_by_name_gives_all_layers_of_one_name_the_weights(tmp_path, dense):
    config = [{"class_name": "Dense", "config": {"name": "twin", "units": 3, "batch_input_shape": [None, 3]}}, {"class_name": "Dense", "config": {"name": "twin", "units": 3}}]
    model = triptych.model_from_json(json.dumps({"class_name": "Sequential", "config": config, "keras_version": "2.0.9"}))
    source = dense(3, names=("twin",))
    source.save(tmp_path / "m.h5")
    report = model.load_weights(tmp_path / "m.h5", by_name=True)
    assert len(report.loaded) == 4
    assert_same(model.get_weights(), source.get_weights() * 2)


@pytest.mark.parametrize(("answers", "replaced"), [(["y"], True), (["perhaps", "N"], False)])
def test_overwrite_false_asks_a_person(dense, tmp_path, monkeypatch, answers, replaced):
    path = tmp_path / "m.triptych"
    dense(4).save(path)
    before = path.read_bytes()
    asked = []
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: asked.append(prompt) or answers[len(asked) - 1])
    notes = dense(5).save_weights(path, overwrite=False)
    assert len(asked) == len(answers)
    assert "m.triptych" in asked[0]
    assert (path.read_bytes() != before) == replaced
    assert (notes == ()) == replaced
