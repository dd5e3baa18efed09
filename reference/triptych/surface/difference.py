"""Says where two models differ: what their documents say, and how far their tensors are apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, Literal

from triptych.documents.architecture import architecture_to_data
from triptych.documents.training import training_to_data
from triptych.errors import UsageError, pointer_token
from triptych.model import Architecture, Json, Tensor, Training
from triptych.surface.distance import Distance, Tolerance, distance
from triptych.surface.ignoring import Path, paths_of, without
from triptych.surface.model import Model, Panel

Kind = Literal["added", "removed", "changed"]
PANELS: tuple[Panel, ...] = ("architecture", "weights", "training")
NAMED = {"layers": "layer", "inputs": "input", "calls": "call"}
"""Members of a graph that list things with names, and what one of them is called."""


@dataclass(frozen=True, slots=True)
class Change:
    """One place at which two documents differ."""

    kind: Kind
    subject: str
    """What stands there: ``layer encoder.dense``, ``call dense``, ``optimizer``."""
    pointers: tuple[str | None, str | None]
    """JSON Pointer in the first and in the second document; None where it is not there."""
    before: Json
    """What the first says; None for what it does not have."""
    after: Json


@dataclass(frozen=True, slots=True)
class TensorChange:
    """One tensor that is not the same on both sides."""

    kind: Kind
    name: str
    before: Tensor | None
    after: Tensor | None
    distance: Distance | None = None
    """None where shapes differ or a side has no such tensor."""


@dataclass(frozen=True, slots=True)
class TensorsDifference:
    """What became of a set of tensors."""

    compared: int
    """Tensors that both have with one shape."""
    bit_identical: int
    """Those of them that are of one dtype and equal bit by bit."""
    changes: tuple[TensorChange, ...]
    """Those that are not the same, in the order of the first and then of the second."""
    within_tolerance: int = 0
    """Tensors of one dtype and shape that are not bit-identical and yet close enough."""


NO_TENSORS = TensorsDifference(0, 0, ())


@dataclass(frozen=True, slots=True)
class Difference:
    """All that two models do not share."""

    compared: tuple[Panel, ...]
    """Panels that were asked for and that at least one of the models has."""
    architecture: tuple[Change, ...] = ()
    assets: TensorsDifference = NO_TENSORS
    """Members that the architecture refers to, such as vocabularies."""
    weights: TensorsDifference = NO_TENSORS
    training: tuple[Change, ...] = ()
    """Optimizer, losses, metrics, progress and what else the document says."""
    state: TensorsDifference = NO_TENSORS
    """Slots of the optimizer."""
    missing: tuple[tuple[Panel, Literal["first", "second"]], ...] = ()
    """Panels that one model does not have at all; nothing more is said of such a panel."""
    ignored: tuple[str, ...] = ()
    """Members of the documents that were not compared."""

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        tensors = (self.assets, self.weights, self.state)
        return not (self.missing or self.architecture or self.training or any(one.changes for one in tensors))

    def of(self, panel: Panel) -> tuple[tuple[Change, ...], TensorsDifference]:
        """What differs in `panel`: in its document, and in its tensors."""
        by_panel: dict[Panel, tuple[tuple[Change, ...], TensorsDifference]] = {
            "architecture": (self.architecture, self.assets),
            "weights": ((), self.weights),
            "training": (self.training, self.state),
        }
        return by_panel[panel]

    def differs(self, panel: Panel) -> bool:
        """Whether something differs in `panel`."""
        changes, tensors = self.of(panel)
        return bool(changes or tensors.changes) or any(one == panel for one, _ in self.missing)


def diff(
    a: Model | str | PathLike[str],
    b: Model | str | PathLike[str],
    *,
    only: Panel | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    ignore: Iterable[str] = (),
) -> Difference:
    """Where the models `a` and `b` differ, each a model or the path of one, of any layout.

    Layers, inputs and tensors are matched by name, calls by the values they yield; the order of calls is no difference. One tensor
    of each is in memory at a time. What a package says of itself (producer, license, provenance) is not compared.

    Args:
        a: The first.
        b: The second, to which tolerances and relative distances are related.
        only: Compare this panel alone.
        atol: With `rtol`, elements are the same as `numpy.allclose` says: ``|a - b| <= atol + rtol * |b|``, a NaN equal to a NaN;
            the one that is left out is 0. With neither, tensors are the same when they are equal bit by bit.
        rtol: See `atol`.
        ignore: Members of the architecture and training documents that are left out wherever they stand: ``metadata``, ``extensions.keras``.

    Raises:
        UsageError: `only` asks for what neither model has, a tolerance is negative or no number, or `ignore` names no member.
        InvalidModelError: A file breaks the specification of its layout, also when a tensor is read.
    """
    if only is not None and only not in PANELS:
        raise UsageError(f"expected architecture, weights or training, got {only!r}")
    tolerance, ignored = Tolerance.of(atol, rtol), tuple(ignore)
    paths = paths_of(ignored)
    first, second = (one if isinstance(one, Model) else _load(one) for one in (a, b))
    asked = PANELS if only is None else (only,)
    present = [(panel, getattr(first, panel) is not None, getattr(second, panel) is not None) for panel in asked]
    compared = tuple(panel for panel, one, two in present if one or two)
    if only is not None and not compared:
        raise UsageError(f"expected a model with {only}, neither has it")
    both = {panel for panel, one, two in present if one and two}
    found: dict[str, Any] = {"ignored": ignored, "missing": tuple((panel, "second" if one else "first") for panel, one, two in present if one != two)}
    if "architecture" in both and first.architecture is not None and second.architecture is not None:
        found["architecture"] = _architectures(first.architecture, second.architecture, paths)
        found["assets"] = _tensors(first.panels.assets, second.panels.assets, tolerance)
    if "weights" in both and first.weights is not None and second.weights is not None:
        found["weights"] = _tensors(first.weights.tensors, second.weights.tensors, tolerance)
    if "training" in both and first.training is not None and second.training is not None:
        found["training"] = _trainings(first.training, second.training, paths)
        found["state"] = _tensors(_state(first.training), _state(second.training), tolerance)
    return Difference(compared, **found)


def _load(path: str | PathLike[str]) -> Model:
    from triptych.surface.opening import load
    from triptych.surface.releasing import releasing

    return Model(releasing(load(path).panels))


def _state(training: Training) -> Mapping[str, Tensor]:
    return training.state.tensors if training.state is not None else {}


def _tensors(first: Mapping[str, Tensor], second: Mapping[str, Tensor], tolerance: Tolerance) -> TensorsDifference:
    changes: list[TensorChange] = []
    compared = identical = close = 0
    for name, before in first.items():
        after = second.get(name)
        if after is None:
            changes.append(TensorChange("removed", name, before, None))
        elif before.shape != after.shape:
            changes.append(TensorChange("changed", name, before, after))
        else:
            apart = distance(before, after, tolerance)
            compared += 1
            identical += apart.is_bit_identical
            if before.dtype == after.dtype and apart.is_close:
                close += not apart.is_bit_identical
            else:
                changes.append(TensorChange("changed", name, before, after, apart))
    changes += [TensorChange("added", name, None, after) for name, after in second.items() if name not in first]
    return TensorsDifference(compared, identical, tuple(changes), close)


Sides = tuple[str, str]


def _architectures(first: Architecture, second: Architecture, ignored: tuple[Path, ...]) -> tuple[Change, ...]:
    one, two = (without(architecture_to_data(side), ignored) for side in (first, second))
    return tuple(_graph(one, two, ("", ""), ""))


def _trainings(first: Training, second: Training, ignored: tuple[Path, ...]) -> tuple[Change, ...]:
    one, two = (without(training_to_data(side), ignored) for side in (first, second))
    changes: list[Change] = []
    for name in _names(one, two):
        places = (f"/{name}", f"/{name}")
        if name in {"losses", "metrics"}:
            changes += _listed(one.get(name, []), two.get(name, []), places, name)
        else:
            changes += _member(one, two, name, ("", ""), name)
    return tuple(changes)


def _listed(one: list[Json], two: list[Json], places: Sides, subject: str) -> Iterator[Change]:
    """Differences of lists whose items are told apart by their position."""
    for index in range(max(len(one), len(two))):
        here = (f"{places[0]}/{index}", f"{places[1]}/{index}")
        if index >= len(two):
            yield Change("removed", subject, (here[0], None), one[index], None)
        elif index >= len(one):
            yield Change("added", subject, (None, here[1]), None, two[index])
        else:
            yield from _values(one[index], two[index], here, subject)


def _graph(one: Mapping[str, Json], two: Mapping[str, Json], places: Sides, path: str) -> Iterator[Change]:
    """Differences of two graphs; `path` is that of the layer around them with a dot, or empty."""
    around = path[:-1]
    for name in _names(one, two):
        # The inputs of a composite are mere names.
        if name in NAMED and all(isinstance(item, dict) for side in (one, two) for item in side.get(name, ())):
            if name == "calls" and (name in one) != (name in two):
                said = {True: "a graph", False: "a sequence"}
                pointers = (f"{places[0]}/calls" if name in one else None, f"{places[1]}/calls" if name in two else None)
                yield Change("changed", around or "model", pointers, said[name in one], said[name in two])
            yield from _named(one.get(name, []), two.get(name, []), places, path, name)
        elif name == "composites":
            yield from _composites(one.get(name, {}), two.get(name, {}))
        else:
            yield from _member(one, two, name, places, f"{around} {name}".strip())


def _composites(one: Mapping[str, Json], two: Mapping[str, Json]) -> Iterator[Change]:
    for name in _names(one, two):
        here = f"/composites/{pointer_token(name)}"
        if name in one and name in two:
            yield from _graph(one[name], two[name], (here, here), f"{name}.")
        else:
            yield from _member(one, two, name, ("/composites", "/composites"), f"composite {name}")


def _named(one: list[Json], two: list[Json], places: Sides, path: str, member: str) -> Iterator[Change]:
    """Differences of lists whose items are told apart by a name."""
    indices = [{_name_of(item): index for index, item in enumerate(side)} for side in (one, two)]
    for name in _names(indices[0], indices[1]):
        at = [index.get(name) for index in indices]
        here = tuple(None if index is None else f"{place}/{member}/{index}" for place, index in zip(places, at, strict=True))
        subject = f"{NAMED[member]} {path}{name}"
        if at[0] is None or here[0] is None:
            yield Change("added", subject, (None, here[1]), None, two[indices[1][name]])
        elif at[1] is None or here[1] is None:
            yield Change("removed", subject, (here[0], None), one[at[0]], None)
        elif member == "layers":
            yield from _layer(one[at[0]], two[at[1]], (here[0], here[1]), f"{path}{name}")
        else:
            yield from _values(one[at[0]], two[at[1]], (here[0], here[1]), subject)
    shared = [[name for name in side if name in indices[1 - number]] for number, side in enumerate(indices)]
    if member != "calls" and shared[0] != shared[1]:
        yield Change("changed", f"order of {member} {path[:-1]}".strip(), (f"{places[0]}/{member}", f"{places[1]}/{member}"), *shared)


def _layer(one: Mapping[str, Json], two: Mapping[str, Json], places: Sides, path: str) -> Iterator[Change]:
    for name in _names(one, two):
        here = (f"{places[0]}/{name}", f"{places[1]}/{name}")
        if name == "architecture" and name in one and name in two:
            yield from _graph(one[name], two[name], here, f"{path}.")
        elif name == "sublayers" and name in one and name in two:
            for role in _names(one[name], two[name]):
                inside = (f"{here[0]}/{pointer_token(role)}", f"{here[1]}/{pointer_token(role)}")
                if role in one[name] and role in two[name]:
                    yield from _layer(one[name][role], two[name][role], inside, f"{path}.{role}")
                else:
                    yield from _member(one[name], two[name], role, here, f"layer {path}.{role}")
        else:
            yield from _member(one, two, name, places, f"layer {path}")


def _member(one: Mapping[str, Json], two: Mapping[str, Json], name: str, places: Sides, subject: str) -> Iterator[Change]:
    here = (f"{places[0]}/{pointer_token(name)}", f"{places[1]}/{pointer_token(name)}")
    if name not in two:
        yield Change("removed", subject, (here[0], None), one[name], None)
    elif name not in one:
        yield Change("added", subject, (None, here[1]), None, two[name])
    else:
        yield from _values(one[name], two[name], here, subject)


def _values(one: Json, two: Json, places: Sides, subject: str) -> Iterator[Change]:
    """Differences of plain data: objects member by member, all else as a whole."""
    if isinstance(one, dict) and isinstance(two, dict):
        for name in _names(one, two):
            yield from _member(one, two, name, places, subject)
    elif not _equal(one, two):
        yield Change("changed", subject, places, one, two)


def _equal(one: Json, two: Json) -> bool:
    """Whether two values are the same; ``true`` is not 1, and 1 is 1.0."""
    if isinstance(one, bool) or isinstance(two, bool):
        return one is two
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(_equal, one, two))
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(_equal(value, two[name]) for name, value in one.items())
    return bool(one == two)


def _names(one: Mapping[str, Any], two: Mapping[str, Any]) -> list[str]:
    """The names of both in the order of the first, then those that the second alone has."""
    return list(dict.fromkeys((*one, *two)))


def _name_of(item: Mapping[str, Json]) -> str:
    """What tells one input, layer or call from its siblings."""
    if "name" in item:
        return str(item["name"])
    return ", ".join(item.get("outputs", (item.get("layer", ""),)))
