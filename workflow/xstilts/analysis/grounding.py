"""The table `grounding`: whether trainings with pictures use them, and whether these help.

*Used*: a model's score on its dev rows with their own pictures, less that with others. *Helps*: its
score less that of its control, which was trained the same on shuffled pictures or on text alone and
is judged as it was trained. A model may use its pictures and be no better for it, so both are told.

Rows about one picture (five captions, several questions) are right or wrong together, so what is
drawn is pictures, not rows: the value of a picture is the mean of those of its rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from xstilts.analysis import numbers
from xstilts.analysis.cost import STAGES, Key
from xstilts.analysis.estimates import Estimator, noise_of
from xstilts.analysis.evidence import Evidence, Part
from xstilts.analysis.forms import combine, mean_form
from xstilts.analysis.text_table import TableCell, TextTable
from xstilts.encoding.features import NONE, OWN, SHUFFLED
from xstilts.experiment.grid import Grid
from xstilts.training.grounding import GROUNDING

CONDITIONS = (OWN, SHUFFLED, NONE)
AS_TRAINED = "as trained"  # the condition that a training itself was under
USED, HELPS = ("used", "used low", "used high"), ("helps", "helps low", "helps high")
COLUMNS = [
    "model", "intermediate", "task", "trained", "metric", "rows", "images", "seeds", "steps",
    *CONDITIONS, *(f"loss {name}" for name in CONDITIONS), *USED, "uses",
    "control", "control steps", *HELPS, "over",
]  # fmt: skip
Row = tuple[str, str]  # model, intermediate
Judged = Mapping[tuple[str, str, str, str], Mapping[str, Any]]  # model, intermediate, seed, task


def of_trainings(
    lineages: Iterable[Sequence[Key]], records: Mapping[Key, Mapping[str, Any]]
) -> dict[tuple[str, str, str, str], Mapping[str, Any]]:
    """Return model, intermediate, seed and task -> what the record of a training of stage 1 says of
    its pictures, and its `steps`; of those that scores come from.

    Args:
        lineages: of scores, see `collapse.of_scores`.
        records: see `cost.training_records`.
    """
    found: dict[tuple[str, str, str, str], Mapping[str, Any]] = {}
    for key in dict.fromkeys(key for lineage in lineages for key in lineage):
        record = records[key]
        if record["stage"] == STAGES["encoders"]:
            row = (record["model"], record["intermediate"], record["seed"])
            for task, told in record.get(GROUNDING, {}).items():
                found[*row, task] = {**told, "steps": record["steps"]}
    return found


def controls(grid: Grid) -> dict[str, list[str]]:
    """Return intermediate with pictures -> its controls: those that are as it is, but for what is
    before their texts."""

    def rest(name: str) -> dict[str, Any]:
        apart = ("images", "traits", "vision")
        return {key: value for key, value in grid.entry(name).items() if key not in apart}

    def by(name: str) -> set[str]:  # what sees the pictures, however it was named
        sets = {grid.tasks[task].images for task in grid.experiment.intermediates[name]}
        return {grid.sees(grid.vision(name), images) for images in sets if images}

    names = [name for name in grid.experiment.settings["intermediates"] if grid.seen(name)]
    order = {name: grid.entry(name).get("images", True) for name in names}
    own = [name for name in names if order[name] is True]
    return {
        name: [
            other
            for other in names
            if rest(other) == rest(name)
            and (order[other] == NONE or (order[other] == SHUFFLED and by(other) == by(name)))
        ]
        for name in own
    }


def table(judged: Judged, compared: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return `COLUMNS`: a row per intermediate, task and control; scores, differences in percent.

    `pictures`, `shuffled` and `none` are mean scores over seeds under each condition, `loss` the
    losses. `used` and `helps` are means over the `images`, pictures of the dev rows, of the mean
    value of the rows of each, with the bounds of their 95% intervals, over `over`: pictures, and
    seeds where each row has enough of them (see `estimates`). `uses`: whether the interval of
    `used` is above 0. `steps` are means over seeds.

    Args:
        judged: see `of_trainings`.
        compared: see `controls`.
    """
    lines = []
    for task in dict.fromkeys(key[3] for key in judged):
        own = {key[:3]: told for key, told in judged.items() if key[3] == task}
        estimator = Estimator(_evidence(own, task))
        rows = dict.fromkeys(key[:2] for key in own)
        for model, name in rows:
            about = _about(own, (model, name))
            used = _difference(estimator, task, ((model, name), OWN), ((model, name), SHUFFLED))
            whom = [c for c in compared.get(name, ()) if (model, c) in rows]
            for control in whom or [""]:
                helps = _difference(
                    estimator, task, ((model, name), AS_TRAINED), ((model, control), AS_TRAINED)
                )
                lines.append(
                    {
                        "model": model,
                        "intermediate": name,
                        "task": task,
                        **about,
                        **dict(zip(USED, used[:3], strict=True)),
                        "uses": "" if np.isnan(used[0]) else "yes" if used[1] > 0 else "no",
                        "control": control,
                        "control steps": _steps(own, (model, control)),
                        **dict(zip(HELPS, helps[:3], strict=True)),
                        "over": (used[3] or helps[3]).replace("examples", "pictures"),
                    }
                )
    order = {row: at for at, row in enumerate(dict.fromkeys(key[:2] for key in judged))}
    lines.sort(key=lambda line: order[line["model"], line["intermediate"]])
    return pd.DataFrame(lines, columns=COLUMNS)


