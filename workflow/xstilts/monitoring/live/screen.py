"""What the terminal shows of Snakemake's log while a run goes on, and the bar below it.

The log file keeps all of it, and `--verbose` shows it.
"""

import logging
import re
from typing import Any, TextIO

# What lines of ours stand for, by the name of the event or by how the message begins.
EVENTS = ("job_error", "group_error", "job_started", "job_finished", "progress")
CHATTER = (
    "Select jobs to execute...",
    "Removing temporary output",
    "Removing output files of failed job",
    "Trying to restart job",
    "Job rate limit reached",
)
EXIT = re.compile(r"returned non-zero exit status (\d+)|died with <Signals\.SIG\w+: (\d+)>")


def event_of(record: logging.LogRecord) -> str:
    """Return the name of Snakemake's event, "" for a plain message."""
    return str(getattr(getattr(record, "event", None), "value", ""))


def exit_code(record: logging.LogRecord) -> int | None:
    """Return how the command of a job ended, if the record is the exception that says so."""
    if event_of(record) != "error" or "CalledProcessError" not in record.getMessage():
        return None
    found = EXIT.search(record.getMessage())
    return (int(found[1]) if found[1] else 128 + int(found[2])) if found else None


def shown(record: logging.LogRecord) -> bool:
    """Return whether a record is for the terminal."""
    if event_of(record) in EVENTS or exit_code(record) is not None:
        return False
    return not str(record.msg).startswith(CHATTER)


class Bar:
    """A bar at the foot of a terminal; nothing where there is none."""

    def __init__(self, handlers: list[logging.Handler]) -> None:
        """Draw it below what the handlers write."""
        self._bar: Any = None
        self._above = [(h, h.stream) for h in handlers if isinstance(h, logging.StreamHandler)]
        stream = next((stream for _, stream in self._above), None)
        if stream is not None and stream.isatty():
            from tqdm import tqdm

            form = "{percentage:3.0f}%|{bar:20}| {desc}"
            self._bar = tqdm(total=1, bar_format=form, file=stream, leave=False, dynamic_ncols=True)
            for handler, _ in self._above:
                handler.stream = _Above(self._bar, stream)

    def __bool__(self) -> bool:
        """Return whether there is one."""
        return self._bar is not None

    def show(self, done: int, total: int, text: str) -> None:
        """Show how much is done."""
        if self._bar is not None:
            self._bar.total, self._bar.n = total, done
            self._bar.set_description_str(text)

    def close(self) -> None:
        """Take it away."""
        if self._bar is not None:
            for handler, stream in self._above:
                handler.stream = stream
            self._bar.close()
            self._bar = None


class _Above:
    """A stream that writes whole lines above a bar."""

    def __init__(self, bar: Any, stream: TextIO) -> None:
        self._bar, self._stream, self._text = bar, stream, ""

    def write(self, text: str) -> None:
        self._text += text
        if self._text.endswith("\n"):
            self._bar.write(self._text, file=self._stream, end="")
            self._text = ""

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return True
