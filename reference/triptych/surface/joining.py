"""Gives weights that lie alone the architecture they belong to, and what lies beside them the names that it has for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from triptych import layouts
from triptych.errors import UsageError
from triptych.model import Architecture, Json, Panels, Tensor, Training, Weights
from triptych.surface.owners import adopting, owners
from triptych.surface.transfer import LoadReport, Origin, recast, transfer


def receive(
    panels: Panels, source: Panels, *, by_name: bool = False, skip_mismatch: bool = False
) -> tuple[Panels, LoadReport, Mapping[str, Origin]]:
    """`panels` with the weights of `source`, what became of each, and where those of the source went.

    Args:
        panels: With an architecture, and the weights that stay where nothing is loaded.
        source: With weights.
        by_name: See `transfer`.
        skip_mismatch: See `transfer`.

    Raises:
        WeightsMismatchError: The weights do not fit.
    """
    assert panels.architecture is not None
    assert source.weights is not None
    listed = layouts.layers_of(source)
    architecture = adopting(panels.architecture, owners(source.architecture, source.weights, listed))
    # Weights that their file says by place in a model have, in this one, the names that it gives them.
    placed = None if by_name or source.architecture is not None else layouts.placed_in(source, architecture)
    weights, report, origins = transfer(
        architecture,
        panels.weights,
        source.architecture,
        source.weights if placed is None else placed,
        source_layers=listed if placed is None else (),
        fit=None if source.architecture else layouts.fitting_of(source, architecture),
        by_name=by_name,
        skip_mismatch=skip_mismatch,
    )
    if placed is not None:
        here = {id(tensor): name for name, tensor in placed.tensors.items()}
        origins = {name: origins[here[id(tensor)]] for name, tensor in source.weights.tensors.items() if here.get(id(tensor)) in origins}
    return replace(panels, architecture=architecture, weights=weights), report, origins


def joined(source: Panels, base: Panels) -> Panels:
    """The weights and training of `source` with the architecture of `base`, under the names that it has for them.

    What `base` says of how it is trained (optimizer, losses, metrics) is taken where `source` has a training that does not say it; weights
    and state of `base` never are.

    Raises:
        UsageError: `base` has no architecture, `source` no weights, or both have an architecture and they differ.
        WeightsMismatchError: The weights are not those that the architecture needs; every difference is listed.
    """
    if base.architecture is None:
        raise UsageError("expected an architecture in the file that is to give one, it has none")
    if source.architecture is not None:
        if _meaning(source.architecture) == _meaning(base.architecture):
            return source
        raise UsageError("expected weights without an architecture, or with the very same one; the source has another of its own")
    if source.weights is None:
        raise UsageError("expected a source with weights, to which an architecture can be joined; this one has none")
    received, _, origins = receive(replace(base, weights=None, training=None), source)
    assert received.architecture is not None
    assert received.weights is not None
    training = None if source.training is None else _trained(source.training, base.training, origins, received.architecture)
    return replace(
        received,
        training=training and (layouts.resumed(training, received.architecture, received.weights) or training),
        assets={**base.assets, **source.assets},
        name=source.name or base.name,
        license=source.license or base.license,
        provenance=source.provenance or base.provenance,
        metadata=source.metadata or base.metadata,
    )


def _meaning(architecture: Architecture) -> Json:
    """`architecture` as data, without what only returns it to the file that it came from."""
    from triptych.documents import architecture_to_data

    return _without_extensions(architecture_to_data(architecture))


def _without_extensions(data: Json) -> Json:
    if isinstance(data, dict):
        return {name: _without_extensions(value) for name, value in data.items() if not name.startswith("extensions")}
    return [_without_extensions(value) for value in data] if isinstance(data, list) else data


def _trained(training: Training, base: Training | None, origins: Mapping[str, Origin], architecture: Architecture) -> Training:
    """`training` with slots of the weights' new names, and with what `base` says and it does not."""
    if training.state is not None:
        names: dict[str, str] = {}
        state: dict[str, Tensor] = {}
        for name, tensor in training.state.tensors.items():
            start, _, rest = name.partition(".")
            slot, _, weight = rest.partition(".")
            origin = origins.get(weight) if start == "optimizer" else None
            if origin is not None:
                names[name] = f"{start}.{slot}.{origin.name}"
                if len(tensor.shape) == len(origin.axes or tensor.shape):
                    tensor = recast(tensor, origin.axes_before, origin.axes, None)  # noqa: PLW2901 - the same slot as it lies here
            state[names.get(name, name)] = tensor
        training = replace(training, state=Weights(state))
        changed = {old: new for old, new in names.items() if old != new}
        training = layouts.under_names(Panels(training=training, architecture=architecture), changed).training or training
    if base is None:
        return training
    return replace(
        training,
        optimizer=training.optimizer or base.optimizer,
        losses=training.losses or base.losses,
        metrics=training.metrics or base.metrics,
        extensions={**base.extensions, **training.extensions},
        extensions_used=tuple(sorted({*base.extensions_used, *training.extensions_used})),
        extensions_required=tuple(sorted({*base.extensions_required, *training.extensions_required})),
    )
