"""Differences to `none` by class, of languages or examples: a question that is always asked."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from xstilts.analysis import numbers
from xstilts.analysis.answers.calculation import Calculation, missing
from xstilts.analysis.estimates import EXAMPLES_AND_SEEDS, SIGNIFICANCE_LEVEL, Estimator
from xstilts.analysis.text_table import TableCell, TextTable
from xstilts.experiment.config import NONE
from xstilts.experiment.questions import AskedCell, AskedClass, Point, Question
from xstilts.experiment.selectors import Condition

COLUMNS = ["delta", "low", "high", "p", "p holm", "survives", "over"]


class OfClass(NamedTuple):
    """A class of a row.

    Attributes:
        key: what names it in the table.
        examples: stratum -> condition; {} for all.
    """

    key: tuple[str, ...]
    cells: tuple[AskedCell, ...]
    examples: Mapping[str, Condition]


Found = tuple[tuple[Any, ...], tuple[str, ...], dict[str, Condition]]


def gathered(grid: pd.DataFrame, found: Iterable[Found]) -> list[OfClass]:
    """Return the classes of rows that have a baseline.

    Args:
        grid: see `scores.accepted`.
        found: (model, intermediate, target, language), the rest of the key, the examples.
    """
    with_baseline = set(grid.loc[grid["intermediate"] == NONE, "model"])
    cells: dict[tuple[str, ...], tuple[dict[AskedCell, None], dict[str, Condition]]] = {}
    for (model, row, target, language), rest, examples in found:
        if row != NONE and model in with_baseline:
            each, _ = cells.setdefault((model, row, *rest), ({}, examples))
            each[AskedCell(model, row, NONE, target, language)] = None
    return [OfClass(key, tuple(each), examples) for key, (each, examples) in cells.items()]


def table(classes: Sequence[OfClass], names: Sequence[str], estimator: Estimator) -> pd.DataFrame:
    """Return a row per class, in percent: the mean over the languages of each target, then over
    targets.

    Columns: `names`, then `COLUMNS` as in `significance.deltas`, p corrected over the table. What
    is not there for lack of a value is left out.

    Args:
        names: of the parts of a key.
    """
    asked = {str(i): one for i, one in enumerate(classes)}
    questions = [
        Question("", "", (AskedClass(i, (Point(one.cells),), one.examples),))
        for i, one in asked.items()
    ]
    there = [q.classes[0] for q in questions if not missing(q, estimator.evidence)]
    found = Calculation(Question("", "", tuple(there)), estimator).table()
    found = found[found["estimate"].notna()].reset_index(drop=True)  # `none` may be excluded there
    survives = (found["p holm"] < SIGNIFICANCE_LEVEL) & (found["noise"] == EXAMPLES_AND_SEEDS)
    keys = [asked[i].key for i in found["class"]]
    found = found.drop(columns="over")  # of a difference of classes
    renamed = found.rename(columns={"estimate": "delta", "noise": "over"})
    return pd.concat(
        [pd.DataFrame(keys, columns=[*names]), renamed.assign(survives=survives)[COLUMNS]], axis=1
    )


def beside(
    means: Mapping[str, pd.Series], deltas: pd.DataFrame, key: Sequence[str]
) -> dict[str, pd.Series]:
    """Return columns with their intervals: `<name> low` and `<name> high` behind each that has one.

    Args:
        means: intermediate -> its column, indexed by `key`; a difference in `deltas` takes its
            place.
        deltas: see `table`.
    """
    tested = dict(list(deltas.groupby("intermediate")))
    columns = {}
    for name, values in means.items():
        columns[name] = values
        if name in tested:
            found = tested[name].set_index([*key])
            columns[name] = found["delta"].reindex(values.index).fillna(values)
            for bound in ("low", "high"):
                columns[f"{name} {bound}"] = found[bound].reindex(values.index)
    return columns


def text_table(
    wide: pd.DataFrame,
    key: Sequence[str],
    counts: Sequence[str],
    deltas: pd.DataFrame | None,
    notes: Sequence[str],
    name: str,
) -> TextTable:
    """Return a wide table for readers: the best intermediate of each row is bold, differences that
    survive the correction over the table are marked.

    Args:
        wide: `key`, `counts`, then a column per intermediate, see `beside`.
        deltas: see `table`; None where nothing is tested.
        name: of the CSV file that has the intervals.
    """
    names = _intermediates(wide.columns[len(key) + len(counts) :])
    marked = set() if deltas is None else _marked(deltas, key)
    rows = []
    for row in wide.to_dict("records"):
        candidates = [numbers.rounded(row[n]) for n in names if n != NONE and row[n] == row[n]]
        best = max(candidates) if len(candidates) > 1 else None
        cells = [TableCell(str(row[count])) for count in counts]
        for each in names:
            signed = each != NONE and NONE in names
            cells.append(
                TableCell(
                    (numbers.delta if signed else numbers.points)(row[each]),
                    best=each != NONE and numbers.rounded(row[each]) == best,
                    marked=(*(row[part] for part in key), each) in marked,
                )
            )
        rows.append(([row[part] for part in key], cells))
    if marked:
        notes = [
            *notes,
            "*: more than the noise of examples and seeds (5%, Holm-corrected over the table);"
            f" intervals are in {name}.csv.",
        ]
    return TextTable([*key], [*counts, *names], rows, [*notes])


def _intermediates(columns: Iterable[str]) -> list[str]:
    """Return the columns of a wide table that are no bounds of intervals."""
    names = list(columns)
    bounds = {f"{name}{bound}" for name in names for bound in (" low", " high")}
    return [name for name in names if name not in bounds]


def _marked(deltas: pd.DataFrame, key: Sequence[str]) -> set[tuple[str, ...]]:
    """Return (*key, intermediate) of the differences that survive."""
    kept = deltas[deltas["survives"].astype(bool)]
    return set(kept[[*key, "intermediate"]].itertuples(index=False, name=None))
