"""Markdown and LaTeX of a table, in full, and text that would break them."""

import string

from hypothesis import given
from hypothesis import strategies as st
from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import LatexEnvironmentNode, LatexMacroNode, LatexWalker

from xstilts.analysis import text_table
from xstilts.analysis.text_table import TableCell, TextTable

ROWS = [
    (["a_1", "none"], [TableCell("50.0"), TableCell("40.0", best=True)]),
    (["a_1", "mnli"], [TableCell("+1.0", best=True, marked=True), TableCell("−2.0")]),
    (["b|c", "none"], [TableCell(), TableCell("60.0")]),
]
EXAMPLE = TextTable(["model", "task"], ["x & y", "100%"], ROWS, ["Note *: one.", "–: missing."])


def test_a_table_as_markdown():
    assert text_table.to_markdown(EXAMPLE) == (
        "| model   | task   | x & y      | 100%     |\n"
        "|:--------|:-------|:-----------|:---------|\n"
        "| a_1     | none   | 50.0       | **40.0** |\n"
        "| a_1     | mnli   | **+1.0\\*** | −2.0     |\n"
        "| b\\|c    | none   | –          | 60.0     |\n"
        "\n"
        "Note \\*: one. –: missing.\n"
    )


def test_a_table_as_latex():
    assert text_table.to_latex(EXAMPLE) == (
        "\\begin{tabular}{llrr}\n"
        "\\toprule\n"
        "model & task & x \\& y & 100\\% \\\\\n"
        "\\midrule\n"
        "a\\_1 & none & 50.0 & \\textbf{40.0} \\\\\n"
        "a\\_1 & mnli & \\textbf{+1.0$^{*}$} & $-$2.0 \\\\\n"
        "\\midrule\n"
        "b$|$c & none & -- & 60.0 \\\\\n"
        "\\bottomrule\n"
        "\\multicolumn{4}{l}{\\footnotesize Note *: one.} \\\\\n"
        "\\multicolumn{4}{l}{\\footnotesize --: missing.} \\\\\n"
        "\\end{tabular}\n"
    )


def test_a_table_without_rows_has_headings():
    empty = TextTable(["model"], ["x"], [])
    assert text_table.to_markdown(empty).splitlines()[0] == "| model   | x   |"
    assert parsed(text_table.to_latex(empty)) == [2]


def parsed(text):
    """The number of fields of each row; an error where the parser finds one."""
    (table,) = [
        node
        for node in LatexWalker(text, tolerant_parsing=False).get_latex_nodes()[0]
        if isinstance(node, LatexEnvironmentNode)
    ]
    assert table.environmentname == "tabular"
    rows, fields = [], 1
    for node in table.nodelist:
        if isinstance(node, LatexMacroNode) and node.macroname == "\\":
            rows.append(fields)
            fields = 1
        elif getattr(node, "specials_chars", "") == "&":
            fields += 1
        elif isinstance(node, LatexMacroNode) and node.macroname == "multicolumn":
            fields += int(text[node.pos :].split("{")[1].split("}")[0]) - 1
    return rows


names = st.text(string.printable.strip() + " äЖ中", min_size=1)


@given(names, st.lists(names, min_size=1, max_size=3), st.lists(names, max_size=2))
def test_any_name_is_a_table_that_latex_parses(name, headings, notes):
    cells = [TableCell(name)] * len(headings)
    table = TextTable(["model"], headings, [([name], cells), (["b"], cells)], notes)
    assert set(parsed(text_table.to_latex(table))) == {1 + len(headings)}


@given(st.text(string.ascii_letters + string.punctuation.replace("`", "").replace("'", "")))
def test_escaped_text_prints_as_it_is(text):
    back = LatexNodes2Text(keep_comments=True).latex_to_text(text_table.escape_latex(text))
    # The parser knows the ligatures of dashes and of question marks, and its own quotes and hat.
    assert back.replace("–", "--").replace("—", "---").replace("ˆ", "^") == text
