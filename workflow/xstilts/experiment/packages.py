"""Packages that an experiment needs and that are no dependencies: looked for before a run, and not
when a job that has waited for a GPU wants to import them."""

import importlib.util
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from xstilts.experiment import generators, graph, translators
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import Node
from xstilts.running.errors import UserError


class Package(NamedTuple):
    """What is imported.

    section: of the config, whose entries name an engine.
    install: what pip is asked for.
    """

    name: str
    section: str
    install: str


ENGINES = {
    translators.CTRANSLATE2: Package("ctranslate2", "translators", "ctranslate2>=4.8"),
    generators.VLLM: Package("vllm", "generators", "vllm"),
}


def needed(node: Node) -> str | None:
    """Return the engine of `ENGINES` that makes a node; None for any other."""
    if node.rule == "translator":
        return translators.CTRANSLATE2
    by: Any = node.spec.get("translator")
    engine = by.get("engine") if isinstance(by, Mapping) else node.spec.get("engine")
    return engine if engine in ENGINES else None


def check(grid: Grid, root: Path, environment: Path | None = None) -> None:
    """Refuse an experiment of which a job could not import what it needs. A job whose record is
    there needs none; nothing is imported.

    Args:
        grid: of the experiment.
        root: the folder of its results.
        environment: the file of the one that Snakemake makes for the jobs; None if they run in
            this one.

    Raises:
        UserError: the key of the config, the package, and how it is installed.
    """
    there = _installed if environment is None else _listed(environment)
    settings = grid.experiment.settings
    for engine, package in ENGINES.items():
        named = [k for k, of in settings[package.section].items() if of.get("engine") == engine]
        if not named or there(package.name):
            continue
        made = [node for node in graph.build(grid).values() if needed(node) == engine]
        if not any(not (root / node.key).exists() for node in made):
            continue
        raise UserError(
            f"{package.section}: {named[0]}: engine: {engine} needs the package {package.name},"
            f" which {_how(package, environment)}"
        )


def _how(package: Package, environment: Path | None) -> str:
    install = f"`pip install '{package.install}'`"
    if environment is None:
        return f"is not installed: {install}"
    return (
        f"is not in the environment of the jobs: add `- {package.install}` to the list under `pip:`"
        f" in {environment} (of a container: {install} where it is built), or run without"
        " --software-deployment-method in an environment that has it"
    )


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _listed(environment: Path) -> Callable[[str], bool]:
    """Return what says whether a package is named in the file of an environment."""
    text = environment.read_text(encoding="utf-8")
    return lambda name: bool(re.search(rf"^\s*- {name}\b", text, re.MULTILINE | re.IGNORECASE))
