"""How much an intermediate is trained on: `rows` of each of its tasks, `steps` in all, and whether
each row is read in all languages or `dealt` to one of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from xstilts.experiment import reference, translated
from xstilts.experiment.synthetic import GENERATED
from xstilts.experiment.tasks import Task, known
from xstilts.running.errors import UserError

# What says how long a training is, so that beside `steps` it must not be set under the same name.
LENGTHS = ("epochs", "max_steps", "patience")
DEALT = "dealt"  # of `translations`
NAMED = 3  # intermediates that a note names
REPLACED = ("epochs", "patience")  # of a recipe, by `steps`; `max_steps` is still a bound


def asked(entry: Mapping[str, Any]) -> int | None:
    """Return the rows of each task that an intermediate asks for; None for all."""
    return entry.get("subset", entry).get("rows")


def check(
    name: str,
    entry: Mapping[str, Any],
    trained_in: Mapping[str, Sequence[str]],
    settings: Mapping[str, Any],
    tasks: Mapping[str, Task],
) -> None:
    """Refuse more rows than there are, where that is known; and `steps` beside another length.

    (In the toy world a training takes what there is, so that any experiment can be rehearsed.)

    Args:
        name, entry: of the intermediate.
        trained_in: its tasks, each with the languages of its rows.
        settings: of the experiment.
        tasks: every known task.

    Raises:
        UserError: the intermediate and key.
    """
    check_steps(name, entry, f"recipes: {name}", settings["recipes"].get(name, {}))
    by_language = [dealt(entry, tasks[task], languages) for task, languages in trained_in.items()]
    if entry.get("translations") == DEALT and not any(by_language) and settings["source"] != "toy":
        only = sorted({lang for languages in trained_in.values() for lang in languages})
        raise UserError(
            f"intermediates: {name}: translations: dealt is for a task that is trained in several"
            f" languages, not in {', '.join(only)} alone; say `languages: all`, or list them"
        )
    for task, languages in trained_in.items():
        if "rows" not in entry or GENERATED in entry or at_most(tasks[task], settings):
            continue
        there, by = rows_there(tasks[task], counted(entry, tasks[task], languages), settings)
        if there is not None and entry["rows"] > there:
            raise UserError(too_few(name, entry["rows"], task, there, by))


def check_steps(name: str, entry: Mapping[str, Any], key: str, own: Mapping[str, Any]) -> None:
    """Refuse `steps` of an intermediate beside another length in the recipe of its name, `key`."""
    if "steps" in entry and (twice := [k for k in LENGTHS if own.get(k) is not None]):
        raise UserError(
            f"intermediates: {name}: steps: {entry['steps']}, but `{key}: {twice[0]}`"
            " says too how long it is trained; leave one of them out"
        )


def too_few(name: str, rows: int, task: str, there: int, limited: bool = False) -> str:
    """Say that a task has fewer rows than an intermediate asks for."""
    line = f"intermediates: {name}: rows: {rows}, but {task} has {there} train rows"
    if limited:
        return f"{line} at most by `limits`; ask for fewer or raise the limit"
    return f"{line}; ask for fewer or leave out rows"


def dealt(entry: Mapping[str, Any], task: Task, languages: Sequence[str]) -> bool:
    """Whether each row of a task is read in one of some languages; text to be masked, which is no
    translation unless it was translated here, is read in all."""
    if translated.same(entry):
        return len(languages) > 1
    return entry.get("translations") == DEALT and len(languages) > 1 and task.format != "mlm"


def counted(entry: Mapping[str, Any], task: Task, languages: Sequence[str]) -> Sequence[str]:
    """Return languages whose rows, taken together, are as many as are trained on."""
    return languages[:1] if dealt(entry, task, languages) else languages


def at_most(task: Task, settings: Mapping[str, Any]) -> bool:
    """Whether a training takes the rows that there are, if they are fewer than were asked for: of
    the toy world's rows, of which there are few."""
    return settings["source"] == "toy" and not task.own


def rows_there(
    task: Task, languages: Sequence[str], settings: Mapping[str, Any]
) -> tuple[int | None, bool]:
    """Return the most train rows that a task has in some languages, and whether a limit says so.

    None where it is not known without its data.
    """
    limits = settings["limits"]
    limit = {**limits.get("all", {}), **limits.get(task.name, {})}.get("train")
    each: int | None = None
    if settings["source"] == "toy" and not task.own:
        each = settings["toy"]["sizes"]["train"]
    elif settings["source"] == "hub" and not task.own and task.hub == _hub(task.name):
        each = reference.certain_rows(task.name, "train")
    limited = limit is not None and (each is None or limit < each)
    each = limit if limited else each
    return None if each is None else each * len(languages), limited


def _hub(task: str) -> str:
    return known().get(task, {}).get("hub", "")


def notes(
    intermediates: Mapping[str, Mapping[str, Sequence[str]]],
    settings: Mapping[str, Any],
    tasks: Mapping[str, Task],
) -> list[str]:
    """Return what becomes of `rows` and `steps` that are not as asked, a line each."""
    few, short = [], []
    for name, entry in settings["intermediates"].items():
        trained_in = intermediates[name]
        there = [
            rows_there(tasks[task], counted(entry, tasks[task], languages), settings)[0]
            for task, languages in trained_in.items()
            if at_most(tasks[task], settings)
        ]
        if any(rows is not None and rows < (asked(entry) or 0) for rows in there):
            few.append(name)
        bound = most_steps(trained_in, settings, tasks)
        if bound is not None and bound < entry.get("steps", 0):
            short.append(name)
    found = []
    if few:
        found.append(
            f"intermediates: {_listed(few)}: the toy world has fewer rows, so these are trained"
            " on what there is (source: toy)"
        )
    if short:
        found.append(
            f"intermediates: {_listed(short)}: steps: `max_steps` of their recipe is less, and is"
            " what they are trained for"
        )
    return found


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def most_steps(
    names: Mapping[str, Any], settings: Mapping[str, Any], tasks: Mapping[str, Task]
) -> int | None:
    """Return `max_steps` of the recipe of an intermediate of some tasks, its own name apart."""
    recipes, alone = settings["recipes"], len(names) == 1
    layers = [recipes.get("all", {})]
    for name in names if alone else ():
        layers = [tasks[name].recipe, *layers, recipes.get(name, {})]
    found = None
    for layer in layers:
        found = layer.get("max_steps", found)
    return found
