"""What Keras leaves open in the config of a lookup: a vocabulary may begin with tokens that are in no vocabulary of ours."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, repeat

from triptych.checks.vocabularies import check_vocabulary
from triptych.errors import Findings, InvalidModelError
from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_config.plain import unsayable
from triptych.model import Json, Layer

_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}
"""Names that modes once had."""
_MOST_WIDTHS = 32
_YIELD_INDICES = frozenset({"StringLookup", "IntegerLookup", "Discretization"})
_MOST_WEIGHTS = 1 << 20
"""Indices for unknown tokens for which weights are written out."""


def settle(config: Mapping[str, Json], generation: Generation) -> Mapping[str, Json]:
    """`config` with a vocabulary of ours, a weight for each index, and today's name of the mode.

    Raises:
        Unsayable: It is no config that Keras takes.
    """
    given, unknown = config.get("output_mode", "int"), config.get("num_oov_indices", 1)
    mode = _MODES.get(given, given) if isinstance(given, str) else unsayable("a mode")
    if isinstance(unknown, bool) or not isinstance(unknown, int) or unknown < 0:
        unsayable("a number of indices for unknown tokens")
    result = {**config, "output_mode": mode}
    if config.get("dtype") == "string":
        # Layers once said what they take instead of what they yield.
        result["dtype"] = "int64" if mode == "int" else "float32"
    tokens, weights = config.get("vocabulary"), config.get("idf_weights")
    if generation < (3,):
        # Until Keras 3 they are a weight of the layer, too, and stand in the file among the others.
        weights = result["idf_weights"] = None
    if not isinstance(tokens, list):
        return result
    masked = 1 if config.get("mask_token") is not None and mode == "int" else 0
    special = chain(repeat(config.get("mask_token"), masked), repeat(config.get("oov_token"), min(unknown, len(tokens))))
    if len(tokens) >= masked + unknown and all(token == one for token, one in zip(tokens, special, strict=False)):
        result["vocabulary"] = tokens[masked + unknown :]
    elif weights is not None:
        result["idf_weights"] = _with_average(weights, unknown)
    return result


def settle_text(config: Mapping[str, Json], generation: Generation) -> Mapping[str, Json]:
    """The same for a TextVectorization, whose lookup always masks "" and has one index for unknown tokens; and n-grams as widths.

    Raises:
        Unsayable: It is no config that Keras takes.
    """
    widths = config.get("ngrams")
    if isinstance(widths, int):
        widths = list(range(1, widths + 1)) if 0 < widths <= _MOST_WIDTHS else unsayable("n-grams")
    return settle({**config, "ngrams": widths, "num_oov_indices": 1, "mask_token": "", "oov_token": "[UNK]"}, generation)


def expect_vocabulary(layer: Layer) -> None:
    """Look at the vocabulary of `layer`, a lookup, as a document of ours is looked at: Keras takes no token twice either.

    Raises:
        Unsayable: It is none of ours.
    """
    findings = Findings()
    check_vocabulary(layer, "", None, findings)
    try:
        findings.raise_if_any()
    except InvalidModelError:
        unsayable("a vocabulary")


def write_widths(widths: Json) -> Json:
    """The member ``ngrams`` as Keras says it: all widths up to one as a number."""
    return len(widths) if isinstance(widths, list) and widths == list(range(1, len(widths) + 1)) else widths


def dtype_of_indices(layer: Layer, generation: Generation) -> str | None:
    """The dtype of the indices that `layer` yields, if Keras takes it for the layer's own, as it does before Keras 3; else None."""
    config = layer.config
    if generation < (3,) and layer.type == "TextVectorization":
        return "string"
    if generation >= (3,) or layer.type not in _YIELD_INDICES or config.get("output_mode", "int") != "int":
        return None
    return str(config.get("output_dtype") or (layer.dtype if "int" in layer.dtype else "int64"))


def yielded_instead(layer: Layer, generation: Generation) -> str | None:
    """The dtype that Keras yields where `layer` says another one for what it yields; None where they agree."""
    config, mode = layer.config, layer.config.get("output_mode", "int")
    inverted = layer.type == "StringLookup" and config.get("invert")
    if mode == "tf_idf" or inverted or (layer.type == "Discretization" and mode != "int"):
        return None
    own = layer.compute_dtype or layer.dtype
    whole = own if "int" in own else "int64"
    said = str(config.get("output_dtype") or (whole if mode == "int" else own))
    if generation >= (3,):
        theirs = "int32" if layer.type == "Discretization" else "int64"
    else:
        theirs = own if mode != "int" else "int64" if layer.type == "TextVectorization" else said
    return None if theirs == said else f"{theirs} where {said} is said"


def _with_average(weights: Json, unknown: int) -> list[float]:
    """`weights` behind those of unknown tokens, which weigh as much as the others on average: Keras' rule."""
    import numpy as np

    if not isinstance(weights, list) or not weights or not all(type(one) in (int, float) for one in weights) or unknown > _MOST_WEIGHTS:
        unsayable("weights")
    return [float(np.average(np.asarray(weights, np.float64)))] * unknown + weights
