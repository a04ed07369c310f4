"""What is made again: what its record says, whatever happened to the folder."""

import os
import shutil
import subprocess
import time

import pytest
import yaml
from tests.workflow.running import OWN, Experiment, damage, tiny

SHOWN = {"plan": 1, "tables": 1, "figures": 1, "report": 1, "all": 1}
MADE = {k: v for k, v in SHOWN.items() if k != "plan"}
SCORED = {"evaluate_xnli": 1, "evaluate_udpos": 1, "evaluate_tatoeba": 1}


def files(folder):
    return [path for path in (folder / "results").rglob("*") if path.is_file()]


def touched(experiment):
    """As by a file system that purges by age: all of them, the oldest inputs last."""
    for age, path in enumerate(sorted(files(experiment.folder), reverse=True)):
        os.utime(path, (time.time() - 9000 + age,) * 2)


def copied(experiment):
    """Without times, as `cp -r` or a download does."""
    shutil.copytree(experiment.folder / "results", experiment.folder / "new", copy_function=_plain)
    shutil.rmtree(experiment.folder / "results")
    (experiment.folder / "new").rename(experiment.folder / "results")


def _plain(source, target):
    return shutil.copyfile(source, target)


def forgotten(experiment):
    """As on another machine: nothing is left of what Snakemake remembers."""
    shutil.rmtree(experiment.folder / ".snakemake")


def ahead(experiment):
    """By a clock that is two hours ahead."""
    later = time.time() + 7200
    for path in files(experiment.folder):
        if path.suffix in (".parquet", ".safetensors", ".json"):
            os.utime(path, (later, later))


def merged(experiment):
    """From two machines, of which one has the row `none` and the other the row `mnli`; each has
    made all data for itself."""
    results, one = experiment.folder / "results", experiment.folder / "one"
    shutil.copytree(results, one)
    for kind in ("scores", "tuned"):
        shutil.rmtree(results / f"{kind}/xlmr/mnli")
        shutil.rmtree(one / f"{kind}/xlmr/none")
    shutil.rmtree(one / "experiments")
    shutil.copytree(one, results, dirs_exist_ok=True, copy_function=_plain)
    shutil.rmtree(one)


def dropped(experiment):
    """Checkpoints and encoded rows, after use."""
    for kind in ("encoders", "tuned", "encoded", "models"):
        shutil.rmtree(experiment.path(kind))


def checked_out(experiment):
    """Scores from git, which keeps no times."""
    run = ["git", "-c", "user.name=x", "-c", "user.email=x", "-C", experiment.folder]
    subprocess.run(["git", "init", "-q", experiment.folder], check=True)
    subprocess.run([*run, "add", "-f", "results/scores", "results/experiments"], check=True)
    subprocess.run([*run, "commit", "-qm", "scores"], check=True)
    shutil.rmtree(experiment.folder / "results")
    shutil.rmtree(experiment.folder / ".snakemake")
    subprocess.run([*run, "checkout", "-q", "--", "results"], check=True)


HAPPENED = [touched, copied, forgotten, ahead, merged, dropped, checked_out]
CHANGES = {
    "nothing": (tiny(), {}),
    "recipe": (
        tiny(recipes={"mnli": {"learning_rate": 2.0e-3}}),
        {"intermediate": 1, "tune": 2, **SCORED, **SHOWN},
    ),
    "version": (
        tiny(tasks={"xnli": {"version": 9}}),
        {"prepare": 2, "encode": 2, "manifest": 1, "evaluate_xnli": 2, **SHOWN},
    ),
}
# What is made besides, because it was deleted and is needed.
DROPPED = {"model": 1, "encode": 9, "manifest": 3}
ALL = {"toy_world": 3, "toy_model": 1, "pin_data": 3, "pin_model": 1, "prepare": 9}
WITHOUT = {
    ("dropped", "recipe"): DROPPED,
    ("dropped", "version"): {"model": 1, "encode": 4, "intermediate": 1, "tune": 2},
    ("checked_out", "nothing"): {
        "toy_world": 3, "toy_model": 1, "pin_data": 3, "pin_model": 1, "all": 1,
    },
    ("checked_out", "recipe"): DROPPED | ALL,
    ("checked_out", "version"): {
        "toy_world": 3, "toy_model": 1, "pin_data": 3, "pin_model": 1, "prepare": 4, "model": 1,
        "encode": 4, "manifest": 1, "intermediate": 1, "tune": 2,
    },
}  # fmt: skip


