"""Real TensorFlow and both Kerases judge checkpoints: theirs are read bit for bit and written again as they were; ours are restored whole.

Whole means that ``assert_consumed`` holds, TensorFlow's strictest check: nothing in the file is left over and nothing in the live model, its
optimizer included, goes without a value.
"""

import operator

import numpy as np
import pytest

import triptych
from triptych.layouts.tensorflow.object_graph import KEY

pytestmark = pytest.mark.filterwarnings("ignore")

OPTIMIZERS = {
    "SGD": lambda k: k.optimizers.SGD(0.05, momentum=0.9, nesterov=True, use_ema=True),
    "Adam with a schedule": lambda k: k.optimizers.Adam(k.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9), amsgrad=True),
    "Adadelta": lambda k: k.optimizers.Adadelta(0.5),
    "Ftrl": lambda k: k.optimizers.Ftrl(0.1),
    "legacy Adam": lambda k: k.optimizers.legacy.Adam(0.01),
    "legacy RMSprop": lambda k: k.optimizers.legacy.RMSprop(0.01, momentum=0.5, centered=True),
    "legacy SGD with a schedule": lambda k: k.optimizers.legacy.SGD(k.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9), momentum=0.5),
    "legacy Adamax": lambda k: k.optimizers.legacy.Adamax(0.01),
}


def content(tf, prefix):
    """Key -> value, as TensorFlow reads them."""
    reader = tf.train.load_checkpoint(str(prefix))
    return {key: reader.get_tensor(key) for key in reader.get_variable_to_shape_map()}


def same(some, others):
    return some.keys() == others.keys() and all(np.array_equal(value, others[key], equal_nan=value.dtype.kind == "f") if hasattr(value, "dtype") else value == others[key] for key, value in some.items())


def assert_same_again(tf, prefix, folder):
    """The checkpoint at `prefix` is written again, through a package, with the same keys, objects and values."""
    triptych.save(triptych.load(prefix), folder / "package")
    assert triptych.validate(folder / "package", full=True) == ()
    assert triptych.save(triptych.load(folder / "package"), folder / "again.ckpt") == ()
    assert same(content(tf, prefix), content(tf, folder / "again.ckpt"))


def slots_of(model):
    """The tensors of the optimizer's state that belong to weights, by slot and the values of the weight."""
    weights, found = model.weights, {}
    for name, array in model.training.state.items():
        start, slot, weight = name.split(".", 2) if name.count(".") > 1 else (name, "", "")
        if start == "optimizer" and weight in weights:
            found[slot, weights[weight].tobytes()] = array.tobytes()
    return found


def restored(tf, k, model, prefix, how):
    """What TensorFlow says of restoring `model` in one of the three ways."""
    if how == "load_weights":
        return model.load_weights(prefix)
    if how == "root":
        return tf.train.Checkpoint(model).read(prefix)
    return tf.train.Checkpoint(model=model, optimizer=model.optimizer).restore(prefix)


@pytest.mark.parametrize("kind", ["convolutional", "nested", "recurrent", "odd_names"])
def test_checkpoints_of_tf_keras_are_read_bit_for_bit(tf, keras2, judge, kind, tmp_path):
    model, _, _ = judge.trained(keras2, judge.models[kind])
    model.save(tmp_path / "m.h5")
    model.save_weights(str(tmp_path / "w"))
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(model=model, optimizer=model.optimizer), str(tmp_path / "kept"), max_to_keep=2)
    prefixes = [tmp_path / "w", manager.save()]
    expected = triptych.load(tmp_path / "m.h5")
    for source in (prefixes[0], tmp_path / "w.index", tmp_path / "kept"):
        read = triptych.load(source)
        assert read.notes == ()
        assert read.training.progress.step == 3
        assert slots_of(read) == slots_of(expected)
        twin = triptych.model_from_json(expected.to_json())
        assert len(twin.load_weights(source).loaded) == len(read.weights)
        assert [a.tobytes() for a in twin.get_weights()] == [w.tobytes() for w in map(np.asarray, expected.get_weights())]
    for number, prefix in enumerate(prefixes):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert_same_again(tf, prefix, folder)


