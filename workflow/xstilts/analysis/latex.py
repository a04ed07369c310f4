"""A table for readers as LaTeX: cut where it does not fit the page, shrunk in a narrow column."""

import itertools
import textwrap
from collections.abc import Sequence

from xstilts.analysis.numbers import MINUS, MISSING
from xstilts.analysis.text_table import TableCell, TextTable

# Points. The text of an A4 page in the class `article` at 10 points has 345; a table that is shrunk
# by a seventh is easier to read than two parts.
WIDTH = 400
ROWS = 40  # of a part; a page has room for more, but not for a heading and notes too
CHARACTER, SEPARATOR = 4.25, 6.0  # points: a digit in footnotesize; between two columns
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "[": "{[}", "*": "{*}",  # after the end of a row they would be its arguments
    "<": "$<$", ">": "$>$", "|": "$|$", MISSING: "--", MINUS: "$-$",
    "†": r"\dag{}",
}  # fmt: skip

Row = tuple[Sequence[str], Sequence[TableCell]]


def to_latex(table: TextTable) -> str:
    r"""Return the table for \input, which needs the packages booktabs and graphicx.

    Columns that do not fit beside each other, and rows that do not fit on a page, are parts one
    below the other, with the names of the rows in each. What is still too wide, as in a narrow
    column, is shrunk to \linewidth. Where several rows share their first name, it is a line above
    them. Notes are a paragraph below.
    """
    blocks = [list(rows) for _, rows in itertools.groupby(table.rows, lambda row: row[0][0])]
    grouped = len(table.labels) > 1 and any(len(block) > 1 for block in blocks)
    lines = [r"\begingroup\footnotesize\setlength{\tabcolsep}{3pt}%"]
    for part in _pages(blocks):
        for columns in _parts(table, grouped):
            lines += [r"\noindent\sbox0{%", *_tabular(table, part, columns, grouped), "}%"]
            lines.append(
                r"\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi"
            )
            lines.append(r"\par\smallskip")
    if table.notes:
        notes = escape_latex(" ".join(table.notes))
        lines.append(rf"\noindent\parbox{{\linewidth}}{{\raggedright {notes}}}\par")
    return "\n".join([*lines, r"\endgroup", ""])


def _pages(blocks: list[list[Row]]) -> list[list[list[Row]]]:
    """Return the blocks of each part: all, or each block apart, cut evenly where it is too long."""
    if sum(map(len, blocks)) <= ROWS:
        return [blocks]
    return [[block[r.start : r.stop]] for block in blocks for r in _cut(len(block), ROWS)]


def _cut(total: int, most: int) -> list[range]:
    """Cut so many things into as few runs of at most `most` as there can be, of like length."""
    number = -(-total // most)
    ends = [round(i * total / number) for i in range(number + 1)]
    return [range(*pair) for pair in itertools.pairwise(ends)]


def _parts(table: TextTable, grouped: bool) -> list[range]:
    """Return the indices of the columns of each part: as few parts as fit, of like size."""
    names = sum(
        _width([label, *(row[0][i] for row in table.rows)])
        for i, label in enumerate(table.labels)
        if i or not grouped
    )
    widths = [
        _width([*_heading(table, i), *(cells[i].text for _, cells in table.rows)])
        for i in range(len(table.columns))
    ]
    parts = [range(0)]
    for most in range(len(widths), 0, -1):
        parts = _cut(len(widths), most)
        if all(names + sum(widths[i] for i in part) <= WIDTH for part in parts):
            break
    return parts


def _width(texts: Sequence[str]) -> float:
    """Return about how wide a column is, in points."""
    return CHARACTER * max(map(len, texts)) + SEPARATOR


def _heading(table: TextTable, column: int) -> list[str]:
    """Return the lines of a heading, which is no wider than its column unless a word is."""
    words = table.columns[column]
    width = max([3, *(len(cells[column].text) for _, cells in table.rows)])
    return textwrap.wrap(words, width, break_long_words=False, break_on_hyphens=False) or [""]


def _tabular(table: TextTable, blocks: list[list[Row]], columns: range, grouped: bool) -> list[str]:
    """Return the lines of one part."""
    first = int(grouped)
    labels = table.labels[first:]
    headings = [[label] for label in labels] + [_heading(table, i) for i in columns]
    height = max(map(len, headings))
    stacked = [[""] * (height - len(lines)) + lines for lines in headings]
    lines = [
        r"\begin{tabular}{" + "l" * len(labels) + "r" * len(columns) + "}",
        r"\toprule",
        *(_line(map(escape_latex, line)) for line in zip(*stacked, strict=True)),
    ]
    for i, block in enumerate(blocks):
        if grouped or not i:
            lines.append(r"\midrule")
        if grouped:
            name = escape_latex(block[0][0][0])
            lines.append(_line([rf"\multicolumn{{{len(headings)}}}{{l}}{{\textit{{{name}}}}}"]))
        for names, cells in block:
            shown = [*map(escape_latex, names[first:]), *(_latex(cells[c]) for c in columns)]
            lines.append(_line(shown))
    return [*lines, r"\bottomrule", r"\end{tabular}"]


def _line(fields) -> str:
    return " & ".join(fields) + r" \\"


def _latex(cell: TableCell) -> str:
    marks = "*" * cell.marked + r"\dagger" * cell.overlaps
    text = escape_latex(cell.text) + (f"$^{{{marks}}}$" if marks else "")
    return rf"\textbf{{{text}}}" if cell.best else text


def escape_latex(text: str) -> str:
    """Escape what LaTeX would not print as it is."""
    return "".join(_LATEX.get(character, character) for character in text)
