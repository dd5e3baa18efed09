"""Pickles that would do something: in every form in which PyTorch keeps pickles, each is refused by what it would have done and where."""

import os

import pytest
import watched
from torch_files import archive, metadata, part, pickle, state, stream, tar, tensor
from tricks import CALLS, OTHERS

import triptych
from triptych.errors import TriptychError, UnsupportedError

FORMS = {
    "archive": (archive, "archive/data.pkl@"),
    "stream": (stream, "@"),
    "tar": (tar, "pickle@"),
    "distributed": (metadata, ".metadata@"),
    "part of a distributed one": (part, "__0_0.distcp@0/archive/data.pkl@"),
}
"""Form -> how it is made of a pickle, and how places in it begin."""
NEEDS = {"a call hidden in a weight that looks harmless": {"tar", "distributed"}, "a tensor of another function": {"distributed"}}
"""Trick -> forms that refuse a reference to a storage, or the constructor of tensors, which stands before the call in it."""


def refused(path):
    with pytest.raises(TriptychError) as caught:
        panels = triptych.load(path).panels
        for one in panels.weights.tensors.values():
            one.read()
    return caught.value


def test_there_are_enough_tricks():
    assert len(CALLS) > 80
    assert len(OTHERS) > 50


@pytest.mark.parametrize(("trick", "form"), [(trick, form) for trick in CALLS for form in FORMS if form not in NEEDS.get(trick, ())])
def test_a_call_is_refused_with_what_it_would_have_done(tmp_path, trick, form):
    body, deed = CALLS[trick]
    make, place = FORMS[form]
    error = refused(make(tmp_path / "a", body))
    assert isinstance(error, UnsupportedError)
    assert error.problems[0].code == "LAYOUT_UNSUPPORTED"
    assert error.problems[0].place.startswith(place)
    assert deed in error.problems[0].message


@pytest.mark.parametrize("trick", CALLS)
def test_the_place_of_a_call_is_the_byte_of_its_opcode(tmp_path, trick):
    body = CALLS[trick][0]
    position = int(refused(archive(tmp_path / "a.pt", body)).problems[0].place.partition("@")[2])
    assert pickle(body)[position : position + 1] in (b"R", b"i", b"o", b"\x81", b"\x92")


@pytest.mark.parametrize("trick", OTHERS)
def test_what_is_no_data_is_refused(tmp_path, trick):
    body, said = OTHERS[trick]
    error = refused(archive(tmp_path / "a.pt", body))
    assert said in str(error)
    assert error.problems[0].code in ("LAYOUT_UNSUPPORTED", "LAYOUT_INVALID", "LAYOUT_TRUNCATED")


@pytest.mark.parametrize("form", ["stream", "tar", "distributed", "part of a distributed one"])
@pytest.mark.parametrize("trick", [trick for trick in OTHERS if "million" not in trick and "doubles" not in trick and "double" not in trick])
def test_what_is_no_data_is_refused_in_every_form(tmp_path, trick, form):
    """Each form in its own words, where it has no tensors or no references at all."""
    problem = refused(FORMS[form][0](tmp_path / "a", OTHERS[trick][0])).problems[0]
    assert problem.code in ("LAYOUT_UNSUPPORTED", "LAYOUT_INVALID", "LAYOUT_TRUNCATED")
    assert problem.message.startswith("expected ")


READING = """
import triptych, os
from triptych.errors import TriptychError
def go():
    for name in sorted(os.listdir(sys.argv[1])):
        if name.endswith(".part"):
            continue
        try:
            triptych.load(sys.argv[1] + "/" + name)
        except TriptychError:
            pass
        else:
            assert name.startswith("good"), name
"""


def test_nothing_is_imported_opened_or_started_because_a_file_says_so(tmp_path):
    quick = {trick: one for trick, one in OTHERS.items() if "double" not in trick and "million" not in trick}
    for index, (body, _) in enumerate([*CALLS.values(), *quick.values()]):
        for number, (make, _) in enumerate(FORMS.values()):
            make(tmp_path / f"{index}-{number}", body)
    archive(tmp_path / "good.pt", state(a=tensor()))
    # TorchScript's source text travels in the archive; nobody reads it.
    archive(tmp_path / "good-script.pt", state(a=tensor()), **{"code/__torch__.py": b"import os\nos.system('touch /tmp/owned')\n"})
    watched.check(READING, tmp_path, "antigravity", "pickle", "torch", "multiprocessing", "asyncio", "webbrowser", "pip", "joblib")
    assert not os.path.exists("/tmp/owned")
