"""What types of layers and operations are called in Flax, JAX and ONNX, next to the names in Keras and PyTorch that definitions say themselves.

Several types share a counterpart, told apart by its arguments; one without a row is an expression of several operators there.
"""

from __future__ import annotations

from collections.abc import Mapping


def _table(rows: Mapping[str, str]) -> dict[str, str]:
    """Counterpart -> types, as type -> counterpart; ``{n}`` in a type stands for 1, 2 and 3."""
    found: dict[str, str] = {}
    for counterpart, names in rows.items():
        for name in names.split():
            found |= dict.fromkeys([name.replace("{n}", str(rank)) for rank in (1, 2, 3)] if "{n}" in name else [name], counterpart)
    return found


FLAX = _table(
    {
        "flax.linen.Module": "Model",
        "flax.linen.Dense": "Dense",
        "flax.linen.Einsum": "EinsumDense",
        "flax.linen.Embed": "Embedding PositionEmbedding",
        "flax.linen.Dropout": "Dropout SpatialDropout{n}D",
        "flax.linen.Conv": "Conv{n}D DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D",
        "flax.linen.ConvTranspose": "Conv{n}DTranspose",
        "flax.linen.max_pool": "MaxPooling{n}D",
        "flax.linen.avg_pool": "AveragePooling{n}D",
        "flax.linen.BatchNorm": "BatchNormalization",
        "flax.linen.LayerNorm": "LayerNormalization",
        "flax.linen.RMSNorm": "RMSNormalization",
        "flax.linen.GroupNorm": "GroupNormalization",
        "flax.linen.InstanceNorm": "InstanceNormalization",
        "flax.linen.SpectralNorm": "SpectralNormalization",
        "flax.linen.PReLU": "PReLU",
        "flax.linen.relu": "ReLU",
        "flax.linen.leaky_relu": "LeakyReLU",
        "flax.linen.elu": "ELU",
        "flax.linen.celu": "CELU",
        "flax.linen.glu": "GLU",
        "flax.linen.softplus": "Softplus",
        "flax.linen.hard_tanh": "HardTanh",
        "flax.linen.softmax": "Softmax",
        "flax.linen.SimpleCell": "SimpleRNNCell",
        "flax.linen.OptimizedLSTMCell": "LSTMCell",
        "flax.linen.GRUCell": "GRUCell",
        "flax.linen.ConvLSTMCell": "ConvLSTM{n}D",
        "flax.linen.RNN": "RNN SimpleRNN LSTM GRU",
        "flax.linen.Bidirectional": "Bidirectional",
        "flax.linen.MultiHeadDotProductAttention": "MultiHeadAttention",
        "flax.linen.dot_product_attention": "Attention",
        "jax.nn.dot_product_attention": "GroupQueryAttention",
        "jax.vmap": "TimeDistributed",
        "jax.numpy.reshape": "Flatten Reshape",
        "jax.numpy.transpose": "Permute",
        "jax.numpy.repeat": "RepeatVector",
        "jax.numpy.pad": "ZeroPadding{n}D Padding{n}D",
        "jax.image.resize": "UpSampling{n}D Resizing",
        "jax.numpy.mean": "GlobalAveragePooling{n}D",
        "jax.numpy.max": "GlobalMaxPooling{n}D",
        "jax.numpy.add": "Add",
        "jax.numpy.subtract": "Subtract",
        "jax.numpy.multiply": "Multiply",
        "jax.numpy.maximum": "Maximum",
        "jax.numpy.minimum": "Minimum",
        "jax.numpy.concatenate": "Concatenate",
        "jax.numpy.digitize": "Discretization",
        "jax.nn.one_hot": "CategoryEncoding",
    }
)
ONNX = _table(
    {
        "Gemm": "Dense",
        "Einsum": "EinsumDense",
        "Gather": "Embedding PositionEmbedding",
        "Identity": "Identity ActivityRegularization",
        "Dropout": "Dropout SpatialDropout{n}D AlphaDropout GaussianDropout",
        "Conv": "Conv{n}D DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D",
        "ConvTranspose": "Conv{n}DTranspose",
        "MaxPool": "MaxPooling{n}D",
        "AveragePool": "AveragePooling{n}D",
        "GlobalMaxPool": "GlobalMaxPooling{n}D",
        "GlobalAveragePool": "GlobalAveragePooling{n}D",
        "BatchNormalization": "BatchNormalization",
        "LayerNormalization": "LayerNormalization",
        "RMSNormalization": "RMSNormalization",
        "GroupNormalization": "GroupNormalization",
        "InstanceNormalization": "InstanceNormalization",
        "LRN": "LocalResponseNormalization",
        "LpNormalization": "UnitNormalization",
        "Relu": "ReLU",
        "LeakyRelu": "LeakyReLU",
        "PRelu": "PReLU",
        "Elu": "ELU",
        "Celu": "CELU",
        "ThresholdedRelu": "ThresholdedReLU",
        "Softplus": "Softplus",
        "Softmax": "Softmax",
        "Clip": "HardTanh",
        "Shrink": "HardShrink SoftShrink",
        "Flatten": "Flatten",
        "Reshape": "Reshape",
        "Transpose": "Permute",
        "Tile": "RepeatVector",
        "Pad": "ZeroPadding{n}D Padding{n}D",
        "Slice": "Cropping{n}D",
        "Resize": "UpSampling{n}D Resizing",
        "CenterCropPad": "CenterCrop",
        "DepthToSpace": "PixelShuffle",
        "SpaceToDepth": "PixelUnshuffle",
        "Add": "Add",
        "Sub": "Subtract",
        "Mul": "Multiply",
        "Mean": "Average",
        "Max": "Maximum",
        "Min": "Minimum",
        "Concat": "Concatenate",
        "RNN": "SimpleRNN",
        "LSTM": "LSTM",
        "GRU": "GRU",
        "Scan": "RNN TimeDistributed",
        "Attention": "Attention MultiHeadAttention GroupQueryAttention",
        "RotaryEmbedding": "RotaryEmbedding",
        "OneHot": "CategoryEncoding",
    }
)
LAYER_COUNTERPARTS: Mapping[str, Mapping[str, str]] = {"flax": FLAX, "onnx": ONNX}
"""Framework -> type of layer -> its name there; names of ONNX are operators of opset 23."""

