"""Emitters of recurrent types whose kernels are convolutions."""

from __future__ import annotations

from triptych.layouts.saved_model.graph.emission import Emission, emits
from triptych.layouts.saved_model.graph.families.convolution import convolution, windows_of
from triptych.layouts.saved_model.graph.families.recurrent import gated
from triptych.layouts.saved_model.graph.shaping import extents, move_axis, reshape
from triptych.layouts.saved_model.graph.stepping import initial_states, take_steps, zeros
from triptych.layouts.saved_model.graph.values import Value
from triptych.layouts.saved_model.graph.windows import Windows, as_given, channels_last


@emits("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
def _convolving(call: Emission) -> Value | list[Value]:
    config, form = call.config, call.config["data_format"]
    inner = Windows(config["kernel_size"], [1] * len(config["kernel_size"]), "same_upper", [1] * len(config["kernel_size"]))

    def step(gates: Value, states: list[Value]) -> tuple[Value, list[Value]]:
        h, c = (channels_last(one, form) for one in states)
        h, after = gated(call, gates + convolution(h, call.weights["recurrent_kernel"], inner), c)
        return as_given(h, form), [as_given(one, form) for one in after]

    gates = _of_all_steps(call)
    return take_steps(call, gates, step, initial_states(call) or _start(call, gates))


def _start(call: Emission, gates: Value) -> list[Value]:
    """States of zeros."""
    batch, _, *spatial, _ = extents(gates)
    return [as_given(zeros(gates, [batch, *spatial, call.config["filters"]]), call.config["data_format"])] * 2


def _of_all_steps(call: Emission) -> Value:
    """The input under its kernel, with its bias: all steps at once, as a larger batch."""
    x = move_axis(call.input, 2, -1) if call.config["data_format"] == "channels_first" else call.input
    batch, steps, *rest = extents(x)
    y = convolution(reshape(x, [batch * steps, *rest]), call.weights["kernel"], windows_of(call))
    y = y + call.weights["bias"] if call.config["use_bias"] else y
    return reshape(y, [batch, steps, *extents(y)[1:]])
