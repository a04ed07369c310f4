"""A table for readers, and its Markdown and LaTeX."""

import dataclasses
from collections.abc import Sequence

from tabulate import tabulate

from xstilts.analysis.numbers import MINUS, MISSING

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": "$<$", ">": "$>$", "|": "$|$", MISSING: "--", MINUS: "$-$",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class TableCell:
    """The text of a cell; whether it is the best of its kind, and marked as significant."""

    text: str = MISSING
    best: bool = False
    marked: bool = False


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


def to_markdown(table: TextTable) -> str:
    """Return the table as Markdown: the best in bold, marks as an asterisk."""
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
    return text.replace("|", r"\|").replace("*", r"\*")


def _markdown(cell: TableCell) -> str:
    text = _escape_markdown(cell.text) + (r"\*" if cell.marked else "")
    return f"**{text}**" if cell.best else text


def to_latex(table: TextTable) -> str:
    r"""Return the table as a `tabular` for \input, which needs the package booktabs alone.

    Notes are its last rows, so that they stay with the table.
    """
    width = len(table.labels) + len(table.columns)
    lines = [
        r"\begin{tabular}{" + "l" * len(table.labels) + "r" * len(table.columns) + "}",
        r"\toprule",
        _line([escape_latex(name) for name in (*table.labels, *table.columns)]),
        r"\midrule",
    ]
    block = None
    for names, cells in table.rows:
        if block is not None and names[0] != block:
            lines.append(r"\midrule")
        block = names[0]
        lines.append(_line([*map(escape_latex, names), *map(_latex, cells)]))
    lines.append(r"\bottomrule")
    for note in table.notes:
        lines.append(
            _line([rf"\multicolumn{{{width}}}{{l}}{{\footnotesize {escape_latex(note)}}}"])
        )
    return "\n".join([*lines, r"\end{tabular}", ""])


def _line(fields: Sequence[str]) -> str:
    return " & ".join(fields) + r" \\"


def _latex(cell: TableCell) -> str:
    text = escape_latex(cell.text)
    text += "$^{*}$" if cell.marked else ""
    return rf"\textbf{{{text}}}" if cell.best else text


def escape_latex(text: str) -> str:
    """Escape what LaTeX would not print as it is."""
    return "".join(_LATEX.get(character, character) for character in text)