_JAX_NUMPY = (
    "add subtract multiply divide floor_divide remainder power maximum minimum equal not_equal less less_equal greater greater_equal logical_and "
    "logical_or negative absolute sign square logical_not floor ceil round reciprocal sqrt exp expm1 log log1p log2 log10 sin cos tan arctan sinh "
    "cosh tanh where clip sum mean max min any all argmax argmin reshape transpose squeeze expand_dims broadcast_to flip concatenate stack split "
    "tile repeat roll pad take_along_axis matmul einsum"
)
_RENAMED = {
    "jax.lax.rsqrt": "rsqrt", "jax.nn.sigmoid": "sigmoid", "jax.nn.relu": "relu", "jax.scipy.special.erf": "erf", "jax.numpy.isnan": "is_nan",
    "jax.numpy.isfinite": "is_finite", "jax.numpy.astype": "cast", "jax.numpy.prod": "product", "jax.nn.logsumexp": "logsumexp",
    "jax.numpy.var": "variance", "jax.nn.softmax": "softmax", "jax.nn.log_softmax": "log_softmax", "jax.numpy.cumsum": "cumulative_sum",
    "jax.lax.top_k": "top_k", "jax.numpy.ravel": "flatten", "jax.lax.slice": "slice", "jax.numpy.take": "gather", "jax.nn.one_hot": "one_hot",
    "jax.numpy.full": "constant", "jax.nn.dot_product_attention": "attention", "jax.numpy.tril": "triangle",
}  # fmt: skip
JAX = {**{name: f"jax.numpy.{name}" for name in _JAX_NUMPY.split()}, **_table(_RENAMED)}
ONNX_OPERATORS = _table(
    {
        "Add": "add", "Sub": "subtract", "Mul": "multiply", "Div": "divide", "Mod": "remainder", "Pow": "power", "Max": "maximum", "Min": "minimum",
        "Equal": "equal", "Less": "less", "LessOrEqual": "less_equal", "Greater": "greater", "GreaterOrEqual": "greater_equal", "And": "logical_and",
        "Or": "logical_or", "Neg": "negative", "Abs": "absolute", "Sign": "sign", "Not": "logical_not", "Floor": "floor", "Ceil": "ceil", "Round": "round",
        "Reciprocal": "reciprocal", "Sqrt": "sqrt", "Exp": "exp", "Log": "log", "Sin": "sin", "Cos": "cos", "Tan": "tan", "Atan": "arctan", "Sinh": "sinh",
        "Cosh": "cosh", "Tanh": "tanh", "Sigmoid": "sigmoid", "Relu": "relu", "Erf": "erf", "IsNaN": "is_nan", "Where": "where", "Clip": "clip", "Cast": "cast",
        "ReduceSum": "sum", "ReduceProd": "product", "ReduceMean": "mean", "ReduceMax": "max", "ReduceMin": "min", "ReduceLogSumExp": "logsumexp",
        "ArgMax": "argmax", "ArgMin": "argmin", "Softmax": "softmax", "LogSoftmax": "log_softmax", "CumSum": "cumulative_sum", "LpNormalization": "l2_normalize",
        "TopK": "top_k", "Reshape": "reshape", "Flatten": "flatten", "Transpose": "transpose", "Squeeze": "squeeze", "Unsqueeze": "expand_dims",
        "Expand": "broadcast_to", "Slice": "slice", "Concat": "concatenate", "Split": "split", "Tile": "tile", "Pad": "pad", "Gather": "gather",
        "GatherElements": "take_along_axis", "OneHot": "one_hot", "ConstantOfShape": "constant", "Identity": "identity", "MatMul": "matmul", "Einsum": "einsum",
        "Attention": "attention", "Trilu": "triangle",
    }
)  # fmt: skip
OPERATION_COUNTERPARTS: Mapping[str, Mapping[str, str]] = {"jax": JAX, "onnx": ONNX_OPERATORS}
"""Framework -> operation -> its name there."""


def counterparts(tables: Mapping[str, Mapping[str, str]], name: str, **said: str | None) -> dict[str, str]:
    """Framework -> what `name` is called there: what a definition has `said`, then what `tables` know."""
    found = {framework: there for framework, there in said.items() if there}
    return found | {framework: table[name] for framework, table in tables.items() if name in table}
