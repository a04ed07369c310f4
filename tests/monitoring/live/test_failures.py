"""The line about a failed job, whoever has run it."""

from types import SimpleNamespace

import pytest

from xstilts.monitoring.live.failures import Failures
from xstilts.running import ledger

NODE, LOG = "results/tuned/m/none/seed1/mnli", "results/logs/tune/m/none/seed1/mnli.log"
SLURM = ".snakemake/slurm_logs/rule_tune/12.log"
STATUS = "SLURM-job '12' failed, SLURM status is: 'TIMEOUT'"
SAID = (
    f"{STATUS}. Detailed failure reason unavailable (status command is not 'sacct').For"
    " further error details see the cluster/cloud log and the log files of the involved rule(s)."
)


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """A results folder in which a job has failed in an earlier run."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "results/ledger.jsonl"
    fail(path, "nan", "error: of an earlier run", 1)
    return path, Failures(path)


def fail(path, kind, line, attempt):
    about = {"kind": kind, "line": line, "node": NODE, "attempt": attempt, "log": LOG}
    ledger.append(path, event="failed", **about)


def error(message="", output=(NODE,), log=(LOG,)):
    return SimpleNamespace(rule_msg=message, output=list(output), log=list(log))


def test_a_job_on_another_machine_has_told_the_ledger(ran):
    path, failures = ran
    fail(path, "oom", "error: out of GPU memory", 2)
    line = failures.line(error(SAID, log=(LOG, SLURM)), None, NODE, 2)
    assert line == f"oom: {NODE}, attempt 2: error: out of GPU memory; {STATUS} (log: {LOG})"
    assert failures.line(error(SAID, log=(LOG, SLURM)), None, NODE, 3) == "", "not tried again"


def test_a_job_that_a_scheduler_has_killed_has_its_word_and_its_log(ran):
    _, failures = ran
    line = failures.line(error(SAID, log=("gone.log", SLURM)), None, NODE, 1)
    assert line == f"killed: {NODE}, attempt 1: {STATUS} (log: {SLURM})"


def test_a_job_here_has_said_it_unless_it_was_killed(ran):
    path, failures = ran
    fail(path, "bad-input", "error: x", 1)
    assert failures.line(error(), 1, NODE, 1) == ""
    assert failures.line(error(), 137, NODE, 2) == (
        f"killed: {NODE}, attempt 2: {ledger.KILLED} (log: {LOG})"
    )
    assert failures.line(error(), 127, NODE, 2) == (
        f"failed: {NODE}, attempt 2: its command ended with 127 (log: {LOG})"
    )
    assert failures.line(error(output=()), 127, "", 1) == "", "`status` and `estimate` say it"
