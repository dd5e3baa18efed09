"""What relates the training panel to the other two: outputs that exist, and state that belongs to a weight (chapter 50)."""

from __future__ import annotations

import re

from triptych.checks.registry import Found, check
from triptych.errors import pointer_token, shorten
from triptych.model import Panels

_STATE_NAME = re.compile(r"optimizer\.[a-z][a-z0-9_]*(\..+)?|(?!optimizer\.)[a-z][a-z0-9_]*\..+", re.ASCII | re.DOTALL)
_SLOT = re.compile(r"optimizer\.[a-z][a-z0-9_]*\.(?P<weight>.+)", re.ASCII | re.DOTALL)


@check("TRN-007", "training")
def components_name_outputs(panels: Panels) -> Found:
    """The output of a loss or metric is one of the architecture's."""
    training, graph = panels.training, panels.architecture
    if training is None or graph is None:
        return
    known = graph.outputs if graph.calls is not None else tuple(layer.name for layer in graph.layers[-1:])
    named = [(f"/losses/{index}/output", loss.output) for index, loss in enumerate(training.losses)]
    named += [(f"/metrics/{index}/output", metric.output) for index, metric in enumerate(training.metrics)]
    for place, output in named:
        if output is not None and output not in known:
            yield place, f"expected the name of an output of the architecture ({shorten(', '.join(known))}), got {shorten(output)}"


@check("TRN-008", "state")
def state_names_are_well_formed(panels: Panels) -> Found:
    """A tensor of the training state says in its name whose it is."""
    for name in _state(panels):
        if not _STATE_NAME.fullmatch(name):
            message = f"expected a name like optimizer.<slot>.<weight>, optimizer.<name> or <prefix>.<name>, got {shorten(name)}"
            yield f"/{pointer_token(name)}", message


@check("TRN-009", "state")
def slots_belong_to_weights(panels: Panels) -> Found:
    """A slot of the optimizer belongs to a tensor of the weights section."""
    if panels.weights is None:
        return
    for name in _state(panels):
        found = _SLOT.fullmatch(name)
        if found and found["weight"] not in panels.weights:
            yield f"/{pointer_token(name)}", f"expected a slot of a tensor of the weights section, got {shorten(found['weight'])}"


def _state(panels: Panels) -> tuple[str, ...]:
    training = panels.training
    return () if training is None or training.state is None else tuple(training.state)