def live(k, judge, kind):
    """A new model of a kind, whose dropout begins where that of every other begins."""
    k.utils.set_random_seed(3)
    model, _, _ = judge.models[kind](k)
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.mark.parametrize("kind", ["convolutional", "two_in_two_out", "nested"])
def test_what_is_written_for_tf_keras_is_consumed_in_every_way(tf, keras2, judge, kind, tmp_path):
    model, x, y = judge.trained(keras2, judge.models[kind])
    model.save(tmp_path / "m.h5")
    model.save_weights(str(tmp_path / "theirs"))
    notes = triptych.save(triptych.load(tmp_path / "m.h5"), tmp_path / "ours.ckpt")
    assert notes == tuple(f"{what}: a checkpoint has no place for it" for what in ("architecture", "the configuration of training"))
    control, twin, other = (live(keras2, judge, kind) for _ in range(3))
    control.load_weights(str(tmp_path / "theirs")).assert_consumed()
    twin.load_weights(str(tmp_path / "ours.ckpt")).assert_consumed()
    restored(tf, keras2, other, str(tmp_path / "ours.ckpt"), "root").assert_consumed()
    restored(tf, keras2, live(keras2, judge, kind), str(tmp_path / "ours.ckpt"), "model and optimizer").assert_consumed()
    assert all(np.array_equal(a, b) for a, b in zip(other.get_weights(), control.get_weights(), strict=True))
    assert judge.next_losses(keras2, twin, x, y) == judge.next_losses(keras2, control, x, y)
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "ours.ckpt")
    ours, theirs = content(tf, tmp_path / "ours.ckpt"), content(tf, tmp_path / "theirs")
    assert ours.keys() <= theirs.keys()
    assert all(np.array_equal(ours[key], theirs[key]) for key in ours.keys() - {KEY})


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers_of_tf_keras_go_on_as_they_would_have(tf, keras2, judge, optimizer, tmp_path):
    def build(k):
        layers = k.layers
        model = k.Sequential([layers.Input((3, 4)), layers.SimpleRNN(3, name="a"), layers.BatchNormalization(name="b"), layers.Dense(1, name="c")])
        model.compile(OPTIMIZERS[optimizer](k), "mse")
        return model, judge.data(8, 3, 4), judge.data(8, 1, seed=2)

    model, x, y = judge.trained(keras2, build)
    model.save(tmp_path / "m.h5")
    triptych.save(triptych.load(tmp_path / "m.h5"), tmp_path / "ours.ckpt")
    losses = judge.next_losses(keras2, model, x, y)
    model.save_weights(str(tmp_path / "theirs"))
    model.save(tmp_path / "after.h5")
    assert slots_of(triptych.load(tmp_path / "theirs")) == slots_of(triptych.load(tmp_path / "after.h5"))
    twin, _, _ = build(keras2)
    status = restored(tf, keras2, twin, str(tmp_path / "ours.ckpt"), "model and optimizer")
    assert judge.next_losses(keras2, twin, x, y) == losses
    status.assert_consumed()


