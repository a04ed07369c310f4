"""The estimate as lines of text."""

from collections import Counter
from collections.abc import Iterable, Mapping

from xstilts.experiment.nodes import RULES, Node
from xstilts.monitoring.estimate.forecast import Forecast
from xstilts.monitoring.estimate.throughput import ERROR_FACTORS

BASES = {
    "job": "measured on the same task",
    "model": "measured on other tasks",
    "device": "measured on other models",
    "flop": "counted in FLOP",
    "engine": "assumed of the engine",
}


def duration(seconds: float) -> str:
    """Return a time with its unit: seconds, minutes, hours or days."""
    for unit, size in (("days", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def device_time(forecasts: Iterable[Forecast], start: float) -> tuple[float, float, float]:
    """Return the total seconds, of each device that a job is on, and their lower and upper bound.

    Args:
        start: seconds in which a job starts; they are taken as certain.
    """
    jobs = list(forecasts)
    lower = sum(job.devices * (start + job.seconds / ERROR_FACTORS[job.basis]) for job in jobs)
    upper = sum(job.devices * (start + job.seconds * ERROR_FACTORS[job.basis]) for job in jobs)
    return sum(job.devices * (start + job.seconds) for job in jobs), lower, upper


def order(wall: float, seconds: float, devices: int, name: str, chain: float) -> str:
    """Return a line on how near the order of jobs comes to the shortest time that any could take.

    Args:
        wall: seconds of this order; above 0.
        seconds: of all jobs, on each device.
        devices: how many there are.
        name: of the job with which the longest chain begins.
        chain: seconds of that chain.
    """
    share = seconds / devices
    why = f"the jobs from {name} on" if chain > share else f"all work on {devices}"
    least = max(share, chain)
    above = max(0.0, 100 * (wall / least - 1))
    return f"no order takes less than {duration(least)} ({why}); this one takes {above:.1f}% more"


def jobs(
    nodes: Mapping[str, Node], left: Iterable[str], forecasts: Mapping[str, Forecast], start: float
) -> list[list[str]]:
    """Return a table of text: the jobs of each rule, those left, device-hours and their basis."""
    total = Counter(node.rule for node in nodes.values())
    remaining = Counter(nodes[key].rule for key in left)
    rows = [["job", "in all", "left", "device-hours", "based on"]]
    for rule in RULES:
        rule_jobs = [job for job in forecasts.values() if job.rule == rule]
        bases = dict.fromkeys(BASES[job.basis] for job in rule_jobs)
        hours = f"{device_time(rule_jobs, start)[0] / 3600:.2f}" if rule_jobs else ""
        if total[rule]:
            rows.append([rule, str(total[rule]), str(remaining[rule]), hours, ", ".join(bases)])
    return rows


def compare(earlier: Mapping[str, Forecast], measured: Mapping[str, float]) -> list[str]:
    """Return a line per rule: the forecast of jobs that have finished, and the measured time."""
    lines = []
    for rule in RULES:
        pairs = [
            (job.seconds, measured[key])
            for key, job in earlier.items()
            if job.rule == rule and key in measured
        ]
        forecast, took = (sum(column) for column in zip(*pairs, strict=True)) if pairs else (0, 0)
        if took:
            error = 100 * (forecast - took) / took
            lines.append(
                f"{rule}: {len(pairs)} finished, forecast {duration(forecast)}, took"
                f" {duration(took)} ({error:+.0f}%)"
            )
    return lines
