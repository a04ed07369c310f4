"""A table for readers, and its Markdown, in full."""

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


def test_a_name_is_no_html():
    table = TextTable(["<b>"], ["p"], [(["</i><!--"], [TableCell("<0.001")])], ["a < b <img>"])
    assert text_table.to_markdown(table) == (
        "| \\<b>       | p      |\n"
        "|:-----------|:-------|\n"
        "| \\</i>\\<!-- | <0.001 |\n"
        "\n"
        "a < b \\<img>\n"
    )


def test_a_table_without_rows_has_headings():
    empty = TextTable(["model"], ["x"], [])
    assert text_table.to_markdown(empty).splitlines()[0] == "| model   | x   |"


def test_a_column_of_dashes_alone_is_left_out():
    rows = [
        (["a"], [TableCell(), TableCell("1"), TableCell()]),
        (["b"], [TableCell(), TableCell("2"), TableCell("3")]),
    ]
    kept = text_table.without_empty(TextTable(["model"], ["x", "y", "z"], rows, ["Note."]))
    assert kept == TextTable(
        ["model"],
        ["y", "z"],
        [(["a"], [TableCell("1"), TableCell()]), (["b"], [TableCell("2"), TableCell("3")])],
        ["Note."],
    )
