"""Another workflow that uses this one as a module, beside rules of its own."""

import shutil
import sys

import pytest
import yaml
from tests.workflow.running import OWN, ROOT, SNAKEFILE, run, tiny

PARENT = f"""
shell.prefix("set -euo pipefail; export MINE=here; ")


module grid:
    snakefile:
        "{SNAKEFILE}"
    config:
        config["grid"]


use rule * from grid as grid_*


rule mine:
    default_target: True
    input:
        "results/experiments/config/tables/main.md",
    output:
        "mine.txt",
    shell:
        "echo $MINE > {{output}}; head -1 {{input}} >> {{output}}"


onstart:
    grid.onstart()


onsuccess:
    grid.onsuccess()


onerror:
    grid.onerror()
"""


@pytest.fixture
def parent(done):
    """From words to a run of the parent, in a folder with finished results of its module."""
    (done.folder / "parent.smk").write_text(PARENT)

    def snakemake(*words, **config):
        text = yaml.safe_dump({"models": {"of the": "parent"}, "grid": tiny(**config)})
        (done.folder / "parent.yaml").write_text(text)
        args = ["-s", "parent.smk", "--configfile", "parent.yaml", "--cores", "2", *words]
        return run([sys.executable, "-m", "snakemake", *args], done.folder)

    return snakemake


def test_its_rules_and_ours_make_one_graph(done, parent):
    done.path(f"{OWN}/.made/tables.json").unlink()
    said = parent(name="config").ok()
    # The plan has the name, which a config file would give it.
    assert said.jobs == {"grid_plan": 1, "grid_tables": 1, "mine": 1}
    text = (done.folder / "mine.txt").read_text()
    assert text == "here\n" + done.read(f"{OWN}/tables/main.md").splitlines()[0] + "\n"
    assert parent(name="config").nothing


def test_paths_are_those_of_the_config_that_uses_it(done, parent):
    for path in ("train", "dev"):
        (done.folder / f"{path}.csv").write_text("text,label\na b,x\nb c,y\n" * 8)
    task = {"format": "classification", "files": {"train": "train.csv", "dev": "dev.csv"}}
    own = {"tasks": {"mine": task | {"languages": ["en"]}}, "targets": ["mine"]}
    said = parent("-n", "grid_all", name="config", **own, languages="all").ok()
    assert said.jobs["grid_evaluate_mine"] == 2


def test_a_prefix_is_refused(done, parent):
    text = (done.folder / "parent.smk").read_text()
    text = text.replace("    config:\n", '    prefix:\n        "below/"\n    config:\n', 1)
    (done.folder / "parent.smk").write_text(text)
    parent("-n", name="config").failed("module: no `prefix`: results are in results/")


def test_without_a_config_file_or_a_name_it_says_so(done, parent):
    text = (done.folder / "parent.smk").read_text().replace('config["grid"]', repr(tiny()))
    (done.folder / "parent.smk").write_text(text)
    args = ["-m", "snakemake", "-s", "parent.smk", "--cores", "1", "-n"]
    run([sys.executable, *args], done.folder).failed("config: name: set it: there is no config")


def test_a_clone_runs_its_own_code_whatever_is_installed(tmp_path):
    clone = tmp_path / "clone"
    shutil.copytree(ROOT / "workflow", clone / "workflow", ignore=shutil.ignore_patterns("__pyc*"))
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(ROOT / name, clone)
    (clone / "profiles").symlink_to("workflow/profiles")
    code = clone / "workflow/xstilts/experiment/cells.py"
    code.write_text(code.read_text() + '\nraise SystemExit("the code of the clone")\n')
    given = ["--snakefile", clone / "Snakefile", "--directory", tmp_path, "--dry-run"]
    said = run([sys.executable, "-m", "snakemake", *given], tmp_path)
    assert said.code == 1 and "the code of the clone" in said.out
