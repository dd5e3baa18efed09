"""Taking the steps of a sequence: what every recurrent layer does around the formula of one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import LayerCall
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import text
from triptych.vocabulary.formula import Evaluation, Mask

Step = Callable[[Array, list[Array]], tuple[Array, list[Array]]]
"""Makes a result and new states of the input of one step and the states before it."""


def check_steps(call: LayerCall) -> None:
    """Raise unless there is a step to take."""
    if call.input[1] == 0:
        raise ShapeError(f"expected at least 1 step, got {text(call.input)}")


def initial_states(call: Evaluation) -> list[Array]:
    """The states that a call gives, as its inputs after the first and in its argument; none if it gives none."""
    given = call.arguments.get("initial_state")
    said = [] if given is None else given if isinstance(given, list) else [given]
    return [*call.inputs[1:], *(np.asarray(one, dtype=call.dtype) for one in said)]


def take_steps(call: Evaluation, step: Step, states: list[Array]) -> Array | list[Array]:
    """What a recurrent layer yields: the result of each step or of the last, and the last states if it returns them.

    A step that does not count changes no state; its result is that of the step before, or zeros.
    """
    x, config = call.input, call.config
    steps = range(x.shape[1])
    result: Array | None = None
    results = []
    for t in reversed(steps) if config["go_backwards"] else steps:
        new, new_states = step(x[:, t], states)
        if call.mask is not None:
            counts = call.mask[:, t]
            new = _where(counts, new, None if config["zero_output_for_mask"] else result)
            new_states = [_where(counts, one, states[i] if states else None) for i, one in enumerate(new_states)]
        result, states = new, new_states
        results.append(result)
    assert result is not None
    yielded = np.stack(results, axis=1) if config["return_sequences"] else result
    return [yielded, *states] if config["return_state"] else yielded


def _where(counts: Array, new: Array, before: Array | None) -> Array:
    """`new` for the elements of the batch that count, else `before`, or zeros."""
    return np.where(counts.reshape(-1, *[1] * (new.ndim - 1)), new, 0 if before is None else before)


def keep_steps(call: Evaluation, outputs: Sequence[Array]) -> Sequence[Mask]:
    """The input's mask for a sequence that is returned; none for a last result, nor for states."""
    return [call.mask if call.config["return_sequences"] else None, *[None] * (len(outputs) - 1)]
