"""Jobs that fail or are killed: the rest finishes, nothing is lost, the next run does the rest."""

import contextlib
import csv
import json
import os
import signal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.workflow.running import OWN, at_work, damage, run, tiny

SHOWN = {"tables": 1, "figures": 1, "report": 1, "all": 1}
NLI = "scores/xlmr/none/seed1/xnli"


def main_rows(experiment):
    return list(csv.DictReader(experiment.read(f"{OWN}/tables/main.csv").splitlines()))


def test_a_new_language_that_fails_does_not_keep_the_others_from_finishing(done):
    """One language of one target is a damaged file at the source."""
    source = done.path("toy/datasets/facebook/xnli/ru/validation-00000-of-00001.parquet")
    good, times = source.read_bytes(), source.stat()
    damage(source)
    done.write(tiny(languages=["de", "en", "ru"], targets=["xnli", "tatoeba"]))
    failed = done.snakemake().failed("error: task xnli (ru)", source.name, "is damaged")
    assert "1 failed" in failed.out or "job execution failed" in failed.out
    # The other target has its new language, and the finished scores are still there.
    for lang in ("de", "ru"):
        assert done.path(f"scores/xlmr/mnli/seed1/tatoeba/{lang}.json").is_file()
    assert done.path(f"{NLI}/de.json").is_file()
    log = done.read("logs/evaluate/xlmr/mnli/seed1/tatoeba.log").splitlines()
    assert log[0] == "de: already computed" and log[1].startswith("ru: accuracy"), log
    for row in main_rows(done):
        assert row["xnli"] == row["average"] == "" and float(row["tatoeba"]) >= 0
    text = done.read(f"{OWN}/tables/main.md")
    assert text.count("not complete; 2 of 10 score files are missing") == 1
    # Mended, the next run does only what failed.
    source.write_bytes(good)
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    again = done.snakemake().ok()
    assert again.jobs == {"prepare": 1, "encode": 1, "manifest": 1, "evaluate_xnli": 2, **SHOWN}
    for intermediate in ("none", "mnli"):
        log = done.read(f"logs/evaluate/xlmr/{intermediate}/seed1/xnli.log").splitlines()
        assert log[:2] == ["de: already computed", "en: already computed"]
        assert log[2].startswith("ru: accuracy") and len(log) == 3
    assert all(row["xnli"] and row["average"] for row in main_rows(done))
    assert done.snakemake().nothing


def test_a_language_that_fails_in_evaluation_costs_only_itself(done):
    rows = done.path("data/xnli/de.dev.parquet")
    before, whole = json.loads(done.read(f"{NLI}/en.json")), rows.read_bytes()
    done.path(f"{NLI}/de.json").unlink()
    # Rows of another text, of which the record is right.
    table = pq.read_table(rows)
    pq.write_table(table.slice(0, 3).replace_schema_metadata(table.schema.metadata), rows)
    cell = f"results/{NLI}/cell.json"
    done.snakemake(cell).failed("xlmr/none/seed1/xnli: de: ")
    assert main_rows(done)[0]["xnli"] == "" and main_rows(done)[1]["xnli"] != ""
    rows.write_bytes(whole)
    assert done.snakemake(cell).ok().jobs == {"evaluate_xnli": 1}
    log = done.read("logs/evaluate/xlmr/none/seed1/xnli.log").splitlines()
    assert log[0] == "en: already computed" and log[1].startswith("de: accuracy")
    assert json.loads(done.read(f"{NLI}/en.json")) == before


@pytest.fixture
def training(done):
    """A process group in the middle of a training, with its config."""
    slow = {"max_steps": 60, "eval_every": 1, "patience": 1000}
    path = done.write(tiny(recipes={"udpos": slow}, save_every=0))
    log = done.path("logs/tune/xlmr/none/seed1/udpos_en.log")
    log.unlink()
    target = "results/tuned/xlmr/none/seed1/udpos_en/node.json"

    def begun() -> bool:
        return log.exists() and "step 3:" in log.read_text()

    with at_work(done.folder, [path], target, until=begun) as process:
        yield done, process, target