@pytest.mark.parametrize("happened", HAPPENED, ids=lambda function: function.__name__)
def test_only_what_has_another_spec_is_made(done, happened):
    happened(done)
    large = ("--max-checksum-file-size", "0")  # as real files are: not compared by content
    for name, (config, jobs) in CHANGES.items():
        done.write(config)
        besides = WITHOUT.get((happened.__name__, name), {})
        assert done.planned(*large) == jobs | besides, name
    done.write(tiny())
    back = WITHOUT.get((happened.__name__, "nothing"), {})
    assert done.planned(*large) == back, "changed back"


def test_a_change_and_back_costs_each_time_what_it_changes(done):
    """And what is made is made: with the clock of the inputs two hours ahead, too."""
    for config in (CHANGES["recipe"][0], tiny()):
        done.write(config)
        ahead(done)
        assert done.snakemake().ok().jobs == CHANGES["recipe"][1]
        assert done.snakemake().nothing
        forgotten(done)
        assert done.snakemake().nothing


def test_a_changed_rate_is_seen_without_what_snakemake_remembers(done):
    """0.1.0 had nothing to do then, and called the old cells done."""
    done.write(tiny(recipes={"xnli": {"learning_rate": 2.0e-3}}))
    forgotten(done)
    assert done.planned() == {"tune": 2, "evaluate_xnli": 2, **SHOWN}
    assert "2 stale" in done.step("status", "config.yaml").ok().out


@pytest.mark.parametrize(
    ("name", "jobs"),
    [
        ("scores/xlmr/mnli/seed1/xnli/cell.json", {"evaluate_xnli": 1, **MADE}),
        ("pins/datasets/facebook/xnli.json", {"pin_data": 1, "all": 1}),
        (f"{OWN}/tables/main.csv", MADE),
    ],
)
def test_what_is_damaged_or_deleted_is_made_again(done, name, jobs):
    path = done.path(name)
    if path.suffix == ".json":
        damage(path)
    else:
        path.unlink()
    assert done.planned() == jobs


def test_the_plain_command_knows_it_too(done):
    """Without a profile Snakemake would look at times, parameters and input sets."""
    touched(done)
    assert done.snakemake(profile=False).nothing
    done.write(tiny(recipes={"xnli": {"learning_rate": 2.0e-3}}))
    assert done.snakemake(profile=False).ok().jobs == {"tune": 2, "evaluate_xnli": 2, **SHOWN}
    assert done.snakemake(profile=False).nothing


def test_a_forced_job_has_its_inputs(done):
    """`-R` and `-f` are the user's word against the record."""
    run = done.snakemake("-R", "tables").ok()
    assert run.jobs["tables"] == 1 and "tune" not in run.jobs
    cell = "results/scores/xlmr/none/seed1/xnli/cell.json"
    forced = done.snakemake("-f", cell).ok()
    assert forced.jobs == {"evaluate_xnli": 1}
    log = done.read("logs/evaluate/xlmr/none/seed1/xnli.log").splitlines()
    assert log == ["de: already computed", "en: already computed"]


def test_an_own_data_set_is_made_again_where_its_pin_is_another(tmp_path, finished):
    """What follows from it, and nothing else; and back again."""
    experiment = Experiment(tmp_path)
    mirror = tmp_path / "mirror"
    for kind in ("models", "datasets"):
        shutil.copytree(finished.path(f"toy/{kind}"), mirror / kind)
    source = {k: v for k, v in tiny().items() if k not in ("source", "toy")}
    source["models"] = {"xlmr": {"from": "toy/xlmr"}}
    experiment.write({"source": str(mirror), **source})
    experiment.snakemake().ok()
    file = mirror / "datasets/facebook/xnli/de/validation-00000-of-00001.parquet"
    good = file.read_bytes()
    other = mirror / "datasets/facebook/xnli/en/validation-00000-of-00001.parquet"
    jobs = {"pin_data": 1, "prepare": 2, "encode": 2, "manifest": 1, "evaluate_xnli": 2}
    for content in (other.read_bytes(), good):
        file.write_bytes(content)
        update = ("--update", "facebook/xnli", "--lock", "config.lock", "--root", mirror)
        assert "another version" in experiment.step("pin", *update).ok().out
        run = experiment.snakemake().ok()
        assert run.jobs == {**jobs, **MADE}
        assert experiment.snakemake().nothing
    assert "as before" in experiment.step("pin", *update).ok().out
    assert experiment.snakemake().nothing
    lock = yaml.safe_load((tmp_path / "config.lock").read_text())
    assert "facebook/xnli" in lock["datasets"]
