"""The line about a job that has failed: from the ledger, where the job has written it.

A step that runs here says it on the terminal by itself (`steps/process.py`). One that was killed,
or that runs on another machine, does not.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from xstilts.running import failure, ledger

KILLED = (None, 137, 143)  # exit codes; None where a scheduler has the word
ADVICE = re.compile("Detailed failure reason unavailable|For further error details")


class Failures:
    """The failures of a run, each of which is said once."""

    def __init__(self, path: Path) -> None:
        """Take what is in the ledger for said."""
        self.path = path
        failed = (event for event in ledger.read(path) if event["event"] == "failed")
        self._said = Counter(event.get("log") for event in failed)  # how many, by their logs

    def line(self, record: Any, code: int | None, node: str, attempt: int) -> str:
        """Return what is to be said of a failed job; "" if the job has said it.

        Args:
            record: Snakemake's, of the event `JOB_ERROR`.
            code: how its command has ended, if that is known.
            node: what it makes.
            attempt: which attempt it was.
        """
        log = next(iter(record.log), "")
        events = [
            event
            for event in ledger.read(self.path)
            if event["event"] == "failed" and event.get("log") == log
        ]
        new = events[self._said[log] :]
        self._said[log] = len(events)
        if code in failure.CODES.values() or not record.output:
            return ""
        # A scheduler's word, such as TIMEOUT, is on the line too.
        said = ADVICE.split(str(record.rule_msg or ""))[0].strip().rstrip(".")
        if new:
            last = new[-1]
            return ledger.line({**last, "line": f"{last['line']}; {said}"} if said else last)
        if code is None and events and events[-1]["kind"] in failure.FINAL:
            return ""  # not tried again
        killed = code in KILLED
        about = {
            "kind": "killed" if killed else "failed",
            "node": node,
            "attempt": attempt,
            "line": said or (ledger.KILLED if killed else f"its command ended with {code}"),
            # Where it has not come to its own log, that of the scheduler.
            "log": log if Path(log).exists() else next(iter(record.log[1:]), log),
        }
        return ledger.line(about)