def _evidence(own: Mapping[tuple[str, str, str], Mapping[str, Any]], task: str) -> Evidence:
    """Return the values of the pictures of the dev rows of a task, which are its examples here: its
    languages are the conditions."""
    images = max((told["images"] for told in own.values()), key=len)
    size = max(images) + 1
    values = {
        (task, name): np.full((len(own), size), np.nan, np.float32)
        for name in (*CONDITIONS, AS_TRAINED)
    }
    for at, told in enumerate(own.values()):
        if told["images"] == images:  # of fewer, or other, rows nothing is to be compared
            for name in (*CONDITIONS, AS_TRAINED):
                under = told.get(told["trained"] if name == AS_TRAINED else name)
                if under:
                    values[task, name][at] = by_picture(under["values"], images)
    ids = [f"{task} {number}" for number in range(size)]
    return Evidence(list(own), values, dict.fromkeys(values, ids))


def by_picture(values: Sequence[float], images: Sequence[int]) -> np.ndarray:
    """Return the mean of the values of the rows of each picture, float64 [pictures].

    Args:
        values: of each row.
        images: the number of the picture of each row, from 0, none of them left out.
    """
    return np.bincount(images, values) / np.bincount(images)


def _steps(own: Mapping[tuple[str, str, str], Mapping[str, Any]], row: tuple[str, str]) -> float:
    """Return the mean steps of the trainings of a row; NaN where there are none."""
    found = [told["steps"] for key, told in own.items() if key[:2] == row]
    return float(np.mean(found)) if found else float("nan")


def _about(
    own: Mapping[tuple[str, str, str], Mapping[str, Any]], row: tuple[str, str]
) -> dict[str, Any]:
    """Return what is told of a row: how it was trained, mean scores and losses."""
    told = [one for key, one in own.items() if key[:2] == row]
    first = told[0]

    def mean(name: str, key: str) -> float:
        found = [one[name][key] for one in told if name in one]
        return float(np.mean(found)) if found else float("nan")

    return {
        "trained": first["trained"],
        "metric": first["metric"],
        "rows": first["rows"],
        "images": max(first["images"]) + 1,
        "seeds": len(told),
        "steps": _steps(own, row),
        **{name: 100 * mean(name, "score") for name in CONDITIONS},
        **{f"loss {name}": mean(name, "loss") for name in CONDITIONS},
    }


Side = tuple[Row, str]  # a row, a condition


