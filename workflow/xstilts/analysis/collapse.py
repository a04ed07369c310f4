"""Trainings that ended at what guessing gives: which scores come from one, and what is said of it.

`node.json` of such a training is marked (`training/collapse.py`). A cell counts as collapsed if any
training that its scores come from is: stage 2, or any of stage 1.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from xstilts.analysis import numbers
from xstilts.analysis.cost import STREAMS, Key, ancestry
from xstilts.experiment.cells import CELL
from xstilts.training.collapse import COLLAPSED

COLUMNS = [
    *CELL, "training", "task", "metric", "dev score", "guessing", "rows", "value", "median",
    "median without", "mean", "mean without", "seeds without",
]  # fmt: skip
ROW = ["model", "intermediate", "target"]
SHOWN = 4  # trainings, and medians, that a note names; more are in the table
Run = tuple[str, str, str, str]  # model, intermediate, seed, target
Records = Mapping[Key, Mapping[str, Any]]


def of_scores(files: Mapping[str, Any], records: Records) -> dict[str, list[Key]]:
    """Return score file -> the keys of the trainings that it comes from, the last one first.

    Args:
        files: see `scores.accepted`; with the intermediate that they are of, so before
            `scores.relabel_test_rows`.
        records: see `cost.training_records`.
    """
    return {path: ancestry(score, records) for path, score in files.items()}


def runs(
    files: Mapping[str, Any], lineages: Mapping[str, Sequence[Key]], records: Records
) -> dict[Run, list[Key]]:
    """Return cell -> its trainings that collapsed, of the cells that have such.

    Args:
        files: see `scores.accepted`; on test with the rows of its tables.
        lineages: see `of_scores`.
        records: see `cost.training_records`.
    """
    found: dict[Run, list[Key]] = {}
    for path, score in files.items():
        marked = [key for key in lineages.get(path, ()) if COLLAPSED in records[key]]
        if marked:
            model, intermediate, seed, target = (str(score[name]) for name in CELL)
            found[model, intermediate, seed, target] = marked
    return found


def without(cells: pd.DataFrame, marked: Iterable[Run]) -> pd.DataFrame:
    """Return the rows of a table of cells that did not collapse.

    Args:
        cells: has the columns `CELL`, as `scores.cell_values`.
        marked: cells, see `runs`.
    """
    gone = set(marked)
    keys = cells[CELL].itertuples(index=False, name=None)
    return cells[[key not in gone for key in keys]]


def table(
    cells: pd.DataFrame, marked: Mapping[Run, Sequence[Key]], records: Records
) -> pd.DataFrame:
    """Return a row per cell and training that collapsed, in the order of the cells.

    Columns: the cell; `training`, its folder below results; its `task`, `metric`, `dev score`,
    `guessing` (percent) and `rows` (of dev); the `value` of the cell, and `median` and `mean` over
    the seeds of its row, with all of them and without those that collapsed (`seeds without`, how
    many are left), in percent.

    Args:
        cells: see `scores.cell_values`.
        marked: see `runs`.
        records: see `cost.training_records`.
    """
    every, left = (_over_seeds(part) for part in (cells, without(cells, marked)))
    rows = []
    for *names, value in cells[[*CELL, "value"]].itertuples(index=False, name=None):
        row = (names[0], names[1], names[3])
        for key in marked.get(tuple(names), ()):
            judged = records[key][COLLAPSED]
            rest = left.get(row, {})
            rows.append(
                {
                    **dict(zip(CELL, names, strict=True)),
                    "training": folder(records[key]),
                    **{name: judged[name] for name in ("task", "metric", "rows")},
                    "dev score": 100 * judged["score"],
                    "guessing": 100 * judged["guessing"],
                    "value": value,
                    **every[row],
                    **{f"{name} without": rest.get(name) for name in ("median", "mean")},
                    "seeds without": rest.get("seeds", 0),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def _over_seeds(cells: pd.DataFrame) -> dict[tuple[str, ...], dict[str, Any]]:
    return {
        key: {
            "median": values.median(skipna=False),
            "mean": values.mean(skipna=False),
            "seeds": len(values),
        }
        for key, values in cells.groupby(ROW, sort=False)["value"]
    }


def folder(record: Mapping[str, Any]) -> str:
    """Return the folder of a training below results: `encoders/m/mnli/seed1`."""
    names = [record[name] for name in ("model", "intermediate", "seed", "task") if record[name]]
    return "/".join(["encoders" if record["stage"] == "intermediate" else "tuned", *names])


def notes(
    collapsed: pd.DataFrame, lineages: Iterable[Sequence[Key]], records: Records
) -> list[str]:
    """Return what is said below a table: which trainings collapsed, and the medians without them;
    which were made again because they had.

    Args:
        collapsed: see `table`.
        lineages: the trainings of each score, see `of_scores`.
        records: see `cost.training_records`.
    """
    used = list(dict.fromkeys(key for keys in lineages for key in keys))
    marked = [folder(records[key]) for key in used if COLLAPSED in records[key]]
    again = [folder(records[key]) for key in used if STREAMS in records[key]]
    found = []
    if marked:
        found.append(
            f"{len(marked)} of {len(used)} trainings ended at what guessing gives (collapsed.csv):"
            f" {listed(marked)}."
        )
        found += _medians(collapsed)
    if again:
        found.append(
            f"{len(again)} of {len(used)} trainings collapsed and were made again with another seed"
            f" stream (on_collapse: retry): {listed(again)}."
        )
    return found


def _medians(collapsed: pd.DataFrame) -> list[str]:
    rows = collapsed.drop_duplicates(ROW)
    left = rows[rows["median without"].notna()]
    texts = [
        f"{row['model']}/{row['intermediate']} on {row['target']}"
        f" {numbers.points(row['median without'])} (with them {numbers.points(row['median'])})"
        for row in left.to_dict("records")
    ]
    if len(texts) > SHOWN:
        return [f"The {len(texts)} medians without them are in collapsed.csv."]
    found = [f"Medians without them: {'; '.join(texts)}."] if texts else []
    if len(rows) > len(left):
        found.append(f"Medians of which no other seed is left: {len(rows) - len(left)}.")
    return found


def listed(names: Sequence[str], shown: int = SHOWN) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
