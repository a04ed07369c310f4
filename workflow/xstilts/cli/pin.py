"""Subcommand: look data and models up anew, so that the next run uses them as they are now.

The lock file beside the config is what changes; a run then makes again what was made from another
version.
"""

import argparse

from xstilts.steps import pin


def main(args: argparse.Namespace) -> None:
    """Update the lock file of a config."""
    words = ["--update", *args.name, "--config", args.config]
    pin.main(pin.parser().parse_args(words))


def parser() -> argparse.ArgumentParser:
    """Return the command line of the subcommand."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("config", help="the config file that has the lock file beside it")
    p.add_argument("name", nargs="*", help="entries of the lock file, or tasks (default: all)")
    return p
