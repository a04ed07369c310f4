"""The log of a job: how it ended, and its last lines."""

import dataclasses
from pathlib import Path

from xstilts.running import lock

ERRORS = (
    "error: ",
    "internal error: ",
    "stopped: ",
)  # how `steps/process.py` begins the line that says what was wrong
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


def ending(lines: list[str], running: bool) -> Ending | None:
    """Return how a job without output ended, by the lines of its log and whether it runs.

    `silent` is a log without an error of a job that does not run: it was killed, or what it made
    was deleted. None if there is no log.
    """
    if running:
        return Ending("running", lines[-1] if lines else "")
    wrong = [line for line in lines if line.startswith(ERRORS)]
    if wrong:
        return Ending("failed", wrong[-1])
    return Ending("silent", lines[-1]) if lines else None


def read_ending(path: str | Path) -> Ending | None:
    """Return `ending` of a file: a job holds the lock of its log while it runs."""
    running = lock.locked(path)  # before its last lines: it may end meanwhile
    return ending(tail(path), running)
