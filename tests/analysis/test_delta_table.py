"""The paper's form: absolute baseline, signed differences, the best in bold, dashes."""

import pandas as pd

from xstilts.analysis import delta_table

NAN = float("nan")
COLUMNS = ["model", "intermediate", "x", "x delta", "y", "y delta"]


def shown(rows, **options):
    table = delta_table.build(pd.DataFrame(rows, columns=COLUMNS), **options)
    return [[c.text + "!" * c.best + "*" * c.marked for c in cells] for _, cells in table.rows]


def test_a_baseline_and_differences_of_each_model():
    rows = [
        ("a", "none", 50.0, NAN, 70.0, NAN),
        ("a", "mnli", 55.0, 5.0, 60.0, -10.0),
        ("b", "none", 90.0, NAN, 10.0, NAN),
        ("b", "mnli", 80.0, -10.0, 10.04, 0.04),
    ]
    marked = {("a", "mnli", "x"), ("b", "mnli", "other")}
    assert shown(rows, marked=marked) == [
        ["50.0", "70.0!"],
        ["+5.0!*", "−10.0"],
        ["90.0!", "10.0!"],  # as good as the other to the decimal that is printed
        ["−10.0", "0.0!"],
    ]


def test_without_a_baseline_figures_are_absolute():
    rows = [("a", "squad", 50.0, NAN, 70.0, NAN), ("a", "mnli", 55.0, NAN, NAN, NAN)]
    assert shown(rows) == [["50.0", "70.0"], ["55.0!", "–"]]


def test_a_missing_baseline_leaves_no_difference():
    rows = [("a", "none", NAN, NAN, 70.0, NAN), ("a", "mnli", 55.0, NAN, 71.0, 1.0)]
    assert shown(rows) == [["–", "70.0"], ["–", "+1.0!"]]


def test_in_some_columns_less_is_better():
    rows = [("a", "none", 50.0, NAN, 70.0, NAN), ("a", "mnli", 55.0, 5.0, 60.0, -10.0)]
    assert shown(rows, lower_is_better=["y"]) == [["50.0", "70.0"], ["+5.0!", "−10.0!"]]


def test_a_note_counts_what_is_missing():
    rows = [("a", "none", NAN, NAN, NAN, NAN)]
    table = delta_table.build(pd.DataFrame(rows, columns=COLUMNS), headings={"x": "X (acc)"})
    assert table.columns == ["X (acc)", "y"]
    assert delta_table.missing_note(table, 3, 8) == [
        "–: 2 cells are not complete; 3 of 8 score files are missing."
    ]
    assert delta_table.missing_note(table, 0, 8) == ["–: not in the grid."]
    one = delta_table.build(pd.DataFrame([("a", "none", NAN, NAN, 1.0, NAN)], columns=COLUMNS))
    assert delta_table.missing_note(one, 1, 8)[0].startswith("–: 1 cell is not complete")
    full = delta_table.build(pd.DataFrame([("a", "none", 1.0, NAN, 1.0, NAN)], columns=COLUMNS))
    assert delta_table.missing_note(full, 0, 8) == []
