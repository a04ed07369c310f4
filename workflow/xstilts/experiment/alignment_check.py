"""The sets of `alignment` in a config: checked, and what is left out filled in."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from xstilts.experiment import backbones
from xstilts.experiment.alignment import AlignmentSet
from xstilts.experiment.architecture import Architecture
from xstilts.experiment.roles import exists
from xstilts.experiment.tasks import Task
from xstilts.metrics.alignment import BETTER, FEWEST
from xstilts.running.errors import UserError

# The column of the sentences in the rows of a format, first the default; the formats that are not
# here have no text that could be read as one.
COLUMNS = {
    "classification": ("text", "text_pair"),
    "regression": ("text", "text_pair"),
    "choice": ("context",),
    "span": ("context", "question"),
    "retrieval": ("text",),
    "mlm": ("text",),
    "caption": ("text",),
}
_WITH_IDS = re.compile(r"\.(csv|tsv|jsonl|ndjson|json|parquet)(\.[a-z0-9]+)?$")


def check(
    name: str, entry: Mapping[str, Any], settings: Mapping[str, Any], known: Mapping[str, Task]
) -> AlignmentSet:
    """Return the set that an entry of `alignment` describes.

    Raises:
        UserError: the key, what is wrong with it, what would be right.
    """
    key, toy = f"alignment: {name}", settings["source"] == "toy"
    if "task" not in entry:
        exists(key, name, known, "task")
    task = known.get(entry.get("task", name))
    if task is None:
        exists(f"{key}: task", entry["task"], known, "task")
        raise AssertionError
    if task.format not in COLUMNS:
        raise UserError(
            f"{key}: `{task.name}` is of format {task.format}, whose rows are no sentences (valid:"
            f" {', '.join(COLUMNS)})"
        )
    _check_lines(key, task)
    columns = COLUMNS[task.format]
    column = entry.get("column", columns[0])
    exists(f"{key}: column", column, columns, f"text of a {task.format} row called")
    if entry["split"] not in task.splits:
        there = ", ".join(task.splits)
        raise UserError(f"{key}: split: `{task.name}` has no {entry['split']} (it has {there})")
    measures = [*BETTER] if entry["measures"] == "all" else entry["measures"]
    for measure in measures:
        exists(f"{key}: measures", measure, BETTER, "measure")
    enough(key, entry["rows"], measures, "rows: ")
    layers = () if entry["layers"] == "all" else tuple(sorted(entry["layers"]))
    _check_layers(key, layers, settings)
    paired, pivot = task.format == "retrieval", entry["pivot"]
    if not paired:
        exists(f"{key}: pivot", pivot, task.languages, "language")
    return AlignmentSet(
        name=name,
        task=task.name,
        split=entry["split"],
        column=column,
        languages=_languages(key, entry, task, settings),
        pivot=pivot,
        rows=entry["rows"],
        layers=() if toy else layers,  # its encoders have few
        measures=tuple(measure for measure in BETTER if measure in measures),
        paired=paired,
    )


def enough(key: str, sentences: int, measures: Sequence[str], unit: str = "") -> None:
    """Refuse fewer sentences than a measure needs.

    Raises:
        UserError: `key`, the measure, and how many it needs.
    """
    measure = max(measures, key=FEWEST.__getitem__)
    if sentences < FEWEST[measure]:
        raise UserError(
            f"{key}: {unit}{sentences} sentences are too few for `{measure}`, which needs"
            f" {FEWEST[measure]}; give more, or leave it out of `measures`"
        )


def _check_lines(key: str, task: Task) -> None:
    """Refuse lines of plain text that go together by their numbers: empty ones are left out of
    each file by itself."""
    plain = [p for paths in task.files.values() for p in paths if not _WITH_IDS.search(p)]
    if task.format == "mlm" and plain:
        raise UserError(
            f"{key}: lines of plain text are not the same by their numbers, where one is empty; say"
            f" `format: retrieval` in the task `{task.name}`, and two files for each language:"
            f" `files: {{dev: [{plain[0]}, PATH IN THE PIVOT]}}`"
        )


def _check_layers(key: str, layers: Sequence[int], settings: Mapping[str, Any]) -> None:
    """Refuse a layer that a model has not, as far as its layers are known before it is there."""
    for model, entry in settings["models"].items():
        config = backbones.config(entry, settings) if layers else {}
        depth = Architecture.of(config).layers
        if depth and layers[-1] > depth:
            raise UserError(
                f"{key}: layers: {layers[-1]} is not there: {model} has {depth} (0, the embeddings,"
                f" to {depth})"
            )


def _languages(
    key: str, entry: Mapping[str, Any], task: Task, settings: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the languages of a set without its pivot: those that it lists; or all of the task's,
    of those that the config scores."""
    there = [c for c in task.languages if task.is_there(c, entry["split"])]
    if settings["source"] == "toy" and not task.own:
        there = [code for code in there if code in settings["toy"]["languages"]]
    asked, scored = entry["languages"], settings["languages"]
    others = [code for code in there if code != entry["pivot"]]
    if asked == "all":
        found = others if scored == "all" else [code for code in others if code in scored]
        wanted = others if scored == "all" else scored
    else:
        wanted = asked
        for code in wanted:
            exists(f"{key}: languages", code, task.languages, "language")
        found = [code for code in others if code in wanted]
    if not found:
        raise UserError(
            f"{key}: languages: `{task.name}` has none of {', '.join(wanted) or 'any'} beside the"
            f" pivot {entry['pivot']} (it has {', '.join(there) or 'none'})"
        )
    return tuple(sorted(found))
