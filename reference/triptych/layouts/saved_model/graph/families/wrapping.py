"""Emitters of types that apply layers inside them."""

from __future__ import annotations

from triptych.layouts.saved_model.graph.emission import Emission, emits
from triptych.layouts.saved_model.graph.shaping import extents, join, reshape, reverse
from triptych.layouts.saved_model.graph.stepping import initial_states
from triptych.layouts.saved_model.graph.values import Value


@emits("TimeDistributed")
def _each_step(call: Emission) -> list[Value]:
    """All steps at once, as a larger batch: no layer of the vocabulary looks across its batch after training."""
    batch, steps, *rest = extents(call.input)
    outputs, _ = call.apply("layer", (reshape(call.input, [batch * steps, *rest]),))
    return [reshape(one, [batch, steps, *extents(one)[1:]]) for one in outputs]


@emits("Bidirectional")
def _both_ways(call: Emission) -> list[Value]:
    states = initial_states(call)
    half = len(states) // 2
    masks = [call.mask, *[None] * half]
    (one, *one_states), _ = call.apply("forward", (call.input, *states[:half]), masks)
    (two, *two_states), _ = call.apply("backward", (call.input, *states[half:]), masks)
    if call.sublayers["backward"].config.get("return_sequences", False):
        two = reverse(two, [1])
    mode = call.config["merge_mode"]
    return [*([one, two] if mode == "none" else [_merged(one, two, mode)]), *one_states, *two_states]


def _merged(one: Value, two: Value, mode: str) -> Value:
    """The results of both directions as one."""
    match mode:
        case "concat":
            return join([one, two], -1)
        case "mul":
            return one * two
        case "sum":
            return one + two
    return (one + two) / 2
