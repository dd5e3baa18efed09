"""What Keras makes of the vocabulary: by its layers and by functions (keras.ops; TensorFlow's for Keras 2) around them."""

from __future__ import annotations

from triptych.vocabulary.verdicts.rules import LISTED, SAID, Rule, Table, bounded, every, exact, inexpressible

_SAID = ("same_lower", LISTED)
_ONES = ([1], [1, 1], [1, 1, 1])
_TWO_BIASES = bounded(
    "a factor 2 on how far the sum of both biases moves in an update", "#, both biases added: one learns half as fast as two", training=True, recurrent_bias=True
)
_NO_CORNERS = (inexpressible("no resizing of Keras aligns corners", align_corners=True),)


def _layers(ops: str) -> Table:
    """What both generations share; `ops` is where functions come from."""
    return {
        **every("Model Dense Embedding EinsumDense Identity Rescaling Masking Dropout AlphaDropout GaussianNoise GaussianDropout ActivityRegularization", exact("#")),
        **every("SpatialDropout{n}D", exact("#")),
        **every("Conv{n}D", exact("ZeroPadding#nD, then #", padding=_SAID), exact("#")),
        **every("SeparableConv{n}D DepthwiseConv{n}D", exact("ZeroPadding#nD, then #", padding=(*_SAID, "causal")), exact("#")),
        **every("Conv{n}DTranspose", exact("#", groups=1, padding=("valid", "same_upper")), exact("# without padding for each group, then Cropping#nD and Concatenate")),
        **every(
            "MaxPooling{n}D",
            exact("#", padding=("valid", "same_upper"), ceil_mode=False, dilation_rate=_ONES),
            exact(f"{ops}.pad with -inf, then #", dilation_rate=_ONES),
            exact(f"slices of {ops} and maximum"),
        ),
        **every(
            "AveragePooling{n}D",
            exact("#", padding="valid", ceil_mode=False),
            exact("#", padding="same_upper", ceil_mode=False, count_include_pad=False),
            exact("ZeroPadding#nD, then #", ceil_mode=False, count_include_pad=True),
            exact("sums and counts pooled apart, and divided"),
        ),
        **every("GlobalMaxPooling{n}D GlobalAveragePooling{n}D", exact("#")),
        **every("AdaptiveMaxPooling{n}D AdaptiveAveragePooling{n}D", exact(f"slices of {ops}")),
        **every(
            "BatchNormalization",
            bounded(
                "a factor (n - 1) / n on what a batch of n values a channel adds to the moving variance",
                "#: its moving variance takes the population variance", training=True, variance="sample",
            ),
            exact("#"),
        ),
        **every("LayerNormalization GroupNormalization UnitNormalization SpectralNormalization", exact("#")),
        **every("InstanceNormalization", exact("GroupNormalization(groups=-1)")),
        **every("Activation ReLU ELU PReLU LeakyReLU Softmax", exact("#")),
        **every("GLU", exact(f"{ops}.split, sigmoid and multiply")),
        **every("Flatten Reshape Permute RepeatVector ZeroPadding{n}D Cropping{n}D", exact("#")),
        **every("PixelShuffle PixelUnshuffle", exact("Reshape and Permute")),
        **every("UpSampling1D", *_NO_CORNERS, exact("#", interpolation="nearest"), exact("UpSampling2D")),
        **every("UpSampling3D", exact("#", interpolation="nearest"), *_NO_CORNERS, exact("UpSampling2D along the axes")),
        **every(
            "UpSampling2D Resizing",
            exact("#", interpolation="nearest"),
            *_NO_CORNERS,
            bounded(
                "1e-3 of the largest magnitude", "#: TensorFlow takes bicubic coefficients from a table of 1024",
                interpolation="bicubic", cubic_coefficient=-0.5, exclude_outside=True,
            ),
            inexpressible("its bicubic interpolation has the coefficient -0.5 and gives elements outside no weight", interpolation="bicubic"),
            exact("#"),
        ),
        **every("CELU HardTanh HardShrink SoftShrink Threshold Softplus", exact(f"functions of {ops}")),
        **every("LocalResponseNormalization", exact(f"functions of {ops}")),
        **every("Padding{n}D", exact(f"{ops}.pad, or slices joined")),
        **every("Dot", exact("#")),
        **every("SimpleRNN LSTM SimpleRNNCell LSTMCell", _TWO_BIASES, exact("#")),
        **every("GRU GRUCell RNN StackedRNNCells ConvLSTM{n}D", exact("#")),
        **every("Bidirectional TimeDistributed Attention AdditiveAttention MultiHeadAttention", exact("#")),
        **every("RandomFlip RandomRotation RandomTranslation RandomZoom RandomContrast RandomBrightness CenterCrop", exact("#")),
        **every("Normalization CategoryEncoding", exact("#")),
        **every("RotaryEmbedding PositionEmbedding SinePositionEncoding", exact(f"functions of {ops}")),
    }


