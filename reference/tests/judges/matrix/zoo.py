"""Small models of every family: name -> a function of a Keras module, tf-keras or Keras 3, that returns a model, its inputs and its targets.

Every model is tiny: the judge saves, loads and trains hundreds of them. Targets of None: the model is not compiled.
"""

import numpy as np

BATCH = 8


def is_3(k):
    return k.__name__ == "keras"


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=(BATCH, *shape)).astype("float32")


def indices(*shape, many=5, seed=1, first=0):
    return np.random.default_rng(seed).integers(first, many, size=(BATCH, *shape)).astype("int32")


def one_hot(many=3, seed=2):
    return np.eye(many, dtype="float32")[indices(many=many, seed=seed)]


def operations(k):
    """Where arithmetic on symbolic values is found."""
    if is_3(k):
        return k.ops
    import tensorflow as tf

    return tf


def sequence(k, shape, *layers, name="model", dtype="float32", outputs=2):
    """A sequential model that ends in two numbers, trained by Adam on a squared error."""
    l = k.layers
    ends = [l.Dense(outputs, name="out")] if outputs else []
    model = k.Sequential([l.Input(shape, dtype=dtype, name="x"), *layers, *ends], name=name)
    model.compile(k.optimizers.Adam(0.01), k.losses.MeanSquaredError())
    return model


# --- dense, shared, nested, many inputs and outputs


def dense(k):
    l = k.layers
    model = k.Sequential([l.Input((4,)), l.Dense(5, activation="relu", name="hidden"), l.Dropout(0.2, name="drop"), l.Dense(3, activation="softmax", name="out")])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, numbers(4), one_hot()


def string_loss(k):
    model = k.Sequential([k.layers.Input((4,)), k.layers.Dense(2)], name="string_loss")
    model.compile("sgd", "mse", metrics=["mae"])
    return model, numbers(4), numbers(2, seed=3)


def never_compiled(k):
    return k.Sequential([k.layers.Input((4,)), k.layers.Dense(2, name="out")], name="plain"), numbers(4), None


def shared_layer(k):
    l = k.layers
    a, b = l.Input((4,), name="a"), l.Input((4,), name="b")
    shared = l.Dense(3, activation="tanh", name="shared")
    model = k.Model([a, b], l.Dense(1, name="out")(l.Concatenate(name="both")([shared(a), shared(b), shared(a)])), name="shared_layer")
    model.compile(k.optimizers.RMSprop(0.01), k.losses.MeanSquaredError())
    return model, [numbers(4), numbers(4, seed=3)], numbers(1, seed=4)


def several_outputs(k):
    l = k.layers
    a, b = l.Input((4,), name="a"), l.Input((3,), name="b")
    both = l.Concatenate(name="both")([a, b])
    first, second = l.Dense(1, name="first")(both), l.Dense(3, activation="softmax", name="second")(l.Dense(4, name="hidden")(both))
    model = k.Model([a, b], [first, second], name="several_outputs")
    model.compile(
        k.optimizers.Adam(0.01),
        loss=[k.losses.Huber(), k.losses.CategoricalCrossentropy(label_smoothing=0.1)],
        loss_weights=[1.0, 0.25],
    )
    return model, [numbers(4), numbers(3, seed=3)], [numbers(1, seed=4), one_hot()]


def outputs_by_name(k):
    l = k.layers
    x = l.Input((4,), name="x")
    hidden = l.Dense(4, activation="relu", name="hidden")(x)
    outputs = {"up": l.Dense(1, name="up")(hidden), "down": l.Dense(2, name="down")(hidden)}
    model = k.Model({"x": x}, outputs, name="outputs_by_name")
    model.compile("adam", {"up": k.losses.MeanAbsoluteError(), "down": k.losses.MeanSquaredError()})
    return model, {"x": numbers(4)}, {"up": numbers(1, seed=4), "down": numbers(2, seed=5)}


def nested_thrice(k):
    l = k.layers
    core = k.Sequential([l.Input((4,)), l.Dense(4, name="d1"), l.BatchNormalization(name="n")], name="core")
    middle_in = l.Input((4,), name="middle_in")
    middle = k.Model(middle_in, l.Add(name="skip")([middle_in, core(middle_in)]), name="middle")
    x = l.Input((4,), name="x")
    model = k.Model(x, l.Dense(1, name="out")(middle(l.Dense(4, name="first")(x))), name="nested_thrice")
    model.compile(k.optimizers.SGD(0.05, momentum=0.9), k.losses.MeanSquaredError())
    return model, numbers(4), numbers(1, seed=3)


