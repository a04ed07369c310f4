"""Jobs, machines and Snakemakes that end before their time: the tables are those of a quiet run."""

import os
import signal
import time
from datetime import datetime, timedelta

from tests.slurm.submitting import FIRST, RETRIEVAL, TRAINING

SECOND = "tune/xlmr/mnli/seed1/udpos_en"  # goes on from the first
LAST = "evaluate/xlmr/mnli/seed1/udpos"  # scores the second


def test_each_kind_of_end_costs_the_node_that_it_hits(start, undisturbed, cluster):
    """In one grid: scancel and SIGKILL in the middle of a training, too much time, too much
    memory, an error at the first attempt, and the daemon of a node that dies and comes back."""
    memory, lost = "evaluate/xlmr/none/seed1/udpos", "evaluate/xlmr/mnli/seed1/tatoeba"
    start.fault(SECOND, "fails")
    start.fault(memory, "memory")
    start.fault(RETRIEVAL, "hangs")
    start.fault(lost, "hangs")
    process = start.begin("--set-resources", "evaluate_udpos:mem_mb=1500 * attempt")
    ends = {
        TRAINING: lambda run: os.kill(run.pid, signal.SIGKILL),
        FIRST: lambda run: cluster.ask("scancel", run.job),
    }
    while ends:  # whichever is there first: the other may be over before it
        node, run = start.wait_for_any(ends, "step 2:")
        ends.pop(node)(run)
    late = start.wait_for(RETRIEVAL).job
    end = datetime.now() + timedelta(seconds=1)
    cluster.ask("scontrol", "update", f"jobid={late}", f"endtime={end:%Y-%m-%dT%H:%M:%S}")
    host = start.wait_for(lost).host
    cluster.kill(host)
    time.sleep(3)
    cluster.start(host)
    start.go_on(lost)
    start.finish(process).ok()
    twice = [FIRST, TRAINING, RETRIEVAL, SECOND, memory]
    assert start.counts() == undisturbed.counts() | dict.fromkeys(twice, 2)
    assert start.tables() == undisturbed.tables()
    for state in ("CANCELLED", "TIMEOUT"):
        assert f"SLURM status is: '{state}'" in start.out
    assert "goes on after step" in start.read(f"logs/{FIRST}.log")


def test_the_orphans_of_a_killed_snakemake_are_not_computed_twice(half, undisturbed):
    """In one grid: those of the first run are waited for, those of the second are cancelled."""
    for node, what in ((SECOND, "--wait"), (LAST, "--cancel")):
        half.fault(node, "hangs")
        process = half.begin()
        half.wait_for(node)
        process.kill()
        process.wait(10)
        half.submit().failed("--unlock")
        said = half.orphans(what, hung=node if what == "--wait" else "").ok()
        assert node in said.out and "run the same command again" in said.out
    cancelled = {line.split("\t")[2] for line in said.out.splitlines() if "\t" in line}
    half.submit().ok()
    assert half.tables() == undisturbed.tables()
    counts, quiet = half.counts(), undisturbed.counts()
    assert {node for node in counts if counts[node] > 1} <= cancelled
    assert counts.keys() == quiet.keys()
    assert (counts[SECOND], counts[LAST]) == (1, 2)
