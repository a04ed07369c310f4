"""Two Snakemake runs on one machine with two GPUs, which are only said to be there."""

import json
import os
import subprocess
from pathlib import Path

from tests.workflow.running import command, environment, tiny


def records(experiment):
    """The GPU, start and end of every training and every evaluated language."""
    nodes = list(experiment.path("encoders").rglob("node.json"))
    nodes += experiment.path("tuned").rglob("node.json")
    nodes += [p for p in experiment.path("scores").rglob("*.json") if p.name != "cell.json"]
    return [json.loads(node.read_text()) for node in nodes]


def test_two_runs_share_the_gpus_without_a_clash(finished, tmp_path):
    smi = tmp_path / "bin/nvidia-smi"
    smi.parent.mkdir()
    smi.write_text("#!/bin/sh\necho 'GPU-aaa, 10'\necho 'GPU-bbb, 11'\n")  # no real device's
    smi.chmod(0o755)
    searched = environment() | {"PATH": f"{smi.parent}:{os.environ['PATH']}"}
    searched.pop("CUDA_VISIBLE_DEVICES", None)
    runs = []
    for name in ("one", "two"):
        run = finished.copy(tmp_path / name)
        run.write(tiny(seeds=[2], targets=["udpos", "tatoeba"]))  # all trained anew
        with open(run.folder / "out.txt", "w") as out:
            line = command(run.folder, [run.folder / "config.yaml"], "--cores", "3")
            process = subprocess.Popen(
                [*map(str, line)], cwd=run.folder, env=searched, stdout=out,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
        runs.append((run, process))
    found = []
    for run, process in runs:
        assert process.wait(900) == 0, Path(run.folder / "out.txt").read_text()
        assert "the CPU is used" not in Path(run.folder / "out.txt").read_text()
        found += [record for record in records(run) if record["gpu"] is not None]
    assert len(found) == 2 * (3 + 5), "trainings, and languages scored"
    spans = sorted((record["gpu"], record["began"], record["ended"]) for record in found)
    assert {gpu for gpu, _, _ in spans} == {"10", "11"}
    # The languages of an evaluation are scored by one process: they began at the same time.
    last = {(gpu, began): ended for gpu, began, ended in spans}
    for (gpu, began), ended in last.items():
        others = [other for at, other in last if at == gpu and other > began]
        assert all(ended <= other for other in others), spans


def test_a_run_without_a_gpu_says_once_that_it_uses_the_cpu(finished, tmp_path):
    run = finished.copy(tmp_path / "run")
    run.write(tiny(seeds=[2], targets=["tatoeba"], languages=["de"]))
    said = run.snakemake().ok()
    assert said.out.count("the CPU is used") == 1
    assert run.snakemake("--dry-run").ok().out.count("the CPU is used") == 0
