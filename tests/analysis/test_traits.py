"""Languages by what they are, by hand; the reference file has every language of the tasks."""

import numpy as np
import pandas as pd
import pytest
from tests.analysis.test_tables import as_rows

from xstilts.analysis import evidence, traits
from xstilts.analysis.estimates import Estimator
from xstilts.experiment import tasks

NAN = float("nan")
TRAITS = pd.DataFrame(
    {
        "family": ["A", "A", "B", "A"],
        "script": ["Latin", "Latin", "Greek", "Latin"],
        "resources": [traits.SIZES[3], traits.SIZES[0], traits.SIZES[0], traits.SIZES[3]],
        "distance": [traits.DISTANCES[0]] * 4,
    },
    index=["de", "af", "el", "en"],
)


def cells(figures):
    rows = [("m", i, "xnli", language, value) for (i, language), value in figures.items()]
    return pd.DataFrame(rows, columns=["model", "intermediate", "target", "language", "value"])


FIGURES = {
    ("none", "en"): 90.0, ("none", "de"): 60.0, ("none", "af"): 40.0, ("none", "el"): 30.0,
    ("mnli", "en"): 10.0, ("mnli", "de"): 65.0, ("mnli", "af"): 41.0, ("mnli", "el"): 20.0,
}  # fmt: skip


def test_means_over_the_languages_of_a_class_without_english():
    found = traits.table(cells(FIGURES), TRAITS)
    family = found[found["trait"] == "family"].drop(columns="trait")
    assert list(family) == [
        "model", "intermediate", "target", "class", "languages", "value", "delta"
    ]  # fmt: skip
    assert as_rows(family) == [
        ["m", "none", "xnli", "A", 2, 50.0, None],
        ["m", "none", "xnli", "B", 1, 30.0, None],
        ["m", "mnli", "xnli", "A", 2, 53.0, 3.0],
        ["m", "mnli", "xnli", "B", 1, 20.0, -10.0],
    ]


def test_the_wide_form_sorts_sizes_by_size():
    wide = traits.wide(traits.table(cells(FIGURES), TRAITS))
    assert list(wide) == ["model", "trait", "class", "targets", "languages", "none", "mnli"]
    assert as_rows(wide) == [
        ["m", "family", "A", 1, 2, 50.0, 3.0],
        ["m", "family", "B", 1, 1, 30.0, -10.0],
        ["m", "script", "Greek", 1, 1, 30.0, -10.0],
        ["m", "script", "Latin", 1, 2, 50.0, 3.0],
        ["m", "resources", "under 0.1 GB", 1, 2, 35.0, -4.5],
        ["m", "resources", "10 GB and more", 1, 1, 60.0, 5.0],
        ["m", "distance", "near, under 0.2", 1, 3, 43.333333, -1.333333],
    ]


def test_a_missing_language_leaves_its_classes_missing():
    found = traits.wide(traits.table(cells({**FIGURES, ("mnli", "el"): NAN}), TRAITS))
    assert as_rows(found[["class", "mnli"]])[:4] == [
        ["A", 3.0], ["B", None], ["Greek", None], ["Latin", 3.0]
    ]  # fmt: skip


def test_without_a_baseline_the_wide_form_has_scores():
    kept = {key: value for key, value in FIGURES.items() if key[0] == "mnli"}
    found = traits.wide(traits.table(cells(kept), TRAITS))
    assert as_rows(found[["class", "mnli"]])[0] == ["A", 53.0]


def test_a_language_that_is_not_known_is_a_class_of_its_own():
    found = traits.wide(traits.table(cells({("none", "tlh"): 50.0}), TRAITS))
    assert set(found["class"]) == {traits.UNKNOWN} and len(found) == len(traits.TRAITS)


def test_readers_see_the_best_of_each_row():
    found = traits.wide(traits.table(cells({**FIGURES, ("squad", "de"): 66.0}), TRAITS))
    shown = traits.text_table(found)
    assert shown.columns == ["targets", "languages", "none", "mnli", "squad"]
    (names, figures) = shown.rows[-2]
    assert names == ["m", "resources", "10 GB and more"]
    assert [cell.text for cell in figures] == ["1", "1", "60.0", "+5.0", "+6.0"]
    assert [cell.best for cell in figures] == [False, False, False, False, True]


