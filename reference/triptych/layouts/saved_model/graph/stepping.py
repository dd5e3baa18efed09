"""Taking the steps of a sequence: what every recurrent layer does around the formula of one step, in a loop of any length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from triptych.layouts.saved_model.graph.elementary import cast, where
from triptych.layouts.saved_model.graph.emission import Emission
from triptych.layouts.saved_model.graph.loops import new_list, repeat, stacked, with_item
from triptych.layouts.saved_model.graph.shaping import expand, extent, extents, fill, index, move_axis
from triptych.layouts.saved_model.graph.values import Extent, Value
from triptych.vocabulary.arrays import np

Step = Callable[[Value, list[Value]], tuple[Value, list[Value]]]
"""Makes a result and new states of the input of one step and the states before it."""


def initial_states(call: Emission) -> list[Value]:
    """The states that a call gives, as its inputs after the first or as its argument; none if it gives none."""
    given = call.arguments.get("initial_state")
    if given is None:
        return list(call.inputs[1:])
    return [cast(call.body.made(one, call.dtype), call.dtype) for one in (given if isinstance(given, list) else [given])]


def take_steps(call: Emission, x: Value, step: Step, states: list[Value]) -> Value | list[Value]:
    """What a recurrent layer yields for the steps of `x`: the result of each or of the last, and the last states if it returns them.

    A step that does not count changes no state; its result is that of the step before, or zeros. The first step is taken before
    the loop: a cell of which nothing else is known tells by it what its results and states are.
    """
    config, count = call.config, extent(x, 1)
    gathers = config["return_sequences"]

    def taken(turn: Extent, result: Value | None, before: list[Value]) -> tuple[Value, list[Value]]:
        """The result and the states after so many turns."""
        place = count - 1 - turn if config["go_backwards"] else turn
        new, after = step(index(x, 1, place), before)
        if call.mask is not None:
            counts = index(call.mask, 1, place)
            new = _where(counts, new, None if config["zero_output_for_mask"] else result)
            after = [_where(counts, one, before[number] if before else None) for number, one in enumerate(after)]
        return new, after

    result, states = taken(0, None, states)
    item = extents(result)
    gathered = [with_item(new_list(result, item, count, result.dtype), _number(call, 0), result)] if gathers else []
    if count != 1:
        # One of the values of the loop counts its turns, the last result is another; lists of results follow, then the states.
        def turn(values: list[Value]) -> list[Value]:
            at, before, *rest = values
            new, after = taken(at, before, rest[len(gathered) :])
            return [at + 1, new, *(with_item(one, at, new) for one in rest[: len(gathered)]), *after]

        start = [_number(call, 1), result, *gathered, *states]
        _, result, *rest = repeat(lambda values: values[0] < count, turn, start)
        gathered, states = rest[: len(gathered)], rest[len(gathered) :]
    whole = [move_axis(stacked(one, item, result.dtype, count=count if isinstance(count, int) else None), 0, 1) for one in gathered]
    yielded = whole[0] if whole else result
    return [yielded, *states] if config["return_state"] else yielded


def _number(call: Emission, number: int) -> Value:
    return call.body.constant(np.asarray(number, np.int32))


def _where(counts: Value, new: Value, before: Value | None) -> Value:
    """`new` for the elements of the batch that count, else `before`, or zeros."""
    condition = reduce(expand, [-1] * (new.ndim - 1), counts)
    return where(condition, new, 0 if before is None else cast(before, new.dtype))


def zeros(like: Value, target: Sequence[Extent]) -> Value:
    """Zeros of the extents `target` in the dtype of `like`."""
    return fill(like, target, 0, like.dtype)
