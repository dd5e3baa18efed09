"""Types that take the steps of a sequence with any cell, and cells made of cells."""

from __future__ import annotations

from collections.abc import Mapping

from triptych.model import Layer, Shape
from triptych.vocabulary.arrays import Array
from triptych.vocabulary.definition import LAYER_TYPES, LayerCall, Sublayer, define
from triptych.vocabulary.formula import Evaluation, drop_mask
from triptych.vocabulary.recurrent import RUNNING, check_states
from triptych.vocabulary.stepping import check_steps, initial_states, keep_steps, take_steps

FAMILY = "Recurrence with cells"
CELL = "cell_{n}"


def _steps(call: LayerCall) -> Shape | list[Shape] | None:
    check_steps(call)
    batch, steps, *rest = call.input
    yielded = call.apply("cell", ((batch, *rest), *call.inputs[1:]))
    if not yielded or None in yielded:
        return None
    result, *states = (shape for shape in yielded if shape is not None)
    returned = (batch, steps, *result[1:]) if call.config["return_sequences"] else result
    return [returned, *states] if call.config["return_state"] else returned


def _take_steps(call: Evaluation) -> Array | list[Array]:
    def step(x: Array, states: list[Array]) -> tuple[Array, list[Array]]:
        (result, *after), _ = call.apply("cell", (x, *states))
        return result, after

    return take_steps(call, step, initial_states(call))


def cell_roles(sublayers: Mapping[str, Layer]) -> list[str]:
    """The roles of the cells of a stack, in order."""
    return [CELL.format(n=n) for n in range(len(sublayers))]


def _stack(call: LayerCall) -> list[Shape] | None:
    x: Shape = call.input
    states: list[Shape] = []
    for role in cell_roles(call.sublayers):
        yielded = call.apply(role, (x,))
        if not yielded or None in yielded:
            return None
        x, *own = (shape for shape in yielded if shape is not None)
        states += own
    check_states(call.inputs[1:], states)
    return [x, *states]


def _apply_stack(call: Evaluation) -> list[Array]:
    x, before = call.input, list(call.inputs[1:])
    states = []
    for role in cell_roles(call.sublayers):
        own = [before.pop(0) for _ in range(min(states_of(call.sublayers[role]), len(before)))]
        (x, *after), _ = call.apply(role, (x, *own))
        states += after
    return [x, *states]


def states_of(cell: Layer) -> int:
    """How many states a cell has."""
    if cell.sublayers:
        return sum(map(states_of, cell.sublayers.values()))
    found = LAYER_TYPES.get(cell.type)
    most = found.inputs[1] if found else None
    return most - 1 if most else 0


define(
    "RNN",
    FAMILY,
    "Takes the steps of a sequence with a cell: a layer that yields a result and states for an input and the states before it.",
    words="the result of the last step, with `return_sequences` those of all steps, as axis 1; with `return_state` followed by each state",
    rule=_steps,
    fields=RUNNING,
    sublayers=(Sublayer("cell", "The cell."),),
    inputs=(1, None),
    rank=(2, None),
    arguments=("initial_state",),
    equation="at each step y, states = cell(x, states); without given ones, the first step is given no states",
    takes_as_given=True,
    formula=_take_steps,
    mask=keep_steps,
)
define(
    "StackedRNNCells",
    FAMILY,
    "A cell of cells: the result of one is the input of the next.",
    words="the last cell's result, followed by the states of all cells, in order",
    rule=_stack,
    sublayers=(Sublayer(CELL, "The cells, the first to be applied first."),),
    inputs=(1, None),
    rank=(2, None),
    torch="num_layers of torch.nn.RNN and its like",
    equation="y, s0 = cell_0(x, s0); y, s1 = cell_1(y, s1); …; yields y and all states",
    takes_as_given=True,
    formula=_apply_stack,
    mask=drop_mask,
)
