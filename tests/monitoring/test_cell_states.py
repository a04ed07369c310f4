"""The state of a grid from what lies in its folder, and what its logs say."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from tests import results

from xstilts.experiment import graph
from xstilts.experiment.cells import Cell
from xstilts.experiment.nodes import MAKERS, RECORDED, RULES, TRIALS, ancestors
from xstilts.monitoring import cell_states, status
from xstilts.monitoring.cell_states import CellState
from xstilts.monitoring.records import Pins, Records
from xstilts.running import ledger, logs
from xstilts.running.errors import UserError
from xstilts.running.logs import Ending

CELL = Cell("m", "mnli", "seed1", "xnli")
FOLDER = "results/scores/m/mnli/seed1/xnli"
SCORES = [f"{FOLDER}/{lang}.json" for lang in ("de", "ru")]
RECORD = f"{FOLDER}/cell.json"  # Snakemake deletes it before it starts the job
LOG = "results/logs/evaluate/m/mnli/seed1/xnli.log"
TUNED = "results/tuned/m/mnli/seed1/mnli/node.json"
TUNED_LOG = "results/logs/tune/m/mnli/seed1/mnli.log"
ROOT = Path(__file__).resolve().parents[2]
PYTHON = {"PYTHONPATH": str(ROOT / "workflow"), "PATH": os.environ["PATH"]}


@pytest.fixture
def world(tmp_path):
    _, graph = results.write(tmp_path, seeds=[1])
    return tmp_path, graph


def states(root):
    lines = cell_states.read_grid(root / results.HOME / "grid.csv")
    nodes = graph.build(cell_states.read_config(root / results.HOME / "config.yaml"))
    found, refused = cell_states.collect(lines, root)
    endings = cell_states.Endings(Records(nodes, Pins("", root), root))
    return cell_states.cells(lines, found, refused, endings.trouble)


def delete(root, *names):
    for name in names:
        (root / name).unlink()


def write_log(root, text, log=LOG, age=0.0):
    (root / log).write_text(text)
    os.utime(root / log, (time.time() - age,) * 2)


def test_all_is_done(world):
    root, _ = world
    assert set(states(root).values()) == {CellState("done", 2, 2), CellState("done", 2, 2)}


def test_some_languages_are_partial_and_an_old_log_says_no_more(world):
    root, _ = world
    delete(root, SCORES[0], RECORD, LOG)
    assert states(root)[CELL] == CellState("partial", 1, 2)
    write_log(root, "de: accuracy 0.5\n", age=3600)
    found = states(root)[CELL]
    assert (found.state, found.log) == ("partial", LOG) and "killed" in found.reason


def test_without_scores_or_logs_a_cell_is_missing(world):
    root, _ = world
    delete(root, *SCORES, RECORD, LOG)
    assert states(root)[CELL] == CellState("missing", 0, 2)


JOB = """
import sys, time
from xstilts.steps import process
import argparse
def main(args):
    print("de: accuracy 0.5", flush=True)
    print("runs", file=open("said", "w"), flush=True)
    time.sleep(60)
parser = argparse.ArgumentParser()
for name in ("--out", "--state"):
    parser.add_argument(name)
process.run(main, parser)
"""


@pytest.fixture
def job(world):
    """The evaluation of a cell, at work."""
    root, graph = world
    delete(root, SCORES[0], RECORD)
    args = ["--out", FOLDER, "--state", graph[RECORD].state, "--log", LOG]
    with subprocess.Popen([sys.executable, "-c", JOB, *args], cwd=root, env=PYTHON) as process:
        while not (root / "said").exists():
            assert process.poll() is None
            time.sleep(0.01)
        yield process
        process.kill()


def snapshot(root):
    return {
        path: (path.lstat().st_mtime_ns, path.lstat().st_size, path.lstat().st_ino)
        for path in root.rglob("*")
    }


def test_a_job_runs_while_it_holds_its_lock_and_is_killed_at_once(world, job):
    """Not for as long as its log is fresh: a crash was `running` for ten minutes."""
    root, _ = world
    os.utime(root / LOG, (0, 0))
    before = snapshot(root)
    assert states(root)[CELL] == CellState("running", 1, 2, "de: accuracy 0.5", LOG)
    assert snapshot(root) == before, "a look changes nothing"
    job.kill()
    job.wait(10)
    (root / LOG).touch()
    assert states(root)[CELL] == CellState("failed", 1, 2, ledger.KILLED, LOG)


def test_a_job_that_runs_is_seen_on_a_read_only_file_system(world, job):
    root, _ = world
    code = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "workflow")!r}]
import pathlib
from tests.monitoring import test_cell_states as tests
root = pathlib.Path({str(root)!r})
try:
    (root / "new").touch()
except OSError as error:
    assert error.errno == 30, error
    print(tests.states(root)[tests.CELL].state)
"""
    mount = f"mount --bind -o ro {root} {root} && exec {sys.executable} -"
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount],
        input=code, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("running\n", "")


def test_a_cell_that_was_asked_to_end_failed(world):
    root, _ = world
    delete(root, SCORES[0], RECORD)
    write_log(root, "stopped: ended by SIGTERM\n")
    assert states(root)[CELL].reason == "stopped: ended by SIGTERM"