def nested_model_called_twice(k):
    l = k.layers
    tower = k.Sequential([l.Input((4,)), l.Dense(3, activation="elu", name="t1"), l.Dense(2, name="t2")], name="tower")
    a, b = l.Input((4,), name="a"), l.Input((4,), name="b")
    model = k.Model([a, b], l.Dense(1, name="out")(l.Subtract(name="between")([tower(a), tower(b)])), name="twice")
    model.compile("adam", k.losses.MeanSquaredError())
    return model, [numbers(4), numbers(4, seed=3)], numbers(1, seed=4)


def frozen_layers(k):
    l = k.layers
    frozen = l.Dense(4, name="frozen")
    inner = k.Sequential([l.Input((4,)), frozen, l.Dense(4, name="free"), l.BatchNormalization(name="inner_norm")], name="inner")
    frozen.trainable = False
    still = l.Dense(4, trainable=False, name="still")
    model = sequence(k, (4,), still, inner, l.BatchNormalization(trainable=False, name="norm"), name="frozen_layers")
    return model, numbers(4), numbers(2, seed=3)


# --- convolutions, pooling, normalisation


def convolutions(k):
    l = k.layers
    model = sequence(
        k, (8, 8, 2),
        l.Conv2D(3, 3, padding="same", activation="relu", name="conv"),
        l.DepthwiseConv2D(2, depth_multiplier=2, name="depth"),
        l.SeparableConv2D(4, 3, strides=2, padding="same", name="separable"),
        l.Conv2D(3, 2, dilation_rate=2, padding="same", use_bias=False, name="dilated"),
        l.Conv2DTranspose(2, 2, strides=2, name="up"),
        l.BatchNormalization(momentum=0.9, name="norm"),
        l.Flatten(name="flat"), name="convolutions",
    )  # fmt: skip
    return model, numbers(8, 8, 2), numbers(2, seed=3)


def convolutions_1d(k):
    l = k.layers
    model = sequence(
        k, (10, 2),
        l.Conv1D(3, 3, padding="causal", dilation_rate=2, name="causal"),
        l.SeparableConv1D(3, 2, name="separable"),
        l.DepthwiseConv1D(3, padding="same", name="depth"),
        l.MaxPooling1D(2, name="pool"),
        l.Conv1DTranspose(2, 3, strides=2, name="up"),
        l.AveragePooling1D(2, padding="same", name="mean"),
        l.GlobalMaxPooling1D(name="top"), name="convolutions_1d",
    )  # fmt: skip
    return model, numbers(10, 2), numbers(2, seed=3)


def convolutions_3d(k):
    l = k.layers
    model = sequence(
        k, (4, 6, 6, 1),
        l.Conv3D(2, 2, padding="same", name="conv"),
        l.MaxPooling3D((1, 2, 2), name="pool"),
        l.Conv3DTranspose(2, 2, name="up"),
        l.AveragePooling3D(2, name="mean"),
        l.GlobalAveragePooling3D(name="whole"), name="convolutions_3d",
    )  # fmt: skip
    return model, numbers(4, 6, 6, 1), numbers(2, seed=3)


def pooling(k):
    l = k.layers
    x = l.Input((8, 8, 2), name="x")
    ends = [
        l.GlobalAveragePooling2D(name="g1")(l.MaxPooling2D(3, strides=2, padding="same", name="p1")(x)),
        l.GlobalMaxPooling2D(name="g2")(l.AveragePooling2D((2, 1), name="p2")(x)),
        l.Flatten(name="f")(l.GlobalMaxPooling2D(keepdims=True, name="g3")(x)),
    ]
    model = k.Model(x, l.Dense(1, name="out")(l.Concatenate(name="all")(ends)), name="pooling")
    model.compile("sgd", k.losses.MeanSquaredError())
    return model, numbers(8, 8, 2), numbers(1, seed=3)


