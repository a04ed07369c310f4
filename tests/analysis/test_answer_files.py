"""The files of an answer: stable columns, one order, damaged ones named."""

import pytest
from tests.analysis import answers

from xstilts.analysis.answers import files as answer_files
from xstilts.running.errors import UserError


def test_columns_are_those_that_others_read():
    """Others compute from these files by position too: columns are only added at the end."""
    assert answer_files.COLUMNS == (
        "class", "kind", "over", "scale", "estimate", "low", "high", "p", "p holm", "detectable",
        "dof", "noise", "tested", "agrees", "rows", "targets", "languages", "examples", "without",
        "barred",
    )  # fmt: skip
    assert answer_files.POINT_COLUMNS == (
        "class", "label", "x", "scale", "estimate", "low", "high",
    )  # fmt: skip


def test_an_answer_is_read_as_it_was_written(tmp_path):
    found = answers.answer(
        answers.meta(),
        [answers.row("007", 1.5, 0.5, 2.5), answers.row("nan", 1.5, -0.5, 2.5, agrees=False)],
    )
    answers.write(tmp_path, "q", found)
    read = answer_files.read(tmp_path, "q")
    assert read.table.to_dict("records") == found.table.to_dict("records")
    assert read.points["class"].tolist() == ["007", "nan"] and read.points["x"].isna().all()
    assert read.meta["classes"]["007"]["rows"] == [["m", "mnli"]]
    answers.write(tmp_path, "empty", answers.unanswered())
    assert answer_files.read(tmp_path, "empty").table.empty


def test_questions_are_in_the_order_of_the_config(tmp_path):
    for name in ("b", "a", "c.2"):
        answers.write(tmp_path, name, answers.single())
    assert answer_files.names(tmp_path) == ["a", "b", "c.2"]
    assert answer_files.names(tmp_path, ["c.2", "not-yet", "b"]) == ["c.2", "b", "a"]
    assert answer_files.names(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("q.json", None, r"q\.json: there is no such file; the step `tables` makes it"),
        ("q.json", "{", r"q\.json: is damaged; delete it"),
        ("q.json", "[]", r"q\.json: has no `name`; delete it"),
        ("q.json", '{"name": "q"}', r"q\.json: has no `ask`; delete it"),
        ("q.csv", None, r"q\.csv: there is no such table"),
        ("q.csv", "class,kind\n", r"q\.csv: .*'over'.*; the step `tables` makes it"),
        ("q.csv", "", r"q\.csv: is damaged"),
        ("q.points.csv", "class,x\na,far\n", r"q\.points\.csv: is damaged"),
    ],
)
def test_a_file_that_is_none_is_one_line(tmp_path, file, text, line):
    answers.write(tmp_path, "q", answers.single())
    path = tmp_path / "questions" / file
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    with pytest.raises(UserError, match=line) as error:
        answer_files.read(tmp_path, "q")
    assert "\n" not in str(error.value)
