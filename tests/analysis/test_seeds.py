"""The table of seeds, by hand."""

import math

import pandas as pd
import pytest
from tests.analysis.test_tables import NO_DELTAS, THREE, as_rows, cells, experiment

from xstilts.analysis import seeds, significance

FIGURES = ["model", "intermediate", "target", "n", "median", "mean", "sd", "low", "high"]


def delta(**changes):
    row = dict(model="m", intermediate="mnli", target="tatoeba", language="", statistic="score")
    row |= dict(over="examples and seeds", delta=17.0, low=1.5, high=32.5, p=0.01)
    row |= {"p holm": 0.02, "survives": True, **changes}
    return pd.DataFrame([row], columns=significance.COLUMNS)


def test_the_seeds_table_in_full():
    table = seeds.table(cells(*experiment(THREE)), delta())
    assert list(table) == [*FIGURES, *seeds.DELTA_COLUMNS]
    reach = 4.302653 * math.sqrt((7**2 + 6**2 + 13**2) / 2 / 3)
    none, mnli = as_rows(table)
    assert none == ["m", "none", "tatoeba", 1, 40.0, 40.0, *[None] * 11]
    assert mnli[:6] == ["m", "mnli", "tatoeba", 3, 51.0, 57.0]
    assert mnli[6:9] == pytest.approx([math.sqrt(127), 57 - reach, 57 + reach], abs=1e-5)
    assert mnli[9:] == ["score", "examples and seeds", 17.0, 1.5, 32.5, 0.01, 0.02, True]


def test_a_seed_that_is_missing_is_counted_and_leaves_no_figures():
    grid, files = experiment(THREE)
    del files["scores/m/mnli/seed3/tatoeba/de.json"]
    table = seeds.table(cells(grid, files), NO_DELTAS)
    assert as_rows(table)[1] == ["m", "mnli", "tatoeba", 2, *[None] * 13]


def test_the_wide_form_has_a_row_an_intermediate():
    wide = seeds.wide(seeds.table(cells(*experiment(THREE)), delta()))
    assert list(wide)[:4] == ["model", "intermediate", "tatoeba n", "tatoeba median"]
    assert as_rows(wide[["model", "intermediate", "tatoeba median", "tatoeba delta"]]) == [
        ["m", "none", 40.0, None],
        ["m", "mnli", 51.0, 17.0],
    ]


def test_readers_see_the_interval_and_the_mark():
    shown = seeds.text_table(seeds.table(cells(*experiment(THREE)), delta()))
    (_, none), (names, mnli) = shown.rows
    assert [cell.text for cell in none] == ["1", "40.0", "40.0", *["–"] * 6]
    assert names == ["m", "mnli", "tatoeba"]
    assert [cell.text for cell in mnli] == [
        "3", "51.0", "57.0", "11.3", "29.0 to 85.0", "+17.0", "1.5 to 32.5", "0.020",
        "examples and seeds",
    ]  # fmt: skip
    assert [cell.marked for cell in mnli] == [c == 5 for c in range(9)]
    assert len(shown.notes) == 2, "`none` has one value"


def test_two_seeds_have_no_interval():
    """Was: a Student's t of 12.7, so 43.3 to 68.7 of 55 and 57."""
    two = {key: value for key, value in THREE.items() if key[1] != "seed3"}
    table = seeds.table(cells(*experiment(two)), NO_DELTAS)
    assert as_rows(table)[1][3:9] == [2, 50.5, 50.5, pytest.approx(0.707107), None, None]
    text = seeds.text_table(table)
    assert list(text.columns) == ["n", "median", "mean", "sd"], "nor columns of dashes alone"
    assert text.notes[1] == "No interval of the mean is given of fewer than 3 seeds."


def test_a_stand_in_for_the_score_is_named():
    found = delta(statistic=significance.EXAMPLE_VALUES, **{"p holm": 0.0001})
    shown = seeds.text_table(seeds.table(cells(*experiment(THREE)), found))
    assert shown.rows[1][1][7].text == "<0.001"
    assert shown.notes[-1].startswith("tatoeba: the delta is of the mean value of the examples")
