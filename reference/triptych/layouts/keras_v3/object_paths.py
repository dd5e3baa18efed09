"""The rule by which Keras 3 names what it saves: attributes and counted class names that lead to an object, never its own name.

The first ``Dense`` of a model is ``layers/dense`` and the second ``layers/dense_1``, whatever they are called; layers without weights
count too. One walk over a configuration and the architecture that says the same yields every object in Keras' order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from triptych.layouts.keras_config.generations import Generation
from triptych.layouts.keras_config.layers import extension_of
from triptych.layouts.keras_v3.graph_order import paired
from triptych.layouts.keras_weights.assignment import Place
from triptych.layouts.keras_weights.lineage import Owner
from triptych.layouts.keras_weights.places import top_layers
from triptych.layouts.nesting import leading_to
from triptych.model import Architecture, Json, Layer

_CELLS = {
    "LSTM": "lstm_cell",
    "GRU": "gru_cell",
    "SimpleRNN": "simple_rnn_cell",
    "ConvLSTM1D": "conv_lstm_cell",
    "ConvLSTM2D": "conv_lstm_cell",
    "ConvLSTM3D": "conv_lstm_cell",
}
"""Type -> the name of the cell inside that owns its weights."""
_PROJECTIONS = ("query", "key", "value", "output")
INNER_LOOKUP = "_lookup_layer"
"""The attribute of a TextVectorization with the lookup inside, which saves what it has once more."""
_KEYS = frozenset({"idf_weights"})
"""Roles that are keys, too."""
_PARTS = {"forward": "forward_layer", "backward": "backward_layer", "layer": "layer", "cell": "cell"}
"""Sublayer role -> the attribute of the wrapper, where it is no list."""
_CLASSES = {"GroupQueryAttention": "GroupedQueryAttention"}
"""Name under which Keras serialises a class -> the name of the class, where they differ."""
_OPERATIONS = ("keras.src.ops", "keras.ops")
"""Modules of what stands among the layers of a graph and is none."""


@dataclass(frozen=True, slots=True)
class Saved:
    """One object that has a group of variables."""

    path: str
    """Without ``/vars``; empty for the model itself."""
    name: str | None
    """What Keras writes beside the variables since version 3.6."""
    places: tuple[Place, ...] = ()
    """The weights in the order of their indices."""
    other: str | None = None
    """The path under which later versions have the same."""
    owner: Owner | None = None
    """The layer of unknown type that everything here and below belongs to."""
    layer: Layer | None = None
    """The layer of a type that keeps nothing in parts of its own."""
    pointer: str = ""
    """To `layer`, in the architecture."""

    @property
    def keyed(self) -> list[tuple[str, Place]]:
        """The weights with the keys that they have in the group: their indices, but for lookups, which say a word."""
        return [(place.role if place.role in _KEYS else str(index), place) for index, place in enumerate(self.places)]


def saved_objects(
    model: Mapping[str, Json], architecture: Architecture, generation: Generation, *, twice: Callable[[str], bool] | None = None
) -> list[Saved]:
    """Every layer-like object that Keras saves of `architecture`, which the model object `model` describes too.

    TensorFlow 2.12 and 2.13 counted a layer with weights twice. `twice` stands for them: whether the file has weights at or below a path,
    where the architecture does not tell.
    """
    return list(_Walk(architecture, generation, twice).all(model, architecture))


def snake(class_name: str, generation: Generation) -> str:
    """A class name as `generation` turns it into a part of a path."""
    bare = class_name.rsplit(">", maxsplit=1)[-1]
    if generation >= (3,):
        bare = re.sub(r"\W+", "", bare)
    spaced = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", bare)).lower()
    return f"private{spaced}" if spaced.startswith("_") and generation < (3,) else spaced


class _Walk:
    """One walk over one model."""

    def __init__(self, architecture: Architecture, generation: Generation, twice: Callable[[str], bool] | None) -> None:
        self._generation = generation
        self._twice = twice
        tops = top_layers(architecture).values()
        self._owners = {owner.pointer: owner for top in tops for owner in top.owners}
        self._places: dict[str, dict[str, Place]] = {}
        for top in tops:
            for place in top.places:
                self._places.setdefault(place.owner.pointer, {})[place.role] = place
        self._holding = leading_to(self._places)

    def all(self, model: Mapping[str, Json], architecture: Architecture) -> Iterator[Saved]:
        """Everything, the model itself first."""
        if not {"whole", "text"}.isdisjoint(extension_of(architecture.extensions)) and not architecture.inputs:
            # A class of its own, or a graph that our terms cannot say: one layer of unknown type stands for the whole model.
            yield Saved("", _name(model), owner=self._owners["/layers/0"])
            return
        yield Saved("", _name(model) or architecture.name)
        yield from self._layers(model, architecture, "layers", "")

    def _layers(self, model: Mapping[str, Json], architecture: Architecture, path: str, pointer: str) -> Iterator[Saved]:
        config = model.get("config")
        listed = config.get("layers") if isinstance(config, dict) else config
        entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
        if model.get("class_name") == "Sequential" and entries and entries[0].get("class_name") == "InputLayer":
            entries = entries[1:]
        used: Counter[str] = Counter()
        for entry, index, layer in paired(entries, architecture):
            if str(entry.get("module", "")).startswith(_OPERATIONS):
                continue
            found, here = f"{path}/{self._counted(entry, used)}", f"{pointer}/layers/{index}"
            if layer is None:
                yield Saved(found, _name(entry))
                continue
            yield from self._layer(entry, layer, found, here)
            if self._twice is not None and (here in self._holding or self._twice(found)):
                self._counted(entry, used)

    def _counted(self, entry: Mapping[str, Json], used: Counter[str]) -> str:
        class_name = str(entry.get("class_name"))
        stem = snake(_CLASSES.get(class_name, class_name), self._generation)
        used[stem] += 1
        return stem if used[stem] == 1 else f"{stem}_{used[stem] - 1}"

    def _layer(self, entry: Mapping[str, Json], layer: Layer, path: str, pointer: str) -> Iterator[Saved]:
        name = _name(entry)
        if layer.architecture is not None:
            yield Saved(path, name)
            yield from self._layers(entry, layer.architecture, f"{path}/layers", f"{pointer}/architecture")
            return
        if ":" in layer.type:
            yield Saved(path, name, owner=self._owners[pointer])
            return
        own = self._places.get(pointer, {})
        config = entry.get("config")
        inner = config if isinstance(config, dict) else {}
        if layer.type in _CELLS:
            yield Saved(path, name)
            yield Saved(f"{path}/cell", _CELLS[layer.type], tuple(own.values()))
        elif layer.type in ("MultiHeadAttention", "GroupQueryAttention"):
            yield Saved(path, name)
            yield from self._projections(own, path, renamed=layer.type == "MultiHeadAttention")
        elif layer.type == "SpectralNormalization":
            # It keeps the kernel of the layer inside, which has it too, before its own vector.
            kernels = [p for role, p in self._places.get(f"{pointer}/sublayers/layer", {}).items() if role in ("kernel", "embeddings")]
            yield Saved(path, name, (*kernels, *own.values()))
            yield from self._sublayer(inner.get("layer"), layer.sublayers.get("layer"), f"{path}/layer", f"{pointer}/sublayers/layer")
        else:
            yield Saved(path, name, tuple(own.values()), layer=layer, pointer=pointer)
            if layer.type == "TextVectorization":
                yield Saved(f"{path}/{INNER_LOOKUP}", "string_lookup", tuple(own.values()))
            yield from self._wrapped(inner, layer, path, pointer)

    def _projections(self, own: Mapping[str, Place], path: str, *, renamed: bool) -> Iterator[Saved]:
        for one in _PROJECTIONS:
            places = tuple(place for role, place in own.items() if role.startswith(f"{one}_"))
            label = "attention_output" if one == "output" else one
            yield Saved(f"{path}/_{one}_dense", label, places, other=f"{path}/{one}_dense" if renamed else None)
        yield Saved(f"{path}/_softmax", "softmax")

    def _wrapped(self, config: Mapping[str, Json], layer: Layer, path: str, pointer: str) -> Iterator[Saved]:
        cells = config.get("cells")
        parts = {
            "Bidirectional": {"forward": config.get("layer"), "backward": config.get("backward_layer") or config.get("layer")},
            "TimeDistributed": {"layer": config.get("layer")},
            "RNN": {"cell": config.get("cell")},
            "StackedRNNCells": {f"cell_{number}": entry for number, entry in enumerate(cells if isinstance(cells, list) else [])},
        }
        used: Counter[str] = Counter()
        for role, entry in parts.get(layer.type, {}).items():
            part = _PARTS.get(role) or f"cells/{self._counted(entry, used)}"
            yield from self._sublayer(entry, layer.sublayers.get(role), f"{path}/{part}", f"{pointer}/sublayers/{role}")

    def _sublayer(self, entry: Json, layer: Layer | None, path: str, pointer: str) -> Iterator[Saved]:
        if isinstance(entry, dict) and layer is not None:
            yield from self._layer(entry, layer, path, pointer)


def _name(entry: Mapping[str, Json]) -> str | None:
    config = entry.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    name = entry.get("name") if name is None else name
    return name if isinstance(name, str) else None


__all__ = ["INNER_LOOKUP", "Saved", "saved_objects", "snake"]
