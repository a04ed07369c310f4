"""Orphans: SLURM jobs of this results folder whose Snakemake was killed.

They live on, and a run after unlocking would submit them a second time. This finds them by the run
ids that Snakemake has logged, which are their job names; waits for them or cancels them, as asked;
unlocks the folder, and says how to go on.
"""

import argparse
import getpass
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from xstilts import lock, step
from xstilts.errors import UserError

RUN = f"results/{lock.RUN}"
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


def _ask(*command: str) -> str:
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
    return found(_ask("squeue", "-h", "-u", getpass.getuser(), "-o", columns), names)


def main(args: argparse.Namespace) -> None:
    """Find the orphans; wait for them or cancel them, and unlock."""
    folder = Path(args.directory)
    if not (folder / ".snakemake").is_dir():
        raise UserError(f"{folder.resolve()}: no Snakemake has run in this folder")
    if other := at_work(folder):
        raise UserError(f"Snakemake ({other}) works in this folder: its jobs are no orphans")
    names = run_ids(folder)
    left = queue(names)
    for orphan in left:
        print(f"{orphan.job}\t{orphan.state}\t{orphan.node}")
    if left and not (args.wait or args.cancel):
        print(f"{len(left)} jobs; --wait to wait for them, --cancel to end them")
        return
    if left and args.cancel:
        _ask("scancel", *(orphan.job for orphan in left))
    shown = -1
    while left := queue(names):
        if len(left) != shown:
            shown = len(left)
            print(f"waits for {shown} jobs", flush=True)
        sleep(min(POLL, 1.0) if args.cancel else POLL)
    # What `snakemake --unlock` does, which would need the whole command line.
    shutil.rmtree(folder / ".snakemake/locks", ignore_errors=True)
    print("no jobs are left, the folder is unlocked: run the same command again")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", default=".", help="where Snakemake ran (default: here)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--wait", action="store_true", help="until they end; what they make is kept")
    what.add_argument("--cancel", action="store_true", help="end them; trainings save their state")
    step.run(main, parser)
