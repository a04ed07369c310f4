"""Listens to what Snakemake logs of its jobs, and says what a person wants to know of a run."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xstilts.analysis import numbers
from xstilts.experiment.config import NONE
from xstilts.experiment.graph import Graph, Node
from xstilts.experiment.grid import NOSEED
from xstilts.monitoring.estimate import reference, remaining, text
from xstilts.monitoring.estimate.forecast import Forecaster
from xstilts.monitoring.live import forecasts
from xstilts.monitoring.live.screen import Bar, event_of, exit_code, shown
from xstilts.monitoring.records import Records
from xstilts.running import failure, ledger, lock
from xstilts.running.errors import UserError
from xstilts.running.files import read_json

LEDGER = Path("results", ledger.NAME)
LOGGER = "snakemake.logging"
QUIET = 60.0  # seconds without a line after which one says how far the run is


OFF = "no more is said of finished cells"


def attach(workflow: Any, graph: Graph, records: Records, name: str) -> "Reporter | None":
    """Return a reporter, or say in one line why there is none: see `Reporter`."""
    try:
        return Reporter(workflow, graph, records, name)
    except Exception as error:
        logging.getLogger(LOGGER).warning(f"{OFF} ({failure.line(error)})")
        return None


class Reporter(logging.Handler):
    """Says a line a finished cell, a line a failure, and how long the run still takes.

    It must never stop a run: after an error of its own it says so, and is silent from then on.
    """

    def __init__(self, workflow: Any, graph: Graph, records: Records, name: str) -> None:
        """Attach to Snakemake's logger; `workflow` is about to start its jobs.

        Args:
            workflow: Snakemake's.
            graph: of the experiment.
            records: what was there before the run.
            name: of the experiment.
        """
        super().__init__(logging.INFO)
        self.workflow, self.graph, self.forecasts = workflow, graph, forecasts.file(name)
        cells = [graph.evaluate(each, _split(graph)) for each in graph.grid.cells]
        self.cells, self.names = ({getattr(n, by): n for n in cells} for by in ("key", "name"))
        self.by_log = {node.log: node for node in graph.nodes.values()}
        done = [key for key in graph.nodes if records.current(key)]
        self.done = {key for key in self.cells if key in done}
        self.jobs = {job.jobid: job for job in workflow.dag.needrun_jobs()}
        self.all_jobs, self.started = len(self.jobs), time.monotonic()
        self.begun: dict[int, float] = {}
        self.over: set[int] = set()  # finished or failed
        self.exits: dict[int, int] = {}  # thread -> how the command that failed in it ended
        self.told = {_key(event) for event in ledger.read(LEDGER)}
        self.clock = Clock(graph, done)
        self.last_line = time.monotonic()
        self.logger = logging.getLogger(LOGGER)
        self.screen = [h for h in self.logger.handlers if h.name == "DefaultStreamHandler"]
        if not workflow.output_settings.verbose:
            for handler in self.screen:
                handler.addFilter(shown)
        stream = next((h.stream for h in self.screen if isinstance(h, logging.StreamHandler)), None)
        self.bar = Bar(stream, self.screen)
        self.logger.addHandler(self)

    def close(self) -> None:
        """Take the bar away, and leave the terminal to Snakemake."""
        self.bar.close()
        for handler in self.screen:
            handler.removeFilter(shown)
        self.logger.removeHandler(self)
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """Listen to a record."""
        try:
            self._listen(record)
        except Exception as error:
            self.close()
            self.logger.warning(f"{OFF} ({failure.line(error)})")

    def _listen(self, record: Any) -> None:
        event = event_of(record)
        if event == "job_info":
            self.begun[record.jobid] = time.monotonic()
        elif event == "job_finished":
            self._finished(record.job_id)
        elif event == "job_error":
            self._failed(record)
        elif (code := exit_code(record)) is not None:
            self.exits[record.thread] = code

    def _node(self, jobid: int) -> Node | None:
        if jobid not in self.jobs:  # the graph may have grown
            self.jobs = {job.jobid: job for job in self.workflow.dag.jobs}
        return self.by_log.get(next(map(str, self.jobs[jobid].log), ""))

    def _finished(self, jobid: int) -> None:
        node = self._node(jobid)
        self.over.add(jobid)
        wall = time.monotonic() - self.begun.get(jobid, time.monotonic())
        self.clock.finished(self.jobs[jobid].rule.name, node, wall)
        if node is not None and node.key in self.cells:
            self.done.add(node.key)
            self._say(f"{node.name}: {self._score(node)}  {self._progress()}")
        elif self.bar:
            self._progress()
        elif time.monotonic() - self.last_line > QUIET:
            self._say(self._progress())

    def _say(self, line: str) -> None:
        from snakemake.settings.enums import Quietness  # type: ignore[import-untyped]

        self.last_line = time.monotonic()
        self.logger.info(line, extra={"quietness": Quietness.PROGRESS})

    def _score(self, node: Node) -> str:
        """Return the score of a cell in percent, and its difference to that of `none`."""
        value, baseline = cell_score(node), self._baseline(node)
        if value is None or baseline is None:
            return numbers.points(value)
        return f"{numbers.points(value)} ({numbers.delta(value - baseline)} to {NONE})"

    def _baseline(self, node: Node) -> float | None:
        model, intermediate, seed, target = node.name.split("/")
        names = (f"{model}/{NONE}/{each}/{target}" for each in (seed, NOSEED))
        cells = [self.names[name] for name in names if name in self.names]
        done = [cell for cell in cells if cell.key in self.done and intermediate != NONE]
        return next(map(cell_score, done), None)

    def _progress(self) -> str:
        """Return how far the run is; show it in the bar, and log it."""
        left = self._left()
        cells = f"{len(self.done)} of {len(self.cells)} cells"
        how_far = f"{cells}, about {text.duration(left)} left" if left else cells
        now = [self.jobs[jobid] for jobid in self.begun if jobid not in self.over]
        names = (node.name if (node := self._node(job.jobid)) else "" for job in now)
        running = ", ".join(
            f"{job.rule.name.partition('_')[0]} {name}".strip()
            for job, name in zip(now, names, strict=True)
        )
        self.bar.show(len(self.over), self.all_jobs, f"{how_far}; {running}")
        elapsed, counts = time.monotonic() - self.started, (len(self.over), self.all_jobs)
        forecasts.add(self.forecasts, elapsed, left, *counts, len(self.done), len(self.cells))
        return how_far

    def _left(self) -> float:
        dag, scheduler = self.workflow.dag, self.workflow.scheduler
        failed = {job.jobid for job in scheduler.failed}
        waiting = {}
        for job in dag.needrun_jobs():
            needs = {each.jobid for each in dag.dependencies[job] if dag.needrun(each)}
            if job.jobid not in self.over | failed:
                waiting[job.jobid] = (job, needs)
        while lost := {k for k, (_, needs) in waiting.items() if needs & failed} - failed:
            failed |= lost
        now = time.monotonic()
        self.all_jobs = len(waiting) + len(self.over)
        return self.clock.left(
            {
                jobid: (
                    job.rule.name,
                    self._node(jobid),
                    needs,
                    now - self.begun[jobid] if jobid in self.begun else None,
                )
                for jobid, (job, needs) in waiting.items()
                if jobid not in failed
            },
            self.workflow,
        )

    def _failed(self, record: Any) -> None:
        code = self.exits.pop(record.thread, None)
        self.over.add(record.jobid)
        log = next(iter(record.log), "")
        events = [e for e in ledger.read(LEDGER) if e["event"] == "failed" and e["log"] == log]
        new = [event for event in events if _key(event) not in self.told]
        self.told |= {_key(event) for event in new}
        if code in failure.CODES.values() or not record.output:
            return  # the step has said it
        if new:
            self.logger.error(ledger.line(new[-1]))
            return
        last = events[-1] if events else None
        if code is None and last and last["kind"] in failure.FINAL:
            return  # said before, and not tried again
        node = self._node(record.jobid)
        self.logger.error(
            ledger.line(
                {
                    "kind": "killed" if code in (None, 137, 143) else "failed",
                    "node": str(Path(node.key).parent) if node and node.state else record.output[0],
                    "attempt": self.jobs[record.jobid].attempt,
                    "line": _reason(code, record.rule_msg),
                    "log": log if Path(log).exists() else next(iter(record.log[1:]), log),
                }
            )
        )


class Clock:
    """How long the jobs of a run take, as its finished jobs tell it."""

    def __init__(self, graph: Graph, done: list[str]) -> None:
        """Take what was measured before the run into account."""
        self.pace = remaining.Pace()
        device = reference.device("cpu" if graph.grid.experiment.toy else "a100")
        self.threads = graph.grid.experiment.settings["threads"]
        self.forecaster = Forecaster(graph.grid, graph.nodes, Path(), done, device)
        self.changed = False

    def finished(self, rule: str, node: Node | None, wall: float) -> None:
        """Take a finished job into account."""
        device = self.forecaster.finished(node.key) if node else None
        self.pace.finished(rule, wall, device)
        self.changed |= rule in ("encode", "model")

    def left(self, jobs: Mapping[int, tuple[str, Node | None, set[int], Any]], workflow: Any):
        """Return the seconds until all jobs are done.

        Args:
            jobs: id -> rule, node, ids of the jobs that it needs, seconds since its begin.
            workflow: Snakemake's.
        """
        if self.changed:
            self.forecaster.look()
            self.changed = False
        keys = {node.key for _, node, _, _ in jobs.values() if node}
        found = self.forecaster.of(keys)
        devices = max(1, (workflow.cores or 1) // self.threads)
        if not workflow.local_exec:
            states = [node.state for _, node, _, begun in jobs.values() if node and begun]
            devices = sum(lock.busy(state) for state in states if state)
        left = {
            jobid: remaining.Job(
                rule, needs, found[node.key].seconds if node and node.key in found else None, begun
            )
            for jobid, (rule, node, needs, begun) in jobs.items()
        }
        first = [jobid for jobid, job in left.items() if job.rule.startswith(("evaluate", "plan"))]
        return remaining.seconds_left(left, self.pace, devices, first)


def cell_score(node: Node) -> float | None:
    """Return the score of a cell in percent, the mean over its languages; None if it lacks one."""
    try:
        values = [float(read_json(path)["score"]) for path in node.outputs]
    except (UserError, KeyError, TypeError, ValueError):
        return None
    return 100 * sum(values) / len(values) if values else None


def _split(graph: Graph) -> str:
    return str(graph.grid.experiment.settings["split"])


def _key(event: ledger.Event) -> tuple[Any, ...]:
    return tuple(event.get(name) for name in ("time", "event", "node", "pid", "host"))


def _reason(code: int | None, message: Any) -> str:
    if code not in (None, 137, 143):
        return f"its command ended with exit code {code}"
    said = str(message or "").partition(" For further error details")[0].strip()
    return said or ledger.KILLED
