"""A target by language, by hand."""

import pandas as pd
from tests.analysis.test_tables import NO_DELTAS, VALUES, as_rows, experiment

from xstilts.analysis import languages, tables
from xstilts.scoring import scores

NAN = float("nan")


def by_target(values=VALUES):
    grid, files = experiment(values)
    found, _ = scores.collect(grid, files.get)
    return languages.by_target(scores.language_values(grid, found))


def test_a_target_by_language_in_full():
    table = by_target()["xnli"]
    assert list(table) == ["en", "de", "others", "gap"]
    assert as_rows(table.reset_index()) == [
        ["m", "none", 61.0, 51.0, 51.0, 10.0],
        ["m", "mnli", 70.0, 60.0, 60.0, 10.0],
    ]


def test_without_english_there_is_no_gap_and_with_it_alone_no_others():
    kept = {key: value for key, value in VALUES.items() if key[3] == "de"}
    assert list(by_target(kept)["xnli"]) == ["de", "others"]
    kept = {key: value for key, value in VALUES.items() if key[3] == "en"}
    assert list(by_target(kept)["xnli"]) == ["en"]


def test_a_language_that_is_missing_leaves_no_mean():
    cells = pd.DataFrame(
        [("m", "none", "xnli", "en", 60.0), ("m", "none", "xnli", "de", NAN)],
        columns=["model", "intermediate", "target", "language", "value"],
    )
    assert as_rows(languages.by_target(cells)["xnli"]) == [[60.0, None, None, None]]


def test_readers_see_what_the_columns_are():
    wide = by_target()["xquad"]
    table = tables.with_deltas(wide)
    shown = languages.text_table(table, NO_DELTAS, 0, 8)
    assert shown.columns == ["en", "de", "others", "gap"]
    assert [cell.text for cell in shown.rows[1][1]] == ["−10.0", "−10.0", "−10.0", "0.0"]
    assert shown.notes == [
        "Median over seeds, in percent; differences to the row none.",
        "others: mean of the languages that are not English.",
        "gap: English minus others; less is better.",
    ]
