"""A grid on the cluster: it completes, and everything has its place and name."""

import re

from tests.slurm.submitting import FIRST_STAGE, TRAINING, overlaps
from tests.workflow.running import OWN


def test_the_grid_completes_with_each_node_submitted_once(undisturbed):
    counts = undisturbed.counts()
    assert set(counts.values()) == {1}
    kinds = [node.split("/")[0] for node in counts]
    found = {kind: kinds.count(kind) for kind in kinds}
    assert found == {"evaluate": 4, "intermediate": 1, "tune": 2}
    assert "–" not in undisturbed.read(f"{OWN}/tables/main.md")
    assert undisturbed.submit().nothing


def test_what_is_light_or_needs_the_network_runs_where_snakemake_runs(undisturbed, prepared):
    nodes = [s.node for s in prepared.starts() + undisturbed.starts() if not s.job]
    assert {node.removeprefix("config/").split("/")[0] for node in nodes} == {
        "toy_world", "toy_model", "pin_data", "pin_model", "model", "prepare", "encode", "manifest",
        "plan", "tables", "figures", "report",
    }  # fmt: skip


def test_no_gpu_has_two_jobs(undisturbed):
    submitted = [start for start in undisturbed.starts() if start.job]
    assert {(s.host, s.gpu) for s in submitted} == {("n1", "0"), ("n1", "1"), ("n2", "0")}
    assert all(start.ended for start in submitted)
    assert overlaps(submitted) == []


def test_the_queue_names_run_and_node_and_the_plain_command_sees_the_end(looked_at):
    """The first stage is run without the faster polling of the other tests."""
    undisturbed, jobs, _ = looked_at
    found = {job["comment"]: job for job in jobs}
    assert TRAINING in found and found.keys() <= FIRST_STAGE.keys()  # others may have ended
    assert len(found) == len(jobs) and undisturbed.path(f"logs/{TRAINING}.log").exists()
    [run] = {job["name"] for job in jobs}
    assert re.fullmatch(r"xstilts_[0-9a-f-]{36}", run)
    limits = found[TRAINING]["limits"]
    asked = ["TimeLimit=00:11:00", "MinMemoryNode=40..M", "Requeue=1", "TresPerJob=gres:gpu:1"]
    asked += ["NumNodes=1", "CPUs/Task=1"]
    assert all(re.search(rf"\b{each}\s", limits) for each in asked), limits