def step_process(folder):
    """The process id of the training step that runs in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it may have ended meanwhile
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"xstilts.steps.train" in words and (process / "cwd").resolve() == folder:
                found.append(int(process.name))
    [pid] = found
    return pid


def test_a_training_that_is_killed_leaves_nothing_that_counts_as_finished(training):
    experiment, process, target = training
    os.kill(step_process(experiment.folder), signal.SIGKILL)
    assert process.wait(60) != 0
    folder = experiment.path("tuned/xlmr/none/seed1/udpos_en")
    assert not list(folder.glob("*.safetensors")) and not (folder / "node.json").exists()
    assert not list(folder.glob(".*.part"))
    assert experiment.snakemake(target).ok().jobs == {"tune": 1}
    node = json.loads((folder / "node.json").read_text())
    assert node["steps"] == 60 and node["attempts"] == 2
    assert 0 < node["resumed_at"][0] < 60
    said = (experiment.folder / "out.txt").read_text()
    killed = f"killed: {folder.relative_to(experiment.folder)}, attempt 1: killed: too little"
    assert said.count(f"\n{killed}") == 1 and said.count(f"\n  {killed}") == 1, said
    assert "Command '" not in said and "Exception" not in said
    assert "goes on after step" in experiment.read("logs/tune/xlmr/none/seed1/udpos_en.log")


def test_a_training_that_is_asked_to_end_saves_its_state_first(training):
    experiment, process, target = training
    os.kill(step_process(experiment.folder), signal.SIGUSR1)
    assert process.wait(60) != 0
    said = (experiment.folder / "out.txt").read_text()
    assert "stopped: ended by SIGUSR1 after step" in said and "Traceback" not in said
    assert "  terminated: results/tuned/xlmr/none/seed1/udpos_en, attempt 1: stopped:" in said
    assert experiment.snakemake(target).ok().jobs == {"tune": 1}
    assert len(json.loads(experiment.read(target.removeprefix("results/")))["resumed_at"]) == 1
    kept = list(experiment.path(".state/train").rglob("0*.safetensors"))
    assert kept == [], "the state is deleted when the node is done"


def test_a_second_run_on_the_same_results_is_told_of_the_first(training):
    experiment, process, target = training
    first = f"Snakemake (process {process.pid} on "
    os.kill(step_process(experiment.folder), signal.SIGSTOP)  # so that it does not end meanwhile
    experiment.snakemake(target).failed(first, "is at work on these results")
    experiment.snakemake("--unlock").failed("not unlocked: wait until it has ended")
    assert first in experiment.snakemake("--dry-run", target).ok().out, "which may look"
    looked = experiment.step("status", experiment.folder / "config.yaml").ok().out
    assert "\nrunning: xlmr/none/seed1/udpos\n    step " in looked
    assert first in looked and "is at work on these results" in looked


def test_a_run_that_is_killed_as_a_whole_goes_on_after_unlocking(training):
    experiment, process, target = training
    step = step_process(experiment.folder)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
    with contextlib.suppress(ProcessLookupError):
        os.kill(step, signal.SIGKILL)
    # A checkpoint that is half there: its outputs are on record as incomplete.
    folder = experiment.path("tuned/xlmr/none/seed1/udpos_en")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(b"half")
    experiment.snakemake(target).failed("--unlock")
    experiment.snakemake("--unlock").ok()
    experiment.write(tiny())  # short again
    experiment.snakemake(target).ok()
    assert json.loads((folder / "node.json").read_text())["steps"] == 3
    assert (folder / "model.safetensors").stat().st_size > 1000


def test_a_checkpoint_without_weights_is_refused_and_made_again(done):
    folder = done.path("encoders/xlmr/mnli/seed1")
    (folder / "model.safetensors").unlink()
    options = ["--specs", "{}", "--manifest", "-", "--state", "-", "--out", "-"]
    refused = done.step("evaluate", "--cell", "a/b/c/d", "--model", folder, *options)
    refused.failed(f"error: {folder}: ", "model.safetensors is missing")
    assert done.snakemake().nothing, "what was computed with it is still there"
    made = done.planned("--", "results/encoders/xlmr/mnli/seed1/model.safetensors")
    assert made == {"intermediate": 1}
    done.path("scores/xlmr/mnli/seed1/tatoeba/de.json").unlink()
    jobs = done.planned()
    assert jobs["intermediate"] == jobs["evaluate_tatoeba"] == 1


def test_a_damaged_file_is_made_again_where_it_is_needed(done):
    rows, encoded = (done.path(name) for name in DAMAGED)
    damage(rows)
    encoded.write_bytes(encoded.read_bytes()[:-100])
    assert done.snakemake().nothing, "what was computed from them is still there"
    done.path(f"{NLI}/de.json").unlink()
    jobs = {"prepare": 1, "encode": 1, "manifest": 1, "evaluate_xnli": 1}
    assert done.snakemake().ok().jobs == {**jobs, **SHOWN}
    assert pq.read_table(rows).num_rows == 12
    assert done.snakemake().nothing


DAMAGED = ("data/xnli/de.dev.parquet", "encoded/xlmr/xnli/de.dev.64.safetensors")


def test_a_score_of_another_spec_is_made_again_and_refused_meanwhile(done):
    path = done.path("scores/xlmr/mnli/seed1/xnli/de.json")
    score = json.loads(path.read_text())
    score["spec"]["version"] += 1
    path.write_text(json.dumps(score))
    folder = f"results/{OWN}"
    tables = ("tables", "--grid", f"{folder}/grid.csv", "--out", f"{folder}/tables")
    done.step(*tables).failed("error: 1 score file(s) refused: ", path.name, "another spec")
    assert main_rows(done)[1]["xnli"] == "" and main_rows(done)[0]["xnli"]
    assert done.snakemake().ok().jobs == {"evaluate_xnli": 1, **SHOWN}
    assert json.loads(path.read_text())["spec"]["version"] == score["spec"]["version"] - 1
    assert main_rows(done)[1]["xnli"]


def test_killed_tests_leave_no_process(tmp_path):
    """The limit of these tests ends a Snakemake that hangs."""
    with pytest.raises(AssertionError, match="took more than 1 s"):
        run(["sleep", "30"], tmp_path, limit=1)
