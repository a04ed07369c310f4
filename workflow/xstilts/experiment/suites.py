"""Suites: benchmarks by whose name a config asks for all their targets (`reference/suites.csv`)."""

from collections.abc import Mapping, Sequence
from typing import Any

from xstilts.experiment import reference
from xstilts.experiment.tasks import Task
from xstilts.running.errors import UserError, nearest

KEY = "suites"  # of the resolved config: those that `targets` named


def names() -> tuple[str, ...]:
    """Return the names of the suites."""
    return tuple(dict.fromkeys(row["suite"] for row in reference.table("suites")))


def of(target: str) -> tuple[str, ...]:
    """Return the suites that have a target."""
    return tuple(row["suite"] for row in reference.table("suites") if row["target"] == target)


def languages(suite: str) -> dict[str, tuple[str, ...]]:
    """Return target -> its languages, of each target of a suite."""
    rows = [row for row in reference.table("suites") if row["suite"] == suite]
    return {row["target"]: tuple(row["languages"].split()) for row in rows}


def expand(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config with the targets of each suite in the place of its name in `targets`, once,
    and the suites under `KEY`, since they decide in which languages their targets are scored.

    Raises:
        UserError: `targets` is text that is no suite.
    """
    config, given, known = dict(raw), raw.get("targets"), names()
    if isinstance(given, str):
        if given not in known:
            raise UserError(
                f"targets: there is no suite `{given}`{nearest(given, known)} (valid:"
                f" {', '.join(known)}; targets are a list, even one: [{given}])"
            )
        given = [given]
    if not isinstance(given, Sequence) or not (asked := [n for n in given if n in known]):
        return config
    found: list[Any] = []
    of_suites = {target for suite in asked for target in languages(suite)}
    for name in given:
        if name in known:
            found += [target for target in languages(name) if target not in found]
        elif name not in of_suites or name not in found:
            found.append(name)
    config["targets"] = found
    config[KEY] = list(dict.fromkeys([*(raw.get(KEY) or ()), *asked]))
    return config


def scored_in(task: Task, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the languages in which a target may be scored: those that the suites have that were
    asked for; of one that none of them has its own, and where `languages` is a list also those that
    a suite adds to them."""
    asked = [s for s in settings.get(KEY, ()) if task.name in languages(s)]
    if asked:
        wanted = {code for suite in asked for code in languages(suite)[task.name]}
        return tuple(code for code in task.every_language if code in wanted)
    return task.languages if settings["languages"] == "all" else task.every_language
