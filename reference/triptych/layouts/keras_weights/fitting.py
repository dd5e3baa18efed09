"""What has to be done to the arrays of one generation of Keras so that they are what the places of an architecture hold.

The rules are those of Keras' own loaders, which tell generations apart by version, backend and shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from triptych.errors import InvalidModelError
from triptych.layouts.keras_weights.assignment import Array, Place, assign, keras_order, named_places
from triptych.layouts.keras_weights.gates import joined
from triptych.layouts.keras_weights.lineage import owners, with_weights
from triptych.layouts.keras_weights.places import TopLayer
from triptych.layouts.keras_weights.recasting import Step, recast
from triptych.model import Architecture, Layer, Tensor, WeightReference

_FIRST_AXES: dict[str, dict[str, tuple[int, ...]]] = {
    "Conv2D": {"channels_first": (2, 3, 1, 0)},
    "Conv3D": {"channels_first": (2, 3, 4, 1, 0)},
    "Conv2DTranspose": {"channels_first": (2, 3, 0, 1), "channels_last": (0, 1, 3, 2)},
    "ConvLSTM2D": {"channels_first": (2, 3, 1, 0)},
}
"""Layer type -> data format -> the axis, in Keras 1, of each axis of its kernels, where it is not the same."""
_KERNELS = ("kernel", "recurrent_kernel")
_FLIPPED = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM2D")
"""Types whose kernels Theano turns round before it slides them; separable and local ones it does not."""
_ANONYMOUS = re.compile(r"param_\d+")
_GATES = {"LSTM": 4, "GRU": 3, "LSTMCell": 4, "GRUCell": 3}


@dataclass(frozen=True, slots=True)
class Origin:
    """What of a file decides how its arrays lie."""

    keras_1: bool = False
    theano: bool = False
    """Whether kernels are turned round, as true convolutions have them and no other backend."""

    @staticmethod
    def of(version: str | None, backend: str | None, names: Sequence[str]) -> Origin:
        """That of a file of this ``keras_version`` and ``backend``; the first releases wrote none.

        `names` are those of all its weights: where no backend is said, variables of TensorFlow have a counter, those of Theano none.
        """
        keras_1 = is_keras_1(version)
        own = [name for name in names if not _ANONYMOUS.fullmatch(name)]
        bare = keras_1 and backend is None and bool(own) and not any(":" in name for name in own)
        return Origin(keras_1, backend == "theano" or bare)


def is_keras_1(version: str | None) -> bool:
    """Whether a file of this ``keras_version`` has Keras 1's layout; the first releases wrote none."""
    return version is None or version.startswith(("0.", "1."))


def with_first_axes(architecture: Architecture) -> Architecture:
    """`architecture` with the axes that kernels have in Keras 1, where they are not the same."""
    found: dict[str, dict[str, WeightReference]] = {}
    for index, layer in enumerate(architecture.layers):
        for owner in owners(layer, index):
            axes = _first_axes(owner.layer)
            roles = _KERNELS if owner.layer.type == "ConvLSTM2D" else _KERNELS[:1]
            if axes is not None and "kernel" not in owner.layer.weights:
                found[owner.pointer] = {role: WeightReference(f"{owner.path}.{role}", axes=axes) for role in roles}
    return with_weights(architecture, found)


def _first_axes(layer: Layer) -> tuple[int, ...] | None:
    """The axis, in Keras 1, of each axis of a layer's kernels; None where it is the same."""
    return _FIRST_AXES.get(layer.type, {}).get(str(layer.config.get("data_format", "channels_last")))


def filters_first(top: TopLayer) -> bool:
    """Whether gates of convolutions in `top` lie along the first axis, as Keras 1 stored them for Theano's order of axes."""
    return any(owner.layer.type == "ConvLSTM2D" and _first_axes(owner.layer) for owner in top.owners)


def is_flipped(place: Place) -> bool:
    """Whether Theano turns this kernel round."""
    return place.owner.layer.type in _FLIPPED and place.role in _KERNELS


def flip(place: Place) -> Step:
    """The step that turns a kernel round, as it lies."""
    rank = len(place.shape or ())
    axes = place.axes or tuple(range(rank))
    return ["flip", sorted(axes[: rank - 2])]


def steps_to(arrays: Sequence[Array], places: Sequence[Place], origin: Origin) -> list[list[Step]]:
    """For each of `arrays`, which are as many as `places`, the steps that give it the shape of the place that is probably its own."""
    guess = named_places(arrays, places) or keras_order(places)
    recurrent = {place.owner.pointer: array for array, place in _pairs(arrays, places, guess) if place.role == "bias"}
    return [_steps(array, place, recurrent.get(place.owner.pointer), origin) for array, place in _pairs(arrays, places, guess)]


def _pairs(arrays: Sequence[Array], places: Sequence[Place], guess: Sequence[int]) -> list[tuple[Array, Place]]:
    return [(array, places[index]) for array, index in zip(arrays, guess, strict=True)]


