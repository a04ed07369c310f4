"""Classes of examples by hand: means over examples, languages, the median over seeds."""

import numpy as np
import pandas as pd
import pytest
from tests.analysis.test_tables import as_rows

from xstilts.analysis import strata
from xstilts.analysis.text_table import to_markdown

NAN = float("nan")
# 20 examples of either class, one of none, 19 of one that is too small.
CLASSES = ["2"] * 20 + ["10"] * 20 + [None] + ["rare"] * 19


def values(two, ten):
    """The values of examples of which those of a class have this mean."""
    return np.array([two] * 20 + [ten] * 20 + [1.0] * 20, np.float32)


def world(figures, classes=None):
    """Grid, files, values and classes of {(intermediate, seed, language): means of the classes}."""
    grid = pd.DataFrame(
        [("m", i, seed, "xnli", lang, f"{i}/{seed}/{lang}") for i, seed, lang in figures],
        columns=["model", "intermediate", "seed", "target", "language", "score"],
    )
    there = {"/".join(key): values(*of) for key, of in figures.items() if of}
    files = {path: {"score": 0.5} for path in there}
    languages = {key[2] for key, of in figures.items() if of}
    of = {("xnli", lang): {"hops": classes or CLASSES} for lang in languages}
    return grid, files, there, of


FIGURES = {
    ("none", "seed1", "de"): (0.5, 0.25), ("none", "seed1", "en"): (1.0, 0.75),
    ("mnli", "seed1", "de"): (0.5, 0.5), ("mnli", "seed1", "en"): (1.0, 1.0),
    ("mnli", "seed2", "de"): (0.25, 0.0), ("mnli", "seed2", "en"): (0.25, 0.0),
    ("mnli", "seed3", "de"): (0.75, 1.0), ("mnli", "seed3", "en"): (1.0, 1.0),
}  # fmt: skip


def test_means_over_examples_and_languages_then_the_median_over_seeds():
    found = strata.table(*world(FIGURES))
    assert list(found) == [
        "model", "intermediate", "target", "stratum", "class", "languages", "examples", "value",
        "delta",
    ]  # fmt: skip
    assert as_rows(found) == [
        ["m", "none", "xnli", "hops", "2", 2, 20, 75.0, None],
        ["m", "mnli", "xnli", "hops", "2", 2, 20, 75.0, 0.0],
        ["m", "none", "xnli", "hops", "10", 2, 20, 50.0, None],
        ["m", "mnli", "xnli", "hops", "10", 2, 20, 75.0, 25.0],
    ]


def test_the_wide_form_and_what_readers_see():
    wide = strata.wide(strata.table(*world(FIGURES)))
    assert list(wide) == [*strata.KEY, "languages", "examples", "none", "mnli"]
    assert as_rows(wide) == [
        ["m", "xnli", "hops", "2", 2, 20, 75.0, 0.0],
        ["m", "xnli", "hops", "10", 2, 20, 50.0, 25.0],
    ]
    text = to_markdown(strata.text_table(wide))
    assert [cell.strip() for cell in text.splitlines()[3].split("|")[1:-1]] == [
        "m", "xnli", "hops", "10", "2", "20", "50.0", "+25.0",
    ]  # fmt: skip
    assert "Of classes with 20 examples or more in a language." in text


@pytest.mark.parametrize("gone", [("mnli", "seed3", "de"), ("mnli", "seed1", "en")])
def test_a_missing_score_leaves_its_row_missing(gone):
    found = strata.wide(strata.table(*world({**FIGURES, gone: None})))
    assert as_rows(found[["none", "mnli"]]) == [[75.0, None], [50.0, None]]


def test_a_language_of_which_no_score_is_there_leaves_all_missing():
    figures = {key: of if key[2] == "de" else None for key, of in FIGURES.items()}
    found = strata.wide(strata.table(*world(figures)))
    assert as_rows(found[["class", "languages", "none", "mnli"]]) == [
        ["2", 1, None, None], ["10", 1, None, None],
    ]  # fmt: skip


def test_without_anything_to_show_the_table_has_its_header():
    for world_of in (
        world(dict.fromkeys(FIGURES)),
        world(FIGURES, ["a", None, *["b"] * 19] * 1 + ["c"] * 19),
    ):
        long = strata.table(*world_of)
        wide = strata.wide(long)
        assert long.empty and wide.empty and list(wide) == [*strata.KEY, *strata.COUNTS]
        assert to_markdown(strata.text_table(wide)).startswith("| model")
