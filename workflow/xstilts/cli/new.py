"""Subcommand: write a config to start from, with comments; it runs as it is, on the toy world."""

import argparse
from pathlib import Path

import yaml

import xstilts
from xstilts.running.errors import UserError, nearest
from xstilts.running.files import atomic

EXPERIMENTS = xstilts.WORKFLOW.parent / "experiments"


def main(args: argparse.Namespace) -> None:
    """Copy one of the configs that come with the workflow."""
    known = sorted(path.stem for path in EXPERIMENTS.glob("*.yaml"))
    if args.like not in known:
        raise UserError(
            f"--like: there is no experiment `{args.like}`{nearest(args.like, known)}"
            f" (there are {', '.join(known)})"
        )
    path = Path(args.file)
    if path.suffix not in (".yaml", ".yml"):
        raise UserError(f"{path}: a config is a YAML file: {path}.yaml")
    if path.exists():
        raise UserError(f"{path}: is there already; give another name, or delete it")
    if not path.parent.is_dir():
        raise UserError(f"{path}: there is no folder {path.parent}")
    like = EXPERIMENTS / f"{args.like}.yaml"
    beside = [name for name in prompts(like) if not (path.parent / name).exists()]
    for name in beside:
        with atomic(path.parent / name) as temporary:
            temporary.write_bytes((EXPERIMENTS / name).read_bytes())
    with atomic(path) as temporary:
        temporary.write_bytes(like.read_bytes())
    more = f" ({', '.join(beside)} beside it)" if beside else ""
    print(f"{path}: written{more}; xstilts check {path}, then xstilts run {path}")


def prompts(config: Path) -> list[str]:
    """Return the files of prompts that a config names, as it does."""
    entries = yaml.safe_load(config.read_text(encoding="utf-8")).get("intermediates", {})
    asked = [entry.get("generated", {}).get("prompt") for entry in entries.values()]
    return list(dict.fromkeys(filter(None, asked)))


def parser() -> argparse.ArgumentParser:
    """Return the command line of the subcommand."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("file", help="the file to write: my.yaml")
    p.add_argument(
        "--like", default="start", help="an experiment that comes with the workflow (start)"
    )
    return p
