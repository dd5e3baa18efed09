"""Recurrent types; their kernels hold all gates side by side, in the order the weight tables fix."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from triptych.model import Json, Shape
from triptych.vocabulary.activations import activate
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, Weight, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import compatible, text
from triptych.vocabulary.formula import Evaluation, Formula, drop_mask
from triptych.vocabulary.kinds import BOOLEAN, FRACTION, SIZE
from triptych.vocabulary.members import SEED, USE_BIAS, decisive_activation, weight_members
from triptych.vocabulary.stepping import check_steps, initial_states, keep_steps, take_steps

FAMILY = "Recurrent"
OUTPUT = "`[batch, units]`, with `return_sequences` `[batch, steps, units]`; with `return_state` followed by each state, `[batch, units]`"


def _recurrent(states: int, call: LayerCall) -> Shape | list[Shape]:
    """What a layer with `states` state vectors yields; inputs after the first are its initial states."""
    check_steps(call)
    batch, steps, _ = call.input
    units = call.config["units"]
    state = (batch, units)
    check_states(call.inputs[1:], [state] * states)
    result = (batch, steps, units) if call.config["return_sequences"] else state
    return [result, *[state] * states] if call.config["return_state"] else result


def _one_step(states: int, call: LayerCall) -> list[Shape]:
    """What a cell with `states` state vectors yields; inputs after the first are its states."""
    state = (call.input[0], call.config["units"])
    check_states(call.inputs[1:], [state] * states)
    return [state] * (1 + states)


def check_states(given: Sequence[Shape], needed: Sequence[Shape]) -> None:
    """Raise unless no state or all are given, each of its shape."""
    if len(given) not in {0, len(needed)}:
        raise ShapeError(f"expected 1 input or 1 and {len(needed)} initial states, got {1 + len(given)} inputs")
    for one, state in zip(given, needed, strict=False):
        if not compatible(one, state):
            raise ShapeError(f"expected an initial state of shape {text(state)}, got {text(one)}")


Weights = Mapping[str, Array]
CellStep = Callable[[Mapping[str, Json], Weights, Array, list[Array]], tuple[Array, list[Array]]]
"""``step(config, weights, x, states)``: the result of one step and the states after it."""


def _biases(weights: Weights, *, two: bool) -> tuple[Array | int, Array | int]:
    """What is added to the product with the kernel and to that with the recurrent kernel."""
    bias = weights.get("bias")
    if bias is None:
        return 0, 0
    return (bias[0], bias[1]) if two else (bias, 0)


def _gates(config: Mapping[str, Json], weights: Weights, x: Array, h: Array) -> Array:
    """Input and state times their kernels."""
    bias, recurrent_bias = _biases(weights, two=config["recurrent_bias"])
    return x @ weights["kernel"] + bias + h @ weights["recurrent_kernel"] + recurrent_bias


def simple_step(config: Mapping[str, Json], weights: Weights, x: Array, states: list[Array]) -> tuple[Array, list[Array]]:
    """One step of SimpleRNN."""
    h = activate(config["activation"], _gates(config, weights, x, states[0]))
    return h, [h]


def lstm_step(config: Mapping[str, Json], weights: Weights, x: Array, states: list[Array]) -> tuple[Array, list[Array]]:
    """One step of LSTM."""
    h, c = states
    sigma = config["recurrent_activation"]
    i, f, g, o = np.split(_gates(config, weights, x, h), 4, axis=-1)
    c = activate(sigma, f) * c + activate(sigma, i) * activate(config["activation"], g)
    h = activate(sigma, o) * activate(config["activation"], c)
    return h, [h, c]


def gru_step(config: Mapping[str, Json], weights: Weights, x: Array, states: list[Array]) -> tuple[Array, list[Array]]:
    """One step of GRU."""
    (h,) = states
    sigma = config["recurrent_activation"]
    bias, recurrent_bias = _biases(weights, two=config["reset_after"])
    x_z, x_r, x_h = np.split(x @ weights["kernel"] + bias, 3, axis=-1)
    h_z, h_r, h_h = np.split(h @ weights["recurrent_kernel"] + recurrent_bias, 3, axis=-1)
    z = activate(sigma, x_z + h_z)
    r = activate(sigma, x_r + h_r)
    if not config["reset_after"]:
        h_h = (r * h) @ np.split(weights["recurrent_kernel"], 3, axis=-1)[2]
    inner = r * h_h if config["reset_after"] else h_h
    h = z * h + (1 - z) * activate(config["activation"], x_h + inner)
    return h, [h]


def _zeros(call: Evaluation, count: int) -> list[Array]:
    """`count` states to start from where a call gives none."""
    return [np.zeros((call.input.shape[0], call.config["units"]), call.dtype) for _ in range(count)]


def _taking_steps(cell: Cell) -> Formula:
    """The formula of a layer that takes `cell`'s step over a sequence."""

    def formula(call: Evaluation) -> Array | list[Array]:
        start = initial_states(call) or _zeros(call, cell.states)
        return take_steps(call, lambda x, before: cell.step(call.config, call.weights, x, before), start)

    return formula


def _taking_one(cell: Cell) -> Formula:
    """The formula of a layer that takes `cell`'s step once."""

    def formula(call: Evaluation) -> list[Array]:
        result, states = cell.step(call.config, call.weights, call.input, list(call.inputs[1:]) or _zeros(call, cell.states))
        return [result, *states]

    return formula


