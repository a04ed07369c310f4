"""Step: say all that is wrong with an experiment before anything runs; else, what is left to do."""

import argparse
import sys

from xstilts.monitoring.check import check
from xstilts.steps import arguments, process


def main(args: argparse.Namespace) -> None:
    """Print all mistakes and exit with 1, or print what a run would do."""
    found = check(args.config, args.name, args.lock, args.directory)
    for line in found.notes:
        print(f"note: {line}", file=sys.stderr)
    for line in found.mistakes:
        print(f"error: {line}", file=sys.stderr)
    if found.mistakes:
        sys.exit(1)
    print(f"{found.cells} cells, {found.jobs} jobs to run, nothing wrong")


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    arguments.add_config(p)
    return p


if __name__ == "__main__":
    process.run(main, parser())