def _steps(array: Array, place: Place, bias: Array | None, origin: Origin) -> list[Step]:
    kind, gates = place.owner.layer.type, _GATES.get(place.owner.layer.type)
    units = place.owner.layer.config.get("units")
    if gates is not None and bias is not None and units is not None and bias.shape == (2 * gates * units,):
        return _from_cudnn(array, place, gates)
    if origin.keras_1 and kind == "Conv1D" and place.role == "kernel" and len(array.shape) == 4:
        return _of_line(array.shape, place)
    if place.axes is not None or len(array.shape) != len(place.shape or ()):
        return []
    if origin.keras_1 and place.role in _KERNELS and (axes := _first_axes(place.owner.layer)) and len(axes) == len(array.shape):
        return [["transpose", list(axes)]]
    if is_flipped(place) and len(array.shape) == 4 and not place.fits(array.shape):
        turned = (3, 2, 0, 1)
        return [["transpose", list(turned)]] if place.fits(tuple(array.shape[axis] for axis in turned)) else []
    return []


def _from_cudnn(array: Array, place: Place, gates: int) -> list[Step]:
    if place.role == "bias":
        return [["reshape", list(array.shape), [2, array.shape[0] // 2]]]
    return [["cudnn" if place.role == "kernel" else "cudnn_recurrent", gates]] if place.role in _KERNELS else []


def _of_line(shape: Sequence[int], place: Place) -> list[Step]:
    """The kernel of a Conv1D as Keras 1 had it: with a second axis of extent 1, in the first releases the other way round."""
    size = (place.shape or (None,))[0]
    if shape[1] == 1 and size in (None, shape[0]):
        return [["reshape", list(shape), [shape[0], *shape[2:]]]]
    if shape[3] == 1:
        turned = [shape[2], shape[3], shape[1], shape[0]]
        return [["transpose", [2, 3, 1, 0]], ["reshape", turned, [turned[0], *turned[2:]]]]
    return []


def fitted(arrays: Sequence[Array], tensors: Sequence[Tensor], top: TopLayer, origin: Origin) -> list[Tensor] | None:
    """What `top` holds, in the order of ``get_weights()`` and in canonical axis order, when these arrays are loaded; None if they do not fit."""
    places = [replace(place, shape=_canonical(place), axes=None) for place in top.places]
    if origin.keras_1:
        arrays, tensors = joined(arrays, tensors, filters_first=filters_first(top)) or (arrays, tensors)
        if len(arrays) != len(places) and (named := list(_named_by_position(arrays, places))):
            arrays, tensors = joined(named, tensors, filters_first=filters_first(top)) or (arrays, tensors)
    if len(arrays) != len(places):
        return None
    guess = named_places(arrays, places) or keras_order(places)
    made = [
        _in_rows(recast(tensor, steps), places[index])
        for tensor, steps, index in zip(tensors, steps_to(arrays, places, origin), guess, strict=True)
    ]
    try:
        chosen = assign(top.name, [Array(array.name, tensor.shape) for array, tensor in zip(arrays, made, strict=True)], places)
    except InvalidModelError:
        return None
    result = [made[index] for index in chosen]
    if origin.theano:
        result = [recast(t, [flip(p)]) if is_flipped(p) else t for t, p in zip(result, places, strict=True)]
    return result


def _canonical(place: Place) -> tuple[int | None, ...] | None:
    shape, axes = place.shape, place.axes
    return shape if shape is None or axes is None else tuple(shape[axis] for axis in axes)


def _named_by_position(arrays: Sequence[Array], places: Sequence[Place]) -> Iterator[Array]:
    """`arrays` of Keras 1 under the names that gates have, if there is one for each gate; nothing otherwise.

    Layers follow each other as their places do; the gates of one as Keras 1 listed them.
    """
    names: list[str] = []
    for index in keras_order(places):
        place = places[index]
        kind = place.owner.layer.type
        gates = {"LSTM": "icfo", "GRU": "zrh", "ConvLSTM2D": "icfo"}.get(kind)
        if gates is None:
            names.append(place.role)
        elif place.role == "kernel":
            names += [f"{place.owner.path}_{part}_{gate}" for gate in gates for part in "WUb"]
    if len(names) == len(arrays):
        yield from (Array(name, array.shape) for name, array in zip(names, arrays, strict=True))


def _in_rows(bias: Tensor, place: Place) -> Tensor:
    """`bias` in as many rows as `place` has: what two add becomes one, and one becomes the halves of two, as Keras does."""
    if place.role != "bias" or place.fits(bias.shape) or place.owner.layer.type not in ("LSTM", "LSTMCell"):
        return bias
    if len(bias.shape) == 2 and bias.shape[0] == 2 and place.fits(bias.shape[1:]):
        return _computed(bias, bias.shape[1:], lambda rows: rows[0] + rows[1])
    if len(bias.shape) == 1 and place.fits((2, *bias.shape)):
        return _computed(bias, (2, *bias.shape), lambda row: (row / 2).repeat(2).reshape(-1, 2).T)
    return bias


def _computed(tensor: Tensor, shape: Sequence[int], compute: Callable[[Any], Any]) -> Tensor:
    def read() -> memoryview:
        return Tensor.from_array(compute(tensor.array())).read()

    return Tensor(tensor.dtype, tuple(shape), read)
