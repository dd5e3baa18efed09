"""Where each layer of an architecture stands: the names that lead to it, which Keras' weight names repeat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from triptych.model import Architecture, Layer, WeightReference


@dataclass(frozen=True, slots=True)
class Owner:
    """A layer that can own weights."""

    pointer: str
    """Of the layer in its document."""
    path: str
    """Names and sublayer roles joined with dots, as tensor names begin."""
    lineage: tuple[str, ...]
    """The same one by one, outermost first, sublayer roles marked with "@"."""
    layer: Layer

    @property
    def name(self) -> str:
        """The innermost name: that of the layer itself, or of the layer that it is a part of."""
        return next((part for part in reversed(self.lineage) if not part.startswith("@")), "")

    @property
    def is_extension(self) -> bool:
        """Whether its type is outside the vocabulary, so that only the file says what weights it has."""
        return ":" in self.layer.type


def owners(layer: Layer, index: int) -> Iterator[Owner]:
    """`layer`, the `index`-th of its architecture, and every layer inside it, outermost first."""
    yield from _owners(layer, f"/layers/{index}", layer.name, (layer.name,))


def _owners(layer: Layer, pointer: str, path: str, lineage: tuple[str, ...]) -> Iterator[Owner]:
    yield Owner(pointer, path, lineage, layer)
    for role, sublayer in sorted(layer.sublayers.items(), key=lambda one: _order(one[0])):
        yield from _owners(sublayer, f"{pointer}/sublayers/{role}", f"{path}.{role}", (*lineage, f"@{role}"))
    if layer.architecture is not None:
        for index, inner in enumerate(layer.architecture.layers):
            yield from _owners(inner, f"{pointer}/architecture/layers/{index}", f"{path}.{inner.name}", (*lineage, inner.name))


def class_of(layer: Layer) -> str:
    """The name of its class in Keras, of a type of the vocabulary."""
    if layer.architecture is not None:
        return "Sequential" if layer.architecture.is_sequential else "Functional"
    return "GroupedQueryAttention" if layer.type == "GroupQueryAttention" else layer.type


def _order(role: str) -> tuple[bool, str, int]:
    """`forward` first, ``cell_10`` behind ``cell_9``."""
    stem = role.rstrip("0123456789")
    return role != "forward", stem, int(role[len(stem) :] or 0)


def with_weights(architecture: Architecture, listed: dict[str, dict[str, WeightReference]]) -> Architecture:
    """`architecture` with the weights in `listed` (pointer of a layer -> role -> reference) added to its layers.

    A document keeps roles sorted; where a layer of unknown type has them in another order, ``extensions.keras.weight_order`` says it.
    """
    if not listed:
        return architecture
    layers = tuple(_with(layer, f"/layers/{index}", listed) for index, layer in enumerate(architecture.layers))
    return replace(architecture, layers=layers)


def _with(layer: Layer, pointer: str, listed: dict[str, dict[str, WeightReference]]) -> Layer:
    inner = layer.architecture
    if inner is not None:
        start = f"{pointer}/architecture"
        inner = with_weights(inner, {p[len(start) :]: found for p, found in listed.items() if p.startswith(f"{start}/")})
    added = listed.get(pointer, {})
    extensions = layer.extensions
    if ":" in layer.type and sorted(added) != list(added):
        extensions = {**extensions, "keras": {**extensions.get("keras", {}), "weight_order": list(added)}}
    return replace(
        layer,
        architecture=inner,
        sublayers={role: _with(part, f"{pointer}/sublayers/{role}", listed) for role, part in layer.sublayers.items()},
        weights={**layer.weights, **dict(sorted(added.items()))},
        extensions=extensions,
    )


def weight_order(layer: Layer) -> list[str]:
    """The roles of a layer of unknown type in the order in which Keras lists its weights; empty where that is the order of names."""
    keras = layer.extensions.get("keras")
    order = keras.get("weight_order") if isinstance(keras, Mapping) else None
    return [str(role) for role in order] if isinstance(order, list | tuple) else []
