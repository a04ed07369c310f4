"""Subcommand: rehearse an experiment: its whole graph in minutes, with toy data and toy encoders.

It lays `experiments/rehearsal.yaml` over the config, and has a results folder of its own.
"""

import argparse

import xstilts
from xstilts.cli import run

REHEARSAL = xstilts.WORKFLOW.parent / "experiments/rehearsal.yaml"


def main(args: argparse.Namespace) -> None:
    """Run it; its figures mean nothing."""
    run.launch([*args.config, str(REHEARSAL)], args)


def parser() -> argparse.ArgumentParser:
    """Return the command line of the subcommand."""
    p = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    run.add_arguments(p, directory="results/rehearsal")
    return p
