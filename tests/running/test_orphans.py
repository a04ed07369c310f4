import argparse
import os
from pathlib import Path

import pytest

from xstilts.running import lock, orphans
from xstilts.running.errors import UserError
from xstilts.running.orphans import Orphan
from xstilts.steps import orphans as orphans_step

LOG = "Building DAG of jobs...\nSLURM run ID: xstilts_1-a\nUsing shell: /usr/bin/bash\n"
QUEUE = """\
7\txstilts_1-a\ttune/xlmr/none/seed1/mnli\tRUNNING
8\txstilts_2-b\ttune/xlmr/none/seed2/mnli\tPENDING
9\tanother\t(null)\tPENDING
"""


@pytest.fixture
def folder(tmp_path):
    """A folder in which a Snakemake was killed: its log and its lock."""
    for name in ("log", "locks"):
        (tmp_path / ".snakemake" / name).mkdir(parents=True)
    (tmp_path / ".snakemake/log/2026.snakemake.log").write_text(LOG)
    (tmp_path / ".snakemake/log/local.snakemake.log").write_text("Building DAG of jobs...\n")
    (tmp_path / ".snakemake/locks/0.output.lock").touch()
    return tmp_path


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A queue that is a file, from which scancel takes everything."""
    programs, queue = tmp_path / "bin", tmp_path / "queue"
    programs.mkdir()
    queue.write_text(QUEUE)
    does = {"squeue": f"cat {queue}", "scancel": f"echo $* > {queue}.by; : > {queue}"}
    for name, line in does.items():
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return queue


def call(folder, **asked):
    options = {"directory": str(folder), "wait": False, "cancel": False}
    orphans_step.main(argparse.Namespace(**options | asked))


def test_the_jobs_of_this_folder_are_those_of_its_own_runs(folder):
    assert orphans.run_ids(folder) == {"xstilts_1-a"}
    [orphan] = orphans.found(QUEUE, {"xstilts_1-a"})
    assert orphan == Orphan("7", "tune/xlmr/none/seed1/mnli", "RUNNING")


def test_without_a_wish_they_are_only_listed(folder, slurm, capsys):
    call(folder)
    said = capsys.readouterr().out
    assert said.startswith("7\tRUNNING\ttune/xlmr/none/seed1/mnli\n1 jobs; --wait")
    assert (folder / ".snakemake/locks").exists() and slurm.read_text() == QUEUE


def test_cancelled_they_are_gone_and_the_folder_is_unlocked(folder, slurm, capsys):
    call(folder, cancel=True)
    assert Path(f"{slurm}.by").read_text() == "7\n", "and no other"
    assert "run the same command again" in capsys.readouterr().out
    assert not (folder / ".snakemake/locks").exists()


def test_waiting_ends_when_they_have_ended(folder, slurm, monkeypatch, capsys):
    monkeypatch.setattr(orphans_step, "sleep", lambda seconds: slurm.write_text(""))
    call(folder, wait=True)
    assert "waits for 1 jobs" in capsys.readouterr().out
    assert not (folder / ".snakemake/locks").exists()


def test_jobs_of_a_living_snakemake_are_no_orphans(folder, slurm):
    with (
        lock.held(folder / orphans.RUN, 0),
        pytest.raises(UserError, match=rf"Snakemake \(process {os.getpid()} on .*no orphans"),
    ):
        call(folder, cancel=True)
    assert slurm.read_text() == QUEUE


def test_a_folder_of_nobody_and_a_controller_that_does_not_answer_are_said(folder, slurm, tmp_path):
    with pytest.raises(UserError, match="no Snakemake has run in this folder"):
        call(tmp_path / "bin")
    (tmp_path / "bin/squeue").write_text("#!/bin/sh\necho 'Unable to contact' >&2\nexit 1\n")
    with pytest.raises(UserError, match="squeue: Unable to contact"):
        call(folder, wait=True)
    assert (folder / ".snakemake/locks").exists()
