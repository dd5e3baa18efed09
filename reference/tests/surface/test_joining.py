"""Weights that lie alone get an architecture: from any file that has one, checked name by name and shape by shape, state included."""

from pathlib import Path

import numpy as np
import pytest

import triptych
from triptych import UsageError, WeightsMismatchError
from triptych.model import Architecture, Input, Layer, Panels, WeightReference, Weights

EXAMPLE = Path(__file__).parents[3] / "examples" / "digits_cnn.h5"


def assert_same(some, others):
    assert some.keys() == others.keys()
    for name in some:
        np.testing.assert_array_equal(some[name], others[name])


@pytest.fixture(scope="module")
def example():
    return triptych.load(EXAMPLE)


@pytest.fixture(scope="module")
def givers(example, tmp_path_factory):
    """Files of every kind that have the architecture of the example."""
    folder = tmp_path_factory.mktemp("givers")
    for name in ("m.triptych", "m", "m.keras"):
        triptych.save(example, folder / name)
    triptych.save(example, folder / "own.yaml", only="architecture")
    for dialect in ("keras1", "keras2", "keras3"):
        (folder / f"{dialect}.json").write_text(example.to_json(dialect=dialect))
    (folder / "keras2.yaml").write_text(example.to_yaml(dialect="keras2"))
    return [EXAMPLE, *sorted(folder.iterdir())]


@pytest.mark.parametrize("name", ["w.safetensors", "w.npz", "w.pt", "w.weights.h5", "w.h5", "w.triptych", "w.weights.json"])
def test_weights_of_every_layout_join_an_architecture(example, tmp_path, name):
    example.save_weights(tmp_path / name)
    assert triptych.load(tmp_path / name).architecture is None
    model = triptych.load(tmp_path / name, architecture=EXAMPLE)
    assert model.architecture == example.architecture
    assert model.training is None
    assert_same(model.weights, example.weights)


def test_every_file_with_an_architecture_gives_it(example, givers, tmp_path):
    example.save_weights(tmp_path / "w.safetensors")
    assert len(givers) == 9
    for giver in givers:
        model = triptych.load(tmp_path / "w.safetensors", architecture=giver)
        images = np.random.default_rng(0).random((2, 32, 32, 3), dtype=np.float32)
        np.testing.assert_array_equal(model.predict(images), example.predict(images))


def test_the_optimizers_state_and_the_counts_come_along(example, tmp_path):
    triptych.save(example, tmp_path / "a.pt")
    model = triptych.load(tmp_path / "a.pt", architecture=example)
    assert model.training.progress.step == example.training.progress.step > 0
    assert_same(model.training.state, example.training.state)
    assert triptych.save(model, tmp_path / "b.h5") == ()
    again = triptych.load(tmp_path / "b.h5")
    assert_same(again.training.state, example.training.state)
    assert again.training.losses == example.training.losses


def test_slots_follow_weights_that_are_renamed_and_laid_out_anew(tmp_path):
    """A layer that stores its kernel the other way round gets the slots the other way round."""
    import safetensors.numpy

    kernel = np.arange(6, dtype=np.float32).reshape(3, 2)
    arrays = {"fc.weight": kernel.T.copy()}
    safetensors.numpy.save_file(arrays, tmp_path / "w.safetensors")
    turned = Layer("d", "Dense", {"units": 2, "use_bias": False}, weights={"kernel": WeightReference("d.w", (1, 0))})
    architecture = Architecture((turned,), (Input("x", (None, 3)),))
    model = triptych.load(tmp_path / "w.safetensors", rename={"fc.weight": "d.w"}, architecture=triptych.Model(Panels(architecture=architecture)))
    np.testing.assert_array_equal(model.get_weights()[0], kernel)
    np.testing.assert_array_equal(model.weights["d.w"], kernel.T)


def test_every_difference_is_listed_with_what_may_be_meant(dense, tmp_path):
    dense(4, 2, 5, names=("a", "b", "c")).save_weights(tmp_path / "w.safetensors")
    with pytest.raises(WeightsMismatchError) as caught:
        triptych.load(tmp_path / "w.safetensors", architecture=dense(4, 3, 5, names=("a", "b", "see")))
    said = [(one.code, one.place) for one in caught.value.problems]
    assert said == [
        ("WEIGHT_SHAPE_MISMATCH", "b"), ("WEIGHT_SHAPE_MISMATCH", "b"),
        ("WEIGHT_MISSING", "see.kernel"), ("WEIGHT_MISSING", "see.bias"), ("WEIGHT_UNEXPECTED", "c.bias"), ("WEIGHT_UNEXPECTED", "c.kernel"),
    ]  # fmt: skip
    text = "\n".join(map(str, caught.value.problems))
    assert "expected shape (4, 3) for 'b.kernel', the source's 'b.kernel' has (4, 2)" in text
    assert "expected shape (3,) for 'b.bias', the source's 'b.bias' has (2,)" in text
    assert "there is 'c.kernel', which a rule may rename" in text


def test_layers_that_are_too_many_are_named(dense, tmp_path):
    dense(4, 2, names=("a", "b")).save_weights(tmp_path / "w.h5")
    with pytest.raises(WeightsMismatchError, match="in the model alone: 'c', 'd'; in the source alone: 'b'"):
        triptych.load(tmp_path / "w.h5", architecture=dense(4, 2, 2, names=("a", "c", "d")))


def test_an_architecture_of_its_own_is_not_replaced(dense, tmp_path):
    dense(4).save(tmp_path / "m.triptych")
    assert triptych.load(tmp_path / "m.triptych", architecture=tmp_path / "m.triptych").weights.keys() == dense(4).weights.keys()
    # Text of Keras' and its file say one architecture, though not whose Keras wrote it.
    (tmp_path / "keras.json").write_text(triptych.load(EXAMPLE).to_json(dialect="keras2"))
    assert triptych.load(EXAMPLE, architecture=tmp_path / "keras.json").training is not None
    with pytest.raises(UsageError, match="another of its own"):
        triptych.load(tmp_path / "m.triptych", architecture=dense(5))


def test_what_gives_no_architecture_or_needs_none_is_said(dense, tmp_path):
    dense(4).save_weights(tmp_path / "w.safetensors")
    with pytest.raises(UsageError, match="it has none"):
        triptych.load(tmp_path / "w.safetensors", architecture=tmp_path / "w.safetensors")
    triptych.save(triptych.load(EXAMPLE), tmp_path / "t.triptych", only="training")
    with pytest.raises(UsageError, match="expected a source with weights"):
        triptych.load(tmp_path / "t.triptych", architecture=dense(4))


def test_weights_of_the_architectures_file_are_never_taken(dense, tmp_path):
    dense(4, seed=1).save_weights(tmp_path / "w.safetensors")
    dense(4, seed=2).save(tmp_path / "m.triptych")
    model = triptych.load(tmp_path / "w.safetensors", architecture=tmp_path / "m.triptych")
    assert_same(model.weights, dense(4, seed=1).weights)
    triptych.save(triptych.Model(Panels(weights=Weights({"dense_0.kernel": model.weights.tensor("dense_0.kernel")}))), tmp_path / "half.safetensors")
    with pytest.raises(WeightsMismatchError, match=r"dense_0\.bias"):
        triptych.load(tmp_path / "half.safetensors", architecture=tmp_path / "m.triptych")
