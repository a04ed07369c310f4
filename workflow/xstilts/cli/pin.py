"""Subcommand: look data sets and models up anew, so that the next run uses them as they are now.

Only the lock file beside the config changes; what a run then makes again is what was made from
another version.
"""

import argparse
from pathlib import Path

from xstilts.experiment import config, config_files
from xstilts.running.errors import UserError
from xstilts.steps import pin


def main(args: argparse.Namespace) -> None:
    """Update the lock file of a config."""
    experiment = config.load(config_files.read([args.config]))
    lock = config_files.lock_file([args.config])
    if not Path(lock).exists():
        raise UserError(f"{lock}: there is no lock file yet: the first run pins what it finds")
    root = str(Path(args.directory, experiment.root)) if experiment.root else ""
    pin.main(argparse.Namespace(update=args.name, lock=lock, root=root))


def parser() -> argparse.ArgumentParser:
    """Return the command line of the subcommand."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("config", help="the config file that has the lock file beside it")
    p.add_argument("name", nargs="*", help="entries of the lock file (default: all)")
    p.add_argument("--directory", default=".", help="the folder that holds `results`")
    return p
