"""Trains ``digits_cnn.h5`` with real Keras 2 on real images, and records what it predicts.

The images are the 1,797 handwritten digits that ship inside scikit-learn (``load_digits``: 8×8 scans of forms that 43 people filled in,
from the UCI machine learning repository, CC BY 4.0). They need no download, have ten classes, and look like the thing the network is for; each scan is
enlarged to 32×32 and repeated in three channels, so that the network has the input of the usual CIFAR example.

    pip install "tf-keras==2.21.0" "tensorflow-cpu==2.21.0" "scikit-learn==1.9.1"
    python make_digits_cnn.py          # writes digits_cnn.h5 and digits_cnn_predictions.npz beside itself

The files in this folder were made by these versions, with Python 3.11, numpy 2.4.6 and h5py 3.14.0. The seeds are fixed: the same versions on the same kind of processor
give the same numbers; another processor may round differently.
"""

import os
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
import tf_keras as keras
from sklearn.datasets import load_digits

HERE = Path(__file__).parent


def images() -> tuple[np.ndarray, np.ndarray]:
    """All digits as float32 images (1797, 32, 32, 3) between 0 and 1, and their labels."""
    digits = load_digits()
    small = (digits.images / 16.0).astype("float32")
    large = small.repeat(4, axis=1).repeat(4, axis=2)
    return np.stack([large] * 3, axis=-1), digits.target.astype("int32")


def network() -> keras.Model:
    """The network, not trained."""
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((32, 32, 3), name="image"),
            layers.Conv2D(16, (3, 3), activation="relu", name="conv_1"),
            layers.MaxPooling2D((4, 4), name="pool_1"),
            layers.BatchNormalization(name="norm_1"),
            layers.Flatten(name="flatten_1"),
            layers.Dense(32, activation="relu", name="dense_1"),
            layers.Dropout(0.5, name="dropout_1"),
            layers.Dense(10, activation="softmax", name="dense_2"),
        ],
        name="digits_cnn",
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main() -> None:
    """Trains, tests, saves."""
    keras.utils.set_random_seed(7)
    tf.config.experimental.enable_op_determinism()
    pictures, labels = images()
    train, test = slice(None, 1500), slice(1500, None)
    model = network()
    model.fit(pictures[train], labels[train], batch_size=50, epochs=40, verbose=2)
    loss, accuracy = model.evaluate(pictures[test], labels[test], verbose=0)
    print(f"test loss {loss:.4f}, accuracy {accuracy:.4f}; {model.count_params():,} parameters")
    model.save(HERE / "digits_cnn.h5")
    few = slice(1500, 1516)
    inputs = pictures[few]
    # The inputs are stored at 8×8 in one channel, as the scans are: `repeat` makes them what the network was given.
    np.savez_compressed(
        HERE / "digits_cnn_predictions.npz",
        scans=load_digits().images[few].astype("uint8"),
        labels=labels[few],
        predictions=model.predict(inputs, batch_size=16, verbose=0),
    )


if __name__ == "__main__":
    main()