def _difference(
    estimator: Estimator, task: str, one: Side, other: Side
) -> tuple[float, float, float, str]:
    """Return a difference of two means in percent, its interval, and the noise that this covers."""
    evidence, nothing = estimator.evidence, (float("nan"),) * 3
    if other[0] not in evidence.row_index:
        return *nothing, ""
    sides = []
    for row, condition in (one, other):
        part = Part(task, condition)
        if not evidence.seeds(row, part):
            return *nothing, ""
        sides.append(mean_form(len(evidence.rows), [(evidence.row_index[row], part)]))
    found = estimator.estimate(combine([(1.0, sides[0]), (-1.0, sides[1])]))
    low, high = found.interval()
    return 100 * found.value, 100 * low, 100 * high, noise_of(found.seeds)


def unused(table: pd.DataFrame) -> dict[Row, list[str]]:
    """Return model and intermediate -> its tasks whose pictures it was trained with and does not
    use."""
    found: dict[Row, list[str]] = {}
    for line in table[(table["trained"] == OWN) & (table["uses"] == "no")].itertuples():
        tasks = found.setdefault((line.model, line.intermediate), [])
        tasks += [line.task] * (line.task not in tasks)
    return found


def notes(
    unused: Mapping[Row, Sequence[str]],
    asked: Iterable[Row] | None = None,
    chains: Mapping[str, Sequence[str]] | None = None,
) -> list[str]:
    """Return what is said of an answer, or a table, that rests on rows which do not use pictures.

    Args:
        unused: see the function.
        asked: the rows that it rests on, model and intermediate; None for all.
        chains: intermediate -> those that it follows on (`after`), and itself; what rests on it
            rests on all of them.
    """
    every = [
        (model, one)
        for model, name in ([] if asked is None else asked)
        for one in (chains or {}).get(name, (name,))
    ]
    rows = [row for row in dict.fromkeys(unused if asked is None else every) if row in unused]
    said = [
        f"{row[1]} of {row[0]}" + f" ({', '.join(unused[row])})" * (unused[row] != [row[1]])
        for row in rows
    ]
    if not said:
        return []
    return [
        f"Pictures not used: by {', '.join(said)}, as good on dev with other pictures"
        " (grounding.md), so what it gained is not theirs."
    ]


def text_table(table: pd.DataFrame) -> TextTable:
    """Return the table for readers."""
    rows = []
    for line in table.to_dict("records"):
        how = {OWN: "its own", SHUFFLED: "others", NONE: "text alone"}[line["trained"]]
        cells = [TableCell(how)]
        cells += [TableCell(numbers.points(line[name])) for name in CONDITIONS]
        cells += [TableCell(_between(line, USED) + ", no" * (line["uses"] == "no"))]
        cells += [TableCell(line["control"] or numbers.MISSING), TableCell(_between(line, HELPS))]
        rows.append(((line["model"], line["intermediate"], line["task"]), cells))
    over = [line for line in dict.fromkeys(table["over"]) if line]
    notes = [
        "Scores on dev rows in percent, means over seeds: with their own pictures, with others,"
        " with text alone. Used: the first less the second, of one model; `no` where the 95%"
        " interval does not lie above 0. Helps: the score of a model less that of its control, each"
        f" as it was trained. Intervals cover the noise of {' or '.join(over) or 'nothing'}; with"
        " fewer than 3 seeds that of training is not in them. Both are means over pictures, of the"
        " mean value of the rows about each, which need not be the score.",
        *_steps_note(table),
    ]
    headings = ["trained with", "own", "others", "text alone", "used", "control", "helps"]
    return TextTable(("model", "intermediate", "task"), headings, rows, notes)


def _steps_note(table: pd.DataFrame) -> list[str]:
    """Return what is said where a training and its control did not take the same steps."""
    pairs = dict.fromkeys(
        f"{line['intermediate']} of {line['model']} ({line['steps']:,.0f}) and {line['control']}"
        f" ({line['control steps']:,.0f})"
        for line in table.to_dict("records")
        if line["control"] and line["steps"] != line["control steps"]
    )
    if not pairs:
        return []
    return [
        f"Not the same steps, as one ended early, so `helps` has that in it: {', '.join(pairs)}."
        " With `steps` in their entries none does."
    ]


def _between(line: Mapping[str, Any], names: tuple[str, str, str]) -> str:
    value, low, high = (line[name] for name in names)
    if np.isnan(value):
        return numbers.MISSING
    return f"{numbers.delta(value)} ({numbers.interval(low, high)})"
