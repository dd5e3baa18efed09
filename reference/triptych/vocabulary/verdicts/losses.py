"""What the frameworks make of the losses: by losses of their own, by functions around them, and by weights of samples.

A loss of PyTorch or JAX is a function anyway, so functions count; Keras writes a loss down as a class with its config, and there
a function of one's own does not.
"""

from __future__ import annotations

from triptych.vocabulary.verdicts.rules import LISTED, SAID, Table, bounded, every, exact, inexpressible

_HUBER = inexpressible("the file does not say delta", delta=None)
_COSINE = inexpressible("the file does not say axis", axis=None)
_PLAIN = "MeanSquaredError MeanAbsoluteError LogCosh Hinge SquaredHinge CategoricalHinge"
_PLACED = "MeanAbsolutePercentageError MeanSquaredLogarithmicError KLDivergence"
_TAKEN = "#; of a sigmoid or softmax right before it, Keras on TensorFlow takes the logits and clips nothing"
_BEYOND = "1e-7 a class and what -log of a probability exceeds -log(clip_epsilon) by, for each sample, where probabilities of classes sum to 1"
_ADDED = "log(2) and " + _BEYOND
_WEIGHED = "#, the weight of each target's class as sample_weight"
_NOT_LAST = (-4, -3, -2, 0, 1, 2, 3)
_SMOOTHED = inexpressible("Keras spreads label_smoothing by the extent of the last axis", label_smoothing=SAID, axis=_NOT_LAST)
_FIXED = inexpressible("Keras keeps probabilities within 1e-7 and 1 - 1e-7, and adds no other epsilon")


def _keras(generation: int) -> Table:
    """What Keras makes of them; Keras 2 adds its epsilon before a logarithm of binary crossentropy, Keras 3 does not."""
    setting = f"#, after {'keras.config' if generation == 3 else 'keras.backend'}.set_epsilon(epsilon), which all losses and metrics heed"
    placed = (exact("#", epsilon=1e-7), exact(setting))
    first = () if generation == 3 else (inexpressible("Keras 2 divides by how many values there are, not by the sum of weights", reduction="mean_with_sample_weight"),)
    binary = (
        *((bounded(_BEYOND, _TAKEN, clip_epsilon=1e-7, log_epsilon=0.0),) if generation == 3 else ()),
        bounded(_ADDED, _TAKEN, clip_epsilon=1e-7, log_epsilon=(0.0, 1e-7)),
        _FIXED,
    )
    classes = (
        exact(_WEIGHED, from_logits=True, class_weights=LISTED),
        exact("#", from_logits=True),
        bounded(_BEYOND, _TAKEN.replace("#", _WEIGHED), clip_epsilon=1e-7, class_weights=LISTED),
        bounded(_BEYOND, _TAKEN, clip_epsilon=1e-7),
        _FIXED,
    )
    return {
        **every(_PLAIN, *first, exact("#")),
        **every(_PLACED, *first, *placed),
        **every("Huber", _HUBER, *first, exact("#")),
        **every("Poisson", *first, inexpressible("# of Keras takes the logarithm of predictions", log_predictions=True), *placed),
        **every(
            "CosineSimilarity",
            _COSINE,
            *first,
            exact("#", epsilon=1e-14 if generation == 3 else 1e-12),
            bounded(f"1 for vectors whose squares sum to less than epsilon or {'1e-14' if generation == 3 else '1e-12'}, nothing for others", "#, which has an epsilon of its own"),
        ),
        **every(
            "BinaryCrossentropy",
            *first,
            exact("#", from_logits=True, positive_weight=1.0),
            inexpressible("# of Keras has no least_logarithm", from_logits=False, least_logarithm=SAID),
            *(rule.where(positive_weight=1.0) for rule in binary),
            inexpressible("# of Keras has no weight of what is yes"),
        ),
        **every("BinaryFocalCrossentropy", *first, *binary),
        **every("CategoricalCrossentropy", *first, *((_SMOOTHED,) if generation == 3 else ()), *classes),
        **every("CategoricalFocalCrossentropy", *first, _SMOOTHED, exact("#", clip_epsilon=1e-7), _FIXED),
        **every("SparseCategoricalCrossentropy", *first, inexpressible("# of Keras has no label_smoothing", label_smoothing=SAID), *classes),
        **every("Dice Tversky", *(placed if generation == 3 else (inexpressible("Keras 2 has no #"),))),
    }


