"""Emitters of types that take the steps of a sequence with any cell, and of cells made of cells."""

from __future__ import annotations

from triptych.layouts.saved_model.graph.emission import Emission, emits
from triptych.layouts.saved_model.graph.stepping import initial_states, take_steps
from triptych.layouts.saved_model.graph.values import Value
from triptych.vocabulary.cells import cell_roles, states_of


@emits("RNN")
def _with_a_cell(call: Emission) -> Value | list[Value]:
    def step(x: Value, states: list[Value]) -> tuple[Value, list[Value]]:
        (result, *after), _ = call.apply("cell", (x, *states))
        return result, after

    return take_steps(call, call.input, step, initial_states(call))


@emits("StackedRNNCells")
def _stacked(call: Emission) -> list[Value]:
    x, before = call.input, list(call.inputs[1:])
    states = []
    for role in cell_roles(call.sublayers):
        own = [before.pop(0) for _ in range(min(states_of(call.sublayers[role]), len(before)))]
        (x, *after), _ = call.apply(role, (x, *own))
        states += after
    return [x, *states]
