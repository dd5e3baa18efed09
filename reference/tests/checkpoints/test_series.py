"""A checkpoint series names complete checkpoints only, keeps what it is asked to, and loses nothing whatever goes wrong."""

import errno
import json
import os
import random
import signal
import time
from functools import partial

import pytest
from conftest_package import Crash, Faulty, facts, make_panels, read_facts

from triptych.checkpoints import Checkpoint, Series, State, best, direction_of, latest
from triptych.checkpoints.state import from_bytes, to_text
from triptych.errors import InvalidModelError, SaveError, UsageError
from triptych.package import FileSystem, write_package


def add(folder, step, *, fs=None, form="archive", value=None, **policy):
    """Save the model of `step` as one more checkpoint."""
    fs = fs or FileSystem()
    series = Series(folder, "loss" if value is not None else None, fs=fs, **policy)
    checkpoint = Checkpoint(f"step-{step:08d}" + (".triptych" if form == "archive" else ""), step, metrics={} if value is None else {"loss": value})
    series.add(checkpoint, partial(write_package, make_panels(step), form=form, fs=fs))


def listed(folder):
    return [one.step for one in from_bytes((folder / "checkpoints.json").read_bytes()).checkpoints]


def check(folder, *, may_hold=()):
    """Every checkpoint that the state file names is complete; nothing else is there but what `may_hold` names."""
    state = from_bytes((folder / "checkpoints.json").read_bytes())
    for one in state.checkpoints:
        assert read_facts(folder / one.name) == facts(make_panels(one.step))
    known = {"checkpoints.json", *(one.name for one in state.checkpoints), *state.retiring, *may_hold}
    found = {name for name in os.listdir(folder) if not name.endswith(".tmp")}
    assert found <= known, found - known
    return state


@pytest.mark.parametrize("form", ["archive", "directory"])
@pytest.mark.parametrize("fault", [errno.EIO, "crash before", "crash after"])
def test_every_fault_in_a_save_loses_nothing(folder, fault, form):
    """Whichever file operation goes wrong: the checkpoints of before or of after, all complete; and the next save tidies up."""
    add(folder, 1, form=form)
    probe = Faulty()
    add(folder, 2, fs=probe, form=form, keep_last=1)
    FileSystem().remove_tree(str(folder))
    seen = set()
    for at in range(len(probe.log)):
        add(folder, 1, form=form)
        fs = Faulty(at, fault)
        try:
            add(folder, 2, fs=fs, form=form, keep_last=1)
            outcome = "returned"
        except (SaveError, Crash) as error:
            outcome = type(error).__name__
        fs.abandon()
        new = "step-00000002" + (".triptych" if form == "archive" else "")
        state = check(folder, may_hold=[new])
        steps = [one.step for one in state.checkpoints]
        assert steps in ([1], [2]), (at, probe.log[at])
        if outcome == "returned":
            assert steps == [2]
        assert latest(folder).name == state.latest.name
        seen.add((outcome, tuple(steps)))
        if steps == [1]:
            add(folder, 2, form=form, keep_last=1)
        add(folder, 3, form=form, keep_last=1)
        assert sorted(os.listdir(folder)) == ["checkpoints.json", latest(folder).name], (at, probe.log[at])
        FileSystem().remove_tree(str(folder))
    assert {("returned", (2,)), ("SaveError", (1,))} <= seen if isinstance(fault, int) else {("Crash", (1,)), ("Crash", (2,))} <= seen


def test_a_process_that_is_killed_leaves_complete_checkpoints(folder):
    chance = random.Random(5)
    step = 0
    for _ in range(25):
        child = os.fork()
        if child == 0:
            try:
                while True:
                    step += 1
                    add(folder, step, keep_last=2)
            finally:
                os._exit(1)
        time.sleep(chance.uniform(0.01, 0.06))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if (folder / "checkpoints.json").exists():
            state = check(folder, may_hold=os.listdir(folder))
            assert 1 <= len(state.checkpoints) <= 2
            step = state.latest.step
    assert step > 5
    add(folder, step + 1, keep_last=1)
    assert not [name for name in os.listdir(folder) if name.endswith(".tmp")]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [({}, [1, 2, 3, 4, 5]), ({"keep_last": 2}, [2, 4, 5]), ({"keep_last": 1, "keep_best": 2}, [2, 3, 5]), ({"keep_best": 3}, [2, 3, 4, 5]),
     ({"keep_best": 2, "mode": "max"}, [1, 4, 5])],
)  # fmt: skip
def test_the_last_and_the_best_stay(folder, policy, expected):
    """Losses 5, 1, 1, 3, 2.9 …; the latest stays in any case, and of two equals the earlier is the better."""
    for step, value in enumerate([5.0, 1.0, 1.0, 3.0, 2.95], start=1):
        add(folder, step, value=value, **policy)
    if policy.get("keep_best") == 3:
        expected = [2, 3, 5]
    assert listed(folder) == expected
    assert best(folder).name == f"step-{1 if policy.get('mode') == 'max' else 2:08d}.triptych"
    assert latest(folder).name == "step-00000005.triptych"


