"""Chains: an intermediate that is trained from the encoder of another (`after`), and likewise a
task that a target is tuned on.
"""

from collections.abc import Mapping
from typing import Any

from xstilts.experiment.roles import exists
from xstilts.experiment.tasks import LABELLED, Task
from xstilts.running.errors import UserError

Entries = Mapping[str, Mapping[str, Any]]  # the section `intermediates` of a config


def of(entries: Entries, name: str) -> tuple[str, ...]:
    """Return the intermediates that a model is trained on one after another, `name` the last.

    Those of the row without any are none.
    """
    found: list[str] = []
    at: str | None = name if name in entries else None
    while at is not None:
        found.append(at)
        at = entries[at].get("after")
    return tuple(reversed(found))


def tunings(tasks: Mapping[str, Task], train: str | None) -> tuple[str, ...]:
    """Return the tasks that a target is tuned on one after another, `train` the last; none for a
    target without tuning."""
    found: list[str] = []
    while train is not None and train not in found:
        found.append(train)
        train = tasks[train].after if train in tasks else None
    return tuple(reversed(found))


def head_goes_on(task: Task, before: Task) -> bool:
    """Whether a task is tuned with the head of the one before it, and not with a new one: where it
    has the same outputs, as in XTREME-R's `train_xcopa.sh`, which goes on with the whole model."""
    if (task.format, task.labels) != (before.format, before.labels):
        return False
    return task.format in ("choice", "span") or (task.format in LABELLED and bool(task.labels))


def roots(entries: Entries) -> dict[str, str]:
    """Return intermediate -> the first of its chain, of those that come after another."""
    return {name: of(entries, name)[0] for name, entry in entries.items() if entry.get("after")}


def check(name: str, entries: Entries, none: str) -> None:
    """Refuse an intermediate that follows on none that there is, or on itself.

    Args:
        name: of the intermediate.
        entries: all of them.
        none: the name of the row without any.

    Raises:
        UserError: the intermediate and what is wrong with its `after`.
    """
    key, before = f"intermediates: {name}: after", entries[name].get("after")
    if before is None:
        return
    if before == none:
        raise UserError(f"{key}: `{none}` is the model itself; leave `after` out")
    exists(key, before, entries, "intermediate")
    seen = [name]
    while before is not None and before in entries:
        seen.append(before)
        if before == name and name == next(each for each in entries if each in seen):
            raise UserError(f"{key}: goes round in a circle: {' after '.join(seen)}")
        if before in seen[:-1]:
            return  # a circle, which is said of the first that is in it
        before = entries[before].get("after")
