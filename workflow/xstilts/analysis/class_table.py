"""Tables with a row per class and a column per intermediate: of languages, of examples."""

from collections.abc import Collection, Sequence

import pandas as pd

from xstilts.analysis import numbers
from xstilts.analysis.text_table import TableCell, TextTable
from xstilts.experiment.config import NONE


def with_deltas(means: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Return means with `delta`, the difference to that of `none`; missing in the rows of `none`.

    Args:
        means: a row per (intermediate, *key), with `value`.
        key: columns, the intermediate not among them.
    """
    baseline = means.loc[means["intermediate"] == NONE, [*key, "value"]]
    found = means.merge(baseline, how="left", on=list(key), suffixes=("", " of none"))
    delta = found["value"] - found.pop("value of none")
    return found.assign(delta=delta.where(found["intermediate"] != NONE))


def wide(long: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """Return a row per class and a column per intermediate, beside counts.

    A column is the score of `none` and the difference to it of the others, the mean over what is
    summed up; without `none` all are scores. Missing where one of these is.

    Args:
        long: a row per (intermediate, class, and what is summed up), `value`, `delta`.
        counts: what is counted of a class; its index names the columns that are one.
    """
    key, means = list(counts.index.names), {}
    for name, part in long.groupby("intermediate", sort=False):
        column = "delta" if name != NONE and NONE in set(long["intermediate"]) else "value"
        means[name] = part.groupby(key, sort=False)[column].mean(skipna=False)
    return counts.assign(**means).reset_index()


def text_table(
    wide: pd.DataFrame, key: Sequence[str], counts: Collection[str], notes: Sequence[str]
) -> TextTable:
    """Return the wide table for readers: the best intermediate of each row is bold.

    Args:
        wide: columns `key`, `counts`, then one per intermediate.
        key: columns that name a row.
        counts: columns that are counts.
        notes: sentences below the table.
    """
    names = list(wide.columns[len(key) + len(counts) :])
    rows = []
    for row in wide.to_dict("records"):
        candidates = [numbers.rounded(row[n]) for n in names if n != NONE and row[n] == row[n]]
        best = max(candidates) if len(candidates) > 1 else None
        cells = [TableCell(str(row[count])) for count in counts]
        for name in names:
            signed = name != NONE and NONE in names
            is_best = name != NONE and numbers.rounded(row[name]) == best
            cells.append(
                TableCell((numbers.delta if signed else numbers.points)(row[name]), best=is_best)
            )
        rows.append(([row[name] for name in key], cells))
    return TextTable(key, [*counts, *names], rows, notes)
