"""The log of a job: how it ended, and its last lines."""

import dataclasses
import time
from pathlib import Path

ERRORS = (
    "error: ",
    "internal error: ",
    "stopped: ",
)  # how `steps/process.py` begins the line that says what was wrong
RECENT = 600.0  # seconds without a line after which a job no longer counts as running
TAIL = 8192  # bytes read from the end of a log: a line of an error and what led to it


@dataclasses.dataclass(frozen=True)
class Ending:
    """How a log ends: `state` is `failed`, `running` or `silent`, `line` its last error or line."""

    state: str
    line: str


def tail(path: str | Path, size: int = TAIL) -> list[str]:
    """Return the lines in the last `size` bytes of a log, the first maybe cut; [] without a log."""
    try:
        with open(path, "rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - size))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def ending(lines: list[str], age: float) -> Ending | None:
    """Return how a job without output ended, by the lines of its log and their age in seconds.

    `silent` is an old log without an error: the job was killed, or what it made was deleted.
    None if there is no log.
    """
    wrong = [line for line in lines if line.startswith(ERRORS)]
    if wrong:
        return Ending("failed", wrong[-1])
    if not lines:
        return None
    return Ending("running" if age < RECENT else "silent", lines[-1])


def read_ending(path: str | Path) -> Ending | None:
    """Return `ending` of a file."""
    try:
        age = time.time() - Path(path).stat().st_mtime
    except OSError:
        return None
    return ending(tail(path), age)
