"""The data of the figures, read from the result tables."""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from xstilts.analysis.delta_table import ROW
from xstilts.analysis.languages import GAP
from xstilts.running.errors import UserError

TEXT_COLUMNS = {*ROW, "target", "language", "kind", "seed", "task", "statistic", "over"}
BOOL_COLUMNS = {"survives", "best"}


def read_table(path: Path, text_columns: Collection[str] = frozenset(TEXT_COLUMNS)) -> pd.DataFrame:
    """Return a result table; UserError without it.

    Text stays text, also `007` and `nan`; `BOOL_COLUMNS` become bool, where empty is false; other
    columns become numbers, where empty is missing.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such table; the step `tables` makes it") from None
    for column in set(table.columns) - set(text_columns):
        if column in BOOL_COLUMNS:
            table[column] = table[column] == "True"
        else:
            table[column] = pd.to_numeric(table[column].where(table[column] != ""), errors="raise")
    return table


def transfer_gaps(tables: Path, targets: Collection[str]) -> pd.DataFrame:
    """Return model, intermediate, target and `gap` of the targets that have one."""
    parts = [
        table[[*ROW, GAP]].assign(target=target)
        for target in targets
        if GAP in (table := read_table(tables / f"languages/{target}.csv"))
    ]
    return pd.concat(parts) if parts else pd.DataFrame(columns=[*ROW, GAP, "target"])
