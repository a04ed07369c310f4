"""Packages that are no dependencies are looked for before a run."""

from pathlib import Path

import pytest
from tests.experiment.test_grid import make

from xstilts.experiment import graph, packages
from xstilts.running.errors import UserError

NLLB = {"engine": "ctranslate2", "from": "facebook/nllb-200-distilled-600M"}
VLLM = {"engine": "vllm", "from": "Qwen/Qwen3-8B"}
ASKED = {"languages": ["de"]}
ENVIRONMENTS = Path(__file__).resolve().parents[2] / "envs"


def grid(source="hub", **entry):
    return make(
        source=source, targets=["xnli"], languages=["de"], seeds=[1], tasks={},
        translators={"nllb": NLLB}, generators={"qwen": VLLM},
        intermediates={"x": {"tasks": ["mnli"], **entry}},
    )  # fmt: skip


TRANSLATED = {"translated": {"by": "nllb", **ASKED}}
GENERATED = {"generated": {"by": "qwen", "rows": 9, **ASKED}}
MISSING = [
    (TRANSLATED, "translators: nllb: engine: ctranslate2 needs the package ctranslate2, which is",
     "`pip install 'ctranslate2>=4.8'`"),
    (GENERATED, "generators: qwen: engine: vllm needs the package vllm, which is",
     "`pip install 'vllm'`"),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "line", "install"), MISSING)
def test_what_is_missing_is_said_in_a_line_until_its_rows_are_there(
    entry, line, install, tmp_path, monkeypatch
):
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    of = grid(**entry)
    with pytest.raises(UserError) as error:
        packages.check(of, tmp_path)
    assert str(error.value) == f"{line} not installed: {install}"
    packages.check(grid(), tmp_path)  # nothing is made by it
    packages.check(grid("toy", **entry), tmp_path)  # the grammars stand for it
    for node in graph.build(of).values():
        if packages.needed(node):
            (tmp_path / node.key).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / node.key).touch()
    packages.check(of, tmp_path)
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: object())
    packages.check(of, tmp_path / "none")


@pytest.mark.parametrize(("entry", "line", "install"), MISSING)
def test_in_the_environment_of_the_jobs_too(entry, line, install, tmp_path):
    """What is installed beside Snakemake is not there."""
    with pytest.raises(UserError) as error:
        packages.check(grid(**entry), tmp_path, ENVIRONMENTS / "xstilts.yaml")
    said = str(error.value)
    assert said.startswith(f"{line} not in the environment of the jobs: add `- ")
    assert len(said.splitlines()) == 1 and install in said
    own = tmp_path / "own.yaml"
    own.write_text(
        "dependencies:\n  - pip:\n      - a==1\n      - ctranslate2>=4.8\n      - vllm\n"
    )
    packages.check(grid(**entry), tmp_path, own)
