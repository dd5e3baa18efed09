"""Types that apply a layer inside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from triptych.model import Shape
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, Sublayer, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import compatible, text
from triptych.vocabulary.formula import Evaluation, Mask
from triptych.vocabulary.kinds import choice
from triptych.vocabulary.stepping import initial_states

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


MERGES: dict[str, Callable[[Array, Array], Array]] = {
    "concat": lambda one, two: np.concatenate([one, two], axis=-1),
    "sum": lambda one, two: one + two,
    "mul": lambda one, two: one * two,
    "ave": lambda one, two: (one + two) / 2,
}
"""Merge mode -> what it makes of the results of both directions."""


def _both_ways(call: Evaluation) -> list[Array]:
    states = initial_states(call)
    half = len(states) // 2
    masks = [call.mask, *[None] * half]
    (one, *one_states), _ = call.apply("forward", (call.input, *states[:half]), masks)
    (two, *two_states), _ = call.apply("backward", (call.input, *states[half:]), masks)
    if call.sublayers["backward"].config.get("return_sequences", False):
        two = np.flip(two, axis=1)
    mode = call.config["merge_mode"]
    return [*([one, two] if mode == "none" else [MERGES[mode](one, two)]), *one_states, *two_states]


def _both_masks(call: Evaluation, outputs: Sequence[Array]) -> Sequence[Mask]:
    """The input's mask for sequences."""
    results = 2 if call.config["merge_mode"] == "none" else 1
    mask = call.mask if call.sublayers["forward"].config.get("return_sequences", False) else None
    return [*[mask] * results, *[None] * (len(outputs) - results)]


def _each_step(call: Evaluation) -> list[Array]:
    """All steps at once, as a larger batch: no layer of the vocabulary looks across its batch after training."""
    batch, steps, *rest = call.input.shape
    outputs, _ = call.apply("layer", (call.input.reshape(batch * steps, *rest),))
    return [one.reshape(batch, steps, *one.shape[1:]) for one in outputs]


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
    equation="y = merge(forward(x), reverse(backward(x))); reverse turns round the steps of a sequence; concat along the last axis, "
    "sum y1 + y2, mul y1 × y2, ave (y1 + y2) / 2, none both",
    takes_as_given=True,
    formula=_both_ways,
    mask=_both_masks,
)
define(
    "TimeDistributed",
    FAMILY,
    "Applies a layer to each step on its own.",
    words="the sublayer's result for one step, with the steps as axis 1",
    rule=_time_distributed,
    sublayers=(Sublayer("layer", "The layer applied."),),
    rank=(3, None),
    equation="y[:, t] = layer(x[:, t])",
    takes_as_given=True,
    formula=_each_step,
)