def normalisations(k):
    l = k.layers
    layers = [
        l.LayerNormalization(name="layer"),
        l.GroupNormalization(2, name="group"),
        l.UnitNormalization(name="unit"),
        l.BatchNormalization(scale=False, center=False, name="batch"),
    ]
    if is_3(k):  # tf-keras cannot wrap a layer in SpectralNormalization once Keras 3 is about
        layers += [l.SpectralNormalization(l.Dense(4, name="inner"), name="spectral"), l.RMSNormalization(name="rms")]
    return sequence(k, (4,), *layers, name="normalisations"), numbers(4), numbers(2, seed=3)


# --- sequences


def lstm_of_words(k):
    l = k.layers
    model = sequence(
        k, (6,), l.Embedding(9, 4, mask_zero=True, name="words"), l.LSTM(3, return_sequences=True, name="first"), l.LSTM(3, name="second"),
        dtype="int32", name="lstm_of_words",
    )  # fmt: skip
    return model, indices(6, many=9), numbers(2, seed=3)


def gru(k):
    l = k.layers
    model = sequence(
        k, (5, 3), l.GRU(3, return_sequences=True, name="after"), l.GRU(3, reset_after=False, return_sequences=True, name="before"),
        l.GRU(2, recurrent_activation="hard_sigmoid", activation="relu", go_backwards=True, name="hard"), name="gru",
    )  # fmt: skip
    return model, numbers(5, 3), numbers(2, seed=3)


def stateful(k):
    l = k.layers
    inputs = l.Input(batch_shape=(BATCH, 3, 2), name="x") if is_3(k) else l.Input(batch_size=BATCH, shape=(3, 2), name="x")
    model = k.Sequential([inputs, l.SimpleRNN(3, stateful=True, return_sequences=True, name="simple"), l.LSTM(2, stateful=True, name="lstm"), l.Dense(1, name="out")], name="stateful")
    model.compile("sgd", k.losses.MeanSquaredError())
    return model, numbers(3, 2), numbers(1, seed=3)


def bidirectional(k):
    l = k.layers
    layers = [l.Bidirectional(l.LSTM(2, return_sequences=True), merge_mode=mode, name=mode) for mode in ("concat", "sum", "mul", "ave")]
    layers.append(l.Bidirectional(l.GRU(2, name="to"), backward_layer=l.LSTM(2, go_backwards=True, name="fro"), name="mixed"))
    return sequence(k, (4, 3), *layers, name="bidirectional"), numbers(4, 3), numbers(2, seed=3)


def cells(k):
    l = k.layers
    stacked = l.StackedRNNCells([l.LSTMCell(3, name="c1"), l.GRUCell(2, name="c2")], name="stack") if is_3(k) else [l.LSTMCell(3), l.GRUCell(2)]
    model = sequence(k, (4, 2), l.RNN(stacked, return_sequences=True, name="rnn"), l.RNN(l.SimpleRNNCell(3, name="cell"), name="plain"), name="cells")
    return model, numbers(4, 2), numbers(2, seed=3)


def states(k):
    """A decoder that starts where an encoder stopped."""
    l = k.layers
    source, target = l.Input((4, 2), name="source"), l.Input((3, 2), name="target")
    _, h, c = l.LSTM(3, return_state=True, name="encoder")(source)
    decoded = l.LSTM(3, return_sequences=True, name="decoder")(target, initial_state=[h, c])
    model = k.Model([source, target], l.Dense(2, name="out")(decoded), name="states")
    model.compile("adam", k.losses.MeanSquaredError())
    return model, [numbers(4, 2), numbers(3, 2, seed=3)], numbers(3, 2, seed=4)


def conv_lstm(k):
    l = k.layers
    model = sequence(k, (3, 4, 4, 1), l.ConvLSTM2D(2, 2, padding="same", return_sequences=True, name="first"), l.ConvLSTM2D(1, 2, name="second"), l.Flatten(), name="conv_lstm")
    return model, numbers(3, 4, 4, 1), numbers(2, seed=3)


def each_step(k):
    l = k.layers
    model = sequence(
        k, (3, 4, 4, 1), l.TimeDistributed(l.Conv2D(2, 2, name="conv"), name="convs"), l.TimeDistributed(l.Flatten(), name="flat"),
        l.TimeDistributed(l.BatchNormalization(name="norm"), name="norms"), l.GlobalAveragePooling1D(name="mean"), name="each_step",
    )  # fmt: skip
    return model, numbers(3, 4, 4, 1), numbers(2, seed=3)


