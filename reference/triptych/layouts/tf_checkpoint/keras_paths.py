"""The rule by which Keras arranges a model as objects: the local names that lead from the model to each of its weights.

tf.keras counts layers, and beside them those with weights; Keras 3 counts operations, inputs among them. Below a layer both go by its
attributes. This is the annex of the specification in chapter 45, whose cases the frameworks themselves decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from triptych.layouts import keras_config
from triptych.layouts.keras_config.generations import KERAS2, KERAS3
from triptych.layouts.keras_v3.graph_order import in_keras_order, paired
from triptych.layouts.keras_weights.assignment import Place
from triptych.layouts.keras_weights.lineage import weight_order
from triptych.layouts.keras_weights.places import top_layers
from triptych.layouts.nesting import leading_to
from triptych.model import Architecture, Json, Layer

Step = tuple[str, ...]
"""One step from object to object: the local names that lead to the same, the one that keys are made of first."""

_INSIDE: Mapping[str, tuple[Step, ...]] = {
    **dict.fromkeys(("SimpleRNN", "LSTM", "GRU", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), (("cell",),)),
    "TextVectorization": (("_lookup_layer",),),
}
"""Type -> the part that owns its weights."""
_PARTS: Mapping[str, Step] = {"forward": ("forward_layer",), "backward": ("backward_layer",), "layer": ("layer",), "cell": ("cell",)}
"""Sublayer role -> the attribute of the wrapper."""
_PRIVATE = frozenset({"Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", "Embedding", "MultiHeadAttention", "GroupQueryAttention"})
"""Types of which Keras 3 keeps the kernel under a private name."""
_FIXED: Mapping[str, Mapping[str, Mapping[str, Step]]] = {
    KERAS2: {
        "DepthwiseConv1D": {"kernel": ("depthwise_kernel",)},
        "DepthwiseConv2D": {"kernel": ("depthwise_kernel",)},
    },
    KERAS3: {"Normalization": {"mean": ("adapt_mean",), "variance": ("adapt_variance",)}},
}
"""Dialect -> type -> role -> the attribute, where it is not called as the role."""


@dataclass(frozen=True, slots=True)
class Held:
    """One weight as an object of a Keras model."""

    steps: tuple[Step, ...]
    """From the model."""
    place: Place

    @property
    def path(self) -> tuple[str, ...]:
        """The names that its key is made of, from the model on."""
        return tuple(step[0] for step in self.steps)


def held_weights(architecture: Architecture, dialect: str) -> list[Held]:
    """Every weight of `architecture`, which is without composites, as Keras of `dialect` holds it; in the order of its layers.

    A weight that it holds nowhere is left out: Keras 3 loses sight of the cells in a stack of them.

    Raises:
        ConversionError: Keras has no place for the model.
    """
    config, _ = keras_config.write_model_config(architecture, dialect=dialect, wrapped=dialect == KERAS3)
    return list(_Walk(architecture, dialect).model(in_keras_order(config, architecture), architecture, "", ()))


class _Walk:
    """One walk over one model."""

    def __init__(self, architecture: Architecture, dialect: str) -> None:
        self._dialect = dialect
        self._keras3 = dialect == KERAS3
        self._places: dict[str, list[Place]] = {}
        for top in top_layers(architecture).values():
            for place in top.places:
                self._places.setdefault(place.owner.pointer, []).append(place)
        self._holding = leading_to(self._places)

    def model(self, model: Mapping[str, Json], architecture: Architecture, pointer: str, before: tuple[Step, ...]) -> Iterator[Held]:
        """The weights of one model, whose object `before` leads to."""
        config = model.get("config")
        listed = config.get("layers") if isinstance(config, dict) else config
        entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
        sequential = architecture.calls is None
        if sequential and self._keras3:
            before = (*before, ("_functional",))
        first = sequential and bool(entries) and entries[0].get("class_name") == "InputLayer"
        # A sequential model of tf.keras does not count its input; one of Keras 3 does, and makes one where none is said.
        position = int(not first) if sequential and self._keras3 else -int(first)
        weighted = 0
        for entry, index, layer in paired(entries, architecture):
            here = f"{pointer}/layers/{index}"
            has_weights = layer is not None and here in self._holding
            if layer is not None and has_weights:
                if self._keras3:
                    steps: tuple[Step, ...] = (*before, ("_operations",), (str(position),))
                else:
                    steps = (*before, (f"layer_with_weights-{weighted}", f"layer-{position}"))
                yield from self._layer(entry, layer, here, steps)
            weighted += has_weights
            position += 1

    def _layer(self, entry: Mapping[str, Json], layer: Layer, pointer: str, steps: tuple[Step, ...]) -> Iterator[Held]:
        if layer.architecture is not None:
            yield from self.model(entry, layer.architecture, f"{pointer}/architecture", steps)
            return
        for place in self._ordered(pointer, layer):
            yield Held((*steps, *steps_within(layer, place.role, self._dialect)), place)
        for role, sublayer in layer.sublayers.items():
            part = self._part(role)
            if part is not None:
                config = entry.get("config")
                inner = config.get("layer") if isinstance(config, dict) else None
                below = f"{pointer}/sublayers/{role}"
                for held in self._layer(inner if isinstance(inner, dict) else {}, sublayer, below, (*steps, *part)):
                    # This wrapper keeps the kernel of the layer inside as its own, too, and keys are made of the shortest way.
                    is_kept = layer.type == "SpectralNormalization" and held.place.owner.pointer == below and held.place.role in ("kernel", "embeddings")
                    yield Held((*steps, ("kernel",)), held.place) if is_kept else held

    def _ordered(self, pointer: str, layer: Layer) -> Sequence[Place]:
        places = self._places.get(pointer, [])
        order = weight_order(layer)
        return sorted(places, key=lambda place: order.index(place.role)) if sorted(order) == sorted(p.role for p in places) else places

    def _part(self, role: str) -> tuple[Step, ...] | None:
        if role in _PARTS:
            return (_PARTS[role],)
        # The only other role is cell_0, cell_1 …, of a stack.
        return None if self._keras3 else (("cells",), (role.removeprefix("cell_"),))

def steps_within(layer: Layer, role: str, dialect: str) -> tuple[Step, ...]:
    """The steps from the object of `layer` to its weight `role`."""
    before: tuple[Step, ...] = _INSIDE.get(layer.type, ())
    if layer.type in ("MultiHeadAttention", "GroupQueryAttention"):
        projection, _, role = role.rpartition("_")
        before = ((f"_{projection}_dense",),)
    fixed = _FIXED[dialect].get(layer.type, {}).get(role)
    if fixed is not None:
        return (*before, fixed)
    if dialect == KERAS3 and layer.type in _PRIVATE and role in ("kernel", "embeddings"):
        return (*before, (f"_{role}",))
    return (*before, (role,))


__all__ = ["Held", "Step", "held_weights", "steps_within"]
