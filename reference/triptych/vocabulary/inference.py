"""Shapes: what every call of every layer takes and yields, and what each weight's shape must be for that."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from triptych.errors import pointer_token, shorten
from triptych.limits import DEFAULT_LIMITS
from triptych.model import Architecture, Call, Json, Layer, NamedShape, Shape
from triptych.model.composites import expand, is_use
from triptych.vocabulary.arguments import misfits
from triptych.vocabulary.definition import LAYER_TYPES, LayerCall, LayerType, Weight
from triptych.vocabulary.expressions import ShapeError, evaluate
from triptych.vocabulary.extents import channel_axis, compatible, merge, text
from triptych.vocabulary.naming import all_named, named, numbered
from triptych.vocabulary.operations import OPERATIONS, OperationShapes
from triptych.vocabulary.strings import misplaced

Shapes = tuple[Shape | None, ...]
"""One shape a value; None where nothing is known of it."""
NamedCalls = tuple[tuple[NamedShape | None, ...] | None, ...]
"""For each call what it yields; None where not even the number of values is known."""

NESTED_SHAPES = 64
"""Different input shapes for which one nested architecture is worked out; bounds the work on nested sharing."""
OF_NUMBERS = frozenset({"LYR-006", "LYR-007", "LYR-008", "LYR-009", "LYR-035"})
"""How many values of which shapes a call takes and yields: not asked where one takes strings for numbers, or numbers for strings."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """One broken requirement of the vocabulary."""

    requirement: str
    pointer: str
    message: str


@dataclass(frozen=True, slots=True)
class CallShapes:
    """What one call takes and yields."""

    inputs: Shapes
    outputs: Shapes | None
    """None: not even their number is known."""


@dataclass(slots=True)
class LayerShapes:
    """All that is known of one layer; complete when `infer` returns."""

    path: str
    pointer: str
    layer: Layer
    trainable: bool
    """Whether it and every layer around it are."""
    type: LayerType | None
    """None: an extension type, or an unknown one."""
    config: Mapping[str, Json] = field(default_factory=dict)
    """With defaults filled in."""
    calls: list[CallShapes] = field(default_factory=list)
    """In call order; a nested architecture's layers have one entry for each different input shape."""
    weights: list[tuple[Weight, Shape | None]] = field(default_factory=list)
    """The rows of the weight table that hold; a shape is None unless every extent of it is known."""


@dataclass(frozen=True, slots=True)
class Inference:
    """What can be known of an architecture without running it."""

    layers: Mapping[str, LayerShapes]
    """JSON Pointer of a layer or sublayer -> what is known of it, in the order of get_weights()."""
    values: Mapping[str, Shape | None]
    """Name of an input or of a call's value at the top of the graph -> its shape; empty for a sequential architecture."""
    outputs: Shapes
    problems: tuple[Misfit, ...]
    operations: Mapping[str, CallShapes] = field(default_factory=dict)
    """JSON Pointer of an operation's call -> its shapes, of its first evaluation."""
    named_values: Mapping[str, NamedShape | None] = field(default_factory=dict)
    """As `values`, with the names of extents that inputs give; empty where no input gives any. So with the next two."""
    named_outputs: tuple[NamedShape | None, ...] = ()
    named_calls: Mapping[str, NamedCalls] = field(default_factory=dict)
    """JSON Pointer of a layer or an operation's call -> what its calls yield, in the order of its calls."""
    uses: frozenset[str] = frozenset()
    """JSON Pointers of the layers that use a composite; what is inside one stands nowhere in the document."""

    def place(self, pointer: str) -> str:
        """`pointer` as a place of the document: that of the use, for what is inside a composite."""
        return place_of(pointer, self.uses)


def infer(architecture: Architecture) -> Inference:
    """The shapes of every call and weight of `architecture`, whose documents have passed their schemas.

    Takes time proportional to the number of calls. Layers of extension types yield unknown shapes, never a problem.
    """
    architecture = expand(architecture)
    found = _infer(architecture)
    return _with_names(architecture, found) if any(one.names for one in architecture.inputs) else found


