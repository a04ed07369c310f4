"""The table of overlap by hand, from files as the step writes them, and the marks that follow."""

import pandas as pd
import pytest
from tests.analysis.test_tables import NO_DELTAS, experiment, main_table
from tests.experiment.test_grid import make

from xstilts.analysis import languages, overlap, tables
from xstilts.analysis.latex import to_latex
from xstilts.analysis.tables import with_deltas
from xstilts.analysis.text_table import to_markdown
from xstilts.experiment.graph import overlap_file
from xstilts.running.files import write_json


def grid(**changes):
    asked = {
        "intermediates": {
            "mnli": {"tasks": ["mnli"]},
            "both": {"tasks": ["mnli", "squad"]},
            "more": {"tasks": ["squad"], "after": "mnli"},
        },
        "targets": ["xnli", "xquad"], "languages": ["de", "en"], "seeds": [1], "tasks": {},
        "overlap": True,
    }  # fmt: skip
    return make(**{**asked, **changes})


def written(root, of, task, target, **counts):
    path = root / overlap_file(task, target)
    counts = {"rows": 200, "question": 2, "context": 1, "either": 3} | counts
    write_json(path, {"spec": of.overlap_specs(task)[target], "pins": {}, **counts})


@pytest.fixture
def table(tmp_path):
    of = grid()
    written(tmp_path, of, "mnli", "xnli", either=0, question=0, context=0)
    written(tmp_path, of, "mnli", "xquad", either=2)
    written(tmp_path, of, "squad", "xquad")
    table, refused = overlap.read(of, tmp_path)
    assert refused == []
    return table


def test_a_row_a_task_and_target_that_was_counted(table):
    assert table.to_numpy().tolist() == [
        ["mnli", "mnli, both, more", "xnli", 200, 0, 0, 0, 0.0],
        ["mnli", "mnli, both, more", "xquad", 200, 2, 1, 2, 1.0],
        ["squad", "both, more", "xquad", 200, 2, 1, 3, 1.5],
    ]
    assert list(table) == overlap.COLUMNS
    assert overlap.pairs(table) == {("both", "xquad"), ("more", "xquad")}, "1% is not above it"


def test_the_table_for_readers(table):
    text = to_markdown(overlap.text_table(table))
    assert text.splitlines()[2:4] == [
        "| mnli   | mnli, both, more | 0.0    | 1.0     |",
        "| squad  | both, more       | –      | 1.5†    |",
    ]
    assert r"1.5$^{\dagger}$" in to_latex(overlap.text_table(table))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"spec": {"kind": "other"}}, "counted for another spec than the config asks for"),
        ({"rows": None}, "holds no counts"),
        ([], "holds no counts"),
    ],
)
def test_files_of_something_else_are_refused(tmp_path, content, problem):
    of = grid()
    written(tmp_path, of, "mnli", "xnli")
    path = tmp_path / overlap_file("mnli", "xnli")
    old = {"spec": of.overlap_specs("mnli")["xnli"], "rows": 1}
    write_json(path, {**old, **content} if isinstance(content, dict) else content)
    table, refused = overlap.read(of, tmp_path)
    assert table.empty and list(table) == overlap.COLUMNS
    assert refused == [f"results/overlap/mnli/xnli.json: {problem}; delete it, run again"]


def test_differences_of_such_pairs_are_marked_and_the_note_says_why():
    main = main_table(*experiment())
    pairs = {("mnli", "xnli"), ("none", "xnli"), ("mnli", "other")}
    text = tables.main_text_table(main, NO_DELTAS, {}, 0, 16, pairs)
    shown = [cell.text for _, cells in text.rows for cell in cells if cell.overlaps]
    assert len(shown) == 1 and shown[0][0] in "+−" and overlap.NOTE in text.notes
    gone = main.assign(**{"xnli": float("nan"), "xnli delta": float("nan")})
    dashes = tables.main_text_table(gone, NO_DELTAS, {}, 0, 16, pairs)
    assert overlap.NOTE not in dashes.notes, "a difference that is not there has no mark"
    assert overlap.NOTE not in tables.main_text_table(main, NO_DELTAS, {}, 0, 16).notes


def test_by_language_english_alone_is_marked():
    wide = pd.DataFrame(
        {"en": [60.0, 70.0], "de": [50.0, 55.0]},
        pd.MultiIndex.from_tuples([("m", "none"), ("m", "mnli")], names=["model", "intermediate"]),
    )
    of = with_deltas(wide), NO_DELTAS, 0, 4
    text = languages.text_table(*of, ["mnli"])
    assert [[c.overlaps for c in cells] for _, cells in text.rows] == [[False] * 2, [True, False]]
    assert overlap.NOTE in text.notes and overlap.NOTE not in languages.text_table(*of).notes


def test_answers_name_what_they_rest_on():
    pairs = {("squad", "xquad"), ("squad", "mlqa"), ("multi", "xquad"), ("qqp", "pawsx")}
    asked = [("squad", "xquad"), ("mnli", "xquad"), ("squad", "xquad"), ("squad", "mlqa")]
    pairs |= {("squad2", "xquad"), ("squad2", "mlqa")}
    more = [("multi", "xquad"), ("squad2", "xquad"), ("squad2", "mlqa")]
    assert overlap.notes(pairs, [*asked, *more]) == [
        "Overlap: of xquad, mlqa after squad, squad2; xquad after multi, more than 1% of the"
        " English rows stand in the train rows of the intermediate task (overlap.md)."
    ]
    assert overlap.notes(pairs, asked[1:2]) == []
