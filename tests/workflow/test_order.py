"""Snakemake starts jobs in the order that is simulated, and by the priorities of the product."""

import json
import re
import sys

from tests.workflow.running import Experiment, run, tiny

from xstilts.experiment import config
from xstilts.experiment.graph import build
from xstilts.experiment.grid import Grid
from xstilts.monitoring.estimate.priorities import priorities
from xstilts.monitoring.estimate.schedule import schedule

SNAKEFILE = """
JOBS = config["jobs"]

rule all:
    input: expand("{job}.txt", job=JOBS)
    localrule: True

rule sleep:
    input: lambda w: expand("{job}.txt", job=JOBS[w.job]["needs"])
    output: "{job}.txt"
    priority: lambda w: JOBS[w.job]["priority"]
    threads: lambda w: JOBS[w.job]["takes"]
    params: seconds=lambda w: JOBS[w.job]["seconds"]
    shell: "date +%s.%N > {output}; sleep {params.seconds}"
"""
# Job -> seconds, what it needs, priority, processors: evaluations (10) before what has waited for
# longer, a job of two processors that smaller ones go before, one that is ready at once and last.
JOBS = {
    "last": (1, [], 0.1, 1),
    "short": (2, [], 0.9, 1),
    "long": (4, [], 0.8, 1),
    "wide": (1, [], 0.75, 2),
    "next": (2, [], 0.7, 1),
    "score": (1, ["short"], 10.5, 1),
    "other": (2, ["long"], 10.4, 1),
}


def test_jobs_start_as_the_schedule_says(tmp_path):
    names = ("seconds", "needs", "priority", "takes")
    jobs = {job: dict(zip(names, values, strict=True)) for job, values in JOBS.items()}
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "c.json").write_text(json.dumps({"jobs": jobs}))
    seconds, needs, order, takes = ({job: jobs[job][name] for job in jobs} for name in names)
    foretold = {job: start for job, (start, _) in schedule(seconds, needs, 2, order, takes).items()}
    args = ["--configfile", "c.json", "--cores", "2", "--scheduler", "greedy", "--quiet", "all"]
    said = run([sys.executable, "-m", "snakemake", *args], tmp_path)
    assert said.code == 0, said.out
    begun = {job: float((tmp_path / f"{job}.txt").read_text()) for job in jobs}
    assert sorted(foretold.values()) == [0, 0, 2, 3, 4, 5, 6]  # so the pairs below are all but one
    wrong = [
        (a, b) for a in jobs for b in jobs if foretold[a] < foretold[b] and begun[a] > begun[b]
    ]
    assert not wrong, begun


def test_each_job_of_the_workflow_has_the_priority_of_its_node(tmp_path):
    experiment = Experiment(tmp_path)
    experiment.write(tiny())
    said = experiment.snakemake("-n", "--scheduler", "greedy", profile=False).ok()
    shown = re.findall(r"^ +log: (\S+).*?^ +priority: (\S+)", said.out, re.M | re.S)
    grid = Grid(config.load(tiny()))
    nodes = build(grid)
    expected = priorities(grid, nodes, tmp_path)
    found = {log: float(priority) for log, priority in shown}
    assert {node.log: found[node.log] for node in nodes.values()} == {
        nodes[key].log: priority for key, priority in expected.items()
    }
    assert found["results/logs/config/plan.log"] == 100, "before all"
