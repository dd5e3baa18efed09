"""Recurrent types; their kernels hold all gates side by side, in the order the weight tables fix."""

from __future__ import annotations

from triptych.model import Shape
from triptych.vocabulary.definition import Field, LayerCall, Weight, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import compatible, text
from triptych.vocabulary.kinds import BOOLEAN, FRACTION, SIZE
from triptych.vocabulary.members import SEED, USE_BIAS, decisive_activation, weight_members

FAMILY = "Recurrent"
OUTPUT = "`[batch, units]`, with `return_sequences` `[batch, steps, units]`; with `return_state` followed by each state, `[batch, units]`"


def _recurrent(states: int, call: LayerCall) -> Shape | list[Shape]:
    """What a layer with `states` state vectors yields; inputs after the first are its initial states."""
    batch, steps, _ = call.input
    units = call.config["units"]
    state = (batch, units)
    if len(call.inputs) not in {1, 1 + states}:
        raise ShapeError(f"expected 1 input or 1 and {states} initial states, got {len(call.inputs)} inputs")
    for given in call.inputs[1:]:
        if not compatible(given, state):
            raise ShapeError(f"expected an initial state of shape {text(state)}, got {text(given)}")
    result = (batch, steps, units) if call.config["return_sequences"] else state
    return [result, *[state] * states] if call.config["return_state"] else result


def _one_state(call: LayerCall) -> Shape | list[Shape]:
    return _recurrent(1, call)


def _two_states(call: LayerCall) -> Shape | list[Shape]:
    return _recurrent(2, call)


_UNITS = Field("units", SIZE, "Extent of the state.")
_ACTIVATION = decisive_activation("activation", "Applied to the candidate and, in LSTM, to the cell state.")
_GATE_ACTIVATION = decisive_activation("recurrent_activation", "Applied to the gates.")
_WEIGHTS = weight_members("kernel", "recurrent", "bias")
_DROPOUT = (
    Field("dropout", FRACTION, "Fraction of the inputs that is dropped while training, the same at each step.", 0.0),
    Field("recurrent_dropout", FRACTION, "Fraction of the state that is dropped while training, the same at each step.", 0.0),
    SEED,
)
_RUNNING = (
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
_ROWS = "[input[-1], {gates}units]", "[units, {gates}units]", "[{gates}units]"


def _weights(gates: str) -> tuple[Weight, ...]:
    kernel, recurrent, bias = (row.format(gates=gates) for row in _ROWS)
    return (Weight("kernel", kernel), Weight("recurrent_kernel", recurrent), Weight("bias", bias, when="use_bias"))


define(
    "SimpleRNN",
    FAMILY,
    "At each step the state becomes activation(x × kernel + state × recurrent_kernel + bias).",
    words=OUTPUT,
    rule=_one_state,
    fields=(_UNITS, _ACTIVATION, USE_BIAS, *_WEIGHTS, *_DROPOUT, *_RUNNING),
    weights=_weights(""),
    inputs=(1, 2),
    rank=(3, 3),
    arguments=("initial_state",),
    torch="torch.nn.RNN",
)
define(
    "LSTM",
    FAMILY,
    "Long short-term memory; gates stand in the order input, forget, candidate, output.",
    words=OUTPUT,
    rule=_two_states,
    fields=(
        *(_UNITS, _ACTIVATION, _GATE_ACTIVATION, USE_BIAS, *_WEIGHTS),
        Field("unit_forget_bias", BOOLEAN, "Whether the forget gate's bias was initialised with 1.", default=True),
        *(*_DROPOUT, *_RUNNING),
    ),
    weights=_weights("4 * "),
    inputs=(1, 3),
    rank=(3, 3),
    arguments=("initial_state",),
    torch="torch.nn.LSTM",
)
define(
    "GRU",
    FAMILY,
    "Gated recurrent unit; gates stand in the order update, reset, candidate.",
    words=OUTPUT,
    rule=_one_state,
    fields=(
        *(_UNITS, _ACTIVATION, _GATE_ACTIVATION, USE_BIAS, *_WEIGHTS, *_DROPOUT, *_RUNNING),
        Field(
            "reset_after",
            BOOLEAN,
            "Whether the reset gate is applied after the product with the recurrent kernel, which then has a bias of its own.",
        ),
    ),
    weights=(
        *_weights("3 * ")[:2],
        Weight("bias", "[2, 3 * units]", when="use_bias and reset_after"),
        Weight("bias", "[3 * units]", when="use_bias and not reset_after"),
    ),
    inputs=(1, 2),
    rank=(3, 3),
    arguments=("initial_state",),
    torch="torch.nn.GRU",
)