FAMILIES = {
    "keras2": [*((f"legacy.{name}", {}) for name in ("Adagrad", "Adadelta", "Nadam", "Ftrl", "SGD")), ("AdamW", {}), ("Adamax", {}), ("Lion", {})],
    "keras3": [
        *((name, {}) for name in ("SGD", "AdamW", "Nadam", "Adagrad", "Adadelta", "Adamax", "Ftrl", "Lion", "Lamb")),
        ("Adam", {"amsgrad": True, "use_ema": True}), ("RMSprop", {"centered": True}), ("Adam", {"gradient_accumulation_steps": 2}),
    ],
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_every_optimizer_is_consumed_whole_and_goes_on(tf, judge, family, tmp_path, request):
    k = request.getfixturevalue(family)
    x, y = judge.data(8, 4), judge.data(8, 1, seed=2)

    def build(name, options):
        k.utils.set_random_seed(4)
        model = k.Sequential([k.layers.Input((4,)), k.layers.Dense(3, name="a"), k.layers.BatchNormalization(name="b"), k.layers.Dense(1, name="c")])
        model.compile(operator.attrgetter(name)(k.optimizers)(**options), "mse", run_eagerly=True)
        return model

    def losses(model, count):
        return [float(model.train_on_batch(x, y)) for _ in range(count)]

    for number, (name, options) in enumerate(FAMILIES[family]):
        model, folder = build(name, options), tmp_path / str(number)
        losses(model, 3)
        source = folder / ("m.h5" if family == "keras2" else "m.keras")
        folder.mkdir()
        model.save(source)
        tf.train.Checkpoint(model=model, optimizer=model.optimizer).write(str(folder / "theirs"))
        expected = losses(model, 5)
        triptych.save(triptych.load(folder / "theirs"), folder / "package")
        for written in (source, folder / "package"):
            triptych.save(triptych.load(written), folder / "ours.ckpt")
            twin = build(name, options)
            status = tf.train.Checkpoint(model=twin, optimizer=twin.optimizer).read(str(folder / "ours.ckpt"))
            assert losses(twin, 5) == expected, (name, written.name)
            status.assert_consumed()


def test_what_no_rule_can_store_is_named(keras2, keras3, tmp_path):
    """The product of momenta that Keras 2's Nadam does not save, state of an optimizer of unknown order, layers that only their class knows."""

    class Scale(keras2.layers.Layer):
        def build(self, shape):
            self.factor = self.add_weight(name="factor", shape=shape[-1:])

        def call(self, x):
            return x * self.factor

    def notes(k, optimizer, *layers):
        model = k.Sequential([k.layers.Input((4,)), *layers, k.layers.Dense(1, name="c")])
        model.compile(optimizer, "mse", run_eagerly=True)
        model.train_on_batch(np.ones((2, 4), "float32"), np.ones((2, 1), "float32"))
        model.save(tmp_path / "m.keras")
        return "\n".join(triptych.save(triptych.load(tmp_path / "m.keras"), tmp_path / "ours.ckpt"))

    assert "'optimizer.u_product': the source has none" in notes(keras2, keras2.optimizers.Nadam())
    assert "layer 'u': only the class" in notes(keras2, keras2.optimizers.SGD(), Scale(name="u"))
    for optimizer in (keras2.optimizers.Adafactor(), keras3.optimizers.Muon()):
        said = notes(keras2 if isinstance(optimizer, keras2.optimizers.Optimizer) else keras3, optimizer)
        assert "'keras.optimizer/vars/2': nothing says where" in said


def test_slots_built_outside_of_a_step_belong_to_their_weights(tf, keras2, tmp_path):
    class Mine(keras2.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = keras2.layers.Dense(3, name="x"), keras2.layers.Dense(1, name="y")

        def call(self, x):
            return self.second(self.first(x))

    model = Mine()
    model.compile(keras2.optimizers.Adam(), "mse")
    model.build((None, 4))
    model.optimizer.build(model.trainable_variables)
    model.save_weights(str(tmp_path / "w"))
    assert {"optimizer.momentum.first.kernel", "optimizer.velocity.first.bias"} <= triptych.load(tmp_path / "w").training.state.keys()
    assert_same_again(tf, tmp_path / "w", tmp_path)


def test_a_subclassed_model_keeps_its_attributes_as_names(tf, keras2, tmp_path):
    class Mine(keras2.Model):
        def __init__(self):
            super().__init__()
            self.first = keras2.layers.Dense(3, name="x")
            self.blocks = [keras2.layers.Dense(2), keras2.layers.LSTM(2, return_sequences=True)]
            self.scale = tf.Variable([2.0], name="scale")

        def call(self, x):
            return self.blocks[1](self.blocks[0](self.first(x)) * self.scale)

    model = Mine()
    model.compile("adam", "mse")
    model.fit(np.ones((2, 3, 4), "float32"), np.ones((2, 3, 2), "float32"), verbose=0)
    model.save_weights(str(tmp_path / "w"))
    read = triptych.load(tmp_path / "w")
    names = {"first.kernel": model.first.kernel, "blocks.0.bias": model.blocks[0].bias, "blocks.1.cell.kernel": model.blocks[1].cell.kernel, "scale": model.scale}
    for name, variable in names.items():
        assert read.weights[name].tobytes() == variable.numpy().tobytes()
    assert len(read.weights) == len(model.weights)
    assert read.training.state["optimizer.momentum.first.kernel"].shape == (4, 3)
    assert_same_again(tf, tmp_path / "w", tmp_path)


def test_several_models_and_optimizers_of_one_checkpoint_stay_apart(tf, keras2, tmp_path):
    def model(units):
        made = keras2.Sequential([keras2.layers.Input((2,)), keras2.layers.Dense(units, name="dense")])
        return made, keras2.optimizers.legacy.Adam()

    (generator, first), (discriminator, second) = model(3), model(1)
    for net, optimizer in ((generator, first), (discriminator, second)):
        optimizer.apply_gradients([(tf.ones_like(one), one) for one in net.trainable_variables])
    checkpoint = tf.train.Checkpoint(
        generator=generator, discriminator=discriminator, generator_optimizer=first, discriminator_optimizer=second, step=tf.Variable(7, dtype=tf.int64)
    )
    prefix = checkpoint.save(str(tmp_path / "gan"))
    read = triptych.load(prefix)
    assert set(read.weights) == {"generator.dense.kernel", "generator.dense.bias", "discriminator.dense.kernel", "discriminator.dense.bias"}
    state = read.training.state
    assert state["tensorflow.generator_optimizer.momentum.generator.dense.kernel"].shape == (2, 3)
    assert (state["tensorflow.step"][()], state["tensorflow.save_counter"][()]) == (7, 1)
    assert read.training.progress is None
    assert_same_again(tf, prefix, tmp_path)


@pytest.mark.parametrize("kind", ["convolutional", "nested"])
def test_keras_3_and_checkpoints_of_it_agree_both_ways(tf, keras3, judge, kind, tmp_path):
    model, x, y = judge.trained(keras3, judge.models[kind], steps=1)
    model.save(tmp_path / "m.keras")
    theirs = tf.train.Checkpoint(model=model, optimizer=model.optimizer).save(str(tmp_path / "theirs"))
    expected, read = triptych.load(tmp_path / "m.keras"), triptych.load(theirs)
    assert slots_of(read) == slots_of(expected)
    twin = triptych.model_from_json(expected.to_json())
    twin.load_weights(theirs)
    assert [a.tobytes() for a in twin.get_weights()] == [a.tobytes() for a in expected.get_weights()]
    assert_same_again(tf, theirs, tmp_path)
    triptych.save(expected, tmp_path / "ours.ckpt")
    control, twin, other = (live(keras3, judge, kind) for _ in range(3))
    restored(tf, keras3, control, theirs, "model and optimizer").assert_consumed()
    restored(tf, keras3, twin, str(tmp_path / "ours.ckpt"), "model and optimizer").assert_consumed()
    restored(tf, keras3, other, str(tmp_path / "ours.ckpt"), "root").assert_consumed()
    assert all(np.array_equal(a, b) for a, b in zip(other.get_weights(), control.get_weights(), strict=True))
    assert judge.next_losses(keras3, twin, x, y) == judge.next_losses(keras3, control, x, y)


def test_names_alone_become_what_tensorflow_1_restores(tf, tmp_path):
    arrays = {"a/kernel": np.arange(6, dtype="float32").reshape(2, 3), "b": np.array(3, "int64"), "c.d": np.array([True, False])}
    weights = triptych.model.Weights.from_arrays(arrays)
    state = triptych.model.Weights.from_arrays({"optimizer.momentum.b": np.array(1.5, "float32")})
    training = triptych.model.Training(progress=triptych.model.Progress(step=9), state=state)
    panels = triptych.model.Panels(weights=weights, training=training)
    assert triptych.save(triptych.Model(panels), tmp_path / "named.ckpt") == ()
    reader = tf.train.load_checkpoint(str(tmp_path / "named.ckpt"))
    assert reader.get_tensor("global_step") == 9
    assert all(reader.get_tensor(name).tobytes() == array.tobytes() for name, array in arrays.items())
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables = {name: tf.compat.v1.get_variable(f"v{number}", initializer=np.zeros_like(array)) for number, (name, array) in enumerate(arrays.items())}
        tf.compat.v1.train.Saver(variables).restore(session, str(tmp_path / "named.ckpt"))
        for name, array in arrays.items():
            assert session.run(variables[name]).tobytes() == array.tobytes()
    read = triptych.load(tmp_path / "named.ckpt")
    assert (dict(read.weights).keys(), read.training.progress.step) == ({*arrays, "optimizer.momentum.b"}, 9)


def test_weights_by_the_names_of_variables_find_their_layers(tf, keras2, judge, tmp_path):
    model, _, _ = judge.models["recurrent"](keras2)
    names = {weight.name.removesuffix(":0"): weight for weight in model.weights}
    values = [value.numpy() for value in names.values()]
    tf.raw_ops.SaveV2(prefix=str(tmp_path / "named"), tensor_names=list(names), shape_and_slices=[""] * len(names), tensors=values)
    twin = triptych.model_from_json(model.to_json())
    twin.load_weights(tmp_path / "named")
    assert all(np.array_equal(a, b) for a, b in zip(twin.get_weights(), model.get_weights(), strict=True))
