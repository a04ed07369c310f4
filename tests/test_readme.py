"""The README says what is there."""

import re
import sys

import pytest
from tests.workflow.running import ROOT, SNAKEFILE, run

README = ROOT / "README.md"


@pytest.fixture(scope="module")
def readme():
    return README.read_text(encoding="utf-8")


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


@pytest.mark.workflow
def test_the_rulegraph_is_that_of_the_workflow(readme, tmp_path):
    [drawn] = re.findall(r"```mermaid\n(.*?)```", readme, re.S)
    args = ["--snakefile", SNAKEFILE, "--directory", tmp_path]
    said = run([sys.executable, "-m", "snakemake", *args, "--rulegraph", "mermaid-js"], ROOT)
    assert said.code == 0, said.out
    drawn, true = edges(drawn), edges(said.out)
    assert true and drawn == true, f"not drawn: {true - drawn}; drawn only: {drawn - true}"


def test_every_make_command_is_a_target(readme):
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    # In code, inline or in a block: "make sure" in a sentence is no command.
    code = re.findall(r"`+([^`]+)`+", readme)
    named = {name for text in code for name in re.findall(r"\bmake ([a-z-]+)", text)}
    assert {"run", "test"} <= named, "the two commands"
    assert named <= targets


def test_every_file_that_is_named_is_there(readme):
    prose = re.sub(r"```.*?```", "", readme, flags=re.S)
    for name in re.findall(r"`([^`\s]+)`", prose):
        is_file = "/" in name or name.endswith((".py", ".yaml", ".smk"))
        if (
            not is_file
            or name.startswith(("results/", "my", "../"))
            or not re.fullmatch(r"[\w./-]+", name)
        ):
            continue
        places = [ROOT / name, ROOT / "workflow/xstilts" / name]
        assert any(path.exists() for path in places), f"README names {name}, which is not there"


def test_every_link_to_a_file_is_good(readme):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", readme):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), f"README links {target}, which is not there"
