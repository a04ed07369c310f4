"""Step: write data sets of the toy world, in the shape of hub repositories (`toy/mirror.py`)."""

import argparse
from pathlib import Path

from xstilts.steps import process
from xstilts.toy import spec
from xstilts.toy.mirror import write


def main(args: argparse.Namespace) -> None:
    """Write it."""
    record, wanted = spec.recorded(args.spec)
    write(wanted, Path(args.out), args.repository, record)


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--spec", required=True, help="JSON file: seed, languages, sizes")
    p.add_argument("--out", required=True, help="folder to write")
    p.add_argument("--repository", help="org/name; all where not given")
    return p


if __name__ == "__main__":
    process.run(main, parser())
