"""TensorFlow's SavedModel folders."""
