"""What is said while a run goes on: a line a finished cell, a line a failure, the time left."""

import re

from tests.workflow.conftest import FIRST
from tests.workflow.running import damage, tiny

NLI, POS = "scores/xlmr/none/seed1/xnli", "scores/xlmr/mnli/seed1/udpos"
CHATTER = ("Finished jobid", "Select jobs", "Execute ", " steps (", "RuleException", "Command '")


def break_something(done):
    """Two cells are to be computed anew; the rows of one are damaged at their source."""
    damage(done.path("toy/datasets/facebook/xnli/de/validation-00000-of-00001.parquet"))
    done.path("data/xnli/de.dev.parquet").unlink()
    for name in (f"{NLI}/de.json", f"{NLI}/cell.json", f"{POS}/de.json", f"{POS}/cell.json"):
        done.path(name).unlink()


def test_a_line_a_finished_cell_and_a_line_a_failure(done):
    break_something(done)
    ran = done.snakemake()
    assert ran.code == 1
    lines = ran.out.splitlines()
    cells = [line for line in lines if line.startswith("xlmr/")]
    expected = r"xlmr/mnli/seed1/udpos: \d+\.\d \([+−]?\d+\.\d to none\)  5 of 6 cells.*"
    assert len(cells) == 1 and re.fullmatch(expected, cells[0]), ran.out
    [failed] = [line for line in lines if line.startswith("bad-input: ")]
    assert failed.startswith(
        "bad-input: results/data/xnli/de.dev.parquet, attempt 1: error: task xnli (de): "
    )
    assert failed.endswith(" (log: results/logs/prepare/xnli/de.dev.log)")
    # Neither the command line nor an exception, which the log has, and which --verbose shows.
    assert not [text for text in CHATTER if text in ran.out], ran.out
    [log] = [path for path in lines if path.startswith("Complete log(s): ")]
    with open(log.removeprefix("Complete log(s): "), encoding="utf-8") as file:
        kept = file.read()
    assert [text for text in CHATTER if text not in kept] == []


def test_all_is_shown_where_it_is_asked_for_and_nothing_where_not(done):
    break_something(done)
    assert "of 6 cells" not in done.snakemake("--quiet", "all").out
    told = done.snakemake("--verbose").out
    assert "RuleException" in told and "Command '" in told


def test_a_first_run_says_how_far_it_is_and_how_long_the_rest_takes(finished):
    out = (finished.folder / FIRST).read_text()
    cells = [line for line in out.splitlines() if re.match(r"xlmr/\w+/\w+/\w+: ", line)]
    assert [re.search(r"  (\d) of 6 cells", line)[1] for line in cells] == list("123456"), out
    assert all(re.search(r" cells, about [\d.]+ (s|min) left$", line) for line in cells), out
    forecasts = finished.folder / ".snakemake/xstilts/progress-config.csv"
    assert len(forecasts.read_text().splitlines()) >= 1 + len(cells)


def test_a_tracker_that_is_not_there_is_one_line_before_anything_runs(done):
    done.write(tiny(trackers=["mlflow"]))
    done.snakemake().failed("trackers: not installed: mlflow; `pip install mlflow`, or leave")
    done.write(tiny(trackers=["mlfow"]))
    done.snakemake().failed("trackers: there is no tracker `mlfow`; did you mean `mlflow`?")


def test_trackers_run_nothing_again_and_are_told_of_what_runs(done):
    done.write(tiny(trackers=["tensorboard"]))
    assert done.planned() == {}
    for name in ("tuned/xlmr/mnli/seed1/udpos_en/node.json", f"{POS}/de.json", f"{POS}/cell.json"):
        done.path(name).unlink()
    done.snakemake().ok()
    folder = done.path("trackers/tensorboard/xlmr/mnli/seed1")
    assert sorted(path.name for path in folder.iterdir()) == ["udpos", "udpos_en"]
    for path in folder.glob("*/*"):
        assert path.stat().st_size > 500
