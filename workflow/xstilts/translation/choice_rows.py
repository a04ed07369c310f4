"""Rows with choices: the right one is known by its number."""

from collections.abc import Sequence

from xstilts.translation.rows import EMPTY, Align, Row

SAME = "two choices are the same"


def texts(row: Row) -> list[str]:
    """Return the context and the choices of a row."""
    context = row.get("context") or ""
    return [*([context] if context.strip() else []), *row["choices"]]


def rebuilt(row: Row, translated: Sequence[str], align: Align | None = None) -> Row | str:
    """Return the row with translations in the place of its `texts`.

    The reason there is none: one is empty; the right choice is no longer told from another.
    """
    if any(not text.strip() for text in translated):
        return EMPTY
    count = len(row["choices"])
    choices, before = list(translated[-count:]), translated[:-count]
    right = choices[row["label"]]
    if choices.count(right) > row["choices"].count(row["choices"][row["label"]]):
        return SAME
    return row | {"choices": choices} | ({"context": before[0]} if before else {})
