"""The experiments that come with the workflow: planned without a network, and rehearsed."""

import pytest
import yaml
from tests.workflow.running import ROOT, command, run

PAPER, REHEARSAL = ROOT / "experiments/paper.yaml", ROOT / "experiments/rehearsal.yaml"
TOY = {"toy_world", "toy_model"}


def dry_run(folder, *configs):
    return run(command(folder, list(configs), "--dry-run", "--quiet", "rules"), folder).ok().jobs


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """Jobs of the experiment of the paper, by rule."""
    folder = tmp_path_factory.mktemp("paper")
    own = {"ccg": "ccgbank", "bucc": "bucc2018"}  # what is on no hub, in place of ~/data
    for name in own.values():
        (folder / name).mkdir()
    over = {"tasks": {task: {"hub": str(folder / name)} for task, name in own.items()}}
    (folder / "over.yaml").write_text(yaml.safe_dump(over))
    return dry_run(folder, PAPER, folder / "over.yaml")


def test_the_paper_is_planned_without_a_network(paper):
    targets = {"xnli", "pawsx", "udpos", "wikiann", "xquad", "mlqa", "tydiqa", "bucc", "tatoeba"}
    assert paper["intermediate"] == 12 * 3
    assert paper["tune"] == 13 * 3 * 6  # of the nine targets two need none, two share one
    # What no seed can change is one cell: `none` on what is not tuned.
    cells = {f"evaluate_{t}": 37 if t in ("bucc", "tatoeba") else 39 for t in targets}
    assert {rule: n for rule, n in paper.items() if rule.startswith("evaluate_")} == cells
    assert paper["select"] == paper["submission"] == 1


def test_a_rehearsal_has_every_kind_of_node(paper, tmp_path):
    rehearsed = dry_run(tmp_path, PAPER, REHEARSAL)
    assert rehearsed.keys() - TOY == paper.keys()
    assert rehearsed["intermediate"] == 12 and rehearsed["tune"] == 13 * 6


def test_data_that_is_on_no_hub_is_asked_for_before_anything_runs(tmp_path):
    said = run(command(tmp_path, [PAPER], "--dry-run"), tmp_path)
    said.failed("error: task ccg: ", "data/ccgbank: there is no such folder. CCGbank is licensed")
    said.failed("error: task bucc: ", "data/bucc2018: there is no such folder")
