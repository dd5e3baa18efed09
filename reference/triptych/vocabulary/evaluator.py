"""Evaluation: what an architecture with its weights makes of arrays, layer by layer, by the formulas of the definitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from triptych import dtypes
from triptych.errors import InvalidModelError, Problem, UnsupportedError, UsageError, WeightsMismatchError, problem, shorten
from triptych.model import Architecture, Input, Json, Tensor
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import LayerType
from triptych.vocabulary.extents import compatible, text
from triptych.vocabulary.formula import Evaluation, Mask
from triptych.vocabulary.inference import Inference, LayerShapes, infer
from triptych.vocabulary.operations.computing import compute
from triptych.vocabulary.operations.operands import unified
from triptych.vocabulary.slots import WeightSlot, weight_slots
from triptych.vocabulary.strings import STRING, dtype_of, texts
from triptych.vocabulary.walk import WIDE, Walk

Values = tuple[list[Array], list[Mask]]
"""Arrays, and which steps of each count."""


@dataclass(frozen=True, slots=True)
class Result:
    """What an evaluation yields."""

    outputs: list[Array]
    masks: list[Mask]
    """One for each output."""
    watched: Mapping[str, list[list[Array]]] = field(default_factory=dict)
    """Path of a watched layer -> for each of its calls, in order, the values it yielded."""


def evaluate(
    architecture: Architecture,
    weights: Mapping[str, Array],
    inputs: Sequence[Array],
    *,
    dtype: str | None = None,
    watch: Iterable[str] = (),
    assets: Mapping[str, Tensor] | None = None,
) -> Result:
    """Evaluate `architecture` as after training.

    Args:
        architecture: Its documents have passed their schemas.
        weights: Tensor name -> array, as stored.
        inputs: One array for each input, batch first; of strings, one of `str` or of UTF-8 as `bytes`.
        dtype: What to compute in, ``float32`` or ``float64``; None: each layer in its own.
        watch: Paths of layers whose values to keep.
        assets: Name -> content: where vocabularies stand that are not in the architecture.

    Raises:
        UnsupportedError: A layer is of an extension type, or a lookup has no vocabulary.
        InvalidModelError: The architecture does not fit together.
        WeightsMismatchError: A weight is not there, or does not fit.
        UsageError: `inputs` do not fit the architecture.
    """
    run = Evaluator(architecture, weights, dtype=dtype, watch=watch, assets=assets)
    given = run.entering(architecture.inputs, inputs, sequential=architecture.calls is None)
    run.fit(architecture, given)
    outputs, masks = run.architecture(architecture, "", given, [None] * len(given))
    return Result(outputs, masks, run.watched)


class Evaluator(Walk[Array]):
    """An architecture with its weights, ready to be applied to arrays."""

    def __init__(
        self,
        architecture: Architecture,
        weights: Mapping[str, Array],
        *,
        dtype: str | None = None,
        watch: Iterable[str] = (),
        assets: Mapping[str, Tensor] | None = None,
    ) -> None:
        if dtype not in (None, *WIDE):
            raise UsageError(f"expected float32 or float64 to compute in, got {shorten(dtype)}")
        inference = infer(architecture)
        if inference.problems:
            raise InvalidModelError(tuple(problem(one.requirement, one.pointer, one.message) for one in inference.problems))
        self._settle(architecture, inference)
        self._stored = weights
        self._assets = assets or {}
        self._dtype = dtype
        self._cast: dict[str, dict[str, Array]] = {}
        self.watched: dict[str, list[list[Array]]] = {path: [] for path in watch}
        unknown = set(self.watched) - {shapes.path for shapes in self.layers.values()}
        if unknown:
            raise UsageError(f"expected names of layers to watch, got {shorten(sorted(unknown))}")

    def entering(self, declared: Sequence[Input], given: Sequence[Array], *, sequential: bool) -> list[Array]:
        """`given` as arrays of the declared dtypes.

        Raises:
            UsageError: Their number or a shape is not what is declared.
        """
        arrays = [np.asarray(one) for one in given]
        if not declared and sequential:
            declared = [Input("input", tuple([None] * one.ndim), dtype_of(one)) for one in arrays[:1]]
        if len(arrays) != len(declared):
            raise UsageError(f"expected {len(declared)} inputs, got {len(arrays)}")
        known: dict[str, int] = {}
        for one, array in zip(declared, arrays, strict=True):
            if not compatible(one.shape, array.shape):
                raise UsageError(f"expected input {shorten(one.name)} of shape {text(one.named_shape)}, got {text(array.shape)}")
            for name, extent in zip(one.names, array.shape, strict=False):
                if name is not None and known.setdefault(name, extent) != extent:
                    raise UsageError(f"expected one extent for {name} in all inputs, got {known[name]} and {extent}")
        return [self._entered(one, array) for one, array in zip(declared, arrays, strict=True)]

    def fit(self, architecture: Architecture, given: Sequence[Array]) -> None:
        """Settle every shape that `architecture` leaves open by what is `given`, so that weights are held to it.

        Raises:
            UsageError: A layer or an operation does not take what it would be given.
        """
        declared = architecture.inputs or tuple(Input("input", one.shape, dtype_of(one)) for one in given)
        if all(None not in one.shape for one in architecture.inputs) and architecture.inputs:
            return
        known = tuple(replace(one, shape=array.shape, names=()) for one, array in zip(declared, given, strict=True))
        inference = infer(replace(architecture, inputs=known))
        if inference.problems:
            first = inference.problems[0]
            raise UsageError(f"expected inputs that fit the architecture, got {text(given[0].shape)}: {first.pointer}: {first.message}")
        self._settle(architecture, inference)

    def _settle(self, architecture: Architecture, inference: Inference) -> None:
        self.layers = inference.layers
        self._slots: dict[str, list[WeightSlot]] = {}
        for slot in weight_slots(architecture, inference):
            self._slots.setdefault(slot.pointer, []).append(slot)

    def _entered(self, declared: Input, array: Array) -> Array:
        """`array` as one of the declared dtype."""
        if declared.dtype == STRING:
            return texts(array, declared.name)
        return array.astype(self._input_dtype(declared.dtype), copy=False)

    def _input_dtype(self, name: str) -> Any:
        if self._dtype is not None and name.startswith(("float", "bfloat")):
            return np.dtype(self._dtype)
        return dtypes.numpy_dtype(name)

    def alone(self, path: str, inputs: Sequence[Array]) -> list[Array]:
        """What the layer at `path` makes of `inputs`.

        Raises:
            UsageError: There is none.
        """
        for pointer, shapes in self.layers.items():
            if shapes.path == path:
                given = [np.asarray(one) for one in inputs]
                known = [texts(one, "input") if dtype_of(one) == STRING else one for one in given]
                return self.layer(pointer, known, [None] * len(known))[0]
        raise UsageError(f"expected the path of a layer, got {shorten(path)}")

    def layer(
        self, pointer: str, inputs: Sequence[Array], masks: Sequence[Mask], arguments: Mapping[str, Any] | None = None
    ) -> Values:
        """What the layer at `pointer` makes of `inputs`; kept if it is watched."""
        result = super().layer(pointer, inputs, masks, arguments)
        path = self.layers[pointer].path
        if path in self.watched:
            self.watched[path].append(result[0])
        return result

    def made_by_operation(self, op: str, config: Mapping[str, Json], inputs: Sequence[Array], pointer: str) -> list[Array]:  # noqa: ARG002 - formulas say no place
        """What the formula of operation `op` makes of `inputs`."""
        return compute(op, config, inputs, self._dtype)

    def as_mask(self, said: Array) -> Array:
        """A value that a call says as a mask, as booleans."""
        return np.asarray(said, dtype=bool)

    def made_by_layer(
        self, shapes: LayerShapes, inputs: Sequence[Array], masks: Sequence[Mask], arguments: Mapping[str, Any]
    ) -> Values:
        """What the layer's formula makes of `inputs`."""
        found, layer = shapes.type, shapes.layer
        if found is None or found.formula is None:
            message = f"expected a type that can be evaluated, got {shorten(layer.type)} in layer {shorten(shapes.path)}"
            raise UnsupportedError((Problem("LAYER_NOT_EVALUABLE", "", f"{shapes.pointer}/type", message),))
        own = layer.compute_dtype or layer.dtype
        stored = self._dtype or own
        wide = stored if stored in WIDE else "float32"

        call = Evaluation(
            config=shapes.config,
            inputs=_entering(found, shapes.config, inputs, (stored, wide)),
            weights=self._weights(shapes.pointer, found, stored, wide),
            dtype=np.dtype(wide),
            arguments=arguments,
            masks=tuple(masks),
            sublayers=layer.sublayers,
            apply=self.apply_in(shapes),
            integers=own if "int" in own else "int64",
            assets=self._assets,
        )
        try:
            yielded = found.formula(call)
        except UnsupportedError as error:
            raise UnsupportedError(tuple(_located(one, shapes) for one in error.problems)) from None
        outputs = [np.asarray(one) for one in (yielded if isinstance(yielded, list) else [yielded])]
        kept = list(found.mask(call, outputs))
        return [_rounded(one, stored) for one in outputs], kept

    def _weights(self, pointer: str, found: LayerType, stored: str, wide: str) -> dict[str, Array]:
        """The weights of a layer by role, in canonical axis order, as its formula computes with them."""
        if not found.weights:
            return {}
        if pointer not in self._cast:
            slots = self._slots.get(pointer, ())
            self._cast[pointer] = {slot.role: _computed_in(self._weight(slot), stored, wide) for slot in slots}
        return self._cast[pointer]

    def _weight(self, slot: WeightSlot) -> Array:
        if slot.tensor not in self._stored:
            message = f"expected a tensor for the {slot.role} of layer {shorten(slot.path)}, got none"
            raise WeightsMismatchError((Problem("WEIGHT_MISSING", "", slot.tensor, message),))
        array = self._stored[slot.tensor]
        if slot.axes is not None:
            array = array.transpose(slot.axes)
        if slot.shape is not None and tuple(array.shape) != slot.shape:
            message = f"expected {slot.role} of layer {shorten(slot.path)} of shape {text(slot.shape)}, got {text(array.shape)}"
            raise WeightsMismatchError((Problem("WEIGHT_SHAPE_MISMATCH", "", slot.tensor, message),))
        return array


