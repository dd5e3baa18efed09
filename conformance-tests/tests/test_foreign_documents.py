"""What was written by hand of the frozen foreign models predicts, with the weights that the framework had, what the framework predicted."""

import importlib
from pathlib import Path

import kit
import numpy as np
import pytest
import triptych

ROOMS = [importlib.import_module(f"_foreign_{room}") for room in ("keras", "tensorflow", "old", "dtypes", "kinds")]


def described():
    """Slug -> the frozen models that cases read, each with its documents."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for room in ROOMS:
            for word in {"read", "joined"} & vars(room).keys():
                plain = getattr(room, word)
                patch.setattr(room, word, lambda *given, of, plain=plain, **more: (found.setdefault(of.slug, of), plain(*given, of=of, **more))[1])
            list(room.cases())
    return {slug: one for slug, one in found.items() if one.architecture and one.facts.get("outputs")}


DESCRIBED = described()


def array(spelled):
    """An array from its spelling in bits."""
    data = b"".join(bytes.fromhex(word)[::-1] for word in spelled["bits"])
    return np.frombuffer(data, spelled["dtype"]).reshape(spelled["shape"])


def test_every_era_is_described():
    assert len([slug for slug in DESCRIBED if slug.startswith("old-")]) == 24
    assert len(DESCRIBED) > 30


@pytest.mark.parametrize("slug", DESCRIBED)
def test_the_documents_predict_what_the_framework_predicted(slug, tmp_path):
    frozen = DESCRIBED[slug]
    for name, data in frozen.package.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    declared = [one.get("dtype", "float32") for one in frozen.architecture["inputs"]]
    given = [array(one).astype(dtype) for one, dtype in zip(frozen.facts["inputs"], declared, strict=True)]
    (expected,) = (array(one) for one in frozen.facts["outputs"].values())
    yielded = triptych.load(tmp_path).predict(given if len(given) > 1 else given[0])
    np.testing.assert_allclose(yielded, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
