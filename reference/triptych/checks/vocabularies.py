"""Whether the vocabulary of a lookup is a list of tokens, wherever it stands (chapter 25)."""

from __future__ import annotations

from collections.abc import Mapping

from triptych.errors import Findings
from triptych.model import Layer, Tensor
from triptych.vocabulary import LAYER_TYPES
from triptych.vocabulary.lookup import number_of_indices
from triptych.vocabulary.lookup_tokens import VocabularyError, asset_named, tokens_of
from triptych.vocabulary.vectorization import AS_LOOKUP


def check_vocabulary(layer: Layer, pointer: str, assets: Mapping[str, Tensor] | None, findings: Findings) -> None:
    """Add the problem of the vocabulary of `layer`, a lookup whose config has passed its schema, if there is one.

    Args:
        layer: The lookup.
        pointer: Where it stands in the architecture.
        assets: Of the package, by name; None for an architecture by itself, whose assets nobody has seen.
        findings: Those of the architecture's document.
    """
    config = LAYER_TYPES[layer.type].resolve(layer.config)
    if layer.type == "TextVectorization":
        config |= AS_LOOKUP
    name = asset_named(config["vocabulary"])
    if name is not None and assets is None:
        return
    try:
        tokens = tokens_of(config, assets or {}, integers=layer.type == "IntegerLookup")
    except VocabularyError as error:
        where = findings if error.pointer is not None or name is None else findings.at(name)
        where.add(error.requirement, None if error.pointer is None else f"{pointer}/config{error.pointer}", str(error))
        return
    said, count = config["vocabulary_size"], None if tokens is None else number_of_indices(config, len(tokens))
    if said is not None and count is not None and said != count:
        message = f"expected {count} indices, as the vocabulary gives, got {said}"
        findings.add("LYR-039", f"{pointer}/config/vocabulary_size", message)
