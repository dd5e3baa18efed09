"""Keras' architecture and training configurations, of every generation, as ours and back, without Keras."""

from triptych.layouts.keras_config.architecture import read_model_config, source_generation, write_model_config, written_generation
from triptych.layouts.keras_config.training import read_training_config, write_training_config

__all__ = [
    "read_model_config",
    "read_training_config",
    "source_generation",
    "write_model_config",
    "write_training_config",
    "written_generation",
]
