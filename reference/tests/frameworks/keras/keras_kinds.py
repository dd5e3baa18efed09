"""Kinds of models, as either Keras makes them on any backend: compiled, with inputs and targets."""

import numpy as np


def data(*shape, seed=0):
    """Reproducible float32 numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def classes(*shape, many, seed=1):
    return np.random.default_rng(seed).integers(0, many, size=shape).astype("int32")


def convolutional(k):
    """Batch normalization and dropout; AdamW along a schedule."""
    l = k.layers
    model = k.Sequential(
        [l.Input((6, 6, 2)), l.Conv2D(3, 3, name="conv"), l.BatchNormalization(name="norm"), l.Dropout(0.3, name="drop"), l.Flatten(name="flat"), l.Dense(3, activation="softmax", name="out")],
        name="convolutional",
    )
    rate = k.optimizers.schedules.ExponentialDecay(0.01, 2, 0.9)
    model.compile(k.optimizers.AdamW(rate, weight_decay=0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, data(8, 6, 6, 2), classes(8, many=3)


def shared_nested_two_outputs(k):
    """A layer called twice, a frozen layer in a nested model, two losses with weights; RMSprop, centered."""
    l = k.layers
    inner_in = l.Input((4,), name="inner_in")
    inner = k.Model(inner_in, l.Dense(4, name="same")(l.Dense(4, name="frozen", trainable=False)(inner_in)), name="inner")
    a, b = l.Input((4,), name="a"), l.Input((4,), name="b")
    shared = l.Dense(4, activation="tanh", name="shared")
    both = l.Concatenate(name="both")([shared(a), shared(inner(b))])
    model = k.Model([a, b], [l.Dense(1, name="first")(both), l.Dense(3, activation="softmax", name="second")(both)], name="two")
    model.compile(
        k.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
        loss=[k.losses.Huber(delta=2.0), k.losses.SparseCategoricalCrossentropy()],
        loss_weights=[1.0, 0.5],
    )
    return model, [data(8, 4), data(8, 4, seed=3)], [data(8, 1, seed=4), classes(8, many=3)]


def same_names(k):
    """Two nested models whose layers have the same names; SGD with momentum."""
    l = k.layers

    def tower(name):
        x = l.Input((4,), name=f"{name}_in")
        return k.Model(x, l.Dense(4, name="dense")(l.Dense(4, name="a_dense", activation="tanh")(x)), name=name)

    x = l.Input((4,), name="x")
    model = k.Model(x, l.Dense(1, name="head")(l.Subtract(name="less")([tower("left")(x), tower("right")(x)])), name="siamese")
    model.compile(k.optimizers.SGD(0.05, momentum=0.9, nesterov=True), k.losses.MeanSquaredError())
    return model, data(8, 4), data(8, 1, seed=5)


def recurrent(k):
    """Embedding with a mask, both directions; Adam with amsgrad and clipping."""
    l = k.layers
    model = k.Sequential(
        [
            l.Input((3,), dtype="int32"),
            l.Embedding(20, 4, mask_zero=True, name="embedding"),
            l.Bidirectional(l.GRU(3), name="both_ways"),
            l.Dense(1, name="out"),
        ],
        name="recurrent",
    )
    model.compile(k.optimizers.Adam(0.01, amsgrad=True, clipnorm=1.0), k.losses.MeanSquaredError())
    return model, classes(8, 3, many=20), data(8, 1)


def attention(k):
    """Heads and layer normalization; Nadam, whose product of momenta is state, too."""
    l = k.layers
    x = l.Input((5, 4), name="x")
    y = l.LayerNormalization(name="norm")(l.Add(name="sum")([x, l.MultiHeadAttention(2, 3, name="heads")(x, x)]))
    model = k.Model(x, l.Dense(2, name="out")(l.GlobalAveragePooling1D(name="pool")(y)), name="attention")
    model.compile(k.optimizers.Nadam(0.01), k.losses.MeanSquaredError(), metrics=[k.metrics.MeanAbsoluteError(name="mae")])
    return model, data(8, 5, 4), data(8, 2, seed=2)


def averaged(k):
    """A moving average of the weights."""
    l = k.layers
    model = k.Sequential([l.Input((4,)), l.Dense(3, name="one", kernel_regularizer="l2"), l.PReLU(name="p"), l.Dense(1, name="two")], name="averaged")
    model.compile(k.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=4), k.losses.MeanSquaredError())
    return model, data(8, 4), data(8, 1, seed=2)


def mixed(k):
    """float16 computation: the loss is scaled, and the scale is state."""
    l = k.layers
    policy = (k.mixed_precision.Policy if hasattr(k.mixed_precision, "Policy") else k.DTypePolicy)("mixed_float16")
    model = k.Sequential([l.Input((4,)), l.Dense(3, name="one", dtype=policy), l.Dense(1, name="two", dtype="float32")], name="mixed")
    inner = k.optimizers.Adam(0.05)
    scaled = getattr(k.mixed_precision, "LossScaleOptimizer")(inner, dynamic_growth_steps=3)
    model.compile(scaled, k.losses.MeanSquaredError())
    return model, data(8, 4), data(8, 1, seed=2)


def factored(k):
    """Adafactor keeps rows and columns."""
    l = k.layers
    model = k.Sequential([l.Input((4,)), l.Dense(3, name="one"), l.Dense(1, name="two")], name="factored")
    model.compile(k.optimizers.Adafactor(0.05), "mse" if k.__name__ == "tf_keras" else k.losses.MeanSquaredError())
    return model, data(8, 4), data(8, 1, seed=2)


KINDS = {f.__name__: f for f in (convolutional, shared_nested_two_outputs, same_names, recurrent, attention, averaged, mixed, factored)}


def custom_layer(k):
    """A class of layer that only the caller knows: of two weights and two layers, not in the order of their names."""

    class Twice(k.layers.Layer):
        def __init__(self, units, **options):
            super().__init__(**options)
            self.units = units

        def build(self, shape):
            self.second = k.layers.Dense(self.units)
            self.first = k.layers.Dense(self.units)
            self.zoom = self.add_weight(shape=(self.units,), initializer="ones", name="zoom")
            self.bend = self.add_weight(shape=(self.units,), initializer="ones", name="bend", trainable=False)
            self.second.build((None, self.units))
            self.first.build(shape)
            super().build(shape)

        def call(self, x):
            return self.second(self.first(x)) * self.zoom + self.bend

        def compute_output_shape(self, shape):
            return (*shape[:-1], self.units)

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    return Twice


def custom(k, twice):
    model = k.Sequential([k.layers.Input((4,)), twice(4, name="twice"), k.layers.Dense(1, name="out")], name="custom")
    model.compile(k.optimizers.Adam(0.01), k.losses.MeanSquaredError())
    return model, data(8, 4), data(8, 1, seed=2)


def trained(k, build, steps=3):
    """A model of `build` after a few steps of training, so that no slot is as it began."""
    k.utils.set_random_seed(3)
    model, x, y = build(k)
    for _ in range(steps):
        model.train_on_batch(x, y)
    return model, x, y


def next_losses(k, model, x, y, steps=5):
    """What the next steps of training yield, where the process' own random numbers begin at seed 11."""
    k.utils.set_random_seed(11)
    if k.__name__ == "tf_keras":
        model.make_train_function(force=True)  # the random operations of the old one have moved on
    elif k.backend.backend() == "torch":
        for one in model.trainable_variables:
            one.value.grad = None  # Keras forgets to, for weights that share a path
    return [np.asarray(model.train_on_batch(x, y)).tolist() for _ in range(steps)]


def predictions(model, x):
    found = model.predict(x, verbose=0)
    return [np.asarray(one) for one in (found if isinstance(found, list) else [found])]
