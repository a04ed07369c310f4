"""What a run has said of the time that it still takes, and when: a CSV in `.snakemake/xstilts`.

`status` reads it; `tests/bench/forecasts.py` says afterwards how right it was.
"""

import csv
import time
from pathlib import Path

from xstilts.running import ledger

COLUMNS = ("time", "elapsed", "left", "jobs", "all_jobs", "cells", "all_cells")


def file(name: str) -> Path:
    """Return the path for an experiment, from the folder that holds `results`."""
    return Path(f".snakemake/xstilts/progress-{name}.csv")


def add(path: Path, elapsed: float, left: float, *counts: int) -> None:
    """Add a forecast; a disk that is full loses it, not the run.

    Args:
        path: of the file.
        elapsed: seconds since the run has started.
        left: seconds that it is expected to take from now on.
        counts: finished jobs, all jobs, finished cells, all cells.
    """
    row = [time.strftime(ledger.TIME), f"{elapsed:.1f}", f"{left:.1f}", *counts]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a", newline="", encoding="utf-8") as opened:
            csv.writer(opened).writerows([row] if opened.tell() else [COLUMNS, row])
    except OSError:
        return


def last(path: Path, since: float) -> dict[str, str] | None:
    """Return the last forecast, if it was made after a time (seconds since 1970)."""
    made = read(path)[-1:]
    return next((row for row in made if ledger.seconds(row) >= since), None)


def read(path: Path) -> list[dict[str, str]]:
    """Return all forecasts, the last run's last; [] if there are none."""
    try:
        with open(path, newline="", encoding="utf-8") as opened:
            return list(csv.DictReader(opened))
    except OSError:
        return []
