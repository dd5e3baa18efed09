"""A live Keras model saved and loaded predicts the same and goes on training with the same losses; real Keras is the judge."""

import sys

import keras_kinds as kinds
import numpy as np
import pytest
from keras_journeys import journey

import triptych
import triptych.keras
from triptych.errors import ConversionError, InvalidModelError, UnsupportedError, UsageError, WeightsMismatchError
from triptych.model import Progress

pytestmark = pytest.mark.filterwarnings("ignore")
EVERY = [*kinds.KINDS, "custom"]


@pytest.mark.parametrize("kind", EVERY)
def test_the_next_losses_are_those_of_the_uninterrupted_run(keras, kind, tmp_path):
    journey(keras, kind, tmp_path / "m.triptych")


@pytest.mark.parametrize(
    ("backend", "some"), [("torch", EVERY), ("jax", ["convolutional", "custom"])]
)
def test_the_same_on_other_backends(elsewhere, backend, some, tmp_path):
    assert elsewhere(backend, "keras_journeys.py", tmp_path, *some).split() == some


def test_state_belongs_to_weights_of_nested_models_whose_layers_have_the_same_names(keras):
    live, _, _ = kinds.trained(keras, kinds.same_names)
    model = triptych.keras.to_model(live)
    for index, (tower, layer) in enumerate((t, l) for t in ("left", "right") for l in ("a_dense", "dense")):
        kernel = live.trainable_variables[2 * index]
        np.testing.assert_array_equal(model.weights[f"{tower}.{layer}.kernel"], kernel.numpy())
        np.testing.assert_array_equal(model.training.state[f"optimizer.momentum.{tower}.{layer}.kernel"], live.optimizer.momentums[2 * index].numpy())
    assert model.training.progress == Progress(step=3)


def test_a_model_is_what_it_was_when_it_was_taken(keras):
    """Training on does not change the `triptych.Model`."""
    live, x, y = kinds.trained(keras, kinds.convolutional)
    model = triptych.keras.to_model(live)
    before = {name: np.array(array) for name, array in (*model.weights.items(), *model.training.state.items())}
    live.train_on_batch(x, y)
    for name, array in (*model.weights.items(), *model.training.state.items()):
        np.testing.assert_array_equal(array, before[name])
    assert not np.array_equal(live.get_weights()[0], before["conv.kernel"])


def test_random_number_generators_are_state_of_keras_3(keras3):
    live, _, _ = kinds.trained(keras3, kinds.convolutional)
    state = triptych.keras.to_model(live).training.state
    np.testing.assert_array_equal(state["random.drop"], live.get_layer("drop").seed_generator.state.numpy())
    assert state.tensors["random.drop"].dtype == live.get_layer("drop").seed_generator.state.dtype


def test_a_delta_that_keras_3_leaves_out_of_its_configuration_is_kept(keras3):
    live, _, _ = kinds.trained(keras3, kinds.shared_nested_two_outputs)
    assert "delta" not in live.get_compile_config()["loss"][0]["config"]
    assert triptych.keras.to_model(live).training.losses[0].config["delta"] == 2.0


def test_the_training_panel_can_be_left_out(keras, tmp_path):
    live, x, _ = kinds.trained(keras, kinds.averaged)
    triptych.keras.save(live, tmp_path / "m", include_optimizer=False)
    loaded = triptych.keras.load(tmp_path / "m")
    assert getattr(loaded, "optimizer", None) is None
    assert triptych.load(tmp_path / "m").training is None
    triptych.keras.save(live, tmp_path / "n")
    bare = triptych.keras.load(tmp_path / "n", compile=False)
    assert getattr(bare, "optimizer", None) is None
    np.testing.assert_array_equal(bare.predict(x, verbose=0), loaded.predict(x, verbose=0))


