"""Cases of chapter 50: the training document, progress and the tensors of the training state."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

import _configs
import _documents
import kit
from kit import Case

Json = kit.Json
ARCHITECTURE: dict[str, Json] = {
    "format_version": "1.0",
    "inputs": [{"name": "x", "shape": [None, 2]}],
    "layers": [{"name": "dense", "type": "Dense", "config": {"units": 2, "use_bias": False}}],
}
TENSORS = {"dense.kernel": kit.f32([2, 2], 1.0, -2.0, 0.5, 0.25)}
TRAINING: dict[str, Json] = {
    "format_version": "1.0",
    "optimizer": {"type": "Adam", "config": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "learning_rate": 0.001}},
    "losses": [{"type": "SparseCategoricalCrossentropy", "config": {"from_logits": True}, "output": "dense", "weight": 0.5}],
    "metrics": [{"type": "SparseCategoricalAccuracy", "output": "dense", "weighted": True}],
    "progress": {"step": 1200, "epoch": 3, "samples": 38400, "best": {"val_accuracy": 0.97, "val_loss": 0.25}},
}
STATE = {
    "optimizer.iteration": ("int64", (), (1200).to_bytes(8, "little")),
    "optimizer.momentum.dense.kernel": kit.f32([2, 2], 0.5, 0.0, -0.5, 1.0),
    "optimizer.velocity.dense.kernel": kit.f32([2, 2], 1.0, 2.0, 3.0, 4.0),
    "random.seed_generator": ("uint32", (2,), bytes(8)),
}
AT = "training.json#"
WARM: dict[str, Json] = {"type": "CosineDecay", "config": {"initial_learning_rate": 0.0, "decay_steps": 900, "warmup_target": 0.001, "warmup_steps": 100}}
SAID: dict[str, Json] = {
    "format_version": "1.0",
    "optimizer": {"type": "AdamW", "config": {"learning_rate": WARM, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "epsilon_mode": "plain", "weight_decay": 0.01, "decay_mode": "decoupled", "global_clipnorm": 1.0, "clip_epsilon": 1e-6}},
    "losses": [{"type": "BinaryCrossentropy", "config": {"from_logits": False, "clip_epsilon": 0.0, "least_logarithm": -100.0, "reduction": "mean_with_sample_weight"}}, {"type": "example:Own", "config": {"anything": [1]}}],
    "metrics": [{"type": "AUC", "config": {"curve": "PR", "thresholds": None}}, {"type": "TopKCategoricalAccuracy", "config": {"k": 3}}],
}
"""A document that says what frameworks compute differently: all of it as torch has it."""
PARTS: dict[str, Json] = {**ARCHITECTURE, "layers": [{"name": "dense", "type": "Dense", "config": {
    "units": 2, "use_bias": False, "kernel_initializer": {"type": "HeNormal", "config": {"seed": 7}},
    "kernel_regularizer": {"type": "L2", "config": {"l2": 0.001}}, "kernel_constraint": {"type": "MaxNorm", "config": {"max_value": 2.0, "axis": [0]}},
}}]}


def edited(change: Callable[[dict[str, Json]], object]) -> dict[str, Json]:
    """A copy of the training document after `change`."""
    data = copy.deepcopy(TRAINING)
    change(data)
    return data


def accepts(id_: str, title: str, training: dict[str, Json], *more: str, state: kit.Json = None) -> Case:
    return Case(id_, title, [id_[:7].upper(), *more], kit.package(ARCHITECTURE, TENSORS, training, state),
                accepted=kit.observe(ARCHITECTURE, TENSORS, training, state), profile="training")


def rejects(id_: str, title: str, change: Callable[[dict[str, Json]], object], pointer: str, twin: str, code: str = "SCHEMA_VIOLATION", stage: str = "schema") -> Case:  # noqa: PLR0917 - a row of a table
    return Case(id_, title, [id_[:7].upper()], kit.package(ARCHITECTURE, TENSORS, edited(change)), rejected=(stage, code, AT + pointer), twin=twin, profile="training")


def state_rejects(id_: str, title: str, name: str, code: str, twin: str) -> Case:
    state = {**STATE, name: kit.f32([2, 2])}
    return Case(id_, title, [id_[:7].upper()], kit.package(ARCHITECTURE, TENSORS, TRAINING, state),
                rejected=("semantic", code, f"training.safetensors#/{name.replace('~', '~0').replace('/', '~1')}"), twin=twin, profile="training")


def said(id_: str, title: str, change: Callable[[dict[str, Json]], object], pointer: str, code: str = "COMPONENT_CONFIG_INVALID", stage: str = "schema") -> Case:  # noqa: PLR0917 - a row of a table
    """A rejecting case: `SAID` after `change`."""
    data = copy.deepcopy(SAID)
    change(data)
    return Case(id_, title, [id_[:7].upper()], kit.package(ARCHITECTURE, TENSORS, data), rejected=(stage, code, AT + pointer), twin=TWIN, profile="training")


def parts(id_: str, title: str, member: str, config: Json, pointer: str = "") -> Case:
    """A rejecting case: `PARTS` with another config in `member` of its layer."""
    data = copy.deepcopy(PARTS)
    data["layers"][0]["config"][member]["config"] = config
    place = f"architecture.json#/layers/0/config/{member}/config{pointer}"
    return Case(id_, title, [id_[:7].upper()], kit.package(data, TENSORS), rejected=("schema", "COMPONENT_CONFIG_INVALID", place), twin="trn-014-parts-of-a-layer", profile="training")


TWIN = "trn-011-what-frameworks-do-differently"


def types() -> Iterable[Case]:
    yield Case(TWIN, "Everything that frameworks compute differently is said", ["TRN-011", "TRN-012", "TRN-013", "TRN-014", "TRN-015"], kit.package(ARCHITECTURE, TENSORS, SAID),
               accepted=kit.observe(ARCHITECTURE, TENSORS, SAID), profile="training")
    yield said("trn-011-unknown-optimizer", "An optimizer is misspelt", lambda d: d["optimizer"].update(type="AdamV"), "/optimizer/type", "COMPONENT_TYPE_UNKNOWN", "semantic")
    yield said("trn-011-name-of-a-function", "A loss has the name of a function", lambda d: d["losses"].insert(0, {"type": "mse"}), "/losses/0/type", "COMPONENT_TYPE_UNKNOWN", "semantic")
    yield said("trn-011-a-loss-is-no-metric", "A metric is a type of losses only", lambda d: d["metrics"].insert(0, {"type": "Dice"}), "/metrics/0/type", "COMPONENT_TYPE_UNKNOWN", "semantic")
    yield said("trn-012-no-learning-rate", "An optimizer without a learning rate", lambda d: d["optimizer"]["config"].pop("learning_rate"), "/optimizer/config")
    yield said("trn-012-no-epsilon", "An AdamW that leaves epsilon to the reader", lambda d: d["optimizer"]["config"].pop("epsilon"), "/optimizer/config")
    yield said("trn-012-no-from-logits", "A crossentropy that does not say what it takes", lambda d: d["losses"][0]["config"].pop("from_logits"), "/losses/0/config")
    yield said("trn-012-name-of-another-framework", "A hyperparameter under another framework's name", lambda d: d["optimizer"]["config"].update(eps=1e-8), "/optimizer/config/eps")
    yield said("trn-013-unknown-epsilon-mode", "Epsilon at a place that no formula has", lambda d: d["optimizer"]["config"].update(epsilon_mode="torch"), "/optimizer/config/epsilon_mode")
    yield said("trn-013-beta-of-one", "A moving average that never moves", lambda d: d["optimizer"]["config"].update(beta_2=1.0), "/optimizer/config/beta_2")
    yield said("trn-013-unknown-schedule", "A schedule is misspelt", lambda d: d["optimizer"]["config"]["learning_rate"].update(type="CosinusDecay"), "/optimizer/config/learning_rate/type")
    yield said("trn-013-reduction-of-a-function", "A reduction that is not of the vocabulary", lambda d: d["losses"][0]["config"].update(reduction="auto"), "/losses/0/config/reduction")
    yield said("trn-014-schedule-without-steps", "A schedule that does not say how long it takes", lambda d: d["optimizer"]["config"]["learning_rate"]["config"].pop("decay_steps"), "/optimizer/config/learning_rate/config")
    yield said("trn-015-negative-rate", "A schedule that begins below 0", lambda d: d["optimizer"]["config"]["learning_rate"]["config"].update(initial_learning_rate=-0.1), "/optimizer/config/learning_rate/config/initial_learning_rate")
    yield Case("trn-014-parts-of-a-layer", "Initializer, regularizer and constraint say what their tables list", ["TRN-014", "TRN-015"], kit.package(PARTS, TENSORS),
               accepted=kit.observe(PARTS, TENSORS), profile="training")
    yield parts("trn-014-unknown-member-of-an-initializer", "An initializer with a member of another type", "kernel_initializer", {"stddev": 0.1}, "/stddev")
    yield parts("trn-015-regularizer-by-text", "The factor of a regularizer as text", "kernel_regularizer", {"l2": "0.001"}, "/l2")
    yield parts("trn-015-negative-norm", "A constraint to norms below 0", "kernel_constraint", {"max_value": -1.0}, "/max_value")


def boundaries() -> Iterable[Case]:
    twin = "trn-017-two-boundaries"

    def piecewise(bounds: Json, values: Json) -> dict[str, Json]:
        schedule = {"type": "PiecewiseConstantDecay", "config": {"boundaries": bounds, "values": values}}
        return {"format_version": "1.0", "optimizer": {"type": "SGD", "config": {"learning_rate": schedule}}}

    right = piecewise([10, 20], [0.1, 0.01, 0.001])
    yield Case(twin, "Two boundaries between three rates", ["TRN-017"], kit.package(ARCHITECTURE, TENSORS, right), accepted=kit.observe(ARCHITECTURE, TENSORS, right), profile="training")
    for slug, title, data in (("a-rate-too-few", "Two boundaries between two rates", piecewise([10, 20], [0.1, 0.01])),
                              ("a-boundary-twice", "Two boundaries are equal", piecewise([10, 10], [0.1, 0.01, 0.001]))):
        yield Case(f"trn-017-{slug}", title, ["TRN-017"], kit.package(ARCHITECTURE, TENSORS, data),
                   rejected=("semantic", "SCHEDULE_BOUNDARIES_INVALID", f"{AT}/optimizer/config/learning_rate/config/boundaries"), twin=twin, profile="training")


def cases() -> Iterable[Case]:
    yield from types()
    yield from boundaries()
    yield from _configs.in_groups("losses", "metrics", "initializers", "regularizers", "constraints")
    yield from _configs.of_optimizers()
    yield from _documents.trn_cases()
    twin = "trn-001-every-member"
    yield accepts(twin, "Optimizer, loss, metric and progress", TRAINING, "TRN-002", "TRN-003", "TRN-004", "TRN-005", "TRN-006", "TRN-007")
    yield accepts("trn-001-nothing-said", "A training document that says nothing", {"format_version": "1.0"})
    alone = {"format_version": "1.0", "progress": {"epoch": 2}}
    yield Case("trn-001-training-alone", "A package of nothing but training", ["TRN-001", "TRN-007"], kit.package(training=TRAINING), accepted=kit.observe(training=TRAINING), profile="training")
    yield accepts("trn-005-only-epochs", "Progress that counts epochs only", alone)
    yield rejects("trn-001-unknown-member", "A member that no table lists", lambda d: d.update(optimiser={}), "/optimiser", twin)
    yield rejects("trn-001-one-loss", "A loss that is no array", lambda d: d.update(losses=d["losses"][0]), "/losses", twin)
    yield rejects("trn-002-type-missing", "An optimizer without a type", lambda d: d["optimizer"].pop("type"), "/optimizer", twin)
    yield rejects("trn-002-unknown-member", "A hyperparameter beside the config", lambda d: d["optimizer"].update(learning_rate=0.1), "/optimizer/learning_rate", twin)
    yield rejects("trn-003-loss-is-a-name", "A loss that is only a name", lambda d: d.update(losses=["MeanSquaredError"]), "/losses/0", twin)
    yield rejects("trn-003-weight-is-text", "The weight of a loss as text", lambda d: d["losses"][0].update(weight="0.5"), "/losses/0/weight", twin)
    yield rejects("trn-004-weighted-is-a-number", "A metric that is weighted by a number", lambda d: d["metrics"][0].update(weighted=1), "/metrics/0/weighted", twin)
    yield rejects("trn-004-type-missing", "A metric without a type", lambda d: d["metrics"][0].pop("type"), "/metrics/0", twin)
    yield rejects("trn-005-negative-step", "Progress of -1 steps", lambda d: d["progress"].update(step=-1), "/progress/step", twin)
    yield rejects("trn-005-best-is-text", "A best value as text", lambda d: d["progress"]["best"].update(val_loss="0.25"), "/progress/best/val_loss", twin)
    yield rejects("trn-005-best-of-digits", "A best value as text under a name of digits", lambda d: d["progress"]["best"].update({"42": "0.25"}), "/progress/best/42", twin)
    infinite = edited(lambda d: d["progress"]["best"].update(val_loss={"float": "Infinity"}))
    yield accepts("trn-005-infinite-best", "A best value of infinity", infinite)
    yield accepts("trn-006-extension-optimizer", "An optimizer of somebody else", edited(lambda d: d["optimizer"].update(type="org.example:Lion")))
    yield rejects("trn-006-space", "A type with a space", lambda d: d["optimizer"].update(type="Adam W"), "/optimizer/type", twin, "COMPONENT_TYPE_SYNTAX")
    yield rejects("trn-006-class-path", "A type that is a class path", lambda d: d["losses"][0].update(type="keras.losses.MeanSquaredError"), "/losses/0/type", twin, "COMPONENT_TYPE_SYNTAX")
    yield rejects("trn-007-no-such-output", "A loss on an output that is not there", lambda d: d["losses"][0].update(output="scores"), "/losses/0/output", twin, "TRAINING_OUTPUT_UNKNOWN", "semantic")
    yield rejects("trn-007-an-input", "A metric on an input", lambda d: d["metrics"][0].update(output="x"), "/metrics/0/output", twin, "TRAINING_OUTPUT_UNKNOWN", "semantic")
    yield accepts("trn-008-slots-and-globals", "Slots, a global slot and a random state", TRAINING, "TRN-009", state=STATE)
    yield state_rejects("trn-008-no-prefix", "A state tensor named as a weight is not", "iteration", "STATE_NAME_SYNTAX", "trn-008-slots-and-globals")
    yield state_rejects("trn-008-slot-in-capitals", "A slot in capitals", "optimizer.Momentum.dense.kernel", "STATE_NAME_SYNTAX", "trn-008-slots-and-globals")
    yield state_rejects("trn-009-no-such-weight", "A slot of a weight that is not there", "optimizer.momentum.dense.bias", "STATE_WEIGHT_UNKNOWN", "trn-008-slots-and-globals")
    yield Case("trn-009-no-weights-section", "Slots in a package without weights", ["TRN-009"], kit.package(ARCHITECTURE, None, TRAINING, STATE),
               accepted=kit.observe(ARCHITECTURE, None, TRAINING, STATE), profile="training")
