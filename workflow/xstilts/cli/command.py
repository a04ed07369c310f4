"""Which subcommands there are, and how each starts and ends.

A subcommand is a module with `parser()` and `main(args)`, as every step is.
"""

import argparse
import importlib
import os
import sys
import traceback
from importlib.util import find_spec

import xstilts
from xstilts.running.errors import UserError, nearest

# Subcommand -> its module, and what it does.
COMMANDS = {
    "new": ("xstilts.cli.new", "write a commented config to start from"),
    "check": ("xstilts.steps.check", "say all that is wrong with a config, before anything runs"),
    "estimate": ("xstilts.steps.estimate", "print what a run takes: jobs, hours, disk"),
    "rehearse": ("xstilts.cli.rehearse", "run the whole graph in minutes, on the toy world"),
    "run": ("xstilts.cli.run", "run an experiment; what is finished is kept"),
    "status": ("xstilts.steps.status", "print what is done, what failed and why, what is left"),
    "export": ("xstilts.steps.export", "make a tuned model a folder that others can load"),
    "predict": ("xstilts.steps.predict", "apply a tuned model to a file of your own"),
    "pin": ("xstilts.cli.pin", "accept data or models that have changed since they were pinned"),
    "unused": ("xstilts.steps.unused", "list or delete results that no experiment asks for"),
    "orphans": ("xstilts.steps.orphans", "find SLURM jobs whose Snakemake was killed"),
    "completion": ("xstilts.cli.completion", "print the completion for bash, zsh or fish"),
}
SNAKEMAKE = ("run", "rehearse")  # what is after `--` is for Snakemake


def available() -> dict[str, str]:
    """Return subcommand -> what it does."""
    return {name: said for name, (module, said) in COMMANDS.items() if find_spec(module)}


def parser_of(name: str) -> argparse.ArgumentParser:
    """Return the command line of a subcommand; importing it may take seconds."""
    parser = importlib.import_module(COMMANDS[name][0]).parser()
    parser.prog = f"xstilts {name}"
    said = (parser.description or "").removeprefix("Step: ").removeprefix("Subcommand: ")
    parser.description = said[:1].upper() + said[1:]
    return parser


def overview() -> argparse.ArgumentParser:
    """Return the command line of `xstilts` itself."""
    width = max(map(len, available()))
    lines = [f"  {name:<{width}}  {said}" for name, said in available().items()]
    p = argparse.ArgumentParser(
        prog="xstilts",
        usage="xstilts COMMAND ...",
        description="Intermediate-task training of multilingual encoders, as a Snakemake workflow.",
        epilog="\n".join(["commands (xstilts COMMAND --help):", *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    p.add_argument("--version", action="version", version=f"xstilts {xstilts.__version__}")
    p.add_argument(
        "--where",
        action="version",
        version=str(xstilts.WORKFLOW.parent),
        help="print the folder of the workflow: Snakefile, profiles, experiments",
    )
    p.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    return p


def main(words: list[str] | None = None) -> None:
    """Run a subcommand, and exit by how it ended: a user's mistake is one line and 1."""
    words = sys.argv[1:] if words is None else words
    name = words[0] if words else ""
    if name not in available():
        overview().parse_args(words[:1] or ["--help"])
        sys.exit(f"error: there is no command `{name}`{nearest(name, available())}")
    options: list[str] = []
    if name in SNAKEMAKE and "--" in words:
        at = words.index("--")
        words, options = words[:at], words[at + 1 :]
    args = parser_of(name).parse_args(words[1:], argparse.Namespace(options=options))
    try:
        importlib.import_module(COMMANDS[name][0]).main(args)
        sys.stdout.flush()
    except UserError as error:  # or several, a line each
        sys.exit("error: " + str(error).replace("\n", "\nerror: "))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # `xstilts status my.yaml | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        from xstilts.running import failure

        if failure.ours(error):
            traceback.print_exc()
        print(failure.line(error), file=sys.stderr)
        sys.exit(failure.CODES[failure.kind(error)])
