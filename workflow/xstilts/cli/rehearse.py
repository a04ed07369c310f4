"""Subcommand: rehearse an experiment: its whole graph in minutes, with toy data and toy encoders.

It lays `experiments/rehearsal.yaml` over the config, and has a results folder of its own. A file of
the config's name in a folder `rehearsals` beside it is laid over that.
"""

import argparse
from pathlib import Path

import xstilts
from xstilts.cli import run

REHEARSAL = xstilts.WORKFLOW.parent / "experiments/rehearsal.yaml"


def main(args: argparse.Namespace) -> None:
    """Run it; its figures mean nothing."""
    beside = (Path(file).parent / "rehearsals" / Path(file).name for file in args.config)
    run.launch([*args.config, str(REHEARSAL), *(str(own) for own in beside if own.is_file())], args)


def parser() -> argparse.ArgumentParser:
    """Return the command line of the subcommand."""
    p = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    run.add_arguments(p, directory="results/rehearsal")
    return p
