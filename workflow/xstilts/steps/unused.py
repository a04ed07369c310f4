"""Step: list what no experiment of a results folder asks for; with --delete, delete it.

    python -m xstilts.steps.unused

An experiment asks for what its last plan says: delete `results/experiments/<name>`, or run its
changed config, and what it alone had asked for is listed.
"""

import argparse
from pathlib import Path

from xstilts.monitoring import claims, unused
from xstilts.running import orphans
from xstilts.running.errors import UserError
from xstilts.steps import process


def main(args: argparse.Namespace) -> None:
    """Print sizes and paths; delete them if asked to."""
    root = Path(args.directory)
    if not claims.experiments(root):
        raise UserError(
            f"{root / claims.EXPERIMENTS}: no experiment has been run here, so nothing is asked for"
        )
    if other := orphans.at_work(root):
        raise UserError(f"Snakemake ({other}) is at work on these results: wait until it has ended")
    paths = unused.unused(root)
    total = 0
    for path in paths:
        size = unused.size(path)
        total += size
        print(f"{size / 1e6:10.1f} MB  {path.relative_to(root)}")
    if args.delete:
        unused.delete(paths)
    print(
        f"{total / 1e6:10.1f} MB  {'deleted' if args.delete else 'in all; --delete deletes them'}"
    )


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--directory", default=".", help="the folder that holds `results`")
    p.add_argument("--delete", action="store_true", help="delete what is listed")
    return p


if __name__ == "__main__":
    process.run(main, parser())
