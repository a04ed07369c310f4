"""What was chosen on the English dev set: which values were tried, their scores, which is taken."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from xstilts.analysis import numbers
from xstilts.analysis.text_table import TableCell, TextTable
from xstilts.experiment import search
from xstilts.experiment.cells import CELL
from xstilts.experiment.plan import STAGE_1
from xstilts.training.choice import DIVERGED
from xstilts.training.collapse import COLLAPSED

LABELS = ["model", "intermediate", "task"]
COLUMNS = [*LABELS, "seed", "values", "dev score", "outcome", "chosen", "at the edge"]
Choice = Mapping[str, Any]  # the record of one, see `steps/choose.py`


def table(choices: Iterable[Choice]) -> pd.DataFrame:
    """Return a row per search and values that were tried.

    Columns: `model`, `intermediate`; `task`, empty for stage 1; `seed` of the trials; `values`;
    `dev score` in percent, missing of one that diverged; `outcome`, `collapsed`, `diverged` or "";
    whether it is `chosen`; `at the edge`, of the chosen the keys whose lowest or highest value it
    has (`search.edges`).
    """
    rows = []
    for choice in choices:
        names = dict(zip(LABELS, [*choice["search"].split("/"), ""], strict=False))
        for name in search.trials(choice["spec"]["searched"]):
            trial, taken = choice["trials"][name], name == choice[search.CHOSEN]
            outcome = next((o for o in (DIVERGED, COLLAPSED) if o in trial), "")
            rows.append(
                {
                    **names,
                    "seed": choice["seed"],
                    "values": name,
                    "dev score": 100 * trial["score"] if "score" in trial else None,
                    "outcome": outcome,
                    "chosen": taken,
                    "at the edge": " ".join(choice["edges"]) if taken else "",
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS).astype({"dev score": float})


def text_table(long: pd.DataFrame) -> TextTable:
    """Return the table for readers: a row per search, the chosen of its values in bold."""
    rows, edges = [], 0
    for names, part in long.groupby(LABELS, sort=False):
        taken = part[part["chosen"]].iloc[0]
        others = ", ".join(_told(row) for row in part[~part["chosen"]].to_dict("records"))
        edge = str(taken["at the edge"])
        edges += bool(edge)
        cells = [TableCell(_told(taken), best=True), TableCell(others), TableCell(edge or "no")]
        rows.append((list(map(str, names)), cells))
    notes = [
        "Each value was tried with the first seed; in brackets its score on English dev rows, in"
        " percent, by which alone it was chosen. Of equal ones the smaller is."
    ]
    if edges:
        notes.append(f"At the edge of what was tried: {edges} of {len(rows)}; name wider values.")
    return TextTable(LABELS, ["chosen", "others", "at the edge"], rows, notes)


def _told(row: Mapping[str, Any]) -> str:
    said = [numbers.points(row["dev score"])] if row["outcome"] != DIVERGED else []
    return f"{row['values']} ({', '.join([*said, *filter(None, [row['outcome']])])})"


def notes(long: pd.DataFrame) -> list[str]:
    """Return what is said below the main table; nothing where nothing was searched."""
    if long.empty:
        return []
    count = long.groupby(LABELS, sort=False).ngroups
    searches = f"{count} training{'s' if count > 1 else ''}"
    keys = ", ".join(dict.fromkeys(_keys(long["values"])))
    edges = int((long["at the edge"] != "").sum())
    edge = f", {edges} of them at the edge of what was tried" if edges else ""
    return [f"Chosen on English dev rows (chosen.csv): {keys} of {searches}{edge}."]


def _keys(values: Iterable[str]) -> Iterable[str]:
    for text in values:
        for part in text.split("+"):
            if "=" in part:
                yield part.partition("=")[0]


def fill(grid: pd.DataFrame, choices: Iterable[Choice], tuned: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows of grid.csv with what was chosen in the columns of the recipes.

    tuned: target -> the task that it is tuned on.
    """
    found = grid.copy()
    on = found["target"].map(tuned)
    for choice in choices:
        model, intermediate, *task = choice["search"].split("/")
        rows = (found[CELL[0]] == model) & (found[CELL[1]] == intermediate)
        rows &= (on == task[0]) if task else True
        for key, value in choice["values"].items():
            column = key if task else STAGE_1 + key
            if column in found:
                found.loc[rows, column] = search.written(value)
    return found


def losers(choices: Iterable[Choice]) -> list[dict[str, Any]]:
    """Return what is known of the cost of the trials that were not taken: the others are the
    trainings of the first seed."""
    return [
        trial
        for choice in choices
        for name, trial in choice["trials"].items()
        if name != choice[search.CHOSEN] and "seconds" in trial
    ]
