"""What the pages tell a reader to type is typed, in a folder like a clone with finished results."""

import re
import shlex
import shutil
import sys

import pytest
import yaml
from tests.test_docs import PAGES, blocks
from tests.workflow.running import ROOT, SNAKEFILE, TINY, run, server, tiny

from xstilts.experiment.config_files import merge

CLONE = (
    "Makefile", "Snakefile", "docs", "envs", "experiments", "profiles", "pyproject.toml", "tests",
    "workflow", ".ci",
)  # fmt: skip
WRITTEN = {  # what the pages leave to the reader
    "pairs.csv": "text,text_pair\nEin Hund schläft.,An animal sleeps.\nDer Hund.,A cat.\n",
    ".venv/bin/activate": "",
}
# What is in front of the programs: a page is typed as it is, but what would take hours is planned
# (a run of another config than the tiny ones, what Snakemake is called for by name), and what this
# machine lacks is a stand-in that looks at its files alone.
PROGRAMS = {
    "xstilts": """
case "$1 $2" in
    "run my.yaml" | "run mine.yaml" | "run config.yaml") ;;
    run* | rehearse*) set -- "$1" -n "${@:2}" ;;
    "new my.yaml") set -- new new.yaml ;;
    "pin my.yaml") parse xstilts.cli.pin "${@:2}" ;;
esac
for word; do shift; case $word in --profile | slurm) ;; *) set -- "$@" "$word" ;; esac; done
exec python -m xstilts.cli "$@"
""",
    "snakemake": """
[[ " $* " == *" --report "* ]] || set -- "$@" -n
exec python -m snakemake "$@"
""",
    "python": """
case "$1 $2" in
    "-m xstilts.steps.submission") parse "${@:2}" ;;
    *bench/chance.py* | *gpu/check.py* | *gpu/record.py*) set -- "$1" --help ;;
esac
case $1 in -*) exec WARM "$@" ;; *) exec PYTHON "$@" ;; esac
""",
    "make": 'exec /usr/bin/make -n "$@"',
    "pip": "there_is",
    "docker": "there_is",
    "apptainer": "there_is",
    "squeue": ":",
}
FUNCTIONS = """#!/bin/bash
parse() {
    exec PYTHON -c 'import importlib, sys
importlib.import_module(sys.argv[1]).parser().parse_args(sys.argv[2:])' "$@"
}
there_is() {
    for word in "${words[@]}"; do
        [[ $word != */*.* || $word == *[:=]* || -e $word ]] || exit 1
    done
}
words=("$@")
"""
# `bash FILE` is read, not run.
PREAMBLE = """set -euo pipefail
export PATH={bin}:$PATH PYTHONPATH={folder}/workflow:{folder}
bash() {{ command bash -n "$@"; }}
"""


@pytest.mark.workflow
def test_the_graph_is_that_of_the_workflow(tmp_path):
    [drawn] = [text for _, text in blocks("docs/steps.md", "mermaid")]
    args = ["--snakefile", SNAKEFILE, "--directory", tmp_path, "--rulegraph", "mermaid-js"]
    said = run([sys.executable, "-m", "snakemake", *args], ROOT).ok().out
    drawn, true = edges(drawn), edges(said)
    assert true and drawn == true, f"not drawn: {true - drawn}; drawn only: {drawn - true}"


def edges(graph):
    """The edges of a Mermaid graph, as pairs of rule names."""
    names = dict(re.findall(r"(\w+)\[\"?(\w+)\"?\]", graph))
    graph = re.sub(r"(\w+)\[[^\]]*\]", r"\1", graph)
    lines = [line.strip() for line in graph.splitlines() if "-->" in line]
    found = set()
    for line in lines:
        stops = [[name.strip() for name in stop.split("&")] for stop in line.split("-->")]
        for i, ends in enumerate(stops[1:]):
            found |= {(names.get(a, a), names.get(b, b)) for a in stops[i] for b in ends}
    return found


@pytest.fixture(scope="module")
def clone(finished, tmp_path_factory):
    """The finished tiny experiment, also under the names in the pages, with our files around it."""
    experiment = finished.copy(tmp_path_factory.mktemp("docs") / "clone")
    for name in ("default", "my"):
        shutil.copytree(
            experiment.path("experiments/config"), experiment.path(f"experiments/{name}")
        )
    experiment.write(tiny(name="config"), "my.yaml")  # all of it is there
    progress = experiment.folder / ".snakemake/xstilts/progress-config.csv"
    shutil.copy(progress, progress.with_name("progress-my.csv"))
    for name in CLONE:
        (experiment.folder / name).symlink_to(ROOT / name)
    for name, text in [*WRITTEN.items(), *files()]:
        path = experiment.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (experiment.folder / "bin").mkdir()
    for name, text in PROGRAMS.items():
        path, lines = experiment.folder / "bin" / name, FUNCTIONS + text
        for place, program in (("PYTHON", sys.executable), ("WARM", server().python)):
            lines = lines.replace(place, shlex.quote(str(program)))
        path.write_text(lines)
        path.chmod(0o755)
    return experiment


def files():
    """The files whose content is in the pages; configs with the sizes of the tiny experiment."""
    small = {key: TINY[key] for key in ("toy", "recipes")}
    for page in PAGES:
        for language in ("csv", "yaml"):
            for name, text in blocks(page, language):
                if name and language == "yaml":
                    config = merge(yaml.safe_load(text), small)
                    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
                if name:
                    yield name, text


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "bash")])
def test_what_a_page_says_can_be_typed(clone, page):
    preamble = PREAMBLE.format(bin=clone.folder / "bin", folder=shlex.quote(str(clone.folder)))
    for _, text in blocks(page, "bash"):
        said = run(["/bin/bash", "-c", preamble + text], clone.folder)
        assert said.code == 0, f"{text}\n{said.out}"
    if page == "docs/own-data.md":
        rows = clone.read("experiments/mine/tables/main.csv").splitlines()
        assert [row.split(",")[:2] for row in rows[1:]] == [["xlmr", "none"], ["xlmr", "mnli"]]
        assert "mine" in rows[0].split(",")
        predicted = (clone.folder / "predicted.csv").read_text().splitlines()
        assert predicted[0] == "text,label,prediction,probability" and len(predicted) == 3