def test_what_a_cell_needs_failed(world):
    root, _ = world
    delete(root, *SCORES, RECORD, TUNED, LOG)
    write_log(root, "step 3\nerror: the loss is nan\n", TUNED_LOG, age=9999)
    asked = CellState("failed", 0, 2, "error: the loss is nan", TUNED_LOG)
    assert states(root)[CELL] == asked


@pytest.mark.parametrize("asked", [False, True], ids=["is", "asks for"])
def test_a_score_of_another_spec_is_stale_whatever_its_log_says(world, asked):
    root, _ = world
    results.change(root / SCORES[0], spec={"kind": "other"})
    if asked:  # the record of an earlier job, for another spec
        results.change(root / RECORD, spec={"kind": "cell", "scores": {}})
    write_log(root, "error: of an older job\n")
    found = states(root)[CELL]
    assert (found.state, found.have, found.log) == ("stale", 1, "")
    assert found.reason.startswith(f"{SCORES[0]}: a score from another spec")


@pytest.mark.parametrize(
    ("lines", "running", "ended"),
    [
        ([], False, None),
        ([], True, Ending("running", "")),
        (["a", "error: x", "b"], False, Ending("failed", "error: x")),
        (["internal error: E: x"], False, Ending("failed", "internal error: E: x")),
        (["a", "b"], True, Ending("running", "b")),
        (["a", "b"], False, Ending("silent", "b")),
    ],
)
def test_how_a_log_ends(lines, running, ended):
    assert logs.ending(lines, running) == ended


def test_the_tail_of_a_log(tmp_path):
    path = tmp_path / "a.log"
    assert logs.tail(path) == [] and logs.read_ending(path) is None
    path.write_bytes(b"first line\n\nsecond \xff line  \n")
    assert logs.tail(path) == ["first line", "second � line"]
    assert logs.tail(path, 7) == ["line"]


def test_ancestors_come_first_and_once(world):
    _, nodes = world
    found = ancestors(nodes, RECORD)
    assert found[-1] == RECORD and len(found) == len(set(found))
    for at, key in enumerate(found):
        assert set(nodes[key].needs) <= set(found[:at])
    others = {"choose", "align", "overlap", "subset", "bag_of_words", *TRIALS, *RECORDED, *MAKERS}
    others |= {"pin_vision", "vision", "features"}
    assert {nodes[key].rule for key in found} == {
        rule for rule in RULES if not rule.startswith("toy_") and rule not in others
    }


def test_a_cell_that_the_config_has_not_is_one_line(world):
    root, nodes = world
    endings = cell_states.Endings(Records(nodes, Pins("", root), root))
    with pytest.raises(
        UserError, match=r"has the cell m/none/seed3/xnli, which config\.yaml has not"
    ):
        endings.trouble(Cell("m", "none", "seed3", "xnli"))


def test_a_grid_that_is_not_there_is_made_by_the_plan(tmp_path):
    for read in (cell_states.read_grid, cell_states.read_config):
        with pytest.raises(UserError, match="gone: there is no such file; `snakemake plan` makes"):
            read(tmp_path / "gone")


def test_the_matrix_in_full():
    two = {seed: Cell("m", "mnli", seed, "xnli") for seed in ("seed1", "seed2")}
    cells = {
        Cell("m", "none", "seed1", "xnli"): CellState("partial", 1, 2),
        Cell("m", "none", "seed1", "udpos"): CellState("done", 2, 2),
        two["seed1"]: CellState("done", 2, 2),
        two["seed2"]: CellState("failed", 0, 2, "error: x", "a.log"),
        Cell("m", "squad", "seed1", "xnli"): CellState("done", 2, 2),
        Cell("m", "squad", "seed2", "xnli"): CellState("done", 2, 2),
    }
    assert status.align(status.matrix(cells)) == [
        "model  intermediate  xnli              udpos",
        "m      none          partial 1/2       done",
        "m      mnli          1 done, 1 failed",
        "m      squad         done x2",
    ]
    assert status.overview(cells.values()) == "6 cells: 4 done, 1 failed, 1 partial"
    assert status.reasons(cells) == ["failed: m/mnli/seed2/xnli\n    error: x\n    a.log"]


def test_a_reason_is_told_once():
    cells = {
        Cell("m", "mnli", "seed1", target): CellState("failed", 0, 2, "error: x", "a.log")
        for target in ("xnli", "udpos", "xquad")
    }
    [told] = status.reasons(cells)
    assert told == "failed: m/mnli/seed1/xnli and 2 more\n    error: x\n    a.log"


def test_the_next_run_in_words():
    assert status.plan({"tune": 2, "encode": 1}) == "next run: 1 encode, 2 tune"
    assert status.plan({}) == "next run: no score is to be computed"


def test_a_language_without_rows_is_no_part_of_the_grid(tmp_path):
    lines, _ = results.write(tmp_path)
    grid = pd.DataFrame(lines)
    path = tmp_path / "results/scores/m/none/seed1/xnli/cell.json"
    assert cell_states.there(grid, tmp_path)[1] == []
    path.write_text(json.dumps({"absent": {"de": {"spec": "x", "pins": {}, "reason": "no dev"}}}))
    kept, notes = cell_states.there(grid, tmp_path)
    assert notes == ["xnli: without de: no dev."]
    gone = (grid["target"] == "xnli") & (grid["language"] == "de")
    assert gone.any() and list(kept["score"]) == list(grid[~gone]["score"])
    path.write_text("[]")
    assert cell_states.there(grid, tmp_path)[1] == []