def _with_names(architecture: Architecture, found: Inference) -> Inference:
    """`found` with the names of extents, wherever they are handed on."""
    other, names = numbered(architecture)
    again = _infer(other)
    calls: dict[str, NamedCalls] = {}
    for pointer, shapes in found.layers.items():
        second = again.layers[pointer].calls
        if len(second) == len(shapes.calls):
            calls[pointer] = tuple(all_named(one.outputs, two.outputs, names) for one, two in zip(shapes.calls, second, strict=True))
    for pointer, one in found.operations.items():
        calls[pointer] = (all_named(one.outputs, again.operations[pointer].outputs if pointer in again.operations else None, names),)
    return replace(
        found,
        named_values={name: named(shape, again.values.get(name), names) for name, shape in found.values.items()},
        named_outputs=all_named(found.outputs, again.outputs, names) or (),
        named_calls=calls,
    )


def _infer(architecture: Architecture) -> Inference:
    """Shapes without names, of an expanded architecture."""
    run = _Run(frozenset(architecture.composites))
    for path, pointer, layer, trainable in _walk(architecture):
        run.enter(path, pointer, layer, trainable=trainable)
    values, outputs = run.architecture(architecture, "", None, "")
    for shapes in run.layers.values():
        if not shapes.weights:
            run.weights(shapes, None, shapes.pointer)
    assert outputs is not None  # nothing is given to the whole that might not fit
    kinds = list(misplaced(architecture))
    if kinds:
        run.problems = {key: one for key, one in run.problems.items() if one.requirement not in OF_NUMBERS}
    for pointer, message in kinds:
        run.problem("LYR-040", pointer, message)
    return Inference(run.layers, values, outputs, tuple(run.problems.values()), run.operations, uses=frozenset(run.uses))


def place_of(pointer: str, uses: Collection[str]) -> str:
    """`pointer`, or that of the outermost of `uses` that it is inside of."""
    at = pointer.find("/architecture") if uses else -1
    while at >= 0:
        if pointer[:at] in uses:
            return pointer[:at]
        at = pointer.find("/architecture", at + 1)
    return pointer


def _walk(
    architecture: Architecture, prefix: str = "", pointer: str = "", *, trainable: bool = True
) -> Iterator[tuple[str, str, Layer, bool]]:
    """`Architecture.walk` with sublayers in the order of their type's table, and whether each layer and all around it are trainable."""
    for index, layer in enumerate(architecture.layers):
        yield from _walk_layer(layer, f"{prefix}{layer.name}", f"{pointer}/layers/{index}", trainable=trainable)


def _walk_layer(layer: Layer, path: str, pointer: str, *, trainable: bool) -> Iterator[tuple[str, str, Layer, bool]]:
    trainable = trainable and layer.trainable
    yield path, pointer, layer, trainable
    found = LAYER_TYPES.get(layer.type)
    order = found.roles(layer.sublayers) if found else []
    for role in sorted(layer.sublayers, key=lambda role: (order.index(role) if role in order else len(order), role)):
        yield from _walk_layer(
            layer.sublayers[role], f"{path}.{role}", f"{pointer}/sublayers/{pointer_token(role)}", trainable=trainable
        )
    if layer.architecture is not None:
        yield from _walk(layer.architecture, f"{path}.", f"{pointer}/architecture", trainable=trainable)


