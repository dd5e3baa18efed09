"""Vocabularies of lookups that Keras keeps beside the weights: with the tokens for masked and unknown elements, which ours are without.

What Keras would not read back to the same bytes stays the asset that it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from triptych.checks import LOOKUPS
from triptych.layouts.keras_v3.object_paths import INNER_LOOKUP, Saved
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Architecture, Json, Layer, Tensor
from triptych.vocabulary.lookup_tokens import VocabularyError, asset_named, asset_of, tokens_of

_MOST_BYTES = DEFAULT_LIMITS.document_bytes
_MOST_UNKNOWN = 1 << 20


def asset_at(path: str) -> str:
    """The name of the asset of the lookup at `path`."""
    return f"assets/{path}/vocabulary.txt"


def with_vocabularies(
    architecture: Architecture, saved: Sequence[Saved], assets: Mapping[str, Tensor]
) -> tuple[Architecture, dict[str, Tensor]]:
    """`architecture` whose lookups name the assets that their vocabularies stand in, and the assets with these in our form."""
    found = dict(assets)
    named: dict[str, Json] = {}
    for one in saved:
        name = asset_at(one.path)
        layer = one.layer
        if layer is None or layer.type not in LOOKUPS or layer.config.get("vocabulary") is not None or name not in assets:
            continue
        asset = _ours(layer, assets[name])
        twin = _twin(one)
        if asset is None or (twin is not None and (twin not in assets or bytes(assets[twin].read()) != bytes(assets[name].read()))):
            continue
        found[name], named[one.pointer] = asset, {"asset": name}
        if twin is not None:
            del found[twin]
    return with_config(architecture, "vocabulary", named), found


def _twin(one: Saved) -> str | None:
    """The name of the asset with which the lookup inside a TextVectorization says the same once more; None for other layers."""
    assert one.layer is not None
    return asset_at(f"{one.path}/{INNER_LOOKUP}") if one.layer.type == "TextVectorization" else None


def _ours(layer: Layer, theirs: Tensor) -> Tensor | None:
    """The asset in our form; None if ours would not lead back to it."""
    if theirs.nbytes > _MOST_BYTES:
        return None
    try:
        text = bytes(theirs.read()).decode()
        lines = text.splitlines()
        special = _special(layer)
        if lines[: len(special)] != special:
            return None
        asset = asset_of(lines[len(special) :])
        return asset if _theirs(layer, asset) == text.encode() else None
    except (UnicodeDecodeError, ValueError, VocabularyError):
        return None


def _special(layer: Layer) -> list[str]:
    """What Keras lists before the tokens."""
    config = layer.config
    unknown = config.get("num_oov_indices", 1)
    mask, absent = config.get("mask_token"), -1 if layer.type == "IntegerLookup" else "[UNK]"
    if layer.type == "TextVectorization":
        mask = ""
    if not isinstance(unknown, int) or unknown > _MOST_UNKNOWN:
        raise ValueError("expected a number of indices for unknown tokens")
    masked = [mask] if mask is not None and config.get("output_mode", "int") == "int" else []
    return [str(token) for token in (*masked, *[config.get("oov_token", absent)] * unknown)]


def _theirs(layer: Layer, ours: Tensor) -> bytes:
    """The content of Keras' asset for the one of ours.

    Raises:
        VocabularyError: `ours` is no list of tokens.
    """
    tokens = tokens_of({"vocabulary": {"asset": ""}}, {"": ours}, integers=layer.type == "IntegerLookup")
    return "\n".join([*_special(layer), *map(str, tokens or ())]).encode()


def apart(architecture: Architecture, saved: Sequence[Saved], assets: Mapping[str, Tensor]) -> tuple[Architecture, dict[str, Tensor]]:
    """The inverse of `with_vocabularies`: lookups whose vocabularies stand where Keras looks say nothing of them; its own assets."""
    found: dict[str, Tensor] = {}
    silent: dict[str, Json] = {}
    for one in saved:
        layer, name = one.layer, asset_at(one.path)
        if layer is None or layer.type not in LOOKUPS or asset_named(layer.config.get("vocabulary")) != name or name not in assets:
            continue
        try:
            content = _theirs(layer, assets[name])
        except (VocabularyError, ValueError):
            continue  # said where the vocabulary is put into the config
        silent[one.pointer] = None
        for there in filter(None, (name, _twin(one))):
            found[there] = Tensor("uint8", (len(content),), _reader(content))
    return with_config(architecture, "vocabulary", silent), found


def _reader(content: bytes) -> Callable[[], memoryview]:
    return lambda: memoryview(content)


def with_config(architecture: Architecture, member: str, values: Mapping[str, Json], start: str = "") -> Architecture:
    """`architecture` with `member` of the configs of some layers, by their pointers, as `values` say."""
    if not values:
        return architecture
    layers = tuple(_with(layer, member, values, f"{start}/layers/{index}") for index, layer in enumerate(architecture.layers))
    return replace(architecture, layers=layers)


def _with(layer: Layer, member: str, values: Mapping[str, Json], pointer: str) -> Layer:
    inside = layer.architecture
    config = layer.config
    if pointer in values:
        value = values[pointer]
        config = {key: item for key, item in config.items() if key != member} | ({} if value is None else {member: value})
    return replace(
        layer,
        config=config,
        architecture=None if inside is None else with_config(inside, member, values, f"{pointer}/architecture"),
        sublayers={role: _with(part, member, values, f"{pointer}/sublayers/{role}") for role, part in layer.sublayers.items()},
    )


__all__ = ["apart", "asset_at", "with_vocabularies"]