def masking(k):
    l = k.layers
    x = numbers(5, 2)
    x[:, 3:] = 0
    model = sequence(k, (5, 2), l.Masking(0.0, name="mask"), l.Bidirectional(l.LSTM(2), name="both"), name="masking")
    return model, x, numbers(2, seed=3)


def attention(k):
    l = k.layers
    x, m = l.Input((4, 6), name="x"), l.Input((5, 6), name="m")
    y = l.MultiHeadAttention(2, 3, value_dim=2, name="heads")(x, m)
    y = l.LayerNormalization(epsilon=1e-6, name="norm")(l.Add(name="around")([x, y]))
    y = l.MultiHeadAttention(2, 3, output_shape=4, use_bias=False, name="causal")(y, y, use_causal_mask=True)
    y = l.Concatenate(name="both")([l.Attention(use_scale=True, name="dot")([y, y]), l.AdditiveAttention(name="add")([y, y])])
    if is_3(k):
        y = l.GroupQueryAttention(2, 4, 2, name="grouped")(y, y)
    model = k.Model([x, m], l.Dense(1, name="out")(l.GlobalAveragePooling1D(name="mean")(y)), name="attention")
    model.compile(k.optimizers.Adam(0.01), k.losses.MeanSquaredError())
    return model, [numbers(4, 6), numbers(5, 6, seed=3)], numbers(1, seed=4)


# --- merging, reshaping, activations, operations


def merging(k):
    l = k.layers
    a, b = l.Input((3,), name="a"), l.Input((3,), name="b")
    x, y = l.Dense(3, name="x")(a), l.Dense(3, name="y")(b)
    merged = [getattr(l, kind)(name="m_" + kind.lower())([x, y]) for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")]
    merged += [l.Dot(axes=1, name="dot")([x, y]), l.Dot(axes=(1, 1), normalize=True, name="cosine")([x, y])]
    model = k.Model([a, b], l.Dense(1, name="out")(l.Concatenate(axis=-1, name="all")(merged)), name="merging")
    model.compile("adam", k.losses.MeanSquaredError())
    return model, [numbers(3), numbers(3, seed=3)], numbers(1, seed=4)


def reshaping(k):
    l = k.layers
    model = sequence(
        k, (6, 6, 2), l.ZeroPadding2D(((1, 0), (0, 2)), name="pad"), l.Cropping2D(((1, 2), (0, 1)), name="crop"),
        l.UpSampling2D(2, name="up"), l.Permute((2, 1, 3), name="swap"), l.Reshape((-1, 8), name="rows"), l.Conv1D(3, 2, name="conv"),
        l.Cropping1D(1, name="shorter"), l.ZeroPadding1D((0, 1), name="longer"), l.UpSampling1D(2, name="twice"), l.GlobalAveragePooling1D(name="mean"),
        l.RepeatVector(2, name="again"), l.Flatten(name="flat"), name="reshaping",
    )  # fmt: skip
    return model, numbers(6, 6, 2), numbers(2, seed=3)


def activations(k):
    l = k.layers
    layers = [l.Dense(4, activation=a, name=a) for a in ("elu", "gelu", "selu", "softplus", "softsign", "swish", "sigmoid", "exponential", "hard_sigmoid")]
    layers += [l.LeakyReLU(name="leaky"), l.ReLU(max_value=6, name="six"), l.PReLU(name="p"), l.ELU(0.5, name="e"), l.Softmax(name="soft"), l.Activation("tanh", name="t")]
    return sequence(k, (4,), *layers, name="activations"), numbers(4), numbers(2, seed=3)


def slopes_of_images(k):
    l = k.layers
    model = sequence(k, (4, 4, 2), l.Conv2D(3, 2, name="conv"), l.PReLU(shared_axes=[1, 2], name="p"), l.SpatialDropout2D(0.2, name="spatial"), l.Flatten(), name="slopes_of_images")
    return model, numbers(4, 4, 2), numbers(2, seed=3)


def noise(k):
    l = k.layers
    layers = [l.GaussianNoise(0.1, name="noise"), l.GaussianDropout(0.2, name="dropout"), l.AlphaDropout(0.1, name="alpha"), l.ActivityRegularization(l2=0.01, name="activity"), l.Dense(3)]
    return sequence(k, (4,), *layers, name="noise"), numbers(4), numbers(2, seed=3)


def einsums(k):
    l = k.layers
    layers = [l.EinsumDense("abc,cd->abd", output_shape=(3, 4), bias_axes="d", activation="relu", name="first"), l.Identity(name="same"), l.EinsumDense("abc,bcd->ad", output_shape=3, name="second")]
    return sequence(k, (3, 2), *layers, name="einsums"), numbers(3, 2), numbers(2, seed=3)


def arithmetic(k):
    l = k.layers
    o = operations(k)
    x = l.Input((4,), name="x")
    y = l.Dense(3, name="d")(x)
    z = (y * 2.0 + 1.0) / 4.0 - y
    z = o.abs(z[:, :2]) if not is_3(k) else o.absolute(z[:, :2])
    model = k.Model(x, l.Dense(1, name="out")(z), name="arithmetic")
    model.compile("adam", k.losses.MeanSquaredError())
    return model, numbers(4), numbers(1, seed=4)


def functions(k):
    l = k.layers
    o = operations(k)
    x = l.Input((4, 3), name="x")
    y = l.Dense(3, name="d")(x)
    mean = o.mean(y, axis=1) if is_3(k) else o.reduce_mean(y, axis=1)
    top = o.max(y, axis=1) if is_3(k) else o.reduce_max(y, axis=1)
    both = o.concatenate([mean, top], axis=-1) if is_3(k) else o.concat([mean, top], axis=-1)
    both = o.reshape(both, (-1, 3, 2))
    model = k.Model(x, l.Dense(1, name="out")(l.Flatten(name="flat")(o.transpose(both, (0, 2, 1)))), name="functions")
    model.compile("adam", k.losses.MeanSquaredError())
    return model, numbers(4, 3), numbers(1, seed=4)


# --- preprocessing


def preprocessing(k):
    l = k.layers
    norm = l.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0], name="given")
    adapted = l.Normalization(name="adapted")
    adapted.adapt(numbers(3, seed=9))
    return sequence(k, (3,), norm, adapted, l.Rescaling(0.5, offset=1.0, name="half"), name="preprocessing"), numbers(3), numbers(2, seed=3)


