"""How long a run still takes, by its jobs that have finished."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from xstilts.experiment import reference
from xstilts.experiment.graph import Graph
from xstilts.experiment.nodes import Node
from xstilts.monitoring.estimate import remaining
from xstilts.monitoring.estimate.forecast import Forecaster, device_of
from xstilts.running import lock

SIZED = ("encode", "model")  # rules that make what sizes are known by


class Clock:
    """Measures the jobs of a run.

    Attributes:
        over: ids of the jobs that have finished.
        jobs: how many there are in all.
    """

    def __init__(
        self, workflow: Any, graph: Graph, done: list[str], node: Callable[[Any], Node | None]
    ) -> None:
        """Take what was measured before the run into account.

        Args:
            workflow: Snakemake's.
            graph: of the experiment.
            done: keys of the nodes that are made.
            node: from Snakemake's jobs to nodes.
        """
        self.workflow, self.node = workflow, node
        name = device_of(graph.grid)
        device = reference.device(name)
        self.threads = graph.grid.experiment.settings["threads"]
        self.forecaster = Forecaster(graph.grid, graph.nodes, Path(), done, device)
        self.pace = remaining.Pace(remaining.start_of(name))
        self.begun: dict[int, float] = {}
        self.over: set[int] = set()
        self.jobs = len(list(workflow.dag.needrun_jobs()))
        self._outdated = False

    def begin(self, jobid: int) -> None:
        """Say that a job begins."""
        self.begun[jobid] = time.monotonic()

    def fail(self, jobid: int) -> None:
        """Say that a job has failed; it may begin again."""
        self.begun.pop(jobid, None)

    def finish(self, job: Any) -> None:
        """Say that a job has finished."""
        node, now = self.node(job), time.monotonic()
        self.over.add(job.jobid)
        device = self.forecaster.finished(node.key) if node else None
        wall = now - self.begun.get(job.jobid, now)
        self.pace.finished(job.rule.name, wall, device)
        self._outdated |= job.rule.name in SIZED

    @property
    def running(self) -> list[int]:
        """The ids of the jobs that run."""
        return [jobid for jobid in self.begun if jobid not in self.over]

    def left(self) -> float:
        """Return the seconds until all jobs are done that can be."""
        if self._outdated:
            self.forecaster.look()
            self._outdated = False
        waiting = self._waiting()
        nodes = {job.jobid: node for job, _ in waiting if (node := self.node(job))}
        found = self.forecaster.of(node.key for node in nodes.values())
        now, running = time.monotonic(), self.running
        jobs = {}
        for job, needs in waiting:
            known = found.get(nodes[job.jobid].key) if job.jobid in nodes else None
            jobs[job.jobid] = remaining.Job(
                job.rule.name,
                needs,
                known.seconds if known else None,
                now - self.begun[job.jobid] if job.jobid in running else None,
                job.priority,
            )
        return remaining.seconds_left(jobs, self.pace, self._devices(nodes))

    def _waiting(self) -> list[tuple[Any, set[int]]]:
        """Return the jobs that have not finished, and the ids of those that each needs; without
        those that cannot be made, as a job has failed."""
        dag = self.workflow.dag
        waiting, lost = {}, {job.jobid for job in self.workflow.scheduler.failed}
        for job in dag.needrun_jobs():
            needs = {each.jobid for each in dag.dependencies[job] if dag.needrun(each)}
            if job.jobid not in self.over:
                waiting[job.jobid] = (job, needs)
        self.jobs = len(waiting.keys() | self.over)
        while more := {k for k, (_, needs) in waiting.items() if needs & lost} - lost:
            lost |= more
        return [each for jobid, each in waiting.items() if jobid not in lost]

    def _devices(self, nodes: dict[int, Node]) -> int:
        """Return how many jobs run at a time: here, or of those that are submitted."""
        if self.workflow.local_exec:
            return max(1, (self.workflow.cores or 1) // self.threads)
        states = (nodes[jobid].state for jobid in self.running if jobid in nodes)
        return max(1, sum(lock.busy(state) for state in states if state))
