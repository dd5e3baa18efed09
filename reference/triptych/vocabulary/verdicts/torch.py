"""What PyTorch makes of the vocabulary: by modules of `torch.nn` and functions around them, without loops over steps."""

from __future__ import annotations

from triptych.vocabulary.verdicts.rules import AUGMENTATION, LISTED, SAID, Table, bounded, every, exact, inexpressible

_PADDED = ("same_upper", "same_lower", "causal")
_NO_MASK = "its modules heed no mask; packed sequences can only leave out steps at the end"
_FIXED = "its gates are sigmoid and tanh, and a cell of another kind would need a loop over the steps"
_RESET = "its GRU applies the reset gate after the product with the recurrent kernel"
_PEEK = "it has no convolutional recurrent layer"
_PLAIN = {"activation": "tanh", "recurrent_activation": "sigmoid"}

LAYERS: Table = {
    **every("Model Identity Flatten", exact("torch.nn.#")),
    **every("Dense", exact("torch.nn.Linear, the kernel transposed")),
    **every("Embedding", inexpressible(_NO_MASK, mask_zero=True), exact("torch.nn.Embedding")),
    **every("EinsumDense Dot Attention AdditiveAttention", exact("torch.einsum and torch.nn.functional")),
    **every("Masking", inexpressible(_NO_MASK)),
    **every("Dropout AlphaDropout", exact("the mask drawn by torch.rand and multiplied", noise_shape=LISTED), exact("torch.nn.#")),
    **every("SpatialDropout{n}D", exact("torch.nn.Dropout#nd")),
    **every("GaussianNoise GaussianDropout", exact("torch.randn while training")),
    **every("ActivityRegularization", exact("a term of the loss")),
    **every(AUGMENTATION, exact("nothing; while training, the images changed before they come in")),
    **every("CenterCrop", exact("a slice; torch.nn.functional.interpolate for an image that is too small")),
    **every("Conv{n}D DepthwiseConv{n}D", exact("torch.nn.functional.pad, then torch.nn.Conv#nd", padding=(*_PADDED, LISTED)), exact("torch.nn.Conv#nd")),
    **every("SeparableConv{n}D", exact("torch.nn.Conv#nd with as many groups as channels, then one of kernel size 1")),
    **every("Conv{n}DTranspose", exact("torch.nn.ConvTranspose#nd without padding, its result cropped")),
    **every("MaxPooling{n}D", exact("torch.nn.functional.pad with -inf, then torch.nn.MaxPool#nd", padding=(*_PADDED, LISTED)), exact("torch.nn.MaxPool#nd")),
    **every(
        "AveragePooling{n}D",
        exact("sums and counts pooled apart, and divided", padding=(*_PADDED, LISTED), count_include_pad=False),
        exact("torch.nn.functional.pad, then torch.nn.AvgPool#nd", padding=(*_PADDED, LISTED)),
        exact("torch.nn.AvgPool#nd"),
    ),
    **every("GlobalMaxPooling{n}D", exact("torch.amax")),
    **every("GlobalAveragePooling{n}D", exact("torch.mean")),
    **every("AdaptiveMaxPooling{n}D", exact("torch.nn.AdaptiveMaxPool#nd")),
    **every("AdaptiveAveragePooling{n}D", exact("torch.nn.AdaptiveAvgPool#nd")),
    **every(
        "BatchNormalization",
        exact("torch.nn.BatchNorm, momentum 1 - `momentum`", variance="sample"),
        bounded(
            "a factor n / (n - 1) on what a batch of n values a channel adds to the moving variance",
            "torch.nn.BatchNorm, momentum 1 - `momentum`: its moving variance takes the sample variance",
            training=True,
        ),
    ),
    **every("LayerNormalization RMSNormalization", exact("torch.nn.functional, the axes brought to the end")),
    **every("GroupNormalization InstanceNormalization", exact("torch.nn.GroupNorm")),
    **every("UnitNormalization", exact("torch.nn.functional.normalize")),
    **every("SpectralNormalization", exact("torch.nn.utils.parametrizations.spectral_norm")),
    **every("Activation ReLU ELU PReLU LeakyReLU Softmax ThresholdedReLU GLU", exact("functions of torch")),
    **every("CELU HardTanh HardShrink SoftShrink Threshold Softplus", exact("torch.nn.#")),
    **every("LocalResponseNormalization", exact("torch.nn.LocalResponseNorm")),
    **every("Padding{n}D", exact("torch.nn.functional.pad")),
    **every("Reshape Permute RepeatVector Rescaling Normalization Discretization CategoryEncoding", exact("functions of torch")),
    **every(
        "IntegerLookup",
        exact("functions of torch", num_oov_indices=(0, 1)),
        inexpressible("it has no fingerprints of texts", oov_method="farmhash"),
        exact("functions of torch"),
    ),
    **every("StringLookup TextVectorization", inexpressible("it has no strings")),
    **every("ZeroPadding{n}D Cropping{n}D", exact("torch.nn.functional.pad")),
    **every("PixelShuffle PixelUnshuffle", exact("torch.nn.#")),
    **every("UpSampling1D UpSampling3D", exact("torch.nn.Upsample")),
    **every(
        "UpSampling2D Resizing",
        exact("torch.nn.Upsample", interpolation="bicubic", cubic_coefficient=-0.75, exclude_outside=False),
        inexpressible("its bicubic interpolation has the coefficient -0.75 and repeats the border", interpolation="bicubic"),
        exact("torch.nn.Upsample"),
    ),
    **every("Add Subtract Multiply Average Maximum Minimum Concatenate", exact("functions of torch")),
    **every(
        "SimpleRNN SimpleRNNCell",
        exact("torch.nn.RNN", activation=("tanh", "relu"), recurrent_bias=True),
        exact("torch.nn.RNN, bias_hh kept at 0: two biases would learn twice as fast as one", activation=("tanh", "relu")),
        inexpressible("its RNN has tanh or relu, and a cell of another kind would need a loop over the steps"),
    ),
    **every(
        "LSTM LSTMCell",
        exact("torch.nn.LSTM", **_PLAIN, recurrent_bias=True),
        exact("torch.nn.LSTM, bias_hh kept at 0: two biases would learn twice as fast as one", **_PLAIN),
        inexpressible(_FIXED),
    ),
    **every(
        "GRU GRUCell",
        inexpressible(_RESET, reset_after=False),
        exact("torch.nn.GRU, gates brought into the order reset, update, candidate", **_PLAIN),
        inexpressible(_FIXED),
    ),
    **every("RNN StackedRNNCells", exact("torch.nn.RNN, LSTM or GRU with num_layers, as the cells say")),
    **every("ConvLSTM{n}D", inexpressible(_PEEK)),
    **every("Bidirectional", exact("bidirectional=True", merge_mode="concat"), exact("two layers, the second on reversed steps")),
    **every("TimeDistributed", exact("the steps put into the batch")),
    **every(
        "MultiHeadAttention GroupQueryAttention",
        exact("torch.nn.MultiheadAttention where num_heads × key_dim is the query's extent; torch.einsum and scaled_dot_product_attention else"),
    ),
    **every("RotaryEmbedding PositionEmbedding SinePositionEncoding", exact("functions of torch")),
}
OPTIMIZERS: Table = {
    **every(
        "SGD",
        inexpressible("torch.optim.SGD adds weight_decay to the gradient", weight_decay=SAID, decay_mode="decoupled", momentum=SAID),
        exact("torch.optim.SGD; momentum_buffer is -velocity / learning_rate, to be scaled anew when the rate changes", momentum_scaling="velocity"),
        exact("torch.optim.SGD"),
    ),
    **every(
        "Adam AdamW",
        inexpressible("torch.optim keeps the largest v before bias correction", amsgrad=True, amsgrad_on="corrected"),
        exact("torch.optim.AdamW, eps divided by sqrt(1 - beta_2^step) before each step", epsilon_mode="hat", weight_decay=SAID, decay_mode="decoupled"),
        exact("torch.optim.Adam, eps divided by sqrt(1 - beta_2^step) before each step", epsilon_mode="hat"),
        exact("torch.optim.AdamW", weight_decay=SAID, decay_mode="decoupled"),
        exact("torch.optim.Adam"),
    ),
    **every("RMSprop", inexpressible("torch.optim.RMSprop adds eps outside the root", epsilon_mode="inside"), exact("torch.optim.RMSprop, alpha = rho")),
    **every("Adagrad", bounded("1e-7 of the way travelled", "torch.optim.Adagrad adds eps outside the root", training=True, epsilon_mode="inside"), exact("torch.optim.Adagrad")),
    **every("Adadelta", exact("torch.optim.Adadelta")),
    **every("Nadam", exact("torch.optim.NAdam(momentum_decay=1.0)", momentum_decay=1.0), exact("torch.optim.NAdam")),
    **every("Adamax", bounded("5e-4 of the way travelled, for gradients near epsilon", "torch.optim.Adamax adds eps inside the maximum", training=True, epsilon_mode="outside"), exact("torch.optim.Adamax")),
    **every("Lion Lamb LAMB Ftrl", inexpressible("torch.optim has no #")),
    **every("Adafactor", inexpressible("torch.optim.Adafactor clips and scales by other rules")),
}
