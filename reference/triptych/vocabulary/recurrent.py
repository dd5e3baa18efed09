"""Recurrent types; their kernels hold all gates side by side, in the order the weight tables fix."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from triptych.model import Json, Shape
from triptych.vocabulary.activations import activate
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, Weight, define
from triptych.vocabulary.expressions import ShapeError
from triptych.vocabulary.extents import compatible, text
from triptych.vocabulary.formula import Evaluation, Formula
from triptych.vocabulary.kinds import BOOLEAN, FRACTION, SIZE
from triptych.vocabulary.members import SEED, USE_BIAS, decisive_activation, weight_members
from triptych.vocabulary.stepping import initial_states, keep_steps, take_steps

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


def _layer(step: CellStep, states: int) -> Formula:
    """The formula of a layer that takes `step` over a sequence."""

    def formula(call: Evaluation) -> Array | list[Array]:
        start = initial_states(call) or _zeros(call, states)
        return take_steps(call, lambda x, before: step(call.config, call.weights, x, before), start)

    return formula


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
_RECURRENT_BIAS = Field(
    "recurrent_bias",
    BOOLEAN,
    "Whether the product with the recurrent kernel has a bias of its own, so that the bias has 2 rows; only training tells it from one.",
    default=False,
)
_ROWS = "[input[-1], {gates}units]", "[units, {gates}units]", "[{gates}units]"


def _weights(gates: str) -> tuple[Weight, ...]:
    kernel, recurrent, bias = (row.format(gates=gates) for row in _ROWS)
    return (
        Weight("kernel", kernel),
        Weight("recurrent_kernel", recurrent),
        Weight("bias", bias, when="use_bias and not recurrent_bias"),
        Weight("bias", f"[2, {bias[1:]}", when="use_bias and recurrent_bias"),
    )


define(
    "SimpleRNN",
    FAMILY,
    "At each step the state becomes activation(x × kernel + state × recurrent_kernel + bias).",
    words=OUTPUT,
    rule=_one_state,
    fields=(_UNITS, _ACTIVATION, USE_BIAS, *_WEIGHTS, *_DROPOUT, *_RUNNING, _RECURRENT_BIAS),
    weights=_weights(""),
    inputs=(1, 2),
    rank=(3, 3),
    arguments=("initial_state",),
    torch="torch.nn.RNN",
    equation="h = activation(x × kernel + h × recurrent_kernel + bias); the result is h",
    formula=_layer(simple_step, 1),
    mask=keep_steps,
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
        *(*_DROPOUT, *_RUNNING, _RECURRENT_BIAS),
    ),
    weights=_weights("4 * "),
    inputs=(1, 3),
    rank=(3, 3),
    arguments=("initial_state",),
    torch="torch.nn.LSTM",
    equation=(
        "i, f, g, o = the quarters of x × kernel + h × recurrent_kernel + bias; with s = recurrent_activation: "
        "c = s(f) × c + s(i) × activation(g); h = s(o) × activation(c); the result is h, the states are h and c"
    ),
    formula=_layer(lstm_step, 2),
    mask=keep_steps,
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
    equation=(
        "z, r = recurrent_activation of the first two thirds of x × kernel + bias[0] + h × recurrent_kernel + bias[1]; "
        "the candidate adds to the last third of x × kernel + bias[0], with `reset_after`, r × (that of h × recurrent_kernel + bias[1]), "
        "else (r × h) × the last third of recurrent_kernel, and bias is one row; h = z × h + (1 - z) × activation(candidate); the result is h"
    ),
    formula=_layer(gru_step, 1),
    mask=keep_steps,
)
