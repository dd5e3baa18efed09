"""What Flax (linen), JAX and optax make of the vocabulary: by modules and functions, without loops of one's own over steps."""

from __future__ import annotations

from triptych.vocabulary.verdicts.rules import AUGMENTATION, Table, bounded, every, exact, inexpressible

_NO_MASK = "its modules heed no mask; flax.linen.RNN takes lengths, which can only leave out steps at the end"
_RESET = "flax.linen.GRUCell applies the reset gate after the product with the recurrent kernel"
_NO_CORNERS = (inexpressible("jax.image.resize aligns the outer edges, not the centres", align_corners=True),)
_FORM = "optax's updates are written otherwise; a transformation of one's own is needed"

LAYERS: Table = {
    **every("Model", exact("flax.linen.Module")),
    **every("Dense EinsumDense", exact("flax.linen.Dense, DenseGeneral or Einsum")),
    **every("Embedding", inexpressible(_NO_MASK, mask_zero=True), exact("flax.linen.Embed")),
    **every("Masking", inexpressible(_NO_MASK)),
    **every("Identity Flatten Reshape Permute RepeatVector Rescaling", exact("functions of jax.numpy")),
    **every("Dropout SpatialDropout{n}D", exact("flax.linen.Dropout with broadcast_dims")),
    **every("AlphaDropout GaussianNoise GaussianDropout", exact("functions of jax.random while training")),
    **every("ActivityRegularization", exact("a term of the loss")),
    **every(AUGMENTATION, exact("nothing; while training, the images changed before they come in")),
    **every("CenterCrop", exact("a slice; jax.image.resize for an image that is too small")),
    **every("Conv{n}D DepthwiseConv{n}D", exact("flax.linen.Conv")),
    **every("SeparableConv{n}D", exact("flax.linen.Conv with as many groups as channels, then one of kernel size 1")),
    **every("Conv{n}DTranspose", exact("flax.linen.ConvTranspose(transpose_kernel=True)", groups=1, padding=("valid", "same_upper")), exact("jax.lax.conv_general_dilated")),
    **every("MaxPooling{n}D", exact("flax.linen.max_pool")),
    **every("AveragePooling{n}D", exact("flax.linen.avg_pool with padding said for each end, count_include_pad said")),
    **every("GlobalMaxPooling{n}D GlobalAveragePooling{n}D AdaptiveMaxPooling{n}D AdaptiveAveragePooling{n}D", exact("functions of jax.numpy")),
    **every(
        "BatchNormalization",
        bounded(
            "a factor (n - 1) / n on what a batch of n values a channel adds to the moving variance",
            "flax.linen.BatchNorm: its moving variance takes the population variance", training=True, variance="sample",
        ),
        exact("flax.linen.BatchNorm"),
    ),
    **every("LayerNormalization GroupNormalization InstanceNormalization", exact("flax.linen with use_fast_variance=False")),
    **every("RMSNormalization", exact("flax.linen.RMSNorm")),
    **every("SpectralNormalization", exact("flax.linen.SpectralNorm")),
    **every("UnitNormalization", exact("functions of jax.numpy")),
    **every("Activation ReLU ELU LeakyReLU Softmax ThresholdedReLU GLU", exact("functions of flax.linen and jax.numpy")),
    **every("PReLU", exact("jax.numpy.where and a parameter")),
    **every("ZeroPadding{n}D Cropping{n}D PixelShuffle PixelUnshuffle", exact("functions of jax.numpy")),
    **every("UpSampling1D UpSampling3D", *_NO_CORNERS, exact("jax.image.resize")),
    **every(
        "UpSampling2D Resizing",
        *_NO_CORNERS,
        exact("jax.image.resize", interpolation="bicubic", cubic_coefficient=-0.5, exclude_outside=True),
        inexpressible("its bicubic interpolation has the coefficient -0.5 and gives elements outside no weight", interpolation="bicubic"),
        exact("jax.image.resize"),
    ),
    **every("CELU HardTanh HardShrink SoftShrink Threshold Softplus", exact("functions of jax.nn and jax.numpy")),
    **every("LocalResponseNormalization Padding{n}D", exact("functions of jax.numpy")),
    **every("Add Subtract Multiply Average Maximum Minimum Concatenate Dot", exact("functions of jax.numpy")),
    **every(
        "SimpleRNN LSTM SimpleRNNCell LSTMCell",
        bounded("a factor 2 on how far the sum of both biases moves in an update", "the cells of flax.linen, both biases added", training=True, recurrent_bias=True),
        exact("flax.linen.RNN with SimpleCell or LSTMCell"),
    ),
    **every("GRU GRUCell", inexpressible(_RESET, reset_after=False), exact("flax.linen.RNN with GRUCell, the biases of two gates added")),
    **every("RNN StackedRNNCells", exact("flax.linen.RNN of RNN, as the cells say")),
    **every(
        "ConvLSTM{n}D",
        exact("flax.linen.RNN with ConvLSTMCell", activation="tanh", recurrent_activation="sigmoid", padding="same_upper"),
        inexpressible("flax.linen.ConvLSTMCell has sigmoid and tanh, and pads input and state alike"),
    ),
    **every("Bidirectional", exact("flax.linen.Bidirectional")),
    **every("TimeDistributed", exact("jax.vmap")),
    **every("Attention AdditiveAttention", exact("functions of jax.numpy")),
    **every("MultiHeadAttention GroupQueryAttention", exact("flax.linen.MultiHeadDotProductAttention, jax.nn.dot_product_attention")),
    **every("Normalization Discretization CategoryEncoding", exact("functions of jax.numpy")),
    **every(
        "IntegerLookup",
        exact("functions of jax.numpy", num_oov_indices=(0, 1)),
        inexpressible("it has no fingerprints of texts", oov_method="farmhash"),
        exact("functions of jax.numpy"),
    ),
    **every("StringLookup TextVectorization", inexpressible("it has no strings")),
    **every("RotaryEmbedding PositionEmbedding SinePositionEncoding", exact("functions of jax.numpy")),
}
OPTIMIZERS: Table = {
    **every("SGD", exact("optax.trace holds -velocity / learning_rate, to be scaled anew when the rate changes", momentum_scaling="velocity"), exact("optax.sgd")),
    **every("Adam AdamW", inexpressible("optax keeps the largest v after bias correction", amsgrad=True, amsgrad_on="raw"), inexpressible(_FORM, epsilon_mode="hat"), exact("optax.#")),
    **every("RMSprop", exact("optax.rmsprop(eps_in_sqrt=True)", epsilon_mode="inside"), exact("optax.rmsprop(eps_in_sqrt=False)")),
    **every("Adagrad", exact("optax.adagrad", epsilon_mode="inside"), inexpressible("optax.adagrad adds eps inside the root")),
    **every("Nadam", inexpressible("optax.nadam has no schedule of the momentum")),
    **every("Adamax", bounded("5e-4 of the way travelled, for gradients near epsilon", "optax.adamax adds eps inside the maximum", training=True, epsilon_mode="outside"), exact("optax.adamax")),
    **every("Adadelta Lion Lamb", exact("optax.#")),
    **every("Ftrl", inexpressible("optax has no Ftrl")),
    **every("Adafactor", inexpressible("optax.adafactor clips and scales by other rules")),
}
