"""The time that a run still takes: the forecast of its jobs, corrected by what it has measured."""

import dataclasses
import math
import statistics
from collections.abc import Collection, Hashable, Mapping

from xstilts.monitoring.estimate.schedule import schedule

# Seconds in which a process that uses the device starts and loads its model, until that has been
# measured: XLM-R Large, and the small model that one would train on a CPU.
START, START_ON_CPU = 7.0, 2.0
# Seconds of a job of which nothing has been measured: most read and write a few files.
UNSEEN = {"toy_model": 60.0, "figures": 4.0, "tables": 2.0, "report": 1.0, "all": 0.0}
OTHER = 2.0
OVERDUE = 0.1  # a job that takes longer than was forecast: the share of its time that is left


def start_of(device: str) -> float:
    """Return the seconds in which a process starts on a device of this name."""
    return START_ON_CPU if device == "cpu" else START


@dataclasses.dataclass(frozen=True)
class Job:
    """A job that has not finished.

    Attributes:
        rule: its rule.
        needs: the jobs that it waits for.
        forecast: its seconds on the device; None if it uses none.
        elapsed: seconds since it was begun; None if it waits.
        priority: of Snakemake; of jobs that wait, the highest is begun first.
    """

    rule: str
    needs: Collection[Hashable] = ()
    forecast: float | None = None
    elapsed: float | None = None
    priority: float = 0.0


class Pace:
    """What the finished jobs of a run took, by rule."""

    def __init__(self, start: float = START) -> None:
        """Take the seconds in which a job that uses the device starts, where none has finished."""
        self._start = start
        self._seconds: dict[str, list[float]] = {}

    def finished(self, rule: str, wall: float, device: float | None) -> None:
        """Take a job into account.

        Args:
            rule: its rule.
            wall: its seconds from begin to end.
            device: those of them that its record counts; None if it has none.
        """
        self._seconds.setdefault(rule, []).append(max(wall - (device or 0.0), 0.0))

    def seconds(self, job: Job) -> float:
        """Return the seconds that a job takes from begin to end."""
        if job.rule in self._seconds:
            beside = statistics.median(self._seconds[job.rule])
        else:
            beside = UNSEEN.get(job.rule, OTHER) if job.forecast is None else self._start
        return beside + (job.forecast or 0.0)


def seconds_left(jobs: Mapping[Hashable, Job], pace: Pace, devices: int) -> float:
    """Return the seconds until all jobs are done.

    Args:
        jobs: those that have not finished; a job that is needed and not among them is finished.
        pace: what others took.
        devices: how many jobs run at a time.
    """
    running = {key: job for key, job in jobs.items() if job.elapsed is not None}
    names = {
        key: str(i) for i, key in enumerate([*running, *(k for k in jobs if k not in running)])
    }
    seconds, needs = {}, {}
    for key, name in names.items():
        took, whole = jobs[key].elapsed or 0.0, pace.seconds(jobs[key])
        seconds[name] = max(whole - took, OVERDUE * took)
        needs[name] = [names[need] for need in jobs[key].needs if need in names]
    order = {
        name: math.inf if key in running else jobs[key].priority for key, name in names.items()
    }
    spans = schedule(seconds, needs, max(devices, len(running), 1), order)
    return max((end for _, end in spans.values()), default=0.0)