def encodings(k):
    l = k.layers
    x = l.Input((1,), dtype="int32", name="x")
    v = l.Input((1,), name="v")
    y = l.CategoryEncoding(num_tokens=5, output_mode="one_hot", name="one_hot")(x)
    z = l.Flatten(name="flat")(l.Embedding(4, 2, name="bins")(l.Discretization(bin_boundaries=[-1.0, 0.0, 1.0], name="cut")(v)))
    model = k.Model([x, v], l.Dense(1, name="out")(l.Concatenate(name="both")([y, z])), name="encodings")
    model.compile("adam", k.losses.MeanSquaredError())
    return model, [indices(1), numbers(1)], numbers(1, seed=4)


def augmentation(k):
    l = k.layers
    layers = [l.RandomFlip("horizontal", seed=1, name="flip"), l.RandomTranslation(0.1, 0.1, seed=2, name="shift"), l.CenterCrop(4, 4, name="crop"), l.Conv2D(2, 2, name="conv"), l.Flatten()]
    return sequence(k, (6, 6, 1), *layers, name="augmentation"), numbers(6, 6, 1), numbers(2, seed=3)


# --- what layers are given


def components(k):
    l = k.layers
    c, i, r = k.constraints, k.initializers, k.regularizers
    layers = [
        l.Dense(4, kernel_initializer=i.Orthogonal(gain=0.5), kernel_regularizer=r.L1L2(0.01, 0.02), kernel_constraint=c.MaxNorm(2.0), name="a"),
        l.Dense(4, kernel_initializer=i.TruncatedNormal(stddev=0.1), bias_initializer=i.Constant(0.3), bias_regularizer=r.L2(0.1), kernel_constraint=c.NonNeg(), name="b"),
        l.Dense(4, kernel_initializer=i.VarianceScaling(2.0, "fan_out", "uniform"), activity_regularizer=r.L1(0.01), kernel_constraint=c.UnitNorm(axis=1), name="c"),
        l.Dense(4, kernel_initializer=i.RandomUniform(-0.2, 0.2, seed=4), kernel_regularizer=r.OrthogonalRegularizer(0.01), bias_constraint=c.MinMaxNorm(0.1, 0.9), name="d"),
    ]
    return sequence(k, (4,), *layers, name="components"), numbers(4), numbers(2, seed=3)


