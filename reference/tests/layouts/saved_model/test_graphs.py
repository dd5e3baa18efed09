"""Graphs by hand: what emitters are built from, judged by TensorFlow."""

import numpy as np
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from triptych.layouts.saved_model.graph.attributes import Extents, Type
from triptych.layouts.saved_model.graph.body import Body, Library
from triptych.layouts.saved_model.graph.loops import new_list, repeat, stacked, with_item
from triptych.layouts.saved_model.graph.operators import OUTPUTS
from triptych.layouts.saved_model.graph.shaping import extents
from triptych.layouts.tensorflow import messages


def run(body, given, wanted):
    """What TensorFlow makes of the graph in `body`."""
    graph = messages.new("Graph", node=body.nodes)
    graph.library.function.extend(body.library.functions)
    graph.versions.producer = 1882
    definition = tf.compat.v1.GraphDef.FromString(messages.to_bytes(graph))
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(definition, name="")
        return session.run([f"{one.ref}:0" if ":" not in one.ref else one.ref for one in wanted], {f"{value.ref}:0": array for value, array in given.items()})


def placeholder(body, dtype, shape):
    return body.one("Placeholder", [], dtype, shape, dtype=Type(dtype), shape=Extents(shape))


def test_results_of_operations_have_tensorflows_names():
    """Every operation of the table is TensorFlow's, and yields what the table says."""
    for op, names in OUTPUTS.items():
        definition = op_def_registry.get(op)
        assert definition is not None, op
        assert [one.name for one in definition.output_arg] == [name for name in names if name], op


def test_a_loop_takes_values_of_the_graph_around_it_and_of_a_loop_around_it():
    """x × 2, × 2 + 1 … in an inner loop of as many turns as the outer one has had, whose results are gathered in a list."""
    body = Body(Library())
    x, count = placeholder(body, "float32", (None, 2)), placeholder(body, "int32", ())
    factor = body.constant(np.float32(2))

    def outer(values):
        turn, state, gathered = values

        def inner(inside):
            at, value = inside
            return [at + 1, value * factor + x]

        _, state = repeat(lambda inside: inside[0] < turn, inner, [body.constant(np.int32(0)), state])
        return [turn + 1, state, with_item(gathered, turn, state)]

    shape = extents(x)
    _, last, gathered = repeat(lambda values: values[0] < count, outer, [body.constant(np.int32(0)), x, new_list(x, shape, count, "float32")])
    given = np.array([[1, 2], [3, 4], [5, 6]], "float32")
    found, all_of_them = run(body, {x: given, count: np.int32(4)}, [last, stacked(gathered, shape, "float32")])
    state, states = given, []
    for turn in range(4):
        for _ in range(turn):
            state = state * 2 + given
        states.append(state)
    assert np.array_equal(found, state)
    assert np.array_equal(all_of_them, states)


def test_names_are_made_fit_for_tensorflow_and_stay_apart():
    """What a name of TensorFlow cannot hold is replaced; two names that become one are numbered."""
    body = Body(Library())
    assert [body.unique(name) for name in ("größe", "gr__e", "_x", "a b/c", "A b/c")] == ["gr__e", "gr__e_1", "n_x", "a_b/c", "A_b/c_1"]
