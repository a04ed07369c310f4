"""The data of the figures, read from the result tables."""

from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from xstilts.analysis.delta_table import ROW
from xstilts.analysis.languages import GAP, OTHERS
from xstilts.running.errors import UserError

TEXT_COLUMNS = {
    *ROW, "target", "language", "kind", "seed", "task", "statistic", "over", "set", "measure",
}  # fmt: skip
BOOL_COLUMNS = {"survives", "best", "tested", "agrees"}


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


def transfer_gaps(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return model, intermediate, target and `gap` of the targets that have one.

    Args:
        tables: target -> its table by language (`tables/languages`).
    """
    parts = [
        table[[*ROW, GAP]].assign(target=target) for target, table in tables.items() if GAP in table
    ]
    return pd.concat(parts) if parts else pd.DataFrame(columns=[*ROW, GAP, "target"])


def curves(table: pd.DataFrame, chance: Mapping[tuple[str, str], float]) -> pd.DataFrame:
    """Return the learning curves (`cost.curves`) with the column `chance`: NaN where unknown.

    Args:
        table: the table of that name.
        chance: see `chance.of_trainings`.
    """
    stage_1 = table["kind"] == "intermediate"
    names = table["intermediate"].where(stage_1, table["task"])
    levels = [chance.get(key, float("nan")) for key in zip(table["kind"], names, strict=True)]
    return table.assign(chance=levels)


def data_maps(tables: Path) -> dict[tuple[str, str, str], pd.DataFrame]:
    """Return model, task and seed -> `subsets.points` of a recorded training; {} without any."""
    path = tables / "difficulty.map.csv"
    if not path.exists():
        return {}
    points = read_table(path, {*TEXT_COLUMNS, "id"})
    return {tuple(run): own for run, own in points.groupby(["model", "task", "seed"], sort=False)}


def missing_languages(table: pd.DataFrame, deltas: pd.DataFrame) -> list[str]:
    """Return the languages of a target that no row has a difference for, though some have others.

    Args:
        table: of the target, a column per language (`tables/languages`).
        deltas: of one model and target.
    """
    names = [c.removesuffix(" delta") for c in table.columns if c.endswith(" delta")]
    known = set(deltas["language"])
    return [name for name in names if name not in {OTHERS, GAP, *known}]