KERAS2_LOSSES, KERAS3_LOSSES = _keras(2), _keras(3)
TORCH_LOSSES: Table = {
    **every("MeanSquaredError", exact("torch.nn.MSELoss")),
    **every("MeanAbsoluteError", exact("torch.nn.L1Loss")),
    **every("Huber", _HUBER, exact("torch.nn.HuberLoss; SmoothL1Loss divides by delta")),
    **every("Poisson", exact("torch.nn.PoissonNLLLoss, log_input and eps said")),
    **every("MeanAbsolutePercentageError MeanSquaredLogarithmicError LogCosh Hinge SquaredHinge CategoricalHinge Dice Tversky", exact("functions of torch")),
    **every("KLDivergence", exact("torch.nn.KLDivLoss('none') of what torch.clamp keeps from 0, summed along the last axis; 'mean' divides by the classes, too")),
    **every("CosineSimilarity", _COSINE, exact("minus the sum of products of torch.nn.functional.normalize(eps=sqrt(epsilon)); CosineEmbeddingLoss is 1 more")),
    **every(
        "BinaryCrossentropy",
        exact("torch.nn.BCEWithLogitsLoss, pos_weight = positive_weight", from_logits=True),
        exact("torch.nn.BCELoss", clip_epsilon=0.0, log_epsilon=0.0, least_logarithm=-100.0, positive_weight=1.0),
        exact("torch.nn.BCELoss of torch.clamp(p, 1e-7, 1 - 1e-7); by itself it clips nothing", clip_epsilon=1e-7, log_epsilon=0.0, least_logarithm=None, positive_weight=1.0),
        exact("functions of torch"),
    ),
    **every("BinaryFocalCrossentropy CategoricalFocalCrossentropy", exact("functions of torch")),
    **every(
        "CategoricalCrossentropy",
        exact("torch.nn.CrossEntropyLoss('none'), each value times the weight of its target", from_logits=True, class_weights=LISTED),
        exact("torch.nn.CrossEntropyLoss, the classes brought to axis 1", from_logits=True),
        exact("torch.clamp, torch.log and a sum; CrossEntropyLoss takes logits only"),
    ),
    **every(
        "SparseCategoricalCrossentropy",
        exact("torch.nn.CrossEntropyLoss(weight), the classes brought to axis 1", from_logits=True, class_weights=LISTED, reduction="mean_with_sample_weight", label_smoothing=0.0),
        exact("torch.nn.CrossEntropyLoss('none'), each value times the weight of its target", from_logits=True, class_weights=LISTED),
        exact("torch.nn.CrossEntropyLoss, the classes brought to axis 1", from_logits=True),
        exact("torch.nn.NLLLoss of torch.log of torch.clamp; CrossEntropyLoss takes logits only", label_smoothing=0.0, class_weights=None),
        exact("functions of torch; CrossEntropyLoss takes logits only"),
    ),
}
JAX_LOSSES: Table = {
    **every("MeanSquaredError", exact("the mean of optax.squared_error; l2_loss is half of it")),
    **every("Huber", _HUBER, exact("the mean of optax.huber_loss")),
    **every("LogCosh", exact("the mean of optax.log_cosh")),
    **every("CosineSimilarity", _COSINE, exact("minus optax.cosine_similarity, or functions of jax.numpy; cosine_distance is 1 more")),
    **every(
        "MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredLogarithmicError Poisson Hinge SquaredHinge CategoricalHinge KLDivergence Dice Tversky "
        "BinaryFocalCrossentropy CategoricalFocalCrossentropy",
        exact("functions of jax.numpy"),
    ),
    **every(
        "BinaryCrossentropy",
        exact("the mean of optax.sigmoid_binary_cross_entropy", from_logits=True, positive_weight=1.0),
        exact("functions of jax.numpy"),
    ),
    **every(
        "CategoricalCrossentropy",
        exact("optax.softmax_cross_entropy, each value times the weight of its target", from_logits=True, class_weights=LISTED),
        exact("optax.softmax_cross_entropy of optax.smooth_labels", from_logits=True, label_smoothing=SAID),
        exact("optax.softmax_cross_entropy", from_logits=True),
        exact("functions of jax.numpy"),
    ),
    **every(
        "SparseCategoricalCrossentropy",
        exact("optax.softmax_cross_entropy_with_integer_labels", from_logits=True, label_smoothing=0.0, class_weights=None, ignore_class=None),
        exact("functions of jax.numpy"),
    ),
}