def test_progress_is_the_callers_but_for_the_step(keras):
    live, _, _ = kinds.trained(keras, kinds.averaged)
    model = triptych.keras.to_model(live, progress=Progress(step=99, epoch=2, samples=24, best={"loss": 0.5}))
    assert model.training.progress == Progress(step=3, epoch=2, samples=24, best={"loss": 0.5})


@pytest.mark.parametrize("kind", ["averaged", "shared_nested_two_outputs"])
def test_training_goes_on_from_hdf5(keras, kind, tmp_path):
    """The other form of a training configuration, and names in the place of identity."""
    live, x, y = kinds.trained(keras, kinds.KINDS[kind])
    triptych.keras.save(live, tmp_path / "m.h5", include_optimizer=True)
    loaded = triptych.keras.load(tmp_path / "m.h5")
    assert type(loaded).__module__.partition(".")[0] == keras.__name__
    assert kinds.next_losses(keras, loaded, x, y) == kinds.next_losses(keras, live, x, y)


def test_what_keras_itself_saved_goes_on(keras, tmp_path):
    live, x, y = kinds.trained(keras, kinds.averaged)
    live.save(tmp_path / "m.h5")
    loaded = triptych.keras.load(tmp_path / "m.h5")
    assert kinds.next_losses(keras, loaded, x, y) == kinds.next_losses(keras, live, x, y)


def test_what_keras_3_lost_when_it_saved_is_not_made_up(keras3, tmp_path):
    """It does not write Huber's delta, and takes 1 for it when it loads: other losses, in silence."""
    live, _, _ = kinds.trained(keras3, kinds.shared_nested_two_outputs)
    live.save(tmp_path / "m.h5")
    with pytest.raises(ConversionError, match="does not say delta"):
        triptych.keras.load(tmp_path / "m.h5")


def test_tf_keras_goes_on_in_keras_3_and_back(keras2, keras3):
    for one, other in ((keras2, keras3), (keras3, keras2)):
        live, x, y = kinds.trained(one, kinds.shared_nested_two_outputs)
        loaded = triptych.keras.from_model(triptych.keras.to_model(live), framework=other.__name__, allow="bounded")
        np.testing.assert_allclose(kinds.next_losses(other, loaded, x, y), kinds.next_losses(one, live, x, y), rtol=1e-6)


# --- what stands against it


def test_every_unknown_class_is_named_at_once(keras):
    live, _, _ = kinds.trained(keras, lambda k: kinds.custom(k, kinds.custom_layer(k)))

    class Strange(keras.losses.Loss):
        def call(self, target, predicted):
            return (target - predicted) ** 2

    live.compile("sgd", Strange())
    model = triptych.keras.to_model(live)
    with pytest.raises(ConversionError) as caught:
        triptych.keras.from_model(model)
    assert [one.place.rpartition(">")[2] for one in caught.value.problems] == ["Twice", "Strange"]
    assert "custom_objects" in str(caught.value)


def test_what_is_not_exact_is_refused_unless_it_is_allowed(keras2, keras3):
    live, _, _ = kinds.trained(keras3, kinds.convolutional)
    model = triptych.keras.to_model(live)
    with pytest.raises(ConversionError, match="bounded there.*allow='bounded'"):
        triptych.keras.from_model(model, framework="tf_keras")
    assert triptych.keras.from_model(model, framework="tf_keras", allow="bounded").optimizer.iterations.numpy() == 3
    triptych.keras.from_model(model, framework="tf_keras", compile=False)
    live = keras3.Sequential([keras3.Input((4,)), keras3.layers.RMSNormalization(name="r")])
    with pytest.raises(ConversionError, match="inexpressible there"):
        triptych.keras.from_model(triptych.keras.to_model(live), framework="tf_keras", allow="bounded")


