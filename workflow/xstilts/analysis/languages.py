"""The scores of a target by language, and the transfer gap."""

import dataclasses
from collections.abc import Iterable

import pandas as pd

from xstilts.analysis import delta_table, overlap
from xstilts.analysis.text_table import TextTable

ENGLISH = "en"
OTHERS, GAP = "others", "gap"


def ordered(names: Iterable[str]) -> list[str]:
    """Return languages as tables, figures and page list them: English, then by code, each once."""
    return sorted(set(names), key=lambda name: (name != ENGLISH, name))


def by_target(language_values: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return target -> a row per (model, intermediate) and a column per language, in percent.

    Then `others`, the unweighted mean of the languages other than English, and `gap`, English
    minus that: the loss in transfer (Hu et al. 2020, XTREME, arXiv 2003.11080; from memory). Both
    are missing where a language is, and the gap where the target has no English.

    Args:
        language_values: see `scores.language_values`.
    """
    tables = {}
    for target, part in language_values.groupby("target", sort=False):
        rows = pd.MultiIndex.from_frame(part[delta_table.ROW].drop_duplicates())
        wide = (
            part.set_index([*delta_table.ROW, "language"])["value"]
            .unstack("language")
            .reindex(rows)
        )
        names = ordered(wide.columns)
        wide = wide[names]
        others = [name for name in names if name != ENGLISH]
        if others:
            wide[OTHERS] = wide[others].mean(axis=1, skipna=False)
        if others and ENGLISH in names:
            wide[GAP] = wide[ENGLISH] - wide[OTHERS]
        tables[str(target)] = wide
    return tables


def text_table(
    table: pd.DataFrame,
    deltas: pd.DataFrame,
    missing: int,
    total: int,
    overlapping: Iterable[str] = (),
) -> TextTable:
    """Return a target's table for readers; the lowest gap is the best.

    Args:
        table: of `by_target`, with deltas.
        deltas: see `significance.deltas`; those of the target.
        missing: how many of the `total` score files of the grid are missing.
        overlapping: the intermediates of which the English rows of the target are said to stand in
            the train rows.
    """
    notes = ["Median over seeds, in percent; differences to the row none."]
    if OTHERS in table:
        notes.append("others: mean of the languages that are not English.")
    if GAP in table:
        notes.append("gap: English minus others; less is better.")
    by_language = deltas[deltas["language"] != ""]
    notes += delta_table.statistics_note(table, by_language, "language")
    pairs = {(name, ENGLISH) for name in overlapping}
    text = delta_table.build(table, lower_is_better=[GAP], overlapping=pairs)
    notes += overlap.note(text)
    return dataclasses.replace(
        text, notes=[*notes, *delta_table.missing_note(text, missing, total)]
    )