def half_precision(k):
    l = k.layers
    policy = "mixed_bfloat16" if is_3(k) else k.mixed_precision.Policy("mixed_bfloat16")
    model = k.Sequential([l.Input((4,)), l.Dense(4, activation="relu", dtype=policy, name="a"), l.Dense(3, dtype=policy, name="b"), l.Dense(1, dtype="float32", name="out")], name="half_precision")
    model.compile("adam", k.losses.MeanSquaredError())
    return model, numbers(4), numbers(1, seed=3)


def double_precision(k):
    l = k.layers
    model = k.Sequential([l.Input((4,), dtype="float64"), l.Dense(4, activation="tanh", dtype="float64", name="a"), l.Dense(1, dtype="float64", name="out")], name="double_precision")
    model.compile("sgd", k.losses.MeanSquaredError())
    return model, numbers(4).astype("float64"), numbers(1, seed=3).astype("float64")


def unusual_names(k):
    l = k.layers
    x = l.Input((3,), name="x")
    y = l.Dense(3, name="block.one")(x)
    y = l.Dense(3, name="a-b>c_0")(y)
    y = l.Dense(3, name="größe" if is_3(k) else "block/two")(y)
    model = k.Model(x, l.PReLU(name="p")(y), name="odd.model")
    model.compile("sgd", k.losses.MeanAbsoluteError())
    return model, numbers(3), numbers(3, seed=2)


def custom_layer(k):
    return sequence(k, (4,), registered(k)(3, name="own"), name="custom_layer"), numbers(4), numbers(2, seed=3)


_CUSTOM = {}


def registered(k):
    """A registered layer of the caller's own, made once for each Keras."""
    if k.__name__ not in _CUSTOM:
        register = k.saving.register_keras_serializable("zoo")

        @register
        class Scaled(k.layers.Layer):
            def __init__(self, units, **rest):
                super().__init__(**rest)
                self.units = units

            def build(self, shape):
                self.kernel = self.add_weight(name="kernel", shape=(shape[-1], self.units), initializer="glorot_uniform")
                self.scale = self.add_weight(name="scale", shape=(self.units,), initializer="ones", trainable=False)
                super().build(shape)

            def call(self, x):
                return (x @ self.kernel) * self.scale

            def compute_output_shape(self, shape):
                return (*shape[:-1], self.units)

            def get_config(self):
                return {**super().get_config(), "units": self.units}

        _CUSTOM[k.__name__] = Scaled
    return _CUSTOM[k.__name__]


def residual_network(k):
    l = k.layers
    x = y = l.Input((6, 6, 2), name="x")
    for n in range(3):
        z = l.Conv2D(2, 3, padding="same", use_bias=False, name=f"conv{n}")(y)
        z = l.ReLU(name=f"relu{n}")(l.BatchNormalization(name=f"norm{n}")(z))
        y = l.Add(name=f"sum{n}")([y, z])
    model = k.Model(x, l.Dense(3, activation="softmax", name="out")(l.GlobalAveragePooling2D(name="mean")(y)), name="residual_network")
    model.compile(k.optimizers.SGD(0.1, momentum=0.9, nesterov=True), "categorical_crossentropy", metrics=["accuracy"])
    return model, numbers(6, 6, 2), one_hot()


# --- training


