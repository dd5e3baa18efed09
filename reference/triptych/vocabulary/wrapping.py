"""Types that apply a layer inside them."""

from __future__ import annotations

from triptych.model import Shape
from triptych.vocabulary.definition import Field, LayerCall, Sublayer, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import compatible, text
from triptych.vocabulary.kinds import choice

FAMILY = "Wrapping"


def _bidirectional(call: LayerCall) -> list[Shape] | Shape | None:
    states = call.inputs[1:]
    if len(states) % 2:
        raise ShapeError(f"expected as many initial states for each direction, got {len(states)}")
    half = len(states) // 2
    forward = call.apply("forward", (call.input, *states[:half]))
    backward = call.apply("backward", (call.input, *states[half:]))
    if forward is None or backward is None or None in forward or None in backward:
        return None
    (one, *one_states), (two, *two_states) = forward, backward
    assert one is not None
    assert two is not None
    mode = call.config["merge_mode"]
    if not compatible(one[:-1] if mode == "concat" else one, two[:-1] if mode == "concat" else two):
        raise ShapeError(f"expected forward and backward results that fit together, got {text(one)} and {text(two)}")
    if mode == "concat":
        last = None if one[-1] is None or two[-1] is None else one[-1] + two[-1]
        merged = [(*one[:-1], last)]
    else:
        merged = [one, two] if mode == "none" else [one]
    return [*merged, *(state for state in (*one_states, *two_states) if state is not None)]


def _time_distributed(call: LayerCall) -> Shape | list[Shape] | None:
    batch, steps, *rest = call.input
    inner = call.apply("layer", ((batch, *rest),))
    if inner is None or None in inner:
        return None
    return [(shape[0], steps, *shape[1:]) for shape in inner if shape is not None]


define(
    "Bidirectional",
    FAMILY,
    "Applies one recurrent layer to the steps and another to the steps in reverse, whose results it turns round, and merges the two.",
    words="the forward result; with `concat` the sum of both last extents; with `none` both results; followed by the forward and backward states, if returned",
    rule=_bidirectional,
    fields=(Field("merge_mode", choice("concat", "sum", "mul", "ave", "none"), "How the two results are merged.", "concat"),),
    sublayers=(
        Sublayer("forward", "Takes the steps in order."),
        Sublayer("backward", "Takes them in reverse: its `go_backwards` is the opposite of the forward one's."),
    ),
    inputs=(1, None),
    rank=(3, 3),
    arguments=("initial_state",),
    torch="torch.nn.LSTM(bidirectional=True) and its like",
)
define(
    "TimeDistributed",
    FAMILY,
    "Applies a layer to each step on its own.",
    words="the sublayer's result for one step, with the steps as axis 1",
    rule=_time_distributed,
    sublayers=(Sublayer("layer", "The layer applied."),),
    rank=(3, None),
)
