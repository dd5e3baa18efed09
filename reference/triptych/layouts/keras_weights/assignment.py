"""Which stored array is which weight of a layer: by position, unless the names say clearly that the position lies.

Keras stores the weights of one top-level layer in the order trainable, then non-trainable, *as flagged when it saved*, and loads by
position, as flagged when it loads: two frozen and thawed layers of equal shape change places in silence. Here the names
are heard first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from triptych.errors import shorten
from triptych.layouts.keras_weights.lineage import Owner
from triptych.layouts.keras_weights.names import parse, says_role
from triptych.layouts.problems import mismatch
from triptych.model import Shape


@dataclass(frozen=True, slots=True)
class Place:
    """One weight that a layer needs."""

    owner: Owner
    role: str
    tensor: str
    """Name of the tensor that is to hold it."""
    shape: Shape | None
    """Of the tensor, as it is stored."""
    trainable: bool
    axes: tuple[int, ...] | None = None
    """``axes[i]`` is the stored axis that holds axis i of the weight; None: as stored."""

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether an array of `shape` can be the tensor."""
        needed = self.shape
        return needed is None or (len(needed) == len(shape) and all(n in (None, a) for n, a in zip(needed, shape, strict=True)))


@dataclass(frozen=True, slots=True)
class Array:
    """One array that a file or a live model holds for a layer."""

    name: str
    shape: tuple[int, ...]
    trainable: bool | None = None
    """Whether it is trained, where that is known beyond what its layer says."""


def keras_order(places: Sequence[Place]) -> list[int]:
    """Indices into `places`, which are in the order of ``get_weights()``, in the order in which Keras stores them."""
    return sorted(range(len(places)), key=lambda index: not places[index].trainable)


def named_places(arrays: Sequence[Array], places: Sequence[Place]) -> list[int] | None:
    """For each of `arrays` the index of the place that its name alone means; None if names do not lead to one each."""
    found = _Names(places).identify(arrays)
    return None if found is None else sorted(found, key=found.__getitem__)


def assign(group: str, arrays: Sequence[Array], places: Sequence[Place]) -> list[int]:
    """For each of `places` the index of its array.

    Args:
        group: Name of the top-level layer, for messages.
        arrays: In stored order.
        places: In the order of ``get_weights()``.

    Raises:
        InvalidModelError: Their numbers differ, or neither names nor positions lead to arrays of the shapes needed.
    """
    if len(arrays) != len(places):
        raise mismatch(
            group,
            f"expected {len(places)} weights{_listing(p.role for p in places)}, found {len(arrays)}{_listing(a.name for a in arrays)}",
        )
    reading = _Names(places)
    order = keras_order(places)
    by_position = dict(zip(order, range(len(arrays)), strict=True))
    if all(_fits(arrays[i], places[p]) and reading.allows(arrays[i].name, p) for p, i in by_position.items()):
        return [by_position[p] for p in range(len(places))]
    by_name = reading.identify(arrays)
    if by_name is not None and all(_fits(arrays[i], places[p]) for p, i in by_name.items()):
        return [by_name[p] for p in range(len(places))]
    wrong = [p for p, i in by_position.items() if not _fits(arrays[i], places[p])]
    if not wrong and (by_name is not None or not reading.contradicts(arrays, by_position)):
        # Names that lead to other shapes name something else: layers were renamed after they were built.
        return [by_position[p] for p in range(len(places))]
    if not wrong:
        named = ", ".join(shorten(a.name, 60) for a in arrays[:4])
        raise mismatch(group, f"expected names and order of weights to agree, got an order that the names {named} … contradict")
    first = wrong[0]
    found = arrays[by_position[first]]
    raise mismatch(
        group,
        f"expected shape {_show(places[first].shape)} for {places[first].role!r} of {places[first].owner.path!r}, {found.name!r} has {_show(found.shape)}",
    )


class _Names:
    """What names of stored arrays say about places of one top-level layer."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places
        self._layers = {place.owner.name for place in places}
        self._by_layer: dict[str, list[int]] = defaultdict(list)
        self._parts: dict[str, set[str]] = defaultdict(set)
        for index, place in enumerate(places):
            self._by_layer[place.owner.name].append(index)
            self._parts[place.owner.name].update(part[1:] for part in place.owner.lineage if part.startswith("@"))

    def _layer(self, scopes: Sequence[str]) -> str | None:
        return next((scope for scope in reversed(scopes) if scope in self._layers), None)

    def _part(self, layer: str, scopes: Sequence[str]) -> str | None:
        """The sublayer role, of several that a layer has, that a scope such as ``forward_gru_1`` begins with."""
        parts = self._parts[layer]
        if len(parts) < 2:
            return None
        return next((part for scope in scopes for part in parts if scope == part or scope.startswith(f"{part}_")), None)

    def allows(self, name: str, index: int) -> bool:
        """Whether nothing in `name` speaks against the place `index`."""
        scopes, role = parse(name)
        place = self._places[index]
        layer = self._layer(scopes)
        part = self._part(place.owner.name, scopes)
        return (
            says_role(scopes, role, place.role)
            and layer in (None, place.owner.name)
            and (part is None or f"@{part}" in place.owner.lineage)
        )

    def identify(self, arrays: Sequence[Array]) -> dict[int, int] | None:
        """Place -> array, if the names alone lead to exactly one of each; else None."""
        found: dict[int, int] = {}
        for number, array in enumerate(arrays):
            candidates = self.candidates(array.name)
            if len(candidates) != 1 or candidates[0] in found:
                return None
            found[candidates[0]] = number
        return found

    def candidates(self, name: str) -> list[int]:
        """The places that `name` may mean; all with its role where it says no layer."""
        scopes, role = parse(name)
        layer = self._layer(scopes)
        if layer is None and len(self._layers) > 1:
            return []
        near = self._by_layer[layer or next(iter(self._layers))]
        part = self._part(self._places[near[0]].owner.name, scopes)
        found = [
            i
            for i in near
            if says_role(scopes, role, self._places[i].role) and (part is None or f"@{part}" in self._places[i].owner.lineage)
        ]
        if len(found) > 1:
            # Layers of one name in different nested models: the one whose other names are there too.
            score = {i: sum(word in scopes for word in self._places[i].owner.lineage) for i in found}
            best = max(score.values())
            found = [i for i in found if score[i] == best]
        return found

    def contradicts(self, arrays: Sequence[Array], by_position: dict[int, int]) -> bool:
        """Whether a name that only one array has and that means exactly one place stands at the position of another."""
        shared = Counter(array.name for array in arrays)
        return any(
            shared[arrays[i].name] == 1 and (sure := self.candidates(arrays[i].name)) and len(sure) == 1 and sure[0] != p
            for p, i in by_position.items()
        )


def _fits(array: Array, place: Place) -> bool:
    return place.fits(array.shape)


def _listing(names: Iterable[str]) -> str:
    known = list(names)
    return f" ({', '.join(shorten(name, 60) for name in known[:6])}{' …' if len(known) > 6 else ''})" if known else ""


def _show(shape: Shape | None) -> str:
    return "unknown" if shape is None else "(" + ", ".join("?" if n is None else str(n) for n in shape) + ")"
