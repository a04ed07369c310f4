"""Each thing that can be wrong with a submission, and the line that says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.benchmarks.test_submission import CASES, LABELS, ids, write_rows

from xstilts.benchmarks import submission, validator, xtreme
from xstilts.running.errors import UserError


def faults(target, content):
    return validator.faults(target, content, CASES[target][1], LABELS.get(target, []))


@pytest.mark.parametrize("target", CASES)
def test_what_is_right_has_no_fault(target):
    assert faults(target, CASES[target][3]) == []


@pytest.mark.parametrize(
    ("target", "content", "lines"),
    [
        ("xnli", "neutral\nneutral\n", ["has 2 lines, but there are 3 rows"]),
        ("xnli", "neutral\n\nneutral\n", ["line 2: there is no label ``"]),
        (
            "xnli",
            "neutral\nNeutral\n1\nneutral\n",
            [
                "has 4 lines, but there are 3 rows",
                "line 2: there is no label `Neutral`; did you mean `neutral`?"
                " (and 1 more like this)",
            ],
        ),
        ("udpos", "DET\nVERB\n\nINTJ\n", []),  # the last empty line is not asked for
        (
            "udpos",
            "DET\nVERB\nINTJ\n",
            [
                "has 1 sentences, but there are 2 rows",
                "sentence 1 (id `0`) has 3 tags, but 2 words",
            ],
        ),
        (
            "udpos",
            "DET\n\n\nINTJ\n\n",
            [
                "has 3 sentences, but there are 2 rows",
                "sentence 1 (id `0`) has 1 tags, but 2 words (and 1 more like this)",
            ],
        ),
        (
            "udpos", "DET\nNOUM\n\nINTJ\n\n",
            ["line 2: there is no tag `NOUM`; did you mean `NOUN`?"],
        ),
        ("xquad", '{"q1": "x"}', ["question `q2` has no answer"]),
        (
            "xquad",
            '{"q1": "x", "q3": null}',
            [
                "question `q2` has no answer", "there is no question `q3`",
                "the answer to `q3` is no text",
            ],
        ),
        ("xquad", '["x", "y"]', ["must be a JSON object, id of a question -> answer"]),
        ("xquad", "q1\tx\n", ["is not JSON (Expecting value: line 1 column 1 (char 0))"]),
        ("bucc", "", []),  # nothing was mined
        ("bucc", "de-1 en-2\n", ["line 1: must be two ids, separated by a TAB"]),
        (
            "bucc",
            "en-2\tde-1\n",
            ["line 1: `en-2` is no id of the source side (and 1 more like this)"],
        ),
        ("bucc", "de-1\ten-2\n" * 2, ["the pair `de-1\ten-2` is there 2 times"]),
        ("tatoeba", "2\n2\n", ["has 2 lines, but there are 3 queries"]),
        ("tatoeba", "3\n-1\n0\n", ["line 1: `3` is no index from 0 to 2 (and 1 more like this)"]),
        ("tatoeba", "²\n1\n0\n", ["line 1: `²` is no index from 0 to 2"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(target, content, lines):
    assert faults(target, content) == lines


@given(st.data())
def test_whatever_is_predicted_passes_and_a_line_less_does_not(data):
    target = data.draw(st.sampled_from(["xnli", "udpos", "tatoeba"]))
    rows = CASES[target][1]
    if target == "udpos":
        tag = st.sampled_from(LABELS[target])
        predicted = [" ".join(data.draw(tag) for _ in row["tokens"]) for row in rows]
    else:
        targets = [row["id"] for row in rows if row.get("side") == "target"]
        value = st.sampled_from(LABELS.get(target) or targets)
        predicted = [data.draw(value) for _ in ids(rows)]
    content = submission.file_content(target, rows, dict(zip(ids(rows), predicted, strict=True)))
    assert faults(target, content) == []
    lines = content.splitlines(keepends=True)
    del lines[data.draw(st.integers(0, len(lines) - (2 if target == "udpos" else 1)))]
    assert faults(target, "".join(lines))


@pytest.mark.parametrize(
    ("changes", "rehearsal", "lines"),
    [
        ({}, False, []),
        ({"rows_total": 500, "dropped": {"not used by the task": 497}}, False, []),
        ({"rows_total": 500, "dropped": {"of another language": 497}, "max_rows": 3}, False, []),
        (
            {
                "rows_total": 4,
                "dropped": {"gold pair of a sentence that is in another pair": 2},
                "max_rows": 3,
            },
            False,
            ["the prepared rows are a sample of 3 (`limits` of the config)"],
        ),
        (
            {"rows_total": 4, "dropped": {"no label": 1}}, True,
            ["1 row(s) were dropped when they were prepared: no label"],
        ),
        (
            {"rows_total": 9, "max_rows": 3}, False,
            ["the prepared rows are a sample of 3 (`limits` of the config)"],
        ),
        ({"rows_total": 9, "max_rows": 3}, True, []),
        ({"rows_total": 3, "max_rows": 3}, False, []),
    ],
)  # fmt: skip
def test_rows_that_are_not_the_whole_split(tmp_path, changes, rehearsal, lines):
    metadata = {"rows_total": 3, "dropped": {}, **changes}
    metadata["spec"] = {"max_rows": metadata.get("max_rows")}
    assert validator.missing_rows(metadata, rehearsal) == lines


@pytest.fixture
def folder(tmp_path):
    """A submission of XNLI in German, whole as far as it goes."""
    write_rows(tmp_path / "data", "xnli")
    path = tmp_path / "sub/xnli/test-de.tsv"
    path.parent.mkdir(parents=True)
    path.write_text(CASES["xnli"][3])
    return tmp_path


def check(root, rehearsal=False):
    data = root / "data"
    expected = validator.prepared_languages(data) if rehearsal else validator.full_submission()
    return validator.check(root / "sub", data, expected, rehearsal)


def test_a_submission_must_have_every_task_and_language(folder):
    lines = check(folder)
    missing = [task.folder for task in xtreme.TASKS.values() if task.folder != "xnli"]
    assert sorted(lines) == sorted(
        [f"{name}: there is no such folder" for name in missing]
        + [f"xnli/test-{c}.tsv: is missing" for c in xtreme.TASKS["xnli"].languages if c != "de"]
    )


def test_a_rehearsal_must_have_what_has_prepared_rows(folder):
    assert check(folder, rehearsal=True) == []
    write_rows(folder / "data", "xnli", "ru")
    write_rows(folder / "data", "tatoeba")
    assert check(folder, rehearsal=True) == [
        "xnli/test-ru.tsv: is missing", "tatoeba: there is no such folder",
    ]  # fmt: skip


def test_a_file_too_many_is_named(folder):
    (folder / "sub/xnli/test-xx.tsv").write_text("")
    assert check(folder, rehearsal=True) == ["xnli/test-xx.tsv: is no file of a submission"]


def test_what_cannot_be_read_is_named(folder):
    (folder / "sub/xnli/test-de.tsv").write_bytes(b"\xff\n")
    assert check(folder, rehearsal=True) == ["xnli/test-de.tsv: is not UTF-8"]
    (folder / "sub/xnli/test-de.tsv").write_text(CASES["xnli"][3])
    (folder / "data/xnli/de.test.parquet").write_bytes(b"")
    [line] = check(folder, rehearsal=True)
    assert line.startswith("xnli/test-de.tsv: cannot be checked: ") and "is damaged" in line


def test_there_must_be_something_to_check(folder):
    with pytest.raises(UserError, match="nowhere: there is no such folder"):
        validator.check(folder / "nowhere", folder / "data", {}, True)
    with pytest.raises(UserError, match="nothing: there are no prepared rows of a task of XTREME"):
        validator.prepared_languages(folder / "nothing")
