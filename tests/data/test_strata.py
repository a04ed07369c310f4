"""Strata of a row, before and after in full, by each way of declaring them; what is refused."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Value
from hypothesis import given
from hypothesis import strategies as st
from tests.data.test_prepare import step, unify
from tests.hub import mirror

from xstilts.data import files, prepare, rows, strata
from xstilts.running.errors import UserError

NLI = {"premise": "He ran.", "hypothesis": "He moved.", "label": "entailment", "genre": "fiction"}
NLI_SPEC = {
    "format": "classification", "labels": list(mirror.NLI), "strata": {"genre": "genre"},
    "columns": {"premise": "text", "hypothesis": "text_pair"},
}  # fmt: skip
SQUAD = {"id": "q", "question": "Who?", "context": "Ann ran.", "level": 3}
SPAN = {"format": "span", "rows": "squad", "no_answer": True}


def answers(*found):
    return {"text": [text for text, _ in found], "answer_start": [start for _, start in found]}


def test_a_row_with_a_class_in_a_column_in_full():
    made, report = unify([NLI, {**NLI, "genre": " "}], NLI_SPEC)
    row = {"text": "He ran.", "text_pair": "He moved.", "label": "entailment"}
    assert made == [
        {"id": "0", **row, "strata": {"genre": "fiction"}},
        {"id": "1", **row, "strata": {"genre": None}},
    ]
    assert "many" not in report


def test_names_are_ours_and_classes_those_of_the_data():
    raw = [{**NLI, "domain": 1, "checked": True}, {**NLI, "domain": -1, "checked": None}]
    features = {"domain": ClassLabel(names=["news", "web"]), "premise": Value("string")}
    wanted = {"kind-of-text": "domain", "checked": "checked"}
    made, _ = unify(raw, {**NLI_SPEC, "strata": wanted}, features)
    assert [row["strata"] for row in made] == [
        {"kind-of-text": "web", "checked": "yes"},
        {"kind-of-text": None, "checked": None},
    ]


def test_a_row_function_beside_which_a_column_has_a_class():
    raw = {**SQUAD, "answers": answers(("Ann", 0))}
    made, _ = unify([raw], {**SPAN, "strata": {"level": "level"}})
    assert made == [
        {
            "id": "q", "question": "Who?", "context": "Ann ran.",
            "answers": {"text": ["Ann"], "start": [0]}, "strata": {"level": "3"},
        }
    ]  # fmt: skip


def test_whether_a_question_has_an_answer_needs_no_column():
    raw = [
        {**SQUAD, "answers": answers(("Ann", 0))},
        {**SQUAD, "answers": answers()},
        {**SQUAD, "answers": answers(("Bob", 0))},
    ]
    made, report = unify(raw, {**SPAN, "strata": {"answerable": "answerable"}})
    assert [row["strata"] for row in made] == [{"answerable": "yes"}, {"answerable": "no"}]
    assert report["dropped"] == {"answer is not in the context": 1}
    own = [{**raw[0], "answerable": "perhaps"}]
    assert unify(own, {**SPAN, "strata": {"a": "answerable"}})[0][0]["strata"] == {"a": "perhaps"}


@pytest.fixture
def function(monkeypatch):
    """A row function that says classes itself."""

    def hops(row):
        found = rows.squad({**row, "answers": answers(("Ann", 0))})
        return found | {"strata": {"hops": row["level"], "type": "bridge"}}

    monkeypatch.setitem(rows.ROW_FUNCTIONS, "hops", hops)
    monkeypatch.setitem(strata.RETURNED, "hops", ("hops", "type"))


def test_a_row_function_may_say_classes(function):
    spec = {**SPAN, "rows": "hops", "strata": {"hops": "hops", "type": "type", "by": "level"}}
    (row,), _ = unify([SQUAD], spec)
    assert row["strata"] == {"hops": "3", "type": "bridge", "by": "3"}


def test_what_a_row_function_says_has_to_be_declared(function):
    spec = {**SPAN, "rows": "hops", "strata": {"hops": "hops"}}
    with pytest.raises(UserError) as error:
        unify([SQUAD], spec)
    assert str(error.value) == (
        "task t: o/n: its row function returns the stratum `type`, which the task does not declare;"
        " say `strata: [hops, type]`"
    )
    with pytest.raises(UserError, match=r"returns the stratum `hops`.*say `strata: \[hops\]`"):
        unify([SQUAD], {**SPAN, "rows": "hops"})


def test_sentences_of_both_sides_have_the_class_of_their_pair():
    raw = [{"source_sentence": "Ja.", "target_sentence": "Yes.", "kind": "short"}]
    made, _ = unify(raw, {"format": "retrieval", "rows": "tatoeba", "strata": {"kind": "kind"}})
    assert [(row["side"], row["strata"]) for row in made] == [
        ("source", {"kind": "short"}), ("target", {"kind": "short"}),
    ]  # fmt: skip


def test_which_part_of_a_split_a_row_is_from(tmp_path):
    rows = {f"dev_r{n}": mirror.nli(n + 2) for n in (1, 2)}
    mirror.write_dataset(tmp_path, "acme/rounds", {"plain": rows})
    spec = {
        **NLI_SPEC, "task": "rounds", "hub": "acme/rounds", "config": "plain", "lang": "en",
        "split": "dev_r1+dev_r2", "strata": {"round": "split"},
    }  # fmt: skip
    made, record = step(tmp_path, spec, tmp_path / "out")
    assert [row["strata"]["round"] for row in made] == ["r1", "r1", "r2", "r2", "r2"]
    assert record["spec"]["strata"] == {"round": "split"}
    made, _ = step(tmp_path, {**spec, "split": "dev_r2"}, tmp_path / "one")
    assert [row["strata"]["round"] for row in made] == ["r2"] * 3


@pytest.mark.parametrize(
    ("split", "name"),
    [
        ("dev_r1", "r1"), (" validation_matched[:10] ", "matched"), ("test", "test"),
        ("hard_cases", "hard_cases"), ("validation", "validation"),
    ],
)  # fmt: skip
def test_the_class_of_a_part_is_the_same_on_dev_and_test(split, name):
    assert strata.part(split) == name


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        (
            {"genre": "gener"},
            "task t: o/n: strata: genre: has no column `gener`; did you mean `genre`? (there are"
            " premise, hypothesis, label, genre, split)",
        ),
        ({"a": "answerable"}, "task t: o/n: strata: a: has no column `answerable`"),
        ({"a": "split"}, "task t: o/n: strata: a: has no column `split`"),
    ],
)
def test_a_column_that_is_not_there_is_named(wanted, line):
    for look in (
        lambda spec: unify([NLI], spec),
        lambda spec: prepare.check_columns(pa.Table.from_pylist([NLI]).schema, spec),
    ):
        with pytest.raises(UserError) as error:
            look({**NLI_SPEC, "task": "t", "hub": "o/n", "strata": wanted})
        assert str(error.value).startswith(line)


def test_all_columns_that_are_not_there_are_named():
    with pytest.raises(UserError, match=r"strata: a: .*\n.*strata: b: has no column `split` "):
        unify([NLI], {**NLI_SPEC, "strata": {"a": "gener", "b": "split"}})
    with pytest.raises(UserError) as error:
        unify([NLI], {**NLI_SPEC, "files": ["a.csv"], "strata": {"a": "gener", "b": "splt"}})
    there = "(there are premise, hypothesis, label, genre)"
    assert str(error.value).splitlines() == [
        f"task t: a.csv: strata: a: has no column `gener`; did you mean `genre`? {there}",
        f"task t: a.csv: strata: b: has no column `splt` {there}",
    ]


@pytest.mark.parametrize("value", [["a"], {"a": 1}, b"a"])
def test_a_column_of_several_values_a_row_has_no_classes(value):
    with pytest.raises(UserError, match=r"strata: genre: column `genre` holds .*; a row is of one"):
        unify([{**NLI, "genre": value}], NLI_SPEC)


def test_a_column_of_ids_is_noted(capsys, tmp_path):
    raw = [{**NLI, "genre": str(n)} for n in range(strata.MANY + 1)]
    _, report = unify(raw, NLI_SPEC)
    assert report["many"] == {"genre": 201}
    line = "the stratum `genre` has 201 classes; is its column one of ids?"
    assert prepare.notes(report)[-1] == line
    assert "many" not in unify(raw[1:], NLI_SPEC)[1]
    features = {name: Value("string") for name in ("premise", "hypothesis", "genre", "label")}
    mirror.write_dataset(tmp_path, "o/n", {"en": {"validation": (raw, features)}})
    at = {"task": "t", "hub": "o/n", "config": "en", "lang": "en", "split": "validation"}
    step(tmp_path, {**NLI_SPEC, **at}, tmp_path / "out")
    assert f"note: task t (en): {line}" in capsys.readouterr().out


def test_a_stratum_is_not_taken_for_the_label():
    raw = [{"text": "A film.", "stars": "5", "topic": "drama"}]
    with pytest.raises(UserError, match="which column is the label"):
        unify(raw, {"format": "classification"})
    (row,), _ = unify(raw, {"format": "classification", "strata": {"topic": "topic"}})
    assert (row["label"], row["strata"]) == ("5", {"topic": "drama"})


def test_questions_in_the_json_of_squad_keep_what_else_they_say(tmp_path):
    question = {"id": "q", "question": "Who?", "hops": 2, "is_impossible": False, "tags": ["a"],
                "answers": [{"text": "Ann", "answer_start": 0}]}  # fmt: skip
    article = {"title": "T", "paragraphs": [{"context": "Ann ran.", "qas": [question]}]}
    (tmp_path / "dev.json").write_text(json.dumps({"data": [article]}))
    table = files.read([tmp_path / "dev.json"], {"format": "span"})
    assert table.column_names == ["id", "title", "question", "context", "answers", "hops"]
    spec = {"task": "t", "hub": "o/n", "format": "span", "strata": {"hops": "hops"}}
    assert prepare.unify(table, {}, spec)[0][0]["strata"] == {"hops": "2"}


def test_the_file_has_the_column_only_where_the_task_has_strata(tmp_path):
    for name, wanted in (("with", {"genre": "genre", "none": ""}), ("without", {})):
        spec = {**NLI_SPEC, "task": "t", "hub": "o/n", "strata": wanted}
        made, report = unify([NLI], spec)
        prepare.write(tmp_path / name, made, "classification", {"spec": spec, **report})
    kind = pa.struct([("genre", pa.string()), ("none", pa.string())])
    assert pq.read_schema(tmp_path / "with").field("strata").type == kind
    assert prepare.read(tmp_path / "with").to_pylist()[0]["strata"] == {
        "genre": "fiction", "none": None,
    }  # fmt: skip
    names = pq.read_schema(tmp_path / "without").names
    assert names == prepare.SCHEMAS["classification"].names
    prepare.write(tmp_path / "empty", [], "classification", {"spec": spec | {"strata": {"a": "b"}}})
    assert pq.read_schema(tmp_path / "empty").names[-1] == "strata"


def test_a_spec_without_strata_is_that_of_what_is_encoded():
    assert strata.without({"task": "t", "strata": {"a": "b"}}) == {"task": "t"}


@given(st.lists(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)))
def test_a_class_is_text_or_nothing(values):
    found = strata.classes(values)
    assert len(found) == len(values)
    for value, name in zip(values, found, strict=True):
        assert name is None or (isinstance(name, str) and name == name.strip() != "")
        assert value is not None or name is None


def test_numbers_are_classes_as_they_are_written():
    assert strata.classes([2.0, float("nan"), 10.0, None]) == ["2", None, "10", None]
    assert strata.classes([2.0, 2.5, 3]) == ["2.0", "2.5", "3"]
