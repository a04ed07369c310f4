"""Arguments that several steps share."""

import argparse

from xstilts.running import trackers


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the config, and the folder in which to look, to the arguments of a step."""
    parser.add_argument(
        "config", nargs="+", help="config file(s), later ones over the first; or one as JSON"
    )
    parser.add_argument("--name", help="of the experiment (default: from the config)")
    parser.add_argument("--lock", help="lock file (default: beside the last config file)")
    parser.add_argument("--directory", default=".", help="the folder that holds `results`")


def add_lock_wait(parser: argparse.ArgumentParser) -> None:
    """Add `--lock-wait` to the arguments of a step."""
    parser.add_argument(
        "--lock-wait",
        type=float,
        default=3600,
        help="seconds to wait for another process that computes the same node",
    )


def add_leaks(parser: argparse.ArgumentParser) -> None:
    """Add what must not be in translated rows to the arguments of a step."""
    parser.add_argument(
        "--leaks",
        nargs="*",
        default=[],
        help="INTERMEDIATE=FILE: how much of a target is in a task that it has translated",
    )


def add_translator(parser: argparse.ArgumentParser) -> None:
    """Add what a translation is told to the arguments of a step."""
    parser.add_argument("--spec", required=True, help="by whom, into what, as JSON")
    parser.add_argument("--model", default="", help="folder of a converted checkpoint")
    parser.add_argument(
        "--device", choices=["cpu", "gpu"], default="cpu", help="gpu: where there is one"
    )
    parser.add_argument(
        "--timeout", type=float, default=600, help="seconds that a block of a command may take"
    )
    parser.add_argument("--state", required=True, help="folder of finished blocks")
    parser.add_argument("--record", required=True, help="its record, JSON, written last")
    add_lock_wait(parser)


def add_trackers(parser: argparse.ArgumentParser) -> None:
    """Add `--trackers` to the arguments of a step."""
    parser.add_argument(
        "--trackers", nargs="*", default=[], choices=list(trackers.KINDS), help="who is told of it"
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the name of a trained model, and where it is looked for, to the arguments of a step."""
    parser.add_argument(
        "model",
        help="MODEL/INTERMEDIATE/SEED/TARGET of a cell, or MODEL/INTERMEDIATE/SEED",
    )
    parser.add_argument(
        "--task", help="which one, of an intermediate that is trained on several tasks"
    )
    parser.add_argument(
        "--config",
        nargs="+",
        default=[],
        help="config file(s) of the experiment (default: any that has been run in the folder)",
    )
    parser.add_argument("--directory", default=".", help="the folder that holds `results`")
