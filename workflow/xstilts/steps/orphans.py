"""Step: list, wait for or cancel the SLURM jobs of this folder whose Snakemake was killed.

Then it unlocks the folder, and says how to go on.
"""

import argparse
import shutil
from pathlib import Path
from time import sleep

from xstilts.running.errors import UserError
from xstilts.running.orphans import POLL, at_work, queue, run_ids, slurm
from xstilts.steps import process


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
        slurm("scancel", *(orphan.job for orphan in left))
    shown = -1
    while left := queue(names):
        if len(left) != shown:
            shown = len(left)
            print(f"waits for {shown} jobs", flush=True)
        sleep(min(POLL, 1.0) if args.cancel else POLL)
    # What `snakemake --unlock` does, which would need the whole command line.
    shutil.rmtree(folder / ".snakemake/locks", ignore_errors=True)
    print("no jobs are left, the folder is unlocked: run the same command again")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--directory", default=".", help="where Snakemake ran (default: here)")
    what = p.add_mutually_exclusive_group()
    what.add_argument("--wait", action="store_true", help="until they end; what they make is kept")
    what.add_argument("--cancel", action="store_true", help="end them; trainings save their state")
    return p


if __name__ == "__main__":
    process.run(main, parser())
