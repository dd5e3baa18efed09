"""docs/saved-model.md says of each layer type and operation what it becomes in a graph."""

import importlib.util
from pathlib import Path

from triptych.vocabulary import LAYER_TYPES
from triptych.vocabulary.operations import OPERATIONS

DOCS = Path(__file__).parents[4] / "docs"


def test_the_page_is_current():
    """It is what its generator makes of the emitters and the suite of today; no type and no operation is refused."""
    spec = importlib.util.spec_from_file_location("make_saved_model", DOCS / "make_saved_model.py")
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    page = (DOCS / "saved-model.md").read_text()
    assert page == generator.text(), "docs/saved-model.md is not current; see docs/make_saved_model.py"
    for name in (*LAYER_TYPES, *OPERATIONS):
        assert f"\n| {name} | " in page
    assert "| refused |" not in page
