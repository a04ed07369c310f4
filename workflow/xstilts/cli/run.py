"""Subcommand: run an experiment, by Snakemake.

It is `snakemake --snakefile .../Snakefile --configfile CONFIG...`, and at the end it prints
the main table.
"""

import argparse
import importlib.util
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import xstilts
from xstilts.experiment import config_files
from xstilts.monitoring import products
from xstilts.running.errors import UserError, nearest


def main(args: argparse.Namespace) -> None:
    """Run Snakemake in this process, and exit as it does."""
    launch(args.config, args)


def parser() -> argparse.ArgumentParser:
    """Return the command line of the subcommand."""
    p = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(p, directory=".")
    return p


def add_arguments(p: argparse.ArgumentParser, directory: str) -> None:
    """Add what `run` and `rehearse` take.

    directory: the default of `--directory`.
    """
    p.usage = "%(prog)s CONFIG... [--cores N] [-n] [--directory DIR] [-- Snakemake's options]"
    p.epilog = "What is after -- goes to Snakemake: targets, -R RULE, --config KEY=VALUE, ..."
    p.add_argument("config", nargs="+", help="config file(s), later ones over the first")
    p.add_argument("--cores", help="processors to use (default: all)")
    p.add_argument("-n", "--dry-run", action="store_true", help="print the jobs, run none")
    p.add_argument(
        "--directory", default=directory, help=f"the folder that holds `results` ({directory})"
    )
    p.add_argument("--profile", help="Snakemake's settings: `slurm`, or a folder of your own")


def check_profile(profile: str | None) -> None:
    """Refuse the profile of SLURM where its executor is not installed: Snakemake itself would print
    all of its usage.

    Raises:
        UserError: how to install it.
    """
    name = Path(profile or "").name
    if name == "slurm" and not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        raise UserError(
            f"--profile {profile}: the executor for SLURM is not installed: pip install"
            " snakemake-executor-plugin-slurm==2.8.0"
        )


def command(configs: Sequence[str], args: argparse.Namespace) -> list[str]:
    """Return the words after `snakemake`, targets last."""
    words = ["--configfile", *configs, "--snakefile", str(xstilts.WORKFLOW.parent / "Snakefile")]
    words += ["--workflow-profile", args.profile] if args.profile else []
    words += ["--directory", args.directory] if args.directory != "." else []
    words += ["--cores", args.cores] if args.cores else []
    return [*words, *(["--dry-run"] if args.dry_run else []), *args.options]


def launch(configs: Sequence[str], args: argparse.Namespace) -> None:
    """Run Snakemake with config files; print the main table if all is done.

    Raises:
        UserError: a config file is not there, or is none.
    """
    for file in configs:
        if not Path(file).is_file():
            raise UserError(_missing(file))
    check_profile(args.profile)
    settings = config_files.read(configs)
    words = command(configs, args)
    print(shlex.join(["snakemake", *words]), file=sys.stderr)
    code = _snakemake(words)
    if code == 0 and not args.dry_run and not args.options:
        name = config_files.name({"name": settings.get("name")}, configs)
        table = Path(args.directory, products.home(name), "tables/main.md")
        print(f"\n{table.read_text(encoding='utf-8')}" if table.exists() else "", end="")
    sys.exit(code)


def _missing(file: str) -> str:
    folder = Path(file).parent
    near = nearest(file, (str(path) for path in folder.glob("*.y*ml")))
    return f"{file}: there is no such config file{near or '; what is for Snakemake goes after --'}"


def _snakemake(words: list[str]) -> int:
    """Run Snakemake's command line; return its exit code."""
    from snakemake.cli import main as snakemake  # type: ignore[import-untyped]

    sys.argv = ["snakemake", *words]  # the workflow looks at it, and so do the logs
    try:
        snakemake(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