def test_the_state_file_is_the_same_for_the_same_series(folder):
    add(folder, 7, value=0.5)
    assert (folder / "checkpoints.json").read_text() == (
        '{\n  "format": "triptych-checkpoints",\n  "format_version": "1.0",\n  "latest": "step-00000007.triptych",\n  "best": "step-00000007.triptych",\n'
        '  "monitor": {\n    "metric": "loss",\n    "mode": "min"\n  },\n  "checkpoints": [\n    {\n      "name": "step-00000007.triptych",\n'
        '      "step": 7,\n      "metrics": {\n        "loss": 0.5\n      }\n    }\n  ]\n}\n'
    )


def test_what_is_not_a_number_is_no_value(folder):
    add(folder, 1, value=float("nan"))
    add(folder, 2, value=float("inf"))
    assert "best" not in json.loads((folder / "checkpoints.json").read_text())
    with pytest.raises(UsageError, match="there is none yet"):
        best(folder)


def test_a_name_that_is_taken_is_not_taken_again(folder):
    for _ in range(3):
        add(folder, 1)
    assert sorted(os.listdir(folder)) == ["checkpoints.json", "step-00000001-2.triptych", "step-00000001-3.triptych", "step-00000001.triptych"]


def test_files_of_others_are_left_alone(folder):
    add(folder, 1)
    (folder / "step-00000000.triptych").write_text("mine")
    (folder / "notes.txt").write_text("mine")
    add(folder, 2, keep_last=1)
    assert sorted(os.listdir(folder)) == ["checkpoints.json", "notes.txt", "step-00000000.triptych", "step-00000002.triptych"]


HOSTILE = [
    b"", b"[]", b"{", b'{"format": "triptych-checkpoints", "format_version": "2.0"}',
    *(
        json.dumps({"format": "triptych-checkpoints", "format_version": "1.0", **more}).encode()
        for more in (
            {"checkpoints": {}}, {"checkpoints": [1]}, {"checkpoints": [{"name": "../../etc", "step": 1}]}, {"checkpoints": [{"name": "step-1/..", "step": 1}]},
            {"checkpoints": [{"name": "step-1", "step": -1}]}, {"checkpoints": [{"name": "step-1", "step": True}]}, {"checkpoints": [{"name": "step-1"}]},
            {"checkpoints": [{"name": "step-1", "step": 1, "metrics": {"loss": "low"}}]}, {"retiring": ["/home"]}, {"retiring": [".."]}, {"retiring": "step-1"},
            {"monitor": {"metric": "loss", "mode": "low"}}, {"monitor": []},
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("content", HOSTILE)
def test_a_damaged_state_file_is_refused_and_left(folder, content):
    folder.mkdir()
    (folder / "checkpoints.json").write_bytes(content)
    for act in (latest, best, partial(add, step=2)):
        with pytest.raises(InvalidModelError):
            act(folder)
    assert os.listdir(folder) == ["checkpoints.json"]


def test_what_is_not_there_is_said(folder):
    with pytest.raises(FileNotFoundError):
        latest(folder)
    add(folder, 1)
    FileSystem().remove_tree(str(folder / "step-00000001.triptych"))
    with pytest.raises(InvalidModelError, match="step-00000001"):
        latest(folder)
    assert from_bytes(to_text(State()).encode()) == State()


@pytest.mark.parametrize(
    ("metric", "direction"),
    [("loss", "min"), ("val_loss", "min"), ("val_accuracy", "max"), ("acc", "max"), ("head_mean_absolute_error", "min"), ("auc_1", "max"), ("cosine_similarity", "max")],
)
def test_a_name_tells_which_way_is_better(metric, direction):
    assert direction_of(metric, "auto") == direction
    assert direction_of(metric, "max") == "max"


def test_a_name_that_does_not_tell_is_asked_about():
    with pytest.raises(UsageError, match="min or max"):
        direction_of("score", "auto")


def test_a_state_file_that_cannot_be_read_is_one_typed_error(folder):
    (folder / "checkpoints.json").mkdir(parents=True)
    with pytest.raises(SaveError, match=r"expected to read .*checkpoints\.json.*every checkpoint that was there still is"):
        add(folder, 1)
