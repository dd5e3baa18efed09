"""TensorFlow.js models: ``model.json`` with the weights files it names beside it. Layers models whole, of graph models the weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from triptych.errors import UsageError, shorten
from triptych.layouts.layout import Layout
from triptych.layouts.problems import invalid, mismatch
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Architecture, Json, Panels, Tensor, Weights

if TYPE_CHECKING:
    from triptych.layouts.keras_weights.assignment import Array
    from triptych.layouts.keras_weights.places import TopLayer

EXTENSION = "tfjs"
_START = re.compile(rb'\s*\{[^\0]*("modelTopology"|"(layers|graph)-model")')


def _recognises(_: Path, head: bytes) -> bool:
    return _START.match(head) is not None


def _read(path: Path, *, allow_code: bool = False) -> Panels:
    from triptych.layouts import keras_config
    from triptych.layouts.keras_config import text
    from triptych.layouts.keras_weights.names import unique
    from triptych.layouts.tfjs.manifest import stored_tensors

    limit = DEFAULT_LIMITS.document_bytes
    with path.open("rb") as file:
        document = text.parse(file.read(limit + 1), "json", path.name)
    if not isinstance(document, dict):
        raise invalid(path.name, f"expected an object, got {shorten(document)}")
    topology = document.get("modelTopology")
    is_graph = isinstance(topology, dict) and "node" in topology
    architecture = None
    if not is_graph and (config := text.model_object(document, path.name)) is not None:
        architecture = keras_config.read_model_config(
            config, keras_version=_text(config.get("keras_version")), backend=_text(config.get("backend")), allow_code=allow_code
        )
    stored, left_out = stored_tensors(document.get("weightsManifest"), path)
    if architecture is None and stored is None:
        raise invalid(path.name, "expected a model of layers, or weights beside it, got neither")
    extensions: dict[str, Json] = {EXTENSION: {"not_read": left_out}} if left_out else {}
    panels = Panels(extensions=extensions, extensions_used=tuple(extensions))
    if stored is None:
        return _with(panels, architecture, None)
    if architecture is None:
        names = unique(stored)
        return _with(panels, None, Weights(dict(zip(names, stored.values(), strict=True))))
    return _with(panels, *_assigned(architecture, stored))


def _with(panels: Panels, architecture: Architecture | None, weights: Weights | None) -> Panels:
    return replace(panels, architecture=architecture, weights=weights, name=architecture.name if architecture else None)


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def left_out(panels: Panels) -> tuple[str, ...]:
    """A sentence for each weight of the model that was read that `panels` do not hold."""
    kept = panels.extensions.get(EXTENSION)
    names = kept.get("not_read") if isinstance(kept, Mapping) else None
    return tuple(f"the strings of {shorten(name)}, which is no tensor" for name in (names if isinstance(names, list | tuple) else ()))


def _assigned(architecture: Architecture, stored: Mapping[str, Tensor]) -> tuple[Architecture, Weights]:
    """The tensors under the names that the architecture gives them; with what layers of unknown type were found to own."""
    from triptych.layouts.keras_weights.assignment import Array
    from triptych.layouts.keras_weights.matching import matches, with_unknown_weights
    from triptych.layouts.keras_weights.places import top_layers

    tops = top_layers(architecture)
    homes = {owner.name: top.name for top in tops.values() for owner in top.owners} | {name: name for name in tops}
    groups: dict[str, list[Array]] = {name: [] for name in tops}
    for name, tensor in stored.items():
        groups[_home(name, homes, tops)].append(Array(name, tensor.shape))
    architecture = with_unknown_weights(architecture, groups)
    tensors = {}
    for found in matches(groups, top_layers(architecture)):
        for place, label in zip(found.top.places, found.labels, strict=True):
            tensors[place.tensor] = stored[label]
    return architecture, Weights(tensors)


def _home(weight: str, homes: Mapping[str, str], tops: Mapping[str, TopLayer]) -> str:
    scopes = weight.split("/")[:-1]
    home = next((scope for scope in scopes if scope in tops), None) or next((homes[scope] for scope in scopes if scope in homes), None)
    if home is None:
        raise mismatch(weight, "expected a weight whose name begins with that of a layer of the model")
    return home


def _write(panels: Panels, path: Path, **options: Any) -> NoReturn:  # noqa: ARG001 - it is refused whatever it is
    raise UsageError("expected a layout that is written, too; models for TensorFlow.js are made by its converter, from Keras HDF5 or .keras")


LAYOUT = Layout(
    name="tfjs",
    title="TensorFlow.js model",
    suffixes=(),
    recognises=_recognises,
    read=_read,
    write=_write,
    outline=_write,
    read_options=frozenset({"allow_code"}),
)
