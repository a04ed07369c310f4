"""Listens to what Snakemake logs of its jobs, and says what a person wants to know of a run."""

import logging
import time
from pathlib import Path
from typing import Any

from xstilts.analysis import numbers
from xstilts.experiment.cells import NOSEED
from xstilts.experiment.config import NONE
from xstilts.experiment.graph import Graph
from xstilts.experiment.nodes import Node
from xstilts.monitoring.estimate import text
from xstilts.monitoring.live import forecasts
from xstilts.monitoring.live.clock import Clock
from xstilts.monitoring.live.failures import Failures
from xstilts.monitoring.live.screen import Bar, event_of, exit_code, shown
from xstilts.monitoring.records import Records
from xstilts.running import failure, ledger
from xstilts.running.errors import UserError
from xstilts.running.files import read_json

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
        """Attach to Snakemake's logger.

        Args:
            workflow: Snakemake's, which is about to start its jobs.
            graph: of the experiment.
            records: what was there before the run.
            name: of the experiment.
        """
        super().__init__(logging.INFO)
        split = str(graph.grid.experiment.settings["split"])
        cells = [graph.evaluate(cell, split) for cell in graph.grid.cells]
        done = [key for key in graph.nodes if records.current(key)]
        self.workflow, self.forecasts = workflow, forecasts.file(name)
        self.cells = {node.name: node for node in cells}
        self.done = {node.name for node in cells if node.key in done}
        self.by_log = {node.log: node for node in graph.nodes.values()}
        self.jobs = {job.jobid: job for job in workflow.dag.jobs}
        self.clock = Clock(workflow, graph, done, self._node)
        self.failures = Failures(Path("results", ledger.NAME))
        self.exits: dict[int | None, int] = {}  # thread -> how the command failed that it ran
        self.start = self.last_line = time.monotonic()
        self.logger = logging.getLogger(LOGGER)
        self.screen = [h for h in self.logger.handlers if h.name == "DefaultStreamHandler"]
        if not workflow.output_settings.verbose:
            for handler in self.screen:
                handler.addFilter(shown)
        self.bar = Bar(self.screen)
        self.logger.addHandler(self)

    def close(self) -> None:
        """Take the bar away, and leave the terminal to Snakemake."""
        self._log(0.0)
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
            self.clock.begin(record.jobid)
        elif event == "job_finished":
            self._finished(self._job(record.job_id))
        elif event == "job_error":
            self._failed(record)
        elif (code := exit_code(record)) is not None:
            self.exits[record.thread] = code

    def _job(self, jobid: int) -> Any:
        if jobid not in self.jobs:  # the graph has grown
            self.jobs = {job.jobid: job for job in self.workflow.dag.jobs}
        return self.jobs[jobid]

    def _node(self, job: Any) -> Node | None:
        return self.by_log.get(next(map(str, job.log), ""))

    def _finished(self, job: Any) -> None:
        self.clock.finish(job)
        node = self._node(job)
        if node is not None and self.cells.get(node.name) is node:
            self.done.add(node.name)
            self._say(f"{node.name}: {self._score(node)}  {self._progress()}")
        elif time.monotonic() - self.last_line > QUIET and not self.bar:
            self._say(self._progress())
        elif self.bar:
            self._progress()

    def _failed(self, record: Any) -> None:
        job, code = self._job(record.jobid), self.exits.pop(record.thread, None)
        self.clock.fail(record.jobid)
        node = self._node(job)
        made = node.out if node and node.state else next(iter(record.output), "")
        if line := self.failures.line(record, code, made, job.attempt):
            self.logger.error(line)

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
        names = {f"{model}/{NONE}/{each}/{target}" for each in (seed, NOSEED)} & self.done
        known = names if intermediate != NONE else ()
        return next((cell_score(self.cells[name]) for name in known), None)

    def _progress(self) -> str:
        """Return how far the run is; show it in the bar, and log it."""
        left, clock = self.clock.left(), self.clock
        cells = f"{len(self.done)} of {len(self.cells)} cells"
        how_far = f"{cells}, about {text.duration(left)} left" if left else cells
        running = ", ".join(filter(None, map(self._running, clock.running)))
        self.bar.show(len(clock.over), clock.jobs, f"{how_far}; {running}")
        self._log(left)
        return how_far

    def _log(self, left: float) -> None:
        counts = (len(self.clock.over), self.clock.jobs, len(self.done), len(self.cells))
        forecasts.add(self.forecasts, time.monotonic() - self.start, left, *counts)

    def _running(self, jobid: int) -> str:
        node = self._node(self._job(jobid))
        return f"{node.rule} {node.name}" if node else ""


def cell_score(node: Node) -> float | None:
    """Return the score of a finished cell in percent: the mean over the languages that have rows;
    None if it has none, or one is damaged."""
    try:
        files = [read_json(path) for path in node.outputs if Path(path).exists()]
        values = [100 * float(score["score"]) for score in files]
    except (UserError, KeyError, TypeError, ValueError):
        return None
    return sum(values) / len(values) if values else None
