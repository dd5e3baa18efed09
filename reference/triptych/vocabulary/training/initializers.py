"""Initializers: how a weight begins. A formula gets the resolved config, the shape and a generator, and yields float64.

What is defined is the distribution; which numbers a seed yields is each framework's own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from triptych.model import Json
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field
from triptych.vocabulary.kinds import AXES, INTEGER, NOT_NEGATIVE, NUMBER, POSITIVE, choice, optional
from triptych.vocabulary.training.definition import define
from triptych.vocabulary.training.kinds import NUMBER_OR_NUMBERS, TEXT

FAMILY = "initializers"
Config = Mapping[str, Json]
Generator = Any
TRUNCATED_STDDEV = 0.87962566103423978
"""The standard deviation of a standard normal that is cut at ±2."""
DTYPE = Field("dtype", optional(TEXT), "Dtype of the numbers; null: that of the weight.", None)
SEED = Field("seed", optional(INTEGER), "Seed of its random numbers; null: any.", None)
AXES_FIELDS = (
    Field("input_axes", optional(AXES), "Axes that count as inputs; null: by the rule for the rank.", None),
    Field("output_axes", optional(AXES), "Axes that count as outputs; null: by the rule for the rank.", None),
)


def _define(name: str, doc: str, equation: str, formula: object, *fields: Field, torch: str = "", flax: str = "") -> None:
    assert callable(formula)
    equivalents = {"keras": name} | ({"torch": torch} if torch else {}) | ({"flax": flax} if flax else {})
    define(FAMILY, name, doc, equation, formula, fields=(*fields, DTYPE), equivalents=equivalents)


def truncated_normal(generator: Generator, shape: Sequence[int]) -> Array:
    """Standard normal numbers; those beyond ±2 are drawn again."""
    values = generator.standard_normal(tuple(shape))
    while (outside := np.abs(values) > 2.0).any():
        values[outside] = generator.standard_normal(int(outside.sum()))
    return values


def fans(
    shape: Sequence[int], input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """How many inputs an output has, and how many outputs an input has."""
    if input_axes is not None and output_axes is not None:
        return math.prod(shape[axis] for axis in input_axes), math.prod(shape[axis] for axis in output_axes)
    if len(shape) < 2:
        return (shape[0], shape[0]) if shape else (1, 1)
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


_define("Zeros", "All 0.", "0", lambda _c, shape, _g: np.zeros(shape), torch="nn.init.zeros_", flax="zeros")
_define("Ones", "All 1.", "1", lambda _c, shape, _g: np.ones(shape), torch="nn.init.ones_", flax="ones")
_define(
    "Constant",
    "All the same, or a given array.",
    "value, repeated along the axes that it lacks",
    lambda c, shape, _g: np.broadcast_to(np.asarray(c["value"], np.float64), shape).copy(),
    Field("value", NUMBER_OR_NUMBERS, "The value.", 0.0),
    torch="nn.init.constant_",
    flax="constant",
)
_define(
    "Identity",
    "gain where both indices of a matrix agree, else 0.",
    "gain × (1 if i = j else 0)",
    lambda c, shape, _g: c["gain"] * np.eye(*shape),
    Field("gain", NUMBER, "The factor.", 1.0),
    torch="nn.init.eye_",
)
_define(
    "RandomNormal",
    "Normal numbers.",
    "normal(mean, stddev)",
    lambda c, shape, g: c["mean"] + c["stddev"] * g.standard_normal(tuple(shape)),
    Field("mean", NUMBER, "The mean.", 0.0),
    Field("stddev", NOT_NEGATIVE, "The standard deviation.", 0.05),
    SEED,
    torch="nn.init.normal_",
    flax="normal",
)
_define(
    "RandomUniform",
    "Uniform numbers.",
    "uniform(minval, maxval)",
    lambda c, shape, g: g.uniform(c["minval"], c["maxval"], tuple(shape)),
    Field("minval", NUMBER, "The least.", -0.05),
    Field("maxval", NUMBER, "The largest.", 0.05),
    SEED,
    torch="nn.init.uniform_",
    flax="uniform: from 0",
)
_define(
    "TruncatedNormal",
    "Normal numbers; those further from the mean than 2 × stddev are drawn again.",
    "mean + stddev × t, t = standard normal within ±2; its standard deviation is 0.8796 × stddev",
    lambda c, shape, g: c["mean"] + c["stddev"] * truncated_normal(g, shape),
    Field("mean", NUMBER, "The mean.", 0.0),
    Field("stddev", NOT_NEGATIVE, "The standard deviation before numbers are drawn again.", 0.05),
    SEED,
    torch="nn.init.trunc_normal_: a, b = mean ± 2 × std",
    flax="truncated_normal",
)


def _scaled(c: Config, shape: Sequence[int], g: Generator) -> Array:
    into, out = fans(shape, c["input_axes"], c["output_axes"])
    fan = {"fan_in": into, "fan_out": out, "fan_avg": (into + out) / 2.0}[c["mode"]]
    variance = c["scale"] / max(1.0, fan)
    if c["distribution"] == "uniform":
        limit = math.sqrt(3.0 * variance)
        return g.uniform(-limit, limit, tuple(shape))
    if c["distribution"] == "untruncated_normal":
        return math.sqrt(variance) * g.standard_normal(tuple(shape))
    return math.sqrt(variance) / TRUNCATED_STDDEV * truncated_normal(g, shape)


_SCALING = """v = scale / max(1, fan);  fan_in = shape[-2] × field, fan_out = shape[-1] × field, fan_avg = their mean, field = product of shape[:-2]; rank 1: both shape[0]; rank 0: 1
distribution uniform: uniform(-sqrt(3 × v), sqrt(3 × v));  untruncated_normal: normal(0, sqrt(v))
truncated_normal: sqrt(v) / 0.87962566103423978 × t, t = standard normal within ±2"""
_define(
    "VarianceScaling",
    "Numbers whose variance is a factor over the number of inputs, outputs or both.",
    _SCALING,
    _scaled,
    Field("scale", POSITIVE, "The factor.", 1.0),
    Field("mode", choice("fan_in", "fan_out", "fan_avg"), "What it is divided by.", "fan_in"),
    Field("distribution", choice("truncated_normal", "untruncated_normal", "uniform"), "The distribution.", "truncated_normal"),
    SEED,
    *AXES_FIELDS,
    torch="nn.init.kaiming_uniform_(a=sqrt(5)), the default of Linear and Conv: scale 1/3, fan_in, uniform",
    flax="variance_scaling",
)
for _name, _scale, _mode, _distribution, _torch in (
    ("GlorotNormal", 1.0, "fan_avg", "truncated_normal", "nn.init.xavier_normal_: untruncated"),
    ("GlorotUniform", 1.0, "fan_avg", "uniform", "nn.init.xavier_uniform_"),
    ("HeNormal", 2.0, "fan_in", "truncated_normal", "nn.init.kaiming_normal_: untruncated"),
    ("HeUniform", 2.0, "fan_in", "uniform", "nn.init.kaiming_uniform_"),
    ("LecunNormal", 1.0, "fan_in", "truncated_normal", ""),
    ("LecunUniform", 1.0, "fan_in", "uniform", ""),
):
    _define(
        _name,
        f"VarianceScaling with scale {_scale}, {_mode}, {_distribution}.",
        f"VarianceScaling: scale {_scale}, mode {_mode}, distribution {_distribution}",
        lambda c, shape, g, known=(_scale, _mode, _distribution): _scaled(
            {**c, "scale": known[0], "mode": known[1], "distribution": known[2]}, shape, g
        ),
        SEED,
        *AXES_FIELDS,
        torch=_torch,
        flax={"Glorot": "glorot", "He": "he", "Lecun": "lecun"}[_name.removesuffix("Normal").removesuffix("Uniform")]
        + ("_normal" if _name.endswith("Normal") else "_uniform"),
    )


def _orthogonal(c: Config, shape: Sequence[int], g: Generator) -> Array:
    rows, columns = math.prod(shape[:-1]), shape[-1]
    q, r = np.linalg.qr(g.standard_normal((max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))
    return c["gain"] * (q.T if rows < columns else q).reshape(tuple(shape))


_define(
    "Orthogonal",
    "A random orthogonal matrix, all axes but the last taken together as rows.",
    "gain × q × sign(diagonal of r), q r = the QR decomposition of normal numbers, transposed where there are more columns than rows",
    _orthogonal,
    Field("gain", NUMBER, "The factor.", 1.0),
    SEED,
    torch="nn.init.orthogonal_",
    flax="orthogonal",
)