def test_weights_that_do_not_fit_are_refused(keras3):
    from dataclasses import replace

    from triptych.model import Weights
    from triptych.surface.model import Model

    live, _, _ = kinds.trained(keras3, kinds.averaged)
    panels = triptych.keras.to_model(live).panels
    arrays = dict(panels.weights)
    kernel = arrays.pop("one.kernel")

    def build(**changed):
        return triptych.keras.from_model(Model(replace(panels, training=None, weights=Weights.from_arrays({**arrays, **changed}))))

    with pytest.raises(WeightsMismatchError) as caught:
        build(other=kernel)
    assert [(one.code, one.place) for one in caught.value.problems] == [("WEIGHT_MISSING", "one.kernel"), ("WEIGHT_UNEXPECTED", "other")]
    with pytest.raises(InvalidModelError, match=r"expected shape \(3, 4\)"):
        build(**{"one.kernel": kernel.T})
    with pytest.raises(ConversionError, match="dtype that float32 holds, got float64"):
        build(**{"one.kernel": kernel.astype("float64")})
    np.testing.assert_array_equal(build(**{"one.kernel": kernel.astype("float16")}).get_weights()[0], kernel.astype("float16"))


def test_state_without_a_place_is_refused(keras3):
    from dataclasses import replace

    from triptych.model import Weights
    from triptych.surface.model import Model

    live, _, _ = kinds.trained(keras3, kinds.averaged)
    panels = triptych.keras.to_model(live).panels
    state = Weights.from_arrays({**panels.training.state, "optimizer.odd.one.kernel": panels.weights["one.kernel"]})
    model = Model(replace(panels, training=replace(panels.training, state=state)))
    with pytest.raises(ConversionError, match="optimizer.odd.one.kernel"):
        triptych.keras.from_model(model)
    triptych.keras.from_model(model, allow="inexpressible")


def test_a_weight_of_two_nested_models_is_one_tensor_and_is_not_trained_as_two(keras):
    """Keras' own configuration makes two layers of a layer that a model and a nested model share."""
    layers = keras.layers
    shared = layers.Dense(4, name="shared")
    inner_in, x = layers.Input((4,), name="inner_in"), layers.Input((4,), name="x")
    inner = keras.Model(inner_in, layers.Dense(4, name="own")(shared(inner_in)), name="inner")
    live = keras.Model(x, layers.Add(name="sum")([shared(x), inner(x)]), name="m")
    live.compile(keras.optimizers.SGD(0.1, momentum=0.9), keras.losses.MeanSquaredError())
    live.train_on_batch(kinds.data(8, 4), kinds.data(8, 4, seed=1))
    model = triptych.keras.to_model(live)
    assert len(model.weights) == len(live.weights) == 4
    assert set(model.training.state) - {"optimizer.learning_rate"} == {f"optimizer.momentum.{name}" for name in model.weights}
    with pytest.raises(ConversionError, match="nested models share"):
        triptych.keras.from_model(model)
    loaded = triptych.keras.from_model(model, compile=False)
    np.testing.assert_array_equal(loaded.predict(kinds.data(8, 4), verbose=0), live.predict(kinds.data(8, 4), verbose=0))


def test_what_is_no_model_with_weights_is_refused(keras):
    with pytest.raises(UsageError, match="builtins.dict"):
        triptych.keras.to_model({})
    with pytest.raises(UsageError, match="has been built"):
        triptych.keras.to_model(keras.Sequential([keras.layers.Dense(3)], name="new"))


def test_what_cannot_be_asked_for_is_refused(package_path, tmp_path):
    for options in ({"framework": "torch"}, {"allow": "all"}):
        with pytest.raises(UsageError):
            triptych.keras.load(package_path, **options)
    triptych.save(triptych.load(package_path), tmp_path / "w.safetensors", only="weights")
    with pytest.raises(UsageError, match="an architecture"):
        triptych.keras.load(tmp_path / "w.safetensors")


def test_a_framework_that_is_not_there_is_named_with_the_line_that_installs_it(package_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf_keras", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'triptych\[keras2\]'"):
        triptych.keras.load(package_path, framework="tf_keras")
