"""One folder of results for all tests here; what changes it takes a copy."""

import shutil

import pytest
from tests.export.made import Made


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Models of each format and the scores of some."""
    results = Made(tmp_path_factory.mktemp("made"))
    for task in ("mnli", "udpos_en", "squad", "sts"):
        results.tuned("mnli", task)
    for intermediate in ("none", "mnli", "hellaswag", "multi"):
        results.encoder(intermediate)
    return results


@pytest.fixture
def copy(made, tmp_path):
    """The root of a copy that may be changed."""
    shutil.copytree(made.root, tmp_path / "copy")
    return tmp_path / "copy"