class _Run:
    """One pass over an architecture."""

    def __init__(self, composites: frozenset[str]) -> None:
        self._composites = composites
        self.layers: dict[str, LayerShapes] = {}
        self.problems: dict[tuple[str, str], Misfit] = {}
        self.operations: dict[str, CallShapes] = {}
        self.uses: set[str] = set()
        self._nested: dict[str, dict[Shapes, Shapes]] = {}

    def problem(self, requirement: str, pointer: str, message: str) -> None:
        """Note a problem, once a place."""
        pointer = place_of(pointer, self.uses)
        self.problems.setdefault((requirement, pointer), Misfit(requirement, pointer, message))

    def enter(self, path: str, pointer: str, layer: Layer, *, trainable: bool) -> None:
        """Look a layer's type up and check what does not depend on calls."""
        found = LAYER_TYPES["Model"] if layer.architecture is not None else LAYER_TYPES.get(layer.type)
        if is_use(layer) and place_of(pointer, self.uses) == pointer:
            self.uses.add(pointer)
        shapes = self.layers[pointer] = LayerShapes(path, pointer, layer, trainable, found)
        if found is None:
            # A use without its graph goes beyond what is allowed, which is another requirement's business.
            if ":" not in layer.type and layer.type not in self._composites:
                self.problem(
                    "LYR-001",
                    f"{pointer}/type",
                    f"expected a layer type of the vocabulary or an extension type, got {shorten(layer.type)}",
                )
            return
        shapes.config = found.resolve(layer.config)
        roles = found.roles(layer.sublayers)
        if set(roles) != set(layer.sublayers):
            expected = " and ".join(roles) if roles else "none"
            self.problem(
                "LYR-004",
                f"{pointer}/sublayers" if layer.sublayers else pointer,
                f"expected {expected} as sublayers of {_name(shapes)}, got {shorten(sorted(layer.sublayers))}",
            )
        known = {weight.role for weight in found.weights_of(shapes.config)}
        for role in layer.weights:
            if role not in known:
                self.problem(
                    "LYR-005",
                    f"{pointer}/weights/{pointer_token(role)}",
                    f"expected {_name(shapes)} to own {_listed(known)}, got {shorten(role)}",
                )

    def architecture(
        self, architecture: Architecture, pointer: str, given: Shapes | None, place: str
    ) -> tuple[dict[str, Shape | None], Shapes | None]:
        """Values by name and outputs of `architecture`, standing at `pointer`, called at `place` with `given`; None if that does not fit."""
        entering = self._entering(architecture, given, place)
        if entering is None:
            return {}, None
        if architecture.calls is None:
            return {}, (self._sequence(architecture, pointer, entering[0] if entering else None),)
        values: dict[str, Shape | None] = {value.name: shape for value, shape in zip(architecture.inputs, entering, strict=False)}
        indices = {layer.name: index for index, layer in enumerate(architecture.layers)}
        for number, call in enumerate(architecture.calls):
            self._call(call, indices.get(call.layer), values, pointer, f"{pointer}/calls/{number}")
        return values, tuple(values.get(name) for name in architecture.outputs)

    def _entering(self, architecture: Architecture, given: Shapes | None, place: str) -> Shapes | None:
        """The inputs' shapes, from what is declared and what a call gives; None where that does not fit."""
        declared = tuple(value.shape for value in architecture.inputs)
        if given is None:
            return declared
        if not declared and architecture.calls is None:
            declared = (None,)  # type: ignore[assignment]  # a sequential architecture without an input takes any one value
        if len(given) != len(declared):
            self.problem(
                "LYR-006", place, f"expected {len(declared)} inputs, as the nested architecture declares, got {len(given)}"
            )
            return None
        before = len(self.problems)
        entered = tuple(self._entered(one, two, place) for one, two in zip(declared, given, strict=True))
        self._names_agree(architecture, given, place)
        return entered if len(self.problems) == before else None

    def _names_agree(self, architecture: Architecture, given: Shapes, place: str) -> None:
        """Note where a call gives extents of one name different extents."""
        known: dict[str, int] = {}
        for one, shape in zip(architecture.inputs, given, strict=False):
            for name, extent in zip(one.names, shape or (), strict=False):
                if name is not None and extent is not None and known.setdefault(name, extent) != extent:
                    message = f"expected one extent for {name}, which the nested architecture declares, got {known[name]} and {extent}"
                    self.problem("LYR-035", place, message)

    def _entered(self, declared: Shape | None, given: Shape | None, place: str) -> Shape | None:
        if declared is None or given is None:
            return declared if given is None else given
        if not compatible(declared, given):
            self.problem(
                "LYR-007",
                place,
                f"expected an input of shape {text(declared)}, as the nested architecture declares, got {text(given)}",
            )
            return None
        return merge(declared, given)

    def _sequence(self, architecture: Architecture, pointer: str, shape: Shape | None) -> Shape | None:
        for index in range(len(architecture.layers)):
            place = f"{pointer}/layers/{index}"
            outputs = self._apply(place, (shape,), {}, place)
            if outputs is not None and len(outputs) != 1:
                self.problem(
                    "LYR-009",
                    place,
                    f"expected {_name(self.layers[place])} to yield one value in a sequential architecture, got {len(outputs)}",
                )
            shape = outputs[0] if outputs is not None and len(outputs) == 1 else None
        return shape

    def _call(self, call: Call, index: int | None, values: dict[str, Shape | None], pointer: str, place: str) -> None:
        names = call.output_names
        outputs = None
        inputs = tuple(values.get(name) for name in call.inputs)
        if call.op is not None:
            outputs = self._operate(call, call.op, inputs, place)
        elif index is not None:
            states = tuple(values.get(name) for name in _states_said(call))
            outputs = self._apply(f"{pointer}/layers/{index}", inputs, call.arguments, place, states)
        if outputs is not None and len(outputs) != len(names):
            self.problem(
                "LYR-009",
                place,
                f"expected names for the {len(outputs)} values that {shorten(call.op or call.layer)} yields, got {len(names)}",
            )
            outputs = None
        values.update(zip(names, outputs if outputs is not None else (None,) * len(names), strict=True))

    def _operate(self, call: Call, op: str, inputs: Shapes, place: str) -> Shapes | None:
        """What an operation yields; None when not even the number of values is known."""
        outputs, misfits = operate(op, call.config, inputs, place)
        for misfit in misfits:
            self.problem(misfit.requirement, misfit.pointer, misfit.message)
        self.operations.setdefault(place, CallShapes(inputs, outputs))
        return outputs

    def _apply(
        self, pointer: str, inputs: Shapes, arguments: Mapping[str, Json], place: str, states: Shapes = ()
    ) -> Shapes | None:
        """What the layer at `pointer` yields when `place` calls it; None when not even the number of values is known.

        `states` are those that an argument gives: they count as inputs after the others.
        """
        shapes = self.layers[pointer]
        found = shapes.type
        outputs: Shapes | None = None
        if found is not None and self._accepts(shapes, found, (*inputs, *states), arguments, place, given=len(inputs)):
            try:
                if shapes.layer.architecture is not None:
                    outputs = self._nest(shapes, shapes.layer.architecture, inputs, place)
                else:
                    result = self._yield(shapes, found, (*inputs, *states), arguments)
                    _check_size(result)
                    self.weights(shapes, inputs, place)
                    outputs = result
            except ShapeError as error:
                self.problem("LYR-007", place, f"{_name(shapes)}: {error}")
        shapes.calls.append(CallShapes(inputs, outputs))
        return outputs

    def _accepts(self, shapes: LayerShapes, found: LayerType, inputs: Shapes, arguments: Mapping[str, Json], place: str, *, given: int) -> bool:
        """Whether a call is in order before shapes are computed."""
        for requirement, name, message in misfits(arguments, found.arguments, inputs=given):
            self.problem(requirement, f"{place}/arguments/{pointer_token(name)}", f"{_name(shapes)}: {message}")
        least, most = found.inputs
        if len(inputs) < least or (most is not None and len(inputs) > most):
            expected = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} to {most}"
            self.problem("LYR-006", place, f"expected {expected} inputs for {_name(shapes)}, got {len(inputs)}")
            return False
        for number, shape in enumerate(inputs):
            lowest, highest = found.rank if number == 0 else (min(found.rank[0], 1), None)
            if shape is not None and (len(shape) < lowest or (highest is not None and len(shape) > highest)):
                rank = f"{lowest}" if lowest == highest else f"at least {lowest}" if highest is None else f"{lowest} to {highest}"
                self.problem(
                    "LYR-007", place, f"{_name(shapes)}: expected an input of rank {rank}, batch included, got {text(shape)}"
                )
                return False
        return True

    def _yield(self, shapes: LayerShapes, found: LayerType, inputs: Shapes, arguments: Mapping[str, Json]) -> Shapes | None:
        known = tuple(shape for shape in inputs if shape is not None)
        if len(known) < len(inputs):
            return None
        if found.output is not None:
            return (tuple(evaluate(found.output, {**shapes.config, "input": known[0]})),)

        def apply(role: str, given: tuple[Shape, ...]) -> Shapes | None:
            pointer = f"{shapes.pointer}/sublayers/{role}"
            return self._apply(pointer, given, {}, pointer) if pointer in self.layers else None

        assert found.rule is not None
        result = found.rule(LayerCall(shapes.config, known, arguments, apply, shapes.layer.sublayers))
        return tuple(result) if isinstance(result, list) else None if result is None else (result,)

    def _nest(self, shapes: LayerShapes, nested: Architecture, inputs: Shapes, place: str) -> Shapes | None:
        known = self._nested.setdefault(shapes.pointer, {})
        if inputs not in known:
            if len(known) >= NESTED_SHAPES:
                return (None,) * (1 if nested.calls is None else len(nested.outputs))
            _, yielded = self.architecture(nested, f"{shapes.pointer}/architecture", inputs, place)
            if yielded is None:
                return None
            known[inputs] = yielded
        return known[inputs]

    def weights(self, shapes: LayerShapes, inputs: Shapes | None, place: str) -> None:
        """Work out the weights' shapes for a call with `inputs`, and compare them with those of earlier calls."""
        if shapes.type is None or not shapes.type.weights:
            return
        names = {**shapes.config, **_input_names(shapes.config, inputs)}
        fresh = []
        for weight in shapes.type.weights_of(shapes.config):
            extents = evaluate(weight.shape, names)
            fresh.append((weight, None if extents is None or None in extents else tuple(extents)))
        if not shapes.weights:
            shapes.weights = fresh
            return
        for number, ((weight, before), (_, now)) in enumerate(zip(shapes.weights, fresh, strict=True)):
            if before is None:
                shapes.weights[number] = (weight, now)
            elif now is not None and now != before:
                self.problem(
                    "LYR-008",
                    place,
                    f"expected {_name(shapes)} to need a {weight.role} of {text(before)}, as in an earlier call, got inputs that need {text(now)}",
                )


