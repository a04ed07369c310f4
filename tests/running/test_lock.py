"""The lock of a node: one process at a time, freed by any death, waited for or refused."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from xstilts.running import lock

WORKFLOW = Path(__file__).resolve().parents[2] / "workflow"
HOLD = """
import sys, time
from xstilts.running import lock
with lock.held(sys.argv[1], 0):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock of a node."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "node")], stdout=subprocess.PIPE, text=True,
        env={"PYTHONPATH": str(WORKFLOW), "SLURM_JOB_ID": "41"},
    )  # fmt: skip
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait(10)


def test_a_node_that_another_process_computes_is_refused_by_name(tmp_path, holder):
    line = rf"node: is computed by process {holder.pid} on .*, SLURM job 41; waited 0 s for it"
    with pytest.raises(lock.Locked, match=line), lock.held(tmp_path / "node", 0):
        raise AssertionError("held twice")
    with lock.held(tmp_path / "other", 0):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path, holder, monkeypatch, capsys):
    monkeypatch.setattr(lock, "POLL", 0.02)
    threading.Timer(0.3, os.kill, (holder.pid, signal.SIGKILL)).start()
    start = time.monotonic()
    with lock.held(tmp_path / "node", 30):
        assert 0.2 < time.monotonic() - start < 20
    assert capsys.readouterr().out.count(f"waits for process {holder.pid}") == 1


def test_the_lock_is_free_after_an_error(tmp_path):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), lock.held(tmp_path, 0):
            _ = 1 / 0


def test_a_file_system_without_locks_is_said(tmp_path, monkeypatch, capsys):
    def none(*_):
        raise OSError(lock.NOT_HERE[0], "No locks available")

    monkeypatch.setattr(lock.fcntl, "flock", none)
    with lock.held(tmp_path, 0):
        assert "no locks on this file system" in capsys.readouterr().out


def test_one_who_looks_at_a_lock_does_not_keep_others_from_taking_it(tmp_path):
    with lock.held(tmp_path, 0):
        assert lock.busy(tmp_path)
    with open(tmp_path / "lock", "rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        threading.Timer(lock.GLANCE / 5, file.close).start()
        with lock.held(tmp_path, 0):
            pass
    assert not lock.busy(tmp_path) and not lock.busy(tmp_path / "none")
