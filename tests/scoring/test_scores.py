"""Which score files are accepted, and their data frame."""

import pandas as pd
import pytest
from tests.analysis.test_tables import VALUES, as_rows, experiment

from xstilts.experiment.cells import CELL
from xstilts.scoring import scores


def test_cells_are_means_over_languages_in_percent():
    grid, files = experiment({k: v for k, v in VALUES.items() if k[0] == "none"})
    del files["scores/m/none/seed2/xquad/en.json"]
    found, _ = scores.collect(grid, files.get)
    assert as_rows(scores.cell_values(grid, found)) == [
        ["m", "none", "seed1", "xnli", 55.0],
        ["m", "none", "seed2", "xnli", 57.0],
        ["m", "none", "seed1", "xquad", 40.0],
        ["m", "none", "seed2", "xquad", None],
    ]


def test_scores_become_long_rows():
    grid, files = experiment({k: v for k, v in VALUES.items() if k[2:] == ("xquad", "de")})
    found, _ = scores.collect(grid.head(1), files.get)
    cell = ["m", "none", "seed1", "xquad", "de"]
    assert as_rows(found) == [
        [*cell, "score", 0.3, 10],
        [*cell, "f1", 0.4, 10],
        [*cell, "exact_match", 0.2, 10],
    ]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"spec": {"kind": "other"}}, "a score from another spec than the config asks for"),
        ({"seed": "seed9"}, "a score of another cell"),
        ({"language": "en"}, "a score of another cell"),
        ({"score": None}, "not a score file"),
        ({"score": "high"}, "not a score file"),
        ({"metrics": None}, "not a score file"),
        ({"n": None}, "not a score file"),
    ],
)
def test_a_score_that_is_not_the_one_asked_for_is_refused_by_name(change, line):
    grid, files = experiment()
    path = "scores/m/none/seed1/xnli/de.json"
    files[path] = {**files[path], **change}
    found, refused = scores.collect(grid, files.get)
    assert refused == [f"{path}: {line}; delete it, run again"]
    assert (found["metric"] == "score").sum() == len(grid) - 1


@pytest.mark.parametrize("content", [[], {}, "x", 3])
def test_a_file_of_something_else_is_refused(content):
    grid, files = experiment()
    path = "scores/m/none/seed1/xnli/de.json"
    _, refused = scores.collect(grid, {**files, path: content}.get)
    assert refused == [f"{path}: not a score file; delete it, run again"]


def test_cells_of_several_intermediates_are_one_row_of_the_test_tables():
    cells = [["m", "none", "seed1", "xnli"], ["m", "mnli", "seed2", "xnli"]]
    grid = pd.DataFrame(cells, columns=CELL).assign(score=["a", "b"], row=["none", "best"])
    files = {"b": {"intermediate": "mnli", "score": 0.5}}
    rows, relabelled = scores.relabel_test_rows(grid, files)
    assert list(rows["intermediate"]) == ["none", "best"] and "row" not in rows
    assert relabelled == {"b": {"intermediate": "best", "score": 0.5}}
    again, same = scores.relabel_test_rows(rows, relabelled)
    assert again is rows and same is relabelled
