"""What figures are drawn from: the result tables, read back."""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from xstilts.analysis.delta_table import ROW
from xstilts.analysis.languages import GAP
from xstilts.running.errors import UserError

NAMES = {*ROW, "target", "language", "kind", "seed", "task", "statistic", "over"}
FLAGS = {"survives", "best"}


def load(path: Path, names: Collection[str] = frozenset(NAMES)) -> pd.DataFrame:
    """Return a result table; UserError without it.

    Names stay text, also `007` and `nan`; `FLAGS` become bool, where empty is false; what else
    there is becomes numbers, where empty is missing.
    """
    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such table; the step `tables` makes it") from None
    for column in set(raw.columns) - set(names):
        if column in FLAGS:
            raw[column] = raw[column] == "True"
        else:
            raw[column] = pd.to_numeric(raw[column].where(raw[column] != ""), errors="raise")
    return raw


def gaps(tables: Path, targets: Collection[str]) -> pd.DataFrame:
    """Return model, intermediate, target and `gap` of the targets that have one."""
    found = [
        table[[*ROW, GAP]].assign(target=target)
        for target in targets
        if GAP in (table := load(tables / f"languages/{target}.csv"))
    ]
    return pd.concat(found) if found else pd.DataFrame(columns=[*ROW, GAP, "target"])