def test_differences_by_class_have_intervals():
    """Was: a mean of a few languages, with nothing that said how much of it is noise."""
    grid = pd.DataFrame(
        [
            ("m", i, f"seed{s}", "xnli", language, f"{i} {s} {language}")
            for i in ("none", "mnli")
            for s in (1, 2, 3)
            for language in ("en", "de", "af", "el")
        ],
        columns=["model", "intermediate", "seed", "target", "language", "score"],
    )
    random = np.random.default_rng(0)
    values = {
        path: (random.random(80) < 0.3 + 0.4 * path.startswith("mnli")).astype(np.float32)
        for path in grid["score"]
    }
    del values["mnli 2 el"]
    ids = {("xnli", x): [str(i) for i in range(80)] for x in ("en", "de", "af", "el")}
    estimator = Estimator(evidence.collect(grid, values, ids))
    found = traits.deltas(grid, TRAITS, estimator)
    assert list(found) == [
        "model", "intermediate", "trait", "class", "delta", "low", "high", "p", "p holm",
        "survives", "over",
    ]  # fmt: skip
    assert found[["trait", "class"]].to_numpy().tolist() == [
        ["family", "A"], ["script", "Latin"], ["resources", traits.SIZES[3]],
    ], "classes with Greek are not whole"  # fmt: skip
    assert traits.deltas(grid[grid["intermediate"] == "mnli"], TRAITS, estimator).empty
    excluded = grid[(grid["intermediate"] == "mnli") | (grid["language"] != "af")]
    left = evidence.collect(excluded, values, ids)
    whole = traits.deltas(excluded, TRAITS, Estimator(left))
    assert whole["trait"].tolist() == ["resources"], "those of `af` have no baseline"
    by_hand = 100 * np.mean(
        [values[f"mnli {s} {x}"].mean() - values[f"none {s} {x}"].mean()
         for s in (1, 2, 3) for x in ("de", "af")]
    )  # fmt: skip
    first = found.iloc[0]
    assert first["delta"] == pytest.approx(by_hand, abs=1e-4)
    assert 0 < first["low"] < first["delta"] < first["high"] and first["survives"]
    wide = traits.wide(traits.table(cells(FIGURES), TRAITS), found)
    assert list(wide)[-4:] == ["none", "mnli", "mnli low", "mnli high"]
    assert wide.loc[0, "mnli"] == first["delta"] and wide.loc[1, "mnli"] == -10.0
    shown = traits.text_table(wide, found)
    assert shown.columns == ["targets", "languages", "none", "mnli"]
    assert [cells[-1].marked for _, cells in shown.rows].count(True) == 3


def test_the_reference_has_every_language_of_every_task():
    known = traits.language_traits()
    spoken = {language for task in tasks.known().values() for language in task.get("languages", ())}
    assert spoken <= set(known.index)
    assert set(known.columns) == set(traits.TRAITS)
    assert set(known["resources"]) == set(traits.SIZES)
    assert set(known["distance"]) == set(traits.DISTANCES)


def test_own_traits_go_before_the_reference():
    """Was: known to the questions alone."""
    own = {
        "de": {"family": ["Mine", "Own"], "distance": 0.9, "kind": "x"},
        "tlh": {"resources": 50},
    }
    known = traits.language_traits(own=own)
    assert known.loc["de"].tolist() == ["Mine, Own", "Latin", traits.SIZES[3], traits.DISTANCES[2]]
    unknown = traits.UNKNOWN
    assert known.loc["tlh"].tolist() == [unknown, unknown, traits.SIZES[0], unknown]
    others = known.drop(index=["de", "tlh"])
    pd.testing.assert_frame_equal(others, traits.language_traits().drop(index="de"))


@pytest.mark.parametrize(
    ("language", "family", "script"),
    [("de", "Indo-European, Germanic", "Latin"), ("fi", "Uralic", "Latin"),
     ("ja", "Japonic", "Japanese"), ("ur", "Indo-European, Indo-Iranian", "Arabic")],
)  # fmt: skip
def test_some_rows_of_the_reference(language, family, script):
    assert traits.language_traits().loc[language, ["family", "script"]].tolist() == [family, script]
