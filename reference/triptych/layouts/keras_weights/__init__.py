"""The weights of Keras' layers and the variables of its optimizers, as flat lists with names: which array is which.

Every layout of Keras lists arrays layer by layer; what their order and names mean is the same wherever they lie.
"""