_NONE: tuple[Rule, ...] = (inexpressible("Keras 2 has no # layer"),)
_NEW_AUGMENTATION = (
    "RandomShear RandomHue RandomSaturation RandomSharpness RandomColorDegeneration RandomInvert RandomPosterization RandomErasing RandomGaussianBlur"
)
_OLD_AUGMENTATION = "RandomHeight RandomWidth"


def _alone(generation: str) -> Rule:
    return exact(f"{generation} has no # layer: nothing; while training, the images changed before they come in")


_ENCODED = ("one_hot", "multi_hot", "count")
_MERGING = "Add Subtract Multiply Average Maximum Minimum Concatenate"
KERAS3_LAYERS: Table = {
    **_layers("keras.ops"),
    **every(
        _MERGING,
        inexpressible("# lets a step count where it does in any input", masks="all"),
        exact("functions of keras.ops, which hand on no mask", masks="none"),
        exact("#"),
    ),
    **every("Discretization", exact("#", output_dtype="int32"), exact("#, its indices cast", output_mode="int"), exact("#")),
    **every("StringLookup IntegerLookup TextVectorization", exact("#", output_dtype="int64"), exact("#", output_mode="tf_idf"), exact("#, what it yields cast")),
    **every("RMSNormalization GroupQueryAttention", exact("#")),
    **every(_NEW_AUGMENTATION, exact("#")),
    **every(_OLD_AUGMENTATION, _alone("Keras 3")),
    **every("ThresholdedReLU", exact("keras.ops.where")),
}
KERAS2_LAYERS: Table = {
    **_layers("tf"),
    **every(
        _MERGING,
        exact("#", masks="all"),
        exact("functions of tf, which hand on no mask", masks="none"),
        inexpressible("# lets a step count only where it does in all inputs that have a mask"),
    ),
    **every("Discretization", exact("#")),
    **every("StringLookup TextVectorization", exact("#, what it yields cast", output_mode=_ENCODED, output_dtype=SAID), exact("#")),
    **every(
        "IntegerLookup",
        exact("tf.strings.as_string, then StringLookup", oov_method="farmhash"),
        exact("#, what it yields cast", output_mode=_ENCODED, output_dtype=SAID),
        exact("#"),
    ),
    **every("RMSNormalization GroupQueryAttention", *_NONE),
    **every(_NEW_AUGMENTATION, _alone("Keras 2")),
    **every(_OLD_AUGMENTATION, exact("#")),
    **every("ThresholdedReLU", exact("#")),
}
_MOVED = "Keras keeps steps of the learning rate of their time in the slot; the buffer is to be scaled when the rate changes"
OPTIMIZERS: Table = {
    **every(
        "SGD",
        inexpressible("Keras' weight_decay is decoupled", weight_decay=SAID, decay_mode="l2"),
        exact(_MOVED, momentum_scaling="buffer"),
        exact("#"),
    ),
    **every(
        "Adam AdamW",
        inexpressible("Keras' weight_decay is decoupled", weight_decay=SAID, decay_mode="l2"),
        inexpressible("Keras keeps the largest v before bias correction", amsgrad=True, amsgrad_on="corrected"),
        exact("#", epsilon_mode="hat"),
        bounded("2e-4 of the way travelled, a half for gradients near epsilon", "Keras adds epsilon before the bias correction of v", training=True),
    ),
    **every("RMSprop", inexpressible("Keras adds epsilon inside the root", epsilon_mode="outside"), exact("#")),
    **every("Adagrad", bounded("1e-7 of the way travelled", "Keras adds epsilon inside the root", training=True, epsilon_mode="outside"), exact("#")),
    **every("Adamax", bounded("5e-4 of the way travelled, for gradients near epsilon", "Keras adds epsilon outside the maximum", training=True, epsilon_mode="inside"), exact("#")),
    **every("Nadam", exact("#", momentum_decay=1.0), inexpressible("Keras' momentum rises with 0.96^step")),
    **every("Adadelta Ftrl Adafactor", exact("#")),
}
KERAS3_OPTIMIZERS: Table = {**OPTIMIZERS, **every("Lion Lamb", exact("#"))}
KERAS2_OPTIMIZERS: Table = {**OPTIMIZERS, **every("Lion", exact("#")), **every("Lamb", inexpressible("Keras 2 has no #")), **every("Adafactor", exact("#"))}
