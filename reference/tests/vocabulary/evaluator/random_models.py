"""Random Keras models: graphs of up to fifty layers with branches, shared layers, nested models and several outputs."""

import numpy as np

LARGEST = 3000
"""Elements of a value, for each element of the batch."""
ACTIVATIONS = ("relu", "tanh", "sigmoid", "elu", "selu", "softplus", "softsign", "linear")


class Builder:
    """Draws layers one by one and applies each to a value that is already there."""

    def __init__(self, keras, seed):
        self.keras, self.layers = keras, keras.layers
        self.random = np.random.default_rng(seed)
        self.values = []
        self.unused = []
        self.shared = {}

    def pick(self, *choices):
        return choices[self.random.integers(len(choices))]

    def some(self, low, high):
        return int(self.random.integers(low, high + 1))

    def model(self, depth):
        inputs = [self.keras.Input(shape) for shape in (self.input_shape() for _ in range(self.some(1, 2)))]
        self.values, self.unused = list(inputs), list(inputs)
        for _ in range(depth):
            taken, result = self.step()
            self.values.append(result)
            self.unused = [one for one in self.unused if not any(one is other for other in taken)] + [result]
        outputs = [one for one in self.unused if not any(one is other for other in inputs)][-3:]
        return self.keras.Model(inputs, outputs if len(outputs) > 1 else outputs[0])

    def input_shape(self):
        return self.pick((8, 9, 3), (7, 5), (6,), (10, 8, 2), (12, 4))

    def step(self):
        x = self.pick(*self.unused) if self.random.random() < 0.75 else self.pick(*self.values)
        shape = tuple(x.shape[1:])
        alike = [one for one in self.values if one is not x and tuple(one.shape[1:]) == shape]
        if alike and self.random.random() < 0.4:
            other = self.pick(*alike)
            return [x, other], self.pick(self.layers.Add, self.layers.Multiply, self.layers.Maximum, self.layers.Average, self.layers.Subtract, self.layers.Concatenate)()([x, other])
        if shape in self.shared and self.random.random() < 0.2:
            return [x], self.shared[shape](x)
        layer = self.nested(shape) if self.random.random() < 0.05 else {1: self.vector, 2: self.sequence, 3: self.image}[len(shape)](shape)
        if np.prod(shape) > LARGEST:
            layer = self.smaller(shape)
        result = layer(x)
        if len(shape) == 1 or "Dense" in type(layer).__name__:
            self.shared[shape] = layer
        return [x], result

    def nested(self, shape):
        L = self.layers
        return self.keras.Sequential([self.keras.Input(shape), L.Dense(self.some(4, 6), activation="tanh"), L.LayerNormalization(), L.Dropout(0.3)])

    def smaller(self, shape):
        L = self.layers
        return {1: lambda: L.Dense(8), 2: lambda: L.Conv1D(4, 3, strides=4, padding="same"), 3: lambda: L.Conv2D(4, 3, strides=3, padding="same")}[len(shape)]()

    def any_rank(self, shape):
        L = self.layers
        return self.pick(
            lambda: L.Activation(self.pick(*ACTIVATIONS)), lambda: L.BatchNormalization(epsilon=self.pick(1e-3, 1e-5)), lambda: L.LayerNormalization() if shape[-1] > 3 else L.Activation("tanh"),
            lambda: L.Dropout(0.5), lambda: L.LeakyReLU(), lambda: L.PReLU(), lambda: L.ReLU(max_value=self.pick(None, 6.0)), lambda: L.ELU(), lambda: L.Dense(self.some(2, 12), activation=self.pick(*ACTIVATIONS)),
            lambda: L.GaussianNoise(0.1), lambda: L.UnitNormalization(), lambda: L.Softmax(),
        )()

    def vector(self, shape):
        L = self.layers
        if self.random.random() < 0.5:
            return self.any_rank(shape)
        return self.pick(
            lambda: L.Dense(self.some(2, 20), activation=self.pick(*ACTIVATIONS), use_bias=self.pick(True, False)),
            lambda: L.RepeatVector(self.some(2, 5)), lambda: L.Reshape((1, *shape)), lambda: L.Reshape((*shape, 1)),
        )()

    def sequence(self, shape):
        L, steps = self.layers, shape[0]
        if self.random.random() < 0.3:
            return self.any_rank(shape)
        return self.pick(
            lambda: L.Conv1D(self.some(2, 8), self.some(1, min(4, steps)), strides=self.some(1, 2), padding=self.pick("valid", "same", "causal"), activation=self.pick(*ACTIVATIONS)),
            lambda: L.Conv1D(self.some(2, 8), 2, padding="same", dilation_rate=2), lambda: L.MaxPooling1D(2, padding="same"), lambda: L.AveragePooling1D(3, strides=2, padding="same"),
            lambda: L.LSTM(self.some(2, 6), return_sequences=self.pick(True, True, False)), lambda: L.GRU(self.some(2, 6), return_sequences=self.pick(True, True, False), reset_after=self.pick(True, False)),
            lambda: L.SimpleRNN(self.some(2, 6), return_sequences=True), lambda: L.Bidirectional(L.LSTM(self.some(2, 4), return_sequences=True), merge_mode=self.pick("concat", "sum", "mul", "ave")),
            lambda: L.TimeDistributed(L.Dense(self.some(2, 6))), lambda: L.Permute((2, 1)), lambda: L.UpSampling1D(2), lambda: L.ZeroPadding1D((1, 2)), lambda: L.Conv1DTranspose(3, 3, strides=2, padding=self.pick("same", "valid")),
            lambda: L.SeparableConv1D(self.some(2, 6), 2, padding="same"), lambda: L.GlobalAveragePooling1D(), lambda: L.GlobalMaxPooling1D(), lambda: L.Flatten(), lambda: L.Reshape((steps, shape[1], 1)),
        )()

    def image(self, shape):
        L, extent = self.layers, min(shape[:2])
        if self.random.random() < 0.3:
            return self.any_rank(shape)
        size = self.some(1, min(3, extent))
        return self.pick(
            lambda: L.Conv2D(self.some(2, 8), size, strides=self.some(1, 2), padding=self.pick("valid", "same"), activation=self.pick(*ACTIVATIONS)),
            lambda: L.Conv2D(self.some(2, 8), 3, padding="same", dilation_rate=2), lambda: L.DepthwiseConv2D(size, depth_multiplier=self.some(1, 2), padding="same"),
            lambda: L.SeparableConv2D(self.some(2, 6), size, padding=self.pick("valid", "same")), lambda: L.Conv2DTranspose(self.some(2, 5), 3, strides=2, padding=self.pick("valid", "same")),
            lambda: L.MaxPooling2D(2, padding="same"), lambda: L.AveragePooling2D(size, strides=2, padding="same"), lambda: L.UpSampling2D(2, interpolation=self.pick("nearest", "bilinear")),
            lambda: L.ZeroPadding2D(((0, 1), (2, 0))), lambda: L.Cropping2D(((0, 1), (0, 0))) if shape[0] > 1 else L.Permute((2, 1, 3)), lambda: L.Permute((2, 1, 3)),
            lambda: L.SpatialDropout2D(0.2), lambda: L.GlobalAveragePooling2D(), lambda: L.GlobalMaxPooling2D(), lambda: L.Flatten(), lambda: L.Reshape((shape[0] * shape[1], shape[2])),
            lambda: L.TimeDistributed(L.Dense(3)),
        )()
