"""Ledger: what became of the jobs of a results folder, `results/ledger.jsonl`, a line an event.

The jobs write it themselves, since a scheduler's word is not enough: SLURM calls a job that ran out
of memory FAILED. Trainings and evaluations say when they start; every step says when it fails
(kind, attempt, last line, log), and when it is done after it failed. A start that nothing follows
is a process that was killed. Lines are only added, each by one write.
"""

import json
import os
import socket
import time
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from xstilts.running import lock
from xstilts.running.files import split

NAME = "ledger.jsonl"
TIME = "%Y-%m-%dT%H:%M:%S%z"
KILLED = "killed: too little memory or time, pre-empted, or the machine went down"
Event = Mapping[str, Any]


def path_of(out: str | Path) -> Path | None:
    """Return the ledger of the results folder that `out` is in; None if it is in none."""
    found = split(out)
    return found[0] / NAME if found else None


def append(path: Path, **event: Any) -> None:
    """Add an event, with time, process and machine; a full disk loses it, not the job."""
    about = {"time": time.strftime(TIME), **event}
    about |= {"pid": os.getpid(), "host": socket.gethostname()}
    if "SLURM_JOB_ID" in os.environ:
        about["slurm"] = os.environ["SLURM_JOB_ID"]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, (json.dumps(about, ensure_ascii=False) + "\n").encode())
        finally:
            os.close(file)
    except OSError as error:
        print(f"{path}: not written: {error}", flush=True)


def read(path: str | Path) -> list[dict[str, Any]]:
    """Return all events; a line that is not whole (NFS, a full disk) is left out."""
    events = []
    if Path(path).exists():
        for text in Path(path).read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                events.append(json.loads(text))
            except ValueError:
                continue
    return [event for event in events if isinstance(event, dict) and "node" in event]


def seconds(event: Event) -> float:
    """Return when an event was, in seconds since 1970."""
    return datetime.strptime(event["time"], TIME).timestamp()


def attempts(events: Iterable[Event], node: str) -> int:
    """Return how many attempts at a node there were since it was last done."""
    starts = failures = 0
    for event in events:
        if event["node"] != node:
            continue
        if event["event"] == "done":
            starts = failures = 0
        elif event["event"] == "start":
            starts += 1
        else:
            failures += 1
    return starts or failures  # several processes of one attempt may fail


def ran_out(events: Iterable[Event], node: str) -> bool:
    """Return whether a node ran out of GPU memory since it was last done."""
    last = False
    for event in events:
        if event["node"] == node:
            last = event["event"] != "done" and (last or event.get("kind") == "oom")
    return last


def broken(events: Iterable[Event], host: str, since: float) -> set[str]:
    """Return the GPUs of a machine on which a job has failed by the GPU's fault since a time."""
    return {
        event["gpu"]
        for event in events
        if event.get("kind") == "device" and event.get("gpu") and event.get("host") == host
        if seconds(event) >= since
    }


def open_failures(
    events: Iterable[Event], alive: Callable[[Event], bool] = lambda event: False
) -> list[dict[str, Any]]:
    """Return the last failure of each node that is not done since, in the order of the ledger.

    Args:
        events: of a ledger.
        alive: whether the process of a start still runs; if not, it was killed.
    """
    last: dict[str, dict[str, Any]] = {}
    starting = set()  # nodes that say when an attempt starts
    for event in events:
        node = event["node"]
        before = last.pop(node, None)
        if event["event"] == "done":
            continue
        if event["event"] == "start":
            starting.add(node)
        # Of several processes of one attempt, the first that fails has the reason; the others end,
        # or say that it has ended.
        one = node in starting and before and before["event"] == event["event"] == "failed"
        last[node] = dict(before if one and before and before["kind"] != "peer" else event)
    found = []
    for event in last.values():
        if event["event"] == "failed":
            found.append(event)
        elif not alive(event):
            found.append({**event, "event": "failed", "kind": "killed", "line": KILLED})
    return found


def line(event: Event) -> str:
    """Return what is said of a failure."""
    log = f" (log: {event['log']})" if event["log"] else ""
    return f"{event['kind']}: {event['node']}, attempt {event['attempt']}: {event['line']}{log}"


def lines(path: str | Path, known: Container[str]) -> list[str]:
    """Return what is said of the open failures at the end of a run.

    Args:
        known: the nodes that an experiment asks for; others are forgotten.
    """

    def alive(event: Event) -> bool:
        return bool(event.get("state")) and lock.busy(event["state"])

    return [
        f"  {line(event)}" for event in open_failures(read(path), alive) if event["node"] in known
    ]


def not_made(path: str | Path, known: Container[str]) -> str:
    """Return the open failures as a text for the terminal; "" if there are none."""
    found = lines(path, known)
    return "\n".join([f"not made ({path}):", *found]) if found else ""
