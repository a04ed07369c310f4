"""What the estimate says, as lines of text."""

from collections import Counter
from collections.abc import Iterable, Mapping

from xstilts.experiment.graph import RULES, Node
from xstilts.monitoring.estimate.forecast import Forecast
from xstilts.monitoring.estimate.speed import ERRORS

BASES = {
    "job": "measured on the same task",
    "model": "measured on other tasks",
    "device": "measured on other models",
    "flop": "counted in FLOP",
}


def duration(seconds: float) -> str:
    """Return a time with its unit: seconds, minutes, hours or days."""
    for unit, size in (("days", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def span(forecasts: Iterable[Forecast], start: float) -> tuple[float, float, float]:
    """Return the seconds on the device in all, and the lowest and highest that they may be.

    Args:
        start: seconds that a job needs to start, which no basis makes uncertain.
    """
    found = list(forecasts)
    least = sum(start + one.seconds / ERRORS[one.basis] for one in found)
    most = sum(start + one.seconds * ERRORS[one.basis] for one in found)
    return sum(start + one.seconds for one in found), least, most


def jobs(
    nodes: Mapping[str, Node], left: Iterable[str], forecasts: Mapping[str, Forecast], start: float
) -> list[list[str]]:
    """Return a table of text: per rule its jobs, those left, their device-hours and the basis."""
    total = Counter(node.rule for node in nodes.values())
    remain = Counter(nodes[key].rule for key in left)
    rows = [["job", "in all", "left", "device-hours", "based on"]]
    for rule in RULES:
        mine = [one for one in forecasts.values() if one.rule == rule]
        bases = dict.fromkeys(BASES[one.basis] for one in mine)
        hours = f"{span(mine, start)[0] / 3600:.2f}" if mine else ""
        if total[rule]:
            rows.append([rule, str(total[rule]), str(remain[rule]), hours, ", ".join(bases)])
    return rows


def compared(earlier: Mapping[str, Forecast], took: Mapping[str, float]) -> list[str]:
    """Return a line per rule: what was forecast for jobs that have finished, and what they took."""
    lines = []
    for rule in RULES:
        mine = [(key, one.seconds) for key, one in earlier.items() if one.rule == rule]
        both = [(seconds, took[key]) for key, seconds in mine if key in took]
        forecast, real = (sum(column) for column in zip(*both, strict=True)) if both else (0, 0)
        if real:
            off = 100 * (forecast - real) / real
            lines.append(
                f"{rule}: {len(both)} finished, forecast {duration(forecast)}, took"
                f" {duration(real)} ({off:+.0f}%)"
            )
    return lines
