"""What TensorFlow's checkpoints and SavedModels have in common: messages, tables of tensors, graphs of objects."""
