"""Orphans: SLURM jobs of this results folder whose Snakemake was killed.

They live on, and a run after unlocking would submit them a second time. This finds them by the run
ids that Snakemake has logged, which are their job names; waits for them or cancels them, as asked;
unlocks the folder, and says how to go on.
"""

import getpass
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from xstilts.running import lock
from xstilts.running.errors import UserError

RUN = lock.RUN
RUN_ID = re.compile(r"SLURM run ID: (\S+)")
POLL = 10.0  # seconds between two looks at the queue


@dataclass(frozen=True)
class Orphan:
    """A job that is in the queue: its id, the node that it makes, its state."""

    job: str
    node: str
    state: str


def run_ids(folder: Path) -> set[str]:
    """Return the names under which Snakemakes of a folder have submitted jobs."""
    logs = (folder / ".snakemake/log").glob("*.snakemake.log")
    return {name for log in logs for name in RUN_ID.findall(log.read_text(errors="replace"))}


def found(queue: str, names: Iterable[str]) -> list[Orphan]:
    """Return the jobs of the given names in what squeue says (id, name, comment, state by tabs)."""
    wanted = set(names)
    lines = (line.split("\t") for line in queue.splitlines())
    return [Orphan(job, node, state) for job, name, node, state in lines if name in wanted]


def at_work(folder: Path) -> str | None:
    """Return which Snakemake works in a folder now; None if none does."""
    if not lock.busy(folder / RUN):
        return None
    return (folder / RUN / "lock").read_text(encoding="utf-8") or "another process"


def slurm(*command: str) -> str:
    """Return what a command of SLURM prints; UserError with its own words if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except FileNotFoundError:
        raise UserError(f"{command[0]}: not found; is this the login node?") from None
    except subprocess.TimeoutExpired:
        raise UserError(f"{command[0]}: no answer from the controller; try again") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise UserError(f"{command[0]}: {said[-1] if said else 'failed'}")
    return done.stdout


def queue(names: set[str]) -> list[Orphan]:
    """Return the jobs of the given names that wait or run."""
    if not names:
        return []
    columns = "%i\t%j\t%k\t%T"
    return found(slurm("squeue", "-h", "-u", getpass.getuser(), "-o", columns), names)
