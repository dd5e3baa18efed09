"""Optimizer weights of every generation; names and orders are those of real files."""

import pytest

from triptych.layouts.keras_weights.optimizer import STEP, Entry, Trained, default_entries, targets

WEIGHTS = [Trained("d/kernel:0", "d.kernel", (3, 2), True), Trained("d/bias:0", "d.bias", (2,), True)]
SHAPES = {"kernel": (3, 2), "bias": (2,)}


def entries(*names):
    return [Entry(name, next((shape for word, shape in SHAPES.items() if word in name), ())) for name in names]


ADAM = ["optimizer.momentum.d.kernel", "optimizer.velocity.d.kernel", "optimizer.momentum.d.bias", "optimizer.velocity.d.bias"]


def test_tensorflow_2_11_interleaves():
    found = targets(
        entries("iteration:0", "Adam/m/d/kernel:0", "Adam/v/d/kernel:0", "Adam/m/d/bias:0", "Adam/v/d/bias:0"), WEIGHTS, "Adam", sorted_names=False
    )
    assert found == [STEP, *ADAM]


def test_tensorflow_2_0_groups_by_slot():
    names = ("Adam/iter:0", "Adam/d/kernel/m:0", "Adam/d/bias/m:0", "Adam/d/kernel/v:0", "Adam/d/bias/v:0")
    assert targets(entries(*names), WEIGHTS, "Adam", sorted_names=False) == [STEP, ADAM[0], ADAM[2], ADAM[1], ADAM[3]]


def test_keras_3_joins_the_path_with_underscores():
    names = ("adam/iteration", "adam/learning_rate", "adam/d_kernel_momentum", "adam/d_kernel_velocity", "adam/d_bias_momentum", "adam/d_bias_velocity")
    assert targets(entries(*names), WEIGHTS, "Adam", sorted_names=False) == [STEP, "optimizer.learning_rate", *ADAM]


def test_keras_2_0_numbers_them_in_blocks():
    shapes = [(), (3, 2), (2,), (3, 2), (2,)]
    names = ["Adam/iterations:0", "training/Adam/Variable:0", "training/Adam/Variable_1:0", "training/Adam/Variable_2:0", "training/Adam/Variable_3:0"]
    found = targets([Entry(n, s) for n, s in zip(names, shapes, strict=True)], WEIGHTS, "Adam", sorted_names=False)
    assert found == [STEP, ADAM[0], ADAM[2], ADAM[1], ADAM[3]]


def test_keras_2_3_adds_unused_slots_of_one_element():
    shapes = [(), (3, 2), (2,), (3, 2), (2,), (1,), (1,)]
    names = ["Adam/iterations:0", *(f"training/Adam/{x}:0" for x in ("m_0", "m_1", "v_0", "v_1", "vhat_0", "vhat_1"))]
    found = targets([Entry(n, s) for n, s in zip(names, shapes, strict=True)], WEIGHTS, "Adam", sorted_names=False)
    assert found == [STEP, ADAM[0], ADAM[2], ADAM[1], ADAM[3], "keras.optimizer_weights.5", "keras.optimizer_weights.6"]


def test_keras_1_sorts_the_weights_by_name():
    weights = [Trained("z_W:0", "z.kernel", (2, 2), True), Trained("a_W:0", "a.kernel", (2, 2), True)]
    names = [Entry("Variable:0", ()), *(Entry(f"Variable_{n}:0", (2, 2)) for n in range(1, 5))]
    assert targets(names, weights, "Adam", sorted_names=True) == [
        STEP, "optimizer.momentum.a.kernel", "optimizer.momentum.z.kernel", "optimizer.velocity.a.kernel", "optimizer.velocity.z.kernel",
    ]  # fmt: skip


def test_keras_3_0_says_the_path_of_a_weight_and_nothing_before_it():
    weights = [Trained("kernel", "d.kernel", (3, 2), True, path="m/d/kernel"), Trained("bias", "d.bias", (2,), True, path="m/d/bias")]
    names = ("iteration", "learning_rate", "m_d_kernel_momentum", "m_d_kernel_velocity", "m_d_bias_momentum", "m_d_bias_velocity")
    assert targets(entries(*names), weights, "Adam", sorted_names=False) == [STEP, "optimizer.learning_rate", *ADAM]


def test_a_second_model_in_one_session_counts_its_names_on():
    names = ("iterations_1:0", "Adam/m/d/kernel:0", "Adam/v/d/kernel:0", "Adam/m/d/bias:0", "Adam/v/d/bias:0")
    assert targets(entries(*names), WEIGHTS, "Adam", sorted_names=False) == [STEP, *ADAM]


def test_what_shapes_do_not_bear_out_is_kept_as_it_is():
    found = targets([Entry("x:0", (7,)), Entry("y:0", (9,))], WEIGHTS, "Adam", sorted_names=False)
    assert found == ["keras.optimizer_weights.0", "keras.optimizer_weights.1"]


def test_a_name_that_two_weights_share_means_neither():
    weights = [Trained("kernel", "a.kernel", (2,), True), Trained("kernel", "b.kernel", (2,), True)]
    found = targets([Entry("sgd/kernel_momentum", (2,)), Entry("sgd/kernel_momentum_1", (2,))], weights, "SGD", sorted_names=False)
    assert found == ["optimizer.momentum.a.kernel", "optimizer.momentum.b.kernel"]


def test_frozen_weights_have_no_slots_in_an_order():
    weights = [Trained("f/kernel:0", "f.kernel", (2,), False), Trained("d/kernel:0", "d.kernel", (2,), True)]
    assert targets([Entry("Variable:0", (2,))], weights, "SGD", sorted_names=False) == ["optimizer.momentum.d.kernel"]


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("keras2", ["iteration:0", "Adam/m/d/kernel:0", "Adam/v/d/kernel:0", "Adam/m/d/bias:0", "Adam/v/d/bias:0"]),
        ("keras3", ["adam/iteration", "adam/d_kernel_momentum", "adam/d_kernel_velocity", "adam/d_bias_momentum", "adam/d_bias_velocity"]),
    ],
)
def test_slots_from_elsewhere_get_the_names_of_the_dialect(dialect, expected):
    written = default_entries(ADAM, WEIGHTS, "Adam", has_step=True, dialect=dialect)
    assert [name for name, _ in written] == expected
    assert [tensor for _, tensor in written] == [STEP, *ADAM]


@pytest.mark.parametrize("product", ["nadam/variable", "nadam/variable_12"])
def test_the_product_of_momenta_of_nadam_has_its_name(product):
    """Keras 3 stores it last, as a variable without a name of its own."""
    names = ("nadam/iteration", "nadam/d_kernel_momentum", "nadam/d_kernel_velocity", "nadam/d_bias_momentum", "nadam/d_bias_velocity", product)
    found = targets(entries(*names), WEIGHTS, "Nadam", sorted_names=False)
    assert found == [STEP, *ADAM, "optimizer.u_product"]
    written = default_entries(found[1:], WEIGHTS, "Nadam", has_step=True, dialect="keras3")
    assert [tensor for _, tensor in written] == found
