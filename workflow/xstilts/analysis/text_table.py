"""A table for readers, and its Markdown; `latex` has its LaTeX."""

import dataclasses
import re
from collections.abc import Sequence

from tabulate import tabulate

from xstilts.analysis.numbers import MISSING


@dataclasses.dataclass(frozen=True)
class TableCell:
    """The text of a cell; whether it is the best of its kind, marked as significant, and of a
    target whose rows stand in train rows (`overlap`)."""

    text: str = MISSING
    best: bool = False
    marked: bool = False
    overlaps: bool = False


@dataclasses.dataclass(frozen=True)
class TextTable:
    """A table for readers.

    Attributes:
        labels: headings of the columns that name a row.
        columns: headings of the other columns.
        rows: the names of each row and its cells. A change of the first name starts a new block.
        notes: sentences below the table.
    """

    labels: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[tuple[Sequence[str], Sequence[TableCell]]]
    notes: Sequence[str] = ()


def without_empty(table: TextTable) -> TextTable:
    """Return the table without the columns that hold dashes alone."""
    kept = [
        i
        for i in range(len(table.columns))
        if any(cells[i].text != MISSING for _, cells in table.rows)
    ]
    rows = [(names, [cells[i] for i in kept]) for names, cells in table.rows]
    return dataclasses.replace(table, columns=[table.columns[i] for i in kept], rows=rows)


def with_notes(table: TextTable, notes: Sequence[str]) -> TextTable:
    """Return the table with further sentences below it."""
    return dataclasses.replace(table, notes=[*table.notes, *notes])


def to_markdown(table: TextTable) -> str:
    """Return the table as Markdown: the best in bold, marks as asterisk and dagger."""
    body = [
        [_escape_markdown(name) for name in names] + [_markdown(cell) for cell in cells]
        for names, cells in table.rows
    ]
    headings = [_escape_markdown(name) for name in (*table.labels, *table.columns)]
    align = ["left"] * len(headings)
    text = tabulate(body, headings, "pipe", disable_numparse=True, colalign=align if body else ())
    notes = _escape_markdown(" ".join(table.notes))
    return f"{text}\n\n{notes}\n" if notes else f"{text}\n"


def _escape_markdown(text: str) -> str:
    text = text.replace("|", r"\|").replace("*", r"\*")
    return re.sub(r"<(?=[A-Za-z/!?])", r"\<", text)  # the start of an HTML tag


def _markdown(cell: TableCell) -> str:
    text = _escape_markdown(cell.text) + (r"\*" if cell.marked else "") + "†" * cell.overlaps
    return f"**{text}**" if cell.best else text