def many_losses(k):
    l, o = k.layers, k.losses
    x = l.Input((4,), name="x")
    heads = {
        "huber": (o.Huber(delta=0.5), "linear"), "logcosh": (o.LogCosh(), "linear"), "kl": (o.KLDivergence(), "softmax"), "poisson": (o.Poisson(), "softplus"),
        "hinge": (o.Hinge(), "tanh"), "squared": (o.SquaredHinge(), "tanh"), "cosine": (o.CosineSimilarity(), "linear"), "binary": (o.BinaryCrossentropy(), "sigmoid"),
        "logits": (o.BinaryCrossentropy(from_logits=True), "linear"), "log": (o.MeanSquaredLogarithmicError(), "softplus"), "percent": (o.MeanAbsolutePercentageError(), "linear"),
    }  # fmt: skip
    outputs = [l.Dense(3, activation=activation, name=name)(x) for name, (_, activation) in heads.items()]
    model = k.Model(x, outputs, name="many_losses")
    model.compile("sgd", [loss for loss, _ in heads.values()], loss_weights=[0.01] * len(heads))
    return model, numbers(4), [one_hot() for _ in heads]


def many_metrics(k):
    m = k.metrics
    model = k.Sequential([k.layers.Input((4,)), k.layers.Dense(3, activation="softmax", name="out")], name="many_metrics")
    metrics = [m.CategoricalAccuracy(), m.TopKCategoricalAccuracy(2, name="top"), m.AUC(num_thresholds=5), m.Precision(thresholds=0.4), m.Recall(), m.MeanSquaredError(), m.CosineSimilarity()]
    model.compile("adam", k.losses.CategoricalCrossentropy(), metrics=metrics, weighted_metrics=[m.MeanAbsoluteError()])
    return model, numbers(4), one_hot()


OPTIMIZERS = {
    "sgd_nesterov": lambda o: o.SGD(0.02, momentum=0.8, nesterov=True),
    "rmsprop_centered": lambda o: o.RMSprop(0.01, momentum=0.5, centered=True),
    "adam_amsgrad_clipped": lambda o: o.Adam(0.01, amsgrad=True, clipnorm=1.0),
    "adamw": lambda o: o.AdamW(0.01, weight_decay=0.1),
    "nadam": lambda o: o.Nadam(0.01),
    "adamax": lambda o: o.Adamax(0.01),
    "adagrad": lambda o: o.Adagrad(0.05),
    "adadelta": lambda o: o.Adadelta(0.5),
    "ftrl": lambda o: o.Ftrl(0.05, l1_regularization_strength=0.01),
    "lion": lambda o: o.Lion(0.01),
    "adafactor": lambda o: o.Adafactor(0.01),
    "averaged_weights": lambda o: o.Adam(0.01, use_ema=True, ema_momentum=0.9),
    "exponential_decay": lambda o: o.SGD(o.schedules.ExponentialDecay(0.05, 2, 0.9, staircase=True)),
    "cosine_decay": lambda o: o.Adam(o.schedules.CosineDecay(0.01, 10, warmup_target=0.02, warmup_steps=3)),
    "piecewise_decay": lambda o: o.SGD(o.schedules.PiecewiseConstantDecay([2, 4], [0.1, 0.05, 0.01]), momentum=0.9),
    "polynomial_decay": lambda o: o.RMSprop(o.schedules.PolynomialDecay(0.05, 10, power=2.0)),
    "inverse_time_decay": lambda o: o.SGD(o.schedules.InverseTimeDecay(0.05, 2, 0.5)),
}


def optimized(kind):
    def build(k):
        l = k.layers
        model = k.Sequential([l.Input((3,)), l.Dense(4, activation="relu", name="a"), l.Dense(1, name="b")], name=kind)
        model.compile(OPTIMIZERS[kind](k.optimizers), k.losses.MeanSquaredError())
        return model, numbers(3), numbers(1, seed=2)

    return build


MODELS = {
    f.__name__: f
    for f in (
        dense, string_loss, never_compiled, shared_layer, several_outputs, outputs_by_name, nested_thrice, nested_model_called_twice, frozen_layers,
        convolutions, convolutions_1d, convolutions_3d, pooling, normalisations, residual_network,
        lstm_of_words, gru, stateful, bidirectional, cells, states, conv_lstm, each_step, masking, attention,
        merging, reshaping, activations, slopes_of_images, noise, einsums, arithmetic, functions,
        preprocessing, encodings, augmentation, components, half_precision, double_precision, unusual_names, custom_layer,
        many_losses, many_metrics,
    )
} | {kind: optimized(kind) for kind in OPTIMIZERS}  # fmt: skip
