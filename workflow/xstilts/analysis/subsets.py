"""The table `difficulty`: what the train rows of a task are like, and those of each subset of them.

So that a subset which is hard because its labels are wrong, or easy because its texts are short,
shows.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from xstilts.analysis import numbers
from xstilts.analysis.text_table import TableCell, TextTable, without_empty
from xstilts.data import subset
from xstilts.experiment import difficulty
from xstilts.experiment.difficulty import MEASURES, Run
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import Node

ALL = ""  # in place of the intermediate: all rows of the task
WORDS = "bag_of_words"
POINTS = 5000  # rows of a training that are drawn on its data map, at most
MAP = ["model", "task", "seed", "id", "confidence", "variability", "correctness"]
COLUMNS = [
    "model", "task", "seed", "intermediate", "by", "keep", "rows", *MEASURES, "length", WORDS,
    "labels",
]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Found:
    """What is known.

    Attributes:
        rows: run -> the train rows of its task: `id`, `label` ("" for none), `length` and the
            measures, as far as these are recorded, and how right a bag-of-words model is.
        subsets: name of a node -> its run, what its entry says, and the places of its rows.
    """

    rows: Mapping[Run, pd.DataFrame] = dataclasses.field(default_factory=dict)
    subsets: Mapping[str, tuple[Run, Mapping, list[int]]] = dataclasses.field(default_factory=dict)


def read(
    grid: Grid, nodes: Mapping[str, Node], root: Path, current: Callable[[str], bool]
) -> Found:
    """Return what there is of the measures and subsets of a graph; partial after a run that failed.

    Args:
        grid: of the experiment.
        nodes: of its graph.
        root: the folder that holds `results`.
        current: whether a node, by its key, is made as the config asks for: places of a subset
            that is not are of other rows.
    """
    picked = {}
    runs = dict.fromkeys(difficulty.recorded(nodes))
    for key, node in nodes.items():
        if node.rule == "subset" and current(key):
            model, name, seed = node.name.split("/")
            of = grid.subset(model, name, seed)
            run = (of.model, of.task, of.seed)
            places, _ = subset.read(root / difficulty.rows_of(key))
            picked[node.name] = (run, grid.entry(name)["subset"], places.tolist())
            runs[run] = None
    each = {run: _rows(grid, nodes, root, run, current) for run in runs}
    rows = {run: found for run, found in each.items() if found is not None}
    return Found(rows, {name: of for name, of in picked.items() if of[0] in rows})


def _rows(
    grid: Grid,
    nodes: Mapping[str, Node],
    root: Path,
    run: Run,
    current: Callable[[str], bool],
) -> pd.DataFrame | None:
    """Return what the experiment records of the train rows of a task; None without these."""
    task = run[1]
    lang, format = grid.tasks[task].home or "en", grid.tasks[task].format
    path = f"results/data/{task}/{lang}.train.parquet"
    if path not in nodes or not current(path):
        return None
    labelled = format == "classification"
    found = pq.read_table(root / path, columns=["id", *(["label"] if labelled else [])]).to_pandas()
    found["label"] = found["label"] if labelled else ""
    files = dict[str, list[str]]()  # of the same file are the measures of one recording
    for name in MEASURES:
        files.setdefault(difficulty.node_key(*run, name), []).append(name)
    for key, names in (*files.items(), (f"results/bags/{task}.json", ["correct"])):
        if key in nodes and current(key):
            kept = ["id", *names, *(["length"] if "confidence" in names else [])]
            own = pq.read_table(root / difficulty.rows_of(key), columns=kept).to_pandas()
            found = found.merge(own, "left", on="id", validate="one_to_one")
    return found.rename(columns={"correct": WORDS})


def table(found: Found) -> pd.DataFrame:
    """Return `COLUMNS`: of each training all rows of its task, then those of each subset.

    Measures, `length` (tokens) and `bag_of_words` are means; `labels` are shares in percent.
    """
    lines = []
    for run, rows in found.rows.items():
        lines.append({**_of(run, ALL), "by": "", "keep": "", **summary(rows)})
        for name, (of, entry, places) in found.subsets.items():
            if of == run:
                model, intermediate, _ = name.split("/")
                how = {"by": entry["by"] if entry["keep"] != subset.RANDOM else ""}
                own = {**_of(run, intermediate), **how, "keep": entry["keep"]}
                lines.append({**own, "model": model, **summary(rows.iloc[places])})
    return pd.DataFrame(lines, columns=COLUMNS)


def _of(run: Run, intermediate: str) -> dict[str, str]:
    return {**dict(zip(("model", "task", "seed"), run, strict=True)), "intermediate": intermediate}


def summary(rows: pd.DataFrame) -> dict[str, float | int | str]:
    """Return what some train rows are like: how many, means, and the shares of their labels."""
    means = {name: rows[name].mean() for name in (*MEASURES, "length", WORDS) if name in rows}
    shares = rows["label"].value_counts(normalize=True).sort_index()
    labels = ", ".join(f"{label} {100 * share:.1f}" for label, share in shares.items() if label)
    return {"rows": len(rows), **means, "labels": labels}


def means(found: Found) -> dict[str, dict[tuple[str, str], float]]:
    """Return measure -> model and intermediate -> the mean of the measure over the rows of its
    subset; of subsets of several seeds the mean of these."""
    own = table(found)
    by_row = own[own["intermediate"] != ALL].groupby(["model", "intermediate"], sort=False)
    each = by_row[[*MEASURES]].mean().astype(float)
    return {name: each[name].dropna().to_dict() for name in MEASURES}


def points(found: Found) -> pd.DataFrame:
    """Return `MAP` of some rows of each recorded training, by a hash of the id."""
    parts = []
    for run, rows in found.rows.items():
        if {*MAP[4:]} <= {*rows.columns}:
            hashed = rows["id"].map(lambda one: hashlib.sha256(one.encode()).hexdigest())
            own = rows.loc[hashed.sort_values().index[:POINTS].sort_values()]
            parts.append(own.assign(model=run[0], task=run[1], seed=run[2])[MAP])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=MAP)


def text_table(long: pd.DataFrame) -> TextTable:
    """Return the table for readers."""
    digits = {"length": 1, **dict.fromkeys(MEASURES, 3)}
    columns = ["rows", *MEASURES, "length", WORDS, "labels"]
    lines = []
    for row in long.to_dict("records"):
        cells = [
            TableCell(numbers.count(row["rows"])),
            *(TableCell(numbers.points(row[name], digits[name])) for name in (*MEASURES, "length")),
            TableCell(numbers.points(100 * row[WORDS])),
            TableCell(row["labels"] or numbers.MISSING),
        ]
        names = (row["model"], f"{row['task']}, {row['seed']}", row["intermediate"] or "all rows")
        lines.append((names, cells))
    notes = [
        "Means over train rows; length in tokens, labels and the accuracy of a bag-of-words model"
        " in percent. That model is fit to other rows of the task: where it is below chance, the"
        " labels of a subset are not what words say elsewhere."
    ]
    headings = [name.replace("_", " ") for name in columns]
    return without_empty(TextTable(("model", "recorded", "subset"), headings, lines, notes))