def _states_said(call: Call) -> list[str]:
    """The names of the values that a call gives as initial states."""
    said = call.arguments.get("initial_state")
    listed = said if isinstance(said, list) else [said]
    return [one["value"] for one in listed if isinstance(one, dict)]


def _input_names(config: Mapping[str, Json], inputs: Shapes | None) -> dict[str, Json]:
    """What an expression can say about the inputs."""
    first = inputs[0] if inputs else None
    channels = None if first is None else first[channel_axis(config.get("data_format", "channels_last"))]
    return {"input": first, "inputs": inputs, "in_channels": channels}


def _check_size(outputs: Shapes | None) -> None:
    """Raise for a shape that no tensor could have: layers in a row must not build numbers without end."""
    for shape in outputs or ():
        if shape is not None and len(shape) > DEFAULT_LIMITS.rank:
            raise ShapeError(f"expected a result of at most {DEFAULT_LIMITS.rank} axes, got {len(shape)}")
        if shape is not None and any(extent is not None and extent > DEFAULT_LIMITS.dimension for extent in shape):
            raise ShapeError(f"expected a result whose extents are at most {DEFAULT_LIMITS.dimension}, got {text(shape)}")


def operate(op: str, config: Mapping[str, Json], inputs: Shapes, place: str) -> tuple[Shapes | None, list[Misfit]]:
    """What a call of operation `op` yields and which requirements it breaks."""
    found = OPERATIONS.get(op)
    if found is None:
        message = f"expected an operation of the vocabulary or an extension operation, got {shorten(op)}"
        return None, [] if ":" in op else [Misfit("LYR-030", f"{place}/op", message)]
    resolved = found.resolve(config)
    least, most = found.inputs
    given = found.given(resolved, len(inputs))
    if given < least or (most is not None and given > most):
        expected = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} to {most}"
        return None, [Misfit("LYR-006", place, f"expected {expected} inputs and literals for {op}, got {given}")]
    known = tuple(shape for shape in inputs if shape is not None)
    if len(known) < len(inputs):
        return None, []
    try:
        result = found.rule(OperationShapes(resolved, known))
        outputs = tuple(result) if isinstance(result, list) else (result,)
        _check_size(outputs)
    except ShapeError as error:
        return None, [Misfit("LYR-007", place, f"{op}: {error}")]
    return outputs, []


def _name(shapes: LayerShapes) -> str:
    return f"{shorten(shapes.path)} ({shapes.layer.type})"


def _listed(roles: set[str]) -> str:
    return ", ".join(sorted(roles)) or "no weight"
