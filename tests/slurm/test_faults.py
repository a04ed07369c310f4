"""Jobs, machines and Snakemakes that end before their time: the tables are those of a quiet run."""

import os
import signal
import time

import pytest

FIRST = "intermediate/xlmr/mnli/seed1"
SLOW = "tune/xlmr/none/seed1/udpos_en"
RETRIEVAL = "evaluate/xlmr/none/noseed/tatoeba"


def starts_of(undisturbed, **twice):
    """Once for each node, but for those that were ended."""
    return undisturbed.counts() | dict.fromkeys(twice.get("twice", []), 2)


def test_each_kind_of_end_costs_the_node_that_it_hits(start, undisturbed, cluster):
    """In one grid: scancel and SIGKILL in the middle of a training, too much memory, too much
    time, an error at the first attempt."""
    fails, memory = "tune/xlmr/mnli/seed1/udpos_en", "evaluate/xlmr/none/seed1/udpos"
    start.fault(fails, "fails")
    start.fault(memory, "memory")
    start.fault(RETRIEVAL, "hangs")
    process = start.begin("--set-resources", "evaluate_udpos:mem_mb=1500 * attempt")
    late = start.wait_for(RETRIEVAL)
    cluster.ask("scontrol", "update", f"jobid={late.job}", "timelimit=1")
    os.kill(start.wait_for(SLOW, "step 2:").pid, signal.SIGKILL)
    cluster.ask("scancel", start.wait_for(FIRST, "step 2:").job)
    start.finish(process).ok()
    twice = [FIRST, SLOW, RETRIEVAL, fails, memory]
    assert start.counts() == starts_of(undisturbed, twice=twice)
    assert start.tables() == undisturbed.tables()
    for state in ("CANCELLED", "TIMEOUT"):
        assert f"SLURM status is: '{state}'" in start.out


def test_a_node_whose_daemon_dies_and_comes_back_loses_nothing(start, undisturbed, cluster):
    process = start.begin()
    lost = start.wait_for(SLOW).host
    cluster.kill(lost)
    time.sleep(3)
    cluster.start(lost)
    start.finish(process).ok()
    assert start.tables() == undisturbed.tables()
    assert start.counts() == starts_of(undisturbed)


@pytest.mark.parametrize("what", ["--wait", "--cancel"])
def test_the_orphans_of_a_killed_snakemake_are_not_computed_twice(start, undisturbed, what):
    start.fault(FIRST, "late")
    process = start.begin()
    start.wait_for(FIRST)
    process.kill()
    process.wait(10)
    start.submit().failed("--unlock")
    said = start.orphans(what).ok()
    assert FIRST in said.out and "run the same command again" in said.out
    listed = {line.split("\t")[2] for line in said.out.splitlines() if "\t" in line}
    start.submit().ok()
    assert start.tables() == undisturbed.tables()
    again = listed if what == "--cancel" else set()
    counts, quiet = start.counts(), undisturbed.counts()
    assert {node for node in counts if counts[node] > 1} <= again
    assert counts.keys() == quiet.keys() and counts[FIRST] == (2 if again else 1)
