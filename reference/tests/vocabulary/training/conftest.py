"""The frameworks that judge, computing in float64 while a module of tests runs."""

import pytest


@pytest.fixture(scope="module")
def keras():
    import keras

    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield keras
    keras.config.set_floatx(before)


@pytest.fixture(scope="module")
def tf_keras():
    import tf_keras

    before = tf_keras.backend.floatx()
    tf_keras.backend.set_floatx("float64")
    yield tf_keras
    tf_keras.backend.set_floatx(before)


@pytest.fixture(scope="module")
def optax():
    import jax
    import optax

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield optax
    jax.config.update("jax_enable_x64", before)
