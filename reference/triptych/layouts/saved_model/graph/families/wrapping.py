"""Emitters of types that apply a layer inside them."""

from __future__ import annotations

from triptych.layouts.saved_model.graph.emission import Emission, emits
from triptych.layouts.saved_model.graph.shaping import extents, reshape
from triptych.layouts.saved_model.graph.values import Value


@emits("TimeDistributed")
def _each_step(call: Emission) -> list[Value]:
    """All steps at once, as a larger batch: no layer of the vocabulary looks across its batch after training."""
    batch, steps, *rest = extents(call.input)
    outputs, _ = call.apply("layer", (reshape(call.input, [batch * steps, *rest]),))
    return [reshape(one, [batch, steps, *extents(one)[1:]]) for one in outputs]