UNITS = Field("units", SIZE, "Extent of the state.")
STATE_ACTIVATION = decisive_activation("activation", "Applied to the candidate and, in LSTM, to the cell state.")
GATE_ACTIVATION = decisive_activation("recurrent_activation", "Applied to the gates.")
DROPOUT = (
    Field("dropout", FRACTION, "Fraction of the inputs that is dropped while training, the same at each step.", 0.0),
    Field("recurrent_dropout", FRACTION, "Fraction of the state that is dropped while training, the same at each step.", 0.0),
    SEED,
)
RUNNING = (
    Field("return_sequences", BOOLEAN, "Whether the result of each step is yielded, or that of the last.", default=False),
    Field("return_state", BOOLEAN, "Whether the last state is yielded too.", default=False),
    Field(
        "go_backwards",
        BOOLEAN,
        "Whether steps are taken from the last to the first; the results stay in that order.",
        default=False,
    ),
    Field("stateful", BOOLEAN, "Whether a call starts from the last state of the call before it.", default=False),
    Field("unroll", BOOLEAN, "Whether the loop is to be unrolled; changes no result.", default=False),
    Field(
        "zero_output_for_mask", BOOLEAN, "Whether a masked step yields zeros, or the result of the step before it.", default=False
    ),
)
RECURRENT_BIAS = Field(
    "recurrent_bias",
    BOOLEAN,
    "Whether the product with the recurrent kernel has a bias of its own, so that the bias has 2 rows; only training tells it from one.",
    default=False,
)
RESET_AFTER = Field(
    "reset_after",
    BOOLEAN,
    "Whether the reset gate is applied after the product with the recurrent kernel, which then has a bias of its own.",
)


def gate_weights(gates: str, two_biases: str) -> tuple[Weight, ...]:
    """Kernels and bias of all gates; the bias has two rows where the member `two_biases` is true."""
    return (
        Weight("kernel", f"[input[-1], {gates}units]"),
        Weight("recurrent_kernel", f"[units, {gates}units]"),
        Weight("bias", f"[2, {gates}units]", when=f"use_bias and {two_biases}"),
        Weight("bias", f"[{gates}units]", when=f"use_bias and not {two_biases}"),
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """What a type that takes one step has in common with the type that takes them all."""

    name: str
    doc: str
    equation: str
    step: CellStep
    states: int
    gates: tuple[Field, ...]
    """The activations of its gates."""
    after: tuple[Field, ...]
    """Members after those of its weights."""
    last: Field
    weights: tuple[Weight, ...]
    torch: str

    def fields(self, running: tuple[Field, ...]) -> tuple[Field, ...]:
        """The members of its config, those of a layer that takes all steps if `running` are given."""
        of_weights = weight_members("kernel", "recurrent", "bias", activity=bool(running))
        return (UNITS, STATE_ACTIVATION, *self.gates, USE_BIAS, *of_weights, *self.after, *DROPOUT, *running, self.last)


CELLS = (
    Cell(
        "SimpleRNN",
        "At each step the state becomes activation(x × kernel + state × recurrent_kernel + bias).",
        "h = activation(x × kernel + h × recurrent_kernel + bias); the result is h; both rows of a bias of two are added",
        simple_step,
        1,
        (),
        (),
        RECURRENT_BIAS,
        gate_weights("", "recurrent_bias"),
        "torch.nn.RNN",
    ),
    Cell(
        "LSTM",
        "Long short-term memory; gates stand in the order input, forget, candidate, output.",
        "i, f, g, o = the quarters of x × kernel + h × recurrent_kernel + bias, both rows of a bias of two; with s = recurrent_activation, "
        "c = s(f) × c + s(i) × activation(g) and h = s(o) × activation(c); the result is h, the states are h and c",
        lstm_step,
        2,
        (GATE_ACTIVATION,),
        (Field("unit_forget_bias", BOOLEAN, "Whether the forget gate's bias was initialised with 1.", default=True),),
        RECURRENT_BIAS,
        gate_weights("4 * ", "recurrent_bias"),
        "torch.nn.LSTM",
    ),
    Cell(
        "GRU",
        "Gated recurrent unit; gates stand in the order update, reset, candidate.",
        "xz, xr, xh = the thirds of x × kernel + bias[0] and hz, hr, hh those of h × recurrent_kernel + bias[1]; with s = recurrent_activation, "
        "z = s(xz + hz), r = s(xr + hr), g = activation(xh + r × hh) and h = z × h + (1 - z) × g; without `reset_after` bias is one row, "
        "added to x × kernel only, and r × hh is (r × h) × the last third of recurrent_kernel; the result is h",
        gru_step,
        1,
        (GATE_ACTIVATION,),
        (),
        RESET_AFTER,
        gate_weights("3 * ", "reset_after"),
        "torch.nn.GRU",
    ),
)

for _cell in CELLS:
    define(
        _cell.name,
        FAMILY,
        _cell.doc,
        words=OUTPUT,
        rule=partial(_recurrent, _cell.states),
        fields=_cell.fields(RUNNING),
        weights=_cell.weights,
        inputs=(1, 1 + _cell.states),
        rank=(3, 3),
        arguments=("initial_state",),
        torch=_cell.torch,
        equation=f"at each step {_cell.equation}",
        formula=_taking_steps(_cell),
        mask=keep_steps,
    )
for _cell in CELLS:
    define(
        f"{_cell.name}Cell",
        FAMILY,
        f"One step of {_cell.name}: takes an input and the states before it, which are zeros if it is given none.",
        words="`[batch, units]`, followed by each state, `[batch, units]`",
        rule=partial(_one_step, _cell.states),
        fields=_cell.fields(()),
        weights=_cell.weights,
        inputs=(1, 1 + _cell.states),
        rank=(2, 2),
        torch=f"{_cell.torch}Cell",
        equation=f"{_cell.equation}; yields the result and the states",
        formula=_taking_one(_cell),
        mask=drop_mask,
    )
