"""The numbers of the page, as text: rounded where those of the tables are (`analysis.numbers`)."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from xstilts.analysis import numbers
from xstilts.analysis.colours import Scale
from xstilts.analysis.delta_table import ROW
from xstilts.analysis.text_table import TextTable

# In characters: the differences of all pairs of rows. Beyond it they are left out by language, then
# altogether, so that a page of a hundred rows still opens on a phone.
MAX_DIFFERENCES = 1_500_000
STEPS = (-1.0, -0.66, -0.33, 0.0, 0.33, 0.66, 1.0)  # of the scale, in its legend

Row = tuple[str, str]  # model, intermediate


def main_fields(
    main: pd.DataFrame, text: TextTable, columns: Sequence[str], scale: Scale
) -> list[list[dict[str, Any]]]:
    """Return, per row of the main table, the field of each column.

    A field is `value` (to sort by; None where it is missing) and `text`; where it has a difference
    to the row none, also `delta` and the `paint` of it; `best`, `marked`, `overlaps` where it is.

    Args:
        main: see `tables.main_table`.
        text: the same as a text table, which says what is best and what is marked.
        columns: targets and average.
        scale: of the differences.
    """
    rows = []
    for values, (_, cells) in zip(main.to_dict("records"), text.rows, strict=True):
        fields = []
        for name, cell in zip(columns, cells, strict=True):
            value, delta = values[name], values[f"{name} delta"]
            field: dict[str, Any] = {
                "value": None if pd.isna(value) else float(value),
                "text": numbers.points(value),
            }
            if not pd.isna(delta):
                field |= {"delta": numbers.delta(delta), "paint": paint(scale, delta)}
            flags = {"best": cell.best, "marked": cell.marked, "overlaps": cell.overlaps}
            fields.append(field | {name: True for name, flag in flags.items() if flag})
        rows.append(fields)
    return rows


def paint(scale: Scale, delta: float) -> dict[str, Any]:
    """Return how a difference is painted: `colour`, and whether it is `dark` and a `loss`."""
    return {"colour": scale.colour(delta), "dark": scale.dark(delta), "loss": bool(delta < 0)}


def legend(scale: Scale) -> dict[str, Any]:
    """Return the ends of a scale as text, and its steps (see `paint`)."""
    steps = [paint(scale, part * scale.limit) for part in STEPS]
    return {
        "low": numbers.delta(-scale.limit),
        "high": numbers.delta(scale.limit),
        "steps": steps,
    }


def language_fields(
    tables: Mapping[str, pd.DataFrame], rows: Sequence[Row], languages: Mapping[str, Sequence[str]]
) -> list[list[list[list[str]]]]:
    """Return [row][target][language] -> [score, difference to none or ""], as text.

    Args:
        tables: target -> its table by language, with deltas (`languages.by_target`).
        rows: of the page.
        languages: target -> its languages, in the order of the page.
    """
    fields: list[list[list[list[str]]]] = [[] for _ in rows]
    for target, names in languages.items():
        by_row = tables[target].set_index(ROW).to_dict("index")
        for row, found in zip(rows, fields, strict=True):
            values = by_row.get(row, {})
            found.append([
                [numbers.points(values.get(name)), _delta(values.get(f"{name} delta"))]
                for name in names
            ])  # fmt: skip
    return fields


def _delta(value: Any) -> str:
    return "" if value is None or pd.isna(value) else numbers.delta(value)


def differences(
    main: pd.DataFrame,
    columns: Sequence[str],
    tables: Mapping[str, pd.DataFrame],
    rows: Sequence[Row],
    languages: Mapping[str, Sequence[str]],
) -> dict[str, list[Any]] | None:
    """Return "a/b" -> the differences of row b to an earlier row a, as text; None if too many.

    A list of those of the columns of the main table, and one of those by target and language; None
    in place of the second where that would be too many (`MAX_DIFFERENCES`).

    Args: see `main_fields` and `language_fields`.
    """
    pairs = len(rows) * (len(rows) - 1) // 2
    spaces = len(columns), sum(map(len, languages.values()))
    whole, by_language = (8 * pairs * n for n in (spaces[0], sum(spaces)))
    if whole > MAX_DIFFERENCES:
        return None
    overall = main.set_index(ROW)[list(columns)].reindex(list(rows)).to_numpy()
    each = [tables[t].set_index(ROW)[list(names)].reindex(list(rows)).to_numpy()
            for t, names in languages.items()]  # fmt: skip

    def texts(values, a: int, b: int) -> list[str]:
        return [numbers.delta(value) for value in values[b] - values[a]]

    return {
        f"{a}/{b}": [
            texts(overall, a, b),
            [texts(values, a, b) for values in each] if by_language <= MAX_DIFFERENCES else None,
        ]
        for b in range(len(rows))
        for a in range(b)
    }
