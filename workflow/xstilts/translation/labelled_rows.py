"""Rows of one text or two with a label that holds of the translation, too: classification,
regression, dual encoders, and text to be masked."""

from collections.abc import Sequence

from xstilts.translation.rows import EMPTY, Align, Row

FIELDS = ("text", "text_pair")


def texts(row: Row) -> list[str]:
    """Return the texts of a row, the first first; one that is missing or blank is none."""
    return [row[field] for field in _there(row)]


def rebuilt(row: Row, translated: Sequence[str], align: Align | None = None) -> Row | str:
    """Return the row with translations in the place of its `texts`; the reason if one is empty."""
    if any(not text.strip() for text in translated):
        return EMPTY
    return row | dict(zip(_there(row), translated, strict=True))


def _there(row: Row) -> list[str]:
    return [field for field in FIELDS if (row.get(field) or "").strip()]
