"""Emitters of recurrent types and of their cells; kernels hold all gates side by side, in the order the weight tables fix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from triptych.layouts.saved_model.graph.activations import activate
from triptych.layouts.saved_model.graph.elementary import matmul
from triptych.layouts.saved_model.graph.emission import Emission, emits
from triptych.layouts.saved_model.graph.shaping import extent, index, split
from triptych.layouts.saved_model.graph.stepping import initial_states, take_steps, zeros
from triptych.layouts.saved_model.graph.values import Value

CellStep = Callable[[Emission, Value, list[Value]], tuple[Value, list[Value]]]
"""``step(call, gates, states)``: the result of one step and the states after it; `gates` are the input times its kernel, with its bias."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a type that takes one step has in common with the type that takes them all."""

    name: str
    step: CellStep
    states: int
    two_biases: str
    """The member that says whether the product with the recurrent kernel has a bias of its own."""

    def gates(self, call: Emission, x: Value) -> Value:
        """The products of `x` with the kernel, of all its steps at once, and their bias."""
        y = matmul(x, call.weights["kernel"])
        bias = call.weights.get("bias")
        return y if bias is None else y + (index(bias, 0, 0) if call.config[self.two_biases] else bias)

    def start(self, call: Emission) -> list[Value]:
        """The states that a call gives, else zeros."""
        return initial_states(call) or [zeros(call.input, [extent(call.input, 0), call.config["units"]])] * self.states


def _recurrent(call: Emission, h: Value, two_biases: str) -> Value:
    """The products of the state with the recurrent kernel, and the bias that they have of their own."""
    y = matmul(h, call.weights["recurrent_kernel"])
    bias = call.weights.get("bias")
    return y + index(bias, 0, 1) if bias is not None and call.config[two_biases] else y


def _simple_step(call: Emission, gates: Value, states: list[Value]) -> tuple[Value, list[Value]]:
    h = activate(call.config["activation"], gates + _recurrent(call, states[0], "recurrent_bias"))
    return h, [h]


def _lstm_step(call: Emission, gates: Value, states: list[Value]) -> tuple[Value, list[Value]]:
    h, c = states
    return gated(call, gates + _recurrent(call, h, "recurrent_bias"), c)


def gated(call: Emission, gates: Value, c: Value) -> tuple[Value, list[Value]]:
    """What LSTM makes of its gates and of the cell state before."""
    sigma = call.config["recurrent_activation"]
    i, f, g, o = split(gates, 4, -1)
    c = activate(sigma, f) * c + activate(sigma, i) * activate(call.config["activation"], g)
    h = activate(sigma, o) * activate(call.config["activation"], c)
    return h, [h, c]


def _gru_step(call: Emission, gates: Value, states: list[Value]) -> tuple[Value, list[Value]]:
    (h,) = states
    sigma, after = call.config["recurrent_activation"], call.config["reset_after"]
    x_z, x_r, x_h = split(gates, 3, -1)
    h_z, h_r, h_h = split(_recurrent(call, h, "reset_after"), 3, -1)
    z, r = activate(sigma, x_z + h_z), activate(sigma, x_r + h_r)
    inner = r * h_h if after else matmul(r * h, split(call.weights["recurrent_kernel"], 3, -1)[2])
    h = z * h + (1 - z) * activate(call.config["activation"], x_h + inner)
    return h, [h]


CELLS = (
    Cell("SimpleRNN", _simple_step, 1, "recurrent_bias"),
    Cell("LSTM", _lstm_step, 2, "recurrent_bias"),
    Cell("GRU", _gru_step, 1, "reset_after"),
)


def _register(cell: Cell) -> None:
    @emits(cell.name)
    def _all_steps(call: Emission) -> Value | list[Value]:
        return take_steps(call, cell.gates(call, call.input), lambda gates, states: cell.step(call, gates, states), cell.start(call))

    @emits(f"{cell.name}Cell")
    def _one_step(call: Emission) -> list[Value]:
        result, states = cell.step(call, cell.gates(call, call.input), cell.start(call))
        return [result, *states]


for _cell in CELLS:
    _register(_cell)
