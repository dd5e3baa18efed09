"""Carries weights from one model into another: by position, or by layer name, with a report of what happened to each.

The semantics are those of Keras' ``load_weights``: by position, layers that own no weights do not count and the others
must agree one by one; by name, only top-level layers are matched and the rest of either side is left alone. Unlike
there, nothing passes in silence: every weight of both sides appears in exactly one list of the report.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from triptych.errors import Problem, WeightsMismatchError, shorten
from triptych.layouts.layout import Fit
from triptych.model import Architecture, Tensor, Weights
from triptych.surface.owners import Layers, Owner, Weight, by_role, owners

_COMPARED = 2000
"""How many names are compared with one that is missing."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of each weight; names are the tensor names of this model, but for `unexpected`, which are the source's."""

    loaded: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    """Left as they were because ``by_name`` found no layer of that name in the source."""
    missing: tuple[str, ...] = ()
    """Needed here, absent in the source."""
    unexpected: tuple[str, ...] = ()
    """In the source, not needed here."""
    mismatched: tuple[str, ...] = ()
    """In both, with shapes that differ; left as they were."""

    def __str__(self) -> str:
        counts = (f"{len(getattr(self, name))} {name}" for name in ("loaded", "skipped", "missing", "unexpected", "mismatched"))
        return ", ".join(counts)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a weight of the source went."""

    name: str
    """Of the tensor of this model."""
    axes_before: tuple[int, ...] | None
    axes: tuple[int, ...] | None
    """Which stored axis holds each canonical one, in the source and here."""


def transfer(
    architecture: Architecture,
    current: Weights | None,
    source_architecture: Architecture | None,
    source: Weights,
    *,
    source_layers: Layers = (),
    fit: Fit | None = None,
    by_name: bool = False,
    skip_mismatch: bool = False,
) -> tuple[Weights, LoadReport, Mapping[str, Origin]]:
    """The weights of a model after loading `source` into it, what became of each, and where those of the source went.

    Args:
        architecture: Of the model that receives.
        current: Its weights so far, which stay where nothing is loaded; None if it has none.
        source_architecture: Of the model that gives; None if only its tensors are known.
        source: Its weights.
        source_layers: Its layers with their tensors' names, where the file says so without an architecture.
        fit: Makes what a layer of the source holds fit one of this model, where the source's layout is older than they are.
        by_name: Match top-level layers by name instead of by position; layers without a namesake are skipped.
        skip_mismatch: Leave a layer alone whose shapes differ, with one warning that says both shapes.

    Raises:
        WeightsMismatchError: Weights are missing, unexpected or of another shape (and not excused by the two options),
            or no layer at all has a namesake.
    """
    receiving = owners(architecture, current)
    giving = owners(source_architecture, source, source_layers, among={layer.name for layer in architecture.layers})
    bare = source_architecture is None and not source_layers
    if bare and not by_name:
        pairs, loose = _pair_by_tensor_name(receiving, source)
    else:
        pairs, loose = (_pair_by_name if by_name else _pair_by_position)(receiving, giving)
    outcome = _Outcome()
    tensors = dict(current.tensors) if current is not None else {}
    for here, found in pairs:
        there = _fitted(here, found, fit)
        if there is not None and there is found and (by_name if bare else here.unordered):
            there = by_role(here, there)
        _carry(here, there, tensors, outcome, by_name=by_name, skip_mismatch=skip_mismatch)
    outcome.unexpected += loose
    report = outcome.report()
    problems = outcome.problems
    if not by_name:
        problems += [
            Problem("WEIGHT_MISSING", "", name, f"expected this weight in the source, found none{_like(name, report.unexpected)}") for name in report.missing
        ]
        problems += [
            Problem("WEIGHT_UNEXPECTED", "", name, f"the source holds this weight, the model has no place for it{_like(name, report.missing)}")
            for name in report.unexpected
        ]
    elif not report.loaded and not report.mismatched:
        names = ", ".join(shorten(o.name) for o in giving[:5])
        problems = [Problem("WEIGHT_MISSING", "", "", f"expected at least one layer of the same name, the source has {names or 'none'}")]
    if problems:
        raise WeightsMismatchError(tuple(problems))
    order = [w.tensor_name for o in receiving for w in o.weights]
    return Weights({name: tensors[name] for name in [*order, *(tensors.keys() - set(order))] if name in tensors}), report, outcome.origins


def _like(name: str, others: Sequence[str]) -> str:
    """What of `others` `name` may be meant as, as the rest of a sentence."""
    from difflib import get_close_matches

    near = get_close_matches(name, others[:_COMPARED], n=2, cutoff=0.5) if others else []
    return f"; there is {' and '.join(map(shorten, near))}, which a rule may rename" if near else ""


@dataclass(slots=True)
class _Outcome:
    loaded: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    origins: dict[str, Origin] = field(default_factory=dict)

    def report(self) -> LoadReport:
        return LoadReport(*(tuple(names) for names in (self.loaded, self.skipped, self.missing, self.unexpected, self.mismatched)))


_Pairs = list[tuple[Owner, Owner | None]]


def _pair_by_position(receiving: Sequence[Owner], giving: Sequence[Owner]) -> tuple[_Pairs, list[str]]:
    if len(receiving) != len(giving):
        alone = [_names_beside(*pair) for pair in ((receiving, giving), (giving, receiving))]
        found = f"expected {len(receiving)} layers with weights, the source has {len(giving)}"
        raise WeightsMismatchError((Problem("WEIGHT_COUNT", "", "", f"{found}; by name, in the model alone: {alone[0]}; in the source alone: {alone[1]}"),))
    return list(zip(receiving, giving, strict=True)), []


def _names_beside(some: Sequence[Owner], others: Sequence[Owner]) -> str:
    known = {owner.known_as for owner in others}
    names = [shorten(owner.known_as) for owner in some if owner.known_as not in known]
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "") or "none"


def _pair_by_name(receiving: Sequence[Owner], giving: Sequence[Owner]) -> tuple[_Pairs, list[str]]:
    named = {owner.known_as: owner for owner in giving}
    here = {owner.known_as for owner in receiving}
    loose = [w.tensor_name for owner in giving if owner.known_as not in here for w in owner.weights]
    return [(owner, named.get(owner.known_as)) for owner in receiving], loose


def _pair_by_tensor_name(receiving: Sequence[Owner], source: Weights) -> tuple[_Pairs, list[str]]:
    """For bare tensors: nothing but their names says where they belong, and their order means nothing."""
    pairs: _Pairs = []
    for owner in receiving:
        found = [(weight, source.tensors.get(weight.tensor_name)) for weight in owner.weights]
        there = tuple(Weight(w.tensor_name, tensor, None if tensor is None else tensor.shape, w.axes) for w, tensor in found)
        pairs.append((owner, Owner(owner.name, there)))
    used = {weight.tensor_name for owner in receiving for weight in owner.weights}
    return pairs, [name for name in source.tensors if name not in used]


def _fitted(here: Owner, there: Owner | None, fit: Fit | None) -> Owner | None:
    """`there` with what it holds as `here` needs it, where `fit` knows how."""
    found = fit(here.name, there.name) if fit is not None and there is not None else None
    if there is None or found is None or len(found) != len(here.weights):
        return there
    weights = tuple(Weight(ours.tensor_name, tensor, tensor.shape) for ours, tensor in zip(here.weights, found, strict=True))
    return replace(there, weights=weights)


def _carry(
    here: Owner, there: Owner | None, tensors: dict[str, Tensor], outcome: _Outcome, *, by_name: bool, skip_mismatch: bool
) -> None:
    """Put the weights of layer `there` in the place of those of `here`, all or none of them."""
    names = [w.tensor_name for w in here.weights]
    if there is None:
        (outcome.skipped if by_name else outcome.missing).extend(names)
        return
    if differences := list(_differences(here, there)):
        outcome.mismatched += names
        if skip_mismatch:
            warnings.warn(f"layer {here.name!r} is skipped: {differences[0]}", stacklevel=5)
        else:
            outcome.problems += [Problem("WEIGHT_SHAPE_MISMATCH", "", here.name, one) for one in differences]
        return
    for ours, theirs in zip(here.weights, there.weights, strict=True):
        if theirs.tensor is None:
            outcome.missing.append(ours.tensor_name)
            continue
        outcome.origins.setdefault(theirs.tensor_name, Origin(ours.tensor_name, theirs.axes, ours.axes))
        tensors[ours.tensor_name] = recast(theirs.tensor, theirs.axes, ours.axes, ours.dtype)
        outcome.loaded.append(ours.tensor_name)


def _differences(here: Owner, there: Owner) -> Iterator[str]:
    """What keeps the weights of `there` from those of `here`, a sentence each; none when they fit."""
    if len(here.weights) != len(there.weights):
        yield f"expected {len(here.weights)} weights, the source's layer {there.name!r} has {len(there.weights)}"
        return
    for ours, theirs in zip(here.weights, there.weights, strict=True):
        found = _canonical_shape(theirs)
        expected = ours.shape
        if found is not None and not fits(expected, found):
            yield f"expected shape {_show(expected or ())} for {ours.tensor_name!r}, the source's {theirs.tensor_name!r} has {_show(found)}"


def fits(expected: tuple[int | None, ...] | None, found: tuple[int | None, ...]) -> bool:
    """Whether a weight of shape `found` has the place of one of shape `expected`; None stands for what is not known."""
    if expected is None:
        return True
    known = all(e is None or f is None or e == f for e, f in zip(expected, found, strict=False))
    return known and len(expected) == len(found)


def _canonical_shape(weight: Weight) -> tuple[int | None, ...] | None:
    if weight.tensor is None:
        return weight.shape
    stored = weight.tensor.shape
    if weight.axes is None or len(weight.axes) != len(stored):
        return stored
    return tuple(stored[axis] for axis in weight.axes)


def _show(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("?" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"


def recast(tensor: Tensor, theirs: tuple[int, ...] | None, ours: tuple[int, ...] | None, dtype: str | None) -> Tensor:
    """`tensor` with its axes stored as ours are and elements of `dtype`; itself where nothing changes."""
    same_dtype = dtype is None or dtype == tensor.dtype
    if theirs == ours and same_dtype:
        return tensor
    from triptych import dtypes

    shape = tensor.shape
    if theirs is not None:
        shape = tuple(shape[axis] for axis in theirs)
    inverse = tuple(sorted(range(len(ours)), key=ours.__getitem__)) if ours is not None else None
    if inverse is not None:
        shape = tuple(shape[axis] for axis in inverse)

    def read() -> memoryview:
        array = tensor.array()
        if theirs is not None:
            array = array.transpose(theirs)
        if inverse is not None:
            array = array.transpose(inverse)
        if not same_dtype:
            assert dtype is not None
            array = array.astype(dtypes.numpy_dtype(dtype))
        return Tensor.from_array(array).read()

    return Tensor(tensor.dtype if same_dtype or dtype is None else dtype, shape, read)
