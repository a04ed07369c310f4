"""Subsets: an intermediate that is trained on a part of its rows, picked by how difficult they are
(`subset` of its entry; `data/subset.py` picks)."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xstilts.data.subset import RANDOM
from xstilts.experiment import amounts, difficulty
from xstilts.experiment.roles import exists
from xstilts.experiment.tasks import Task
from xstilts.running.errors import UserError, nearest

FOLDER = "subsets"  # below results
EACH = "each"  # of `seed`: the rows of each training by the recording of its own seed
WITHOUT = ("rows", "translations", "cap")  # keys that an entry with a subset has not


@dataclasses.dataclass(frozen=True)
class Source:
    """What a subset is picked by: a measure of the rows of a task, of a model and a seed."""

    task: str
    lang: str
    model: str
    seed: str
    measure: str | None  # None for any rows


def source(
    entry: Mapping[str, Any], model: str, seed: str, seeds: Sequence[int], tasks: Mapping[str, Task]
) -> Source:
    """Return what the subset of an intermediate is picked by, for a training.

    Args:
        entry: of the intermediate.
        model, seed: of the training.
        seeds: of the experiment, of which the first is that of the recording.
        tasks: every task.
    """
    subset, task = entry["subset"], entry["tasks"][0]
    picked = subset.get("seed", seeds[0])
    of = seed if picked == EACH else f"seed{picked}"
    measure = None if subset["keep"] == RANDOM else subset["by"]
    return Source(task, tasks[task].home or "en", subset.get("of", model), of, measure)


def recorded(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the measures that are recorded for the subsets of intermediates; PVI is by itself.

    Args:
        entries: of the intermediates.
    """
    of = [entry["subset"] for entry in entries if "subset" in entry]
    by = {subset["by"] for subset in of if subset["keep"] != RANDOM}
    return [name for name in difficulty.MEASURES if name in by or (by and name != difficulty.PVI)]


def check(
    name: str,
    entry: Mapping[str, Any],
    trained_in: Mapping[str, Sequence[str]],
    settings: Mapping[str, Any],
    tasks: Mapping[str, Task],
) -> None:
    """Refuse a subset that cannot be picked; the arguments as of `amounts.check`.

    Raises:
        UserError: the intermediate and key.
    """
    if (subset := entry.get("subset")) is None:
        return
    key = f"intermediates: {name}: subset"
    if twice := [other for other in WITHOUT if other in entry]:
        raise UserError(f"{key}: says which rows it is trained on, so leave `{twice[0]}` out")
    if len(entry["tasks"]) > 1:
        raise UserError(f"{key}: is of the rows of one task, not of {', '.join(entry['tasks'])}")
    task = tasks[entry["tasks"][0]]
    if [*trained_in[task.name]] != [task.home]:
        raise UserError(
            f"{key}: is of the rows in {task.home}, in which `{task.name}` is recorded; leave"
            " `languages` out"
        )
    _check_measure(key, subset, task)
    if isinstance(subset.get("seed"), str) and subset["seed"] != EACH:
        raise UserError(f"{key}: seed: must be a whole number or `{EACH}`, not `{subset['seed']}`")
    if "of" in subset:
        exists(f"{key}: of", subset["of"], settings["models"], "model")
    there, by = amounts.rows_there(task, trained_in[task.name], settings)
    if not amounts.at_most(task, settings) and there is not None and subset["rows"] > there:
        line = amounts.too_few(name, subset["rows"], task.name, there, by)
        raise UserError(
            line.replace(": rows: ", ": subset: rows: ").replace(" or leave out rows", "")
        )


def _check_measure(key: str, subset: Mapping[str, Any], task: Task) -> None:
    valid = [name for name, of in difficulty.MEASURES.items() if task.format in of.formats]
    if subset["keep"] == RANDOM:
        return
    if "by" not in subset:
        named = f", one of {', '.join(valid)}" if valid else ""
        raise UserError(
            f"{key}: by: is missing: the measure whose {subset['keep']} are kept{named}"
        )
    if subset["by"] not in valid:
        there = f"{key}: by: of a {task.format} task there is no"
        if not valid:
            why = difficulty.NONE[task.format]
            raise UserError(f"{there} difficulty, since {why}: it has `keep: random` alone")
        raise UserError(
            f"{there} `{subset['by']}`{nearest(subset['by'], valid)} (there are {', '.join(valid)})"
        )
