"""A table as a reader sees it, and its Markdown and LaTeX."""

import dataclasses
from collections.abc import Sequence

from tabulate import tabulate

MISSING = "–"
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": "$<$", ">": "$>$", "|": "$|$", "–": "--",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Cell:
    """A figure: its text, whether it is the best of its kind, whether it carries a mark."""

    text: str = MISSING
    best: bool = False
    marked: bool = False


@dataclasses.dataclass(frozen=True)
class Sheet:
    """A table for readers.

    Attributes:
        labels: headings of the columns that name a row.
        columns: headings of the columns of figures.
        rows: the names of each row and its figures. A change of the first name starts a new block.
        notes: what stands below, a sentence each.
    """

    labels: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[tuple[Sequence[str], Sequence[Cell]]]
    notes: Sequence[str] = ()


def figure(value: float, sign: bool = False, digits: int = 1) -> str:
    """Return a number with its decimals, a dash where it is missing, "+" before a gain."""
    if value != value:
        return MISSING
    return f"{round(value, digits) + 0.0:{'+' if sign else ''}.{digits}f}"  # never "-0.0"


def markdown(sheet: Sheet) -> str:
    """Return the sheet as Markdown: the best in bold, marks as an asterisk."""
    body = [
        [_plain(name) for name in names] + [_markdown(cell) for cell in cells]
        for names, cells in sheet.rows
    ]
    headings = [_plain(name) for name in (*sheet.labels, *sheet.columns)]
    align = ["left"] * len(headings)
    table = tabulate(body, headings, "pipe", disable_numparse=True, colalign=align if body else ())
    notes = _plain(" ".join(sheet.notes))
    return f"{table}\n\n{notes}\n" if notes else f"{table}\n"


def _plain(text: str) -> str:
    return text.replace("|", r"\|").replace("*", r"\*")


def _markdown(cell: Cell) -> str:
    text = _plain(cell.text) + (r"\*" if cell.marked else "")
    return f"**{text}**" if cell.best else text


def latex(sheet: Sheet) -> str:
    r"""Return the sheet as a `tabular` for \input, which needs the package booktabs and no other.

    Notes are its last rows, so that they stay with the table.
    """
    width = len(sheet.labels) + len(sheet.columns)
    lines = [
        r"\begin{tabular}{" + "l" * len(sheet.labels) + "r" * len(sheet.columns) + "}",
        r"\toprule",
        _line([escape(name) for name in (*sheet.labels, *sheet.columns)]),
        r"\midrule",
    ]
    block = None
    for names, cells in sheet.rows:
        if block is not None and names[0] != block:
            lines.append(r"\midrule")
        block = names[0]
        lines.append(_line([*map(escape, names), *map(_latex, cells)]))
    lines.append(r"\bottomrule")
    for note in sheet.notes:
        lines.append(_line([rf"\multicolumn{{{width}}}{{l}}{{\footnotesize {escape(note)}}}"]))
    return "\n".join([*lines, r"\end{tabular}", ""])


def _line(fields: Sequence[str]) -> str:
    return " & ".join(fields) + r" \\"


def _latex(cell: Cell) -> str:
    text = escape(cell.text)
    if text.startswith("-") and cell.text != MISSING:
        text = "$-$" + text[1:]
    text += "$^{*}$" if cell.marked else ""
    return rf"\textbf{{{text}}}" if cell.best else text


def escape(text: str) -> str:
    """Return text that LaTeX prints as it is."""
    return "".join(_LATEX.get(character, character) for character in text)