def _is_floating(array: Array) -> bool:
    return array.dtype.kind == "f" or array.dtype.name.startswith(("bfloat", "float"))


def _computed_in(array: Array, stored: str, wide: str) -> Array:
    """A floating-point array as the layer's numbers, in the wide dtype; others, and all in a layer of integers, as they are."""
    if not _is_floating(array) or "float" not in stored:
        return array
    return _rounded(array, stored).astype(wide, copy=False)


def _entering(found: LayerType, config: Mapping[str, Json], inputs: Sequence[Array], dtypes_: tuple[str, str]) -> tuple[Array, ...]:
    """`inputs` as a layer takes them whose numbers are of the first of `dtypes_`, computed with in the second."""
    stored, wide = dtypes_
    entering = tuple(_computed_in(one, stored, wide) for one in inputs)
    if found.keeps(config):
        return tuple(unified(entering, np.dtype(wide))) if len(entering) > 1 else entering
    if found.takes_as_given or "float" not in stored:
        return entering
    return tuple(one if _is_floating(one) else one.astype(dtypes.numpy_dtype(stored)).astype(wide) for one in entering)


def _rounded(array: Array, stored: str) -> Array:
    """A floating-point array as the layer's numbers; others as they are."""
    return array.astype(dtypes.numpy_dtype(stored), copy=False) if _is_floating(array) else array


def _located(one: Problem, shapes: LayerShapes) -> Problem:
    """A problem of a formula, with the layer it is in."""
    return Problem(one.code, one.requirement, one.place or shapes.pointer, f"layer {shorten(shapes.path)}: {one.message}")
