"""Recurrent types whose kernels are convolutions."""

from __future__ import annotations

from triptych.model import Shape
from triptych.vocabulary.activations import activate
from triptych.vocabulary.arrays import Array, np
from triptych.vocabulary.definition import Field, LayerCall, Weight, define
from triptych.vocabulary.extents import axis_padding, spatial_axes, windows, with_spatial
from triptych.vocabulary.formula import Evaluation
from triptych.vocabulary.kinds import BOOLEAN, SIZE, padding, sizes
from triptych.vocabulary.members import DATA_FORMAT, USE_BIAS, weight_members
from triptych.vocabulary.recurrent import DROPOUT, GATE_ACTIVATION, RUNNING, STATE_ACTIVATION, check_states
from triptych.vocabulary.stepping import check_steps, initial_states, keep_steps, take_steps
from triptych.vocabulary.windowing import Windows, as_given, channels_last

FAMILY = "Recurrent convolution"


def _state(call: LayerCall, shape: Shape) -> Shape:
    """The shape of a state, for the input of one step."""
    config = call.config
    extents = [
        windows(shape[axis], size, stride, axis_padding(config["padding"], number), dilation=dilation)
        for number, (axis, size, stride, dilation) in enumerate(
            zip(
                spatial_axes(len(shape), config["data_format"]),
                config["kernel_size"],
                config["strides"],
                config["dilation_rate"],
                strict=True,
            )
        )
    ]
    return with_spatial(shape, extents, config["data_format"], channels=config["filters"])


def _shapes(call: LayerCall) -> Shape | list[Shape]:
    check_steps(call)
    batch, steps, *rest = call.input
    state = _state(call, (batch, *rest))
    check_states(call.inputs[1:], [state] * 2)
    result = (batch, steps, *state[1:]) if call.config["return_sequences"] else state
    return [result, state, state] if call.config["return_state"] else result


def _convolved(kernel: Array, under: Windows) -> Array:
    return np.asarray(sum(part @ kernel[position] for position, part in under))


def _take_steps(call: Evaluation) -> Array | list[Array]:
    config, weights = call.config, call.weights
    rank, form = len(config["kernel_size"]), config["data_format"]

    def step(x: Array, states: list[Array]) -> tuple[Array, list[Array]]:
        x = channels_last(x, form)
        gates = _convolved(weights["kernel"], Windows(x, config["kernel_size"], config["strides"], config["padding"], config["dilation_rate"]))
        gates = gates + weights.get("bias", 0)
        h, c = (channels_last(one, form) for one in states) if states else (np.zeros_like(gates[..., : config["filters"]]),) * 2
        inner = Windows(h, config["kernel_size"], [1] * rank, "same_upper")
        i, f, g, o = np.split(gates + _convolved(weights["recurrent_kernel"], inner), 4, axis=-1)
        sigma = config["recurrent_activation"]
        c = activate(sigma, f) * c + activate(sigma, i) * activate(config["activation"], g)
        h = activate(sigma, o) * activate(config["activation"], c)
        return as_given(h, form), [as_given(h, form), as_given(c, form)]

    return take_steps(call, step, initial_states(call))


for _rank in (1, 2, 3):
    define(
        f"ConvLSTM{_rank}D",
        FAMILY,
        f"LSTM whose products with kernels are {_rank}-dimensional convolutions.",
        words="batch, with `return_sequences` the steps; along each spatial axis the number of windows of `kernel_size`; `filters` channels; "
        "with `return_state` followed by both states, each as the result of one step",
        rule=_shapes,
        fields=(
            Field("filters", SIZE, "Channels of the state."),
            Field("kernel_size", sizes(_rank), "Extents of both kernels."),
            Field("strides", sizes(_rank), "Steps between windows on the input; the state is taken at every element.", [1] * _rank),
            Field("padding", padding(_rank), "Padding of the input; the state's is `same_upper`.", "valid"),
            DATA_FORMAT,
            Field(
                "dilation_rate",
                sizes(_rank),
                "Steps between the elements under the kernel on the input; on the state 1.",
                [1] * _rank,
            ),
            STATE_ACTIVATION,
            GATE_ACTIVATION,
            USE_BIAS,
            *weight_members("kernel", "recurrent", "bias"),
            Field("unit_forget_bias", BOOLEAN, "Whether the forget gate's bias was initialised with 1.", default=True),
            *DROPOUT,
            *RUNNING,
        ),
        weights=(
            Weight("kernel", "[*kernel_size, input[-1], 4 * filters]", when='data_format == "channels_last"'),
            Weight("kernel", "[*kernel_size, input[2], 4 * filters]", when='data_format == "channels_first"'),
            Weight("recurrent_kernel", "[*kernel_size, filters, 4 * filters]"),
            Weight("bias", "[4 * filters]", when="use_bias"),
        ),
        inputs=(1, 3),
        rank=(_rank + 3, _rank + 3),
        arguments=("initial_state",),
        equation="as LSTM, with x * kernel and h * recurrent_kernel, * being the convolution of Conv: the first as config says, the second with "
        "strides 1, dilation 1 and padding `same_upper`",
        formula=_take_steps,
        mask=keep_steps,
    )
