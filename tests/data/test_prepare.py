"""The prepare step on tables in memory and on a mirror in a folder."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from datasets import ClassLabel, Value
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.hub import mirror

from xstilts.data import files, pin, prepare
from xstilts.running.errors import UserError
from xstilts.steps import prepare as prepare_step

SHARED = Path(__file__).resolve().parents[2] / "../shared/data"
XNLI = {
    "task": "xnli", "format": "classification", "hub": "acme/nli", "config": "de",
    "split": "validation", "lang": "de", "labels": mirror.NLI, "max_rows": None, "version": 1,
    "columns": {"premise": "text", "hypothesis": "text_pair"}, "rows": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    root = tmp_path_factory.mktemp("mirror")
    mirror.write_datasets(root)
    return root


def step(root, spec, out):
    """Run the step in this process on a mirror; return (rows, metadata)."""
    pin_file, pinned = (
        out / "pin.json",
        pin.resolve("datasets", str(root), root, spec["hub"], "main"),
    )
    pin_file.parent.mkdir(parents=True, exist_ok=True)
    pin_file.write_text(json.dumps(pinned))
    path = out / "rows.parquet"
    args = ["--spec", json.dumps(spec), "--source", str(root), "--root", str(root)]
    prepare_step.main(
        prepare_step.parser().parse_args([*args, "--pin", str(pin_file), "--out", str(path)])
    )
    return prepare.read(path).to_pylist(), prepare.metadata(path)


def test_classification_from_a_mirror(tiny, tmp_path):
    rows, record = step(tiny, XNLI, tmp_path)
    assert rows == [
        {"id": "0", "text": "p 0", "text_pair": "h 0", "label": "entailment"},
        {"id": "1", "text": "p 1", "text_pair": "h 1", "label": "neutral"},
    ]
    assert record["spec"] == XNLI
    assert record["pin"].keys() == {"source", "revision"}
    assert (record["rows_total"], record["rows_kept"]) == (3, 2)
    assert record["dropped"] == {"no label": 1}


def test_retrieval_pairs_rows_by_gold(tiny, tmp_path):
    spec = {
        "task": "tatoeba", "format": "retrieval", "hub": "google/xtreme", "config": "tatoeba.deu",
        "split": "validation", "lang": "de", "rows": "tatoeba",
    }  # fmt: skip
    rows, _ = step(tiny, spec, tmp_path)
    assert rows == [
        {"id": "0.source", "side": "source", "text": "Hello!", "gold": "0.target"},
        {"id": "0.target", "side": "target", "text": "Hallo!", "gold": None},
        {"id": "1.source", "side": "source", "text": "Thanks.", "gold": "1.target"},
        {"id": "1.target", "side": "target", "text": "Danke.", "gold": None},
    ]
    sampled, _ = step(tiny, {**spec, "max_rows": 1}, tmp_path)
    assert sampled in (rows[:2], rows[2:])


def test_nothing_is_left_in_the_cache_of_the_user(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    step(tiny, XNLI, tmp_path)
    assert not (tmp_path / "home").exists()


def test_a_changed_mirror_is_read_anew_and_only_with_a_new_pin(tiny, tmp_path):
    mirror.write_dataset(tmp_path, "acme/nli", {"de": {"validation": mirror.nli(3)}})
    first, _ = step(tmp_path, XNLI, tmp_path / "a")
    mirror.write_dataset(tmp_path, "acme/nli", {"de": {"validation": mirror.nli(5)}})
    second, _ = step(tmp_path, XNLI, tmp_path / "a")
    assert (len(first), len(second)) == (2, 4)
    mirror.write_dataset(tmp_path, "acme/nli", {"de": {"validation": mirror.nli(7)}})
    args = ["--spec", json.dumps(XNLI), "--source", str(tmp_path), "--root", str(tmp_path)]
    args += ["--pin", str(tmp_path / "a/pin.json"), "--out", str(tmp_path / "b.parquet")]
    with pytest.raises(UserError, match=r"validation-00000.* has changed since it was pinned"):
        prepare_step.main(prepare_step.parser().parse_args(args))
    assert not (tmp_path / "b.parquet").exists()


def test_the_same_bytes_for_the_same_rows(tiny, tmp_path):
    for run in ("a", "b"):
        step(tiny, XNLI, tmp_path / run)
    a, b = ((tmp_path / run / "rows.parquet").read_bytes() for run in ("a", "b"))
    assert a == b


def unify(rows, spec, features=None):
    table = pa.Table.from_pylist(rows)
    return prepare.unify(table, features or {}, {"task": "t", "hub": "o/n", **spec})


def test_a_row_of_sts_in_full():
    spec = {"task": "sts", "format": "regression", "files": ["en/train.csv"]}
    table = pa.table({
        "Sentence 1": ["A cat.", "A dog.", "A hat."], "Sentence 2": ["The cat.", "It.", "Hats."],
        "score": ["4.5", "0", ""],
    })  # fmt: skip
    rows, report = prepare.unify(table, {}, spec)
    assert rows == [
        {"id": "0", "text": "A cat.", "text_pair": "The cat.", "label": 4.5},
        {"id": "1", "text": "A dog.", "text_pair": "It.", "label": 0.0},
    ]
    assert (report["rows_kept"], report["dropped"]) == (2, {"no label": 1})
    with pytest.raises(UserError, match=r"sts: en/train\.csv: row 0: label `many` is not a num"):
        prepare.unify(pa.table({"text": ["A cat."], "label": ["many"]}), {}, spec)


def test_own_ids_are_kept_as_text_and_numbers_count_raw_rows():
    spec = {"format": "classification", "labels": ["a"]}
    raw = [{"id": 7, "text": "x", "label": None}, {"id": 9, "text": "y", "label": "a"}]
    assert unify(raw, spec)[0][0]["id"] == "9"
    assert unify([{k: v for k, v in r.items() if k != "id"} for r in raw], spec)[0][0]["id"] == "1"


def test_a_raw_column_gives_way_to_the_one_that_takes_its_name():
    raw = [{"premise": "p", "text": "p and more", "label": "a"}]
    spec = {"format": "classification", "columns": {"premise": "text"}}
    assert unify(raw, spec)[0][0]["text"] == "p"


def test_a_choice_keeps_the_number_of_its_class_label():
    raw = [{"context": "c", "choices": ["x", "y"], "label": 1}]
    features = {"label": ClassLabel(names=["choice1", "choice2"]), "context": Value("string")}
    rows, _ = unify(raw, {"format": "choice"}, features)
    assert rows[0]["label"] == 1


def test_rows_without_a_label_are_of_no_use():
    with pytest.raises(UserError, match=r"task t: o/n has no usable row \(no label: 1\)"):
        unify([{"text": "x", "label": -1}], {"format": "classification", "labels": ["a"]})


def test_a_folder_of_text_files_of_ones_own(tmp_path):
    (tmp_path / "de.txt").write_text("Erste Zeile.\n\nZweite  Zeile. \n")
    (tmp_path / "ru.txt").write_text("Строка.\n")
    front = "".join(f"- {{config_name: {c}, data_files: {c}.txt}}\n" for c in ("de", "ru"))
    (tmp_path / "README.md").write_text(f"---\nconfigs:\n{front}---\n")
    spec = {
        "task": "mlm", "format": "mlm", "hub": str(tmp_path), "config": "de", "split": "train",
        "lang": "de",
    }  # fmt: skip
    rows, record = step(tmp_path, spec, tmp_path / "out")
    assert rows == [{"id": "0", "text": "Erste Zeile."}, {"id": "2", "text": "Zweite  Zeile. "}]
    assert record["dropped"] == {"no text": 1}


def test_a_ccgbank_export_of_ones_own(tmp_path):
    line = {"tokens": ["Ms.", "Haag", "plays"], "tags": ["N/N", "N", "S[dcl]\\NP"]}
    for name, count in {"train": 3, "validation": 2}.items():
        (tmp_path / f"{name}.jsonl").write_text("\n".join([json.dumps(line)] * count))
    spec = {
        "task": "ccg", "format": "tagging", "hub": str(tmp_path), "config": "default",
        "split": "validation", "lang": "en", "labels": None,
    }  # fmt: skip
    rows, record = step(tmp_path, spec, tmp_path / "out")
    assert rows == [{"id": "0", **line}, {"id": "1", **line}]
    assert record["dropped"] == {}


def test_the_rows_of_one_language_are_known_by_their_ids():
    raw = [{"id": i, "text": "x", "label": "a"} for i in ("english-0", "englis-1", "swahili-0")]
    spec = {"format": "classification", "id_prefix": "english-"}
    rows, record = unify(raw, spec)
    assert [row["id"] for row in rows] == ["english-0"]
    assert record["dropped"] == {"of another language": 2}
    with pytest.raises(UserError, match=r"no usable row \(of another language: 3\)"):
        unify(raw, {**spec, "id_prefix": "telugu-"})


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        (
            {"columns": {"premis": "text"}},
            r"no column `premis`; did you mean `premise`\? \(there are",
        ),
        ({"columns": {}}, r"which column is the text\? there are premise, labels"),
        ({"columns": {"premise": "txt"}}, r"premise: there is no `txt` in .* mean `text`\?"),
        ({"rows": "squad"}, r"no column `answers`"),
        ({"rows": "squat"}, r"rows.py has no `squat`; did you mean `squad`\?"),
    ],
)
def test_columns_that_are_not_there(spec, line):
    with pytest.raises(UserError, match="task t: .*" + line):
        unify([{"premise": "x", "labels": "a"}], {"format": "classification", **spec})


def test_an_empty_split():
    table = pa.table({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())})
    spec = {"task": "t", "hub": "o/n", "format": "classification"}
    with pytest.raises(UserError, match="no usable row"):
        prepare.unify(table, {}, spec)


def test_samples_are_the_same_for_the_same_total_nested_and_in_order():
    small, large = prepare.sample(1000, 10), prepare.sample(1000, 100)
    assert small == [229, 384, 436, 457, 564, 644, 822, 855, 859, 886]
    assert large == sorted(large)
    assert len(set(large)) == 100
    assert set(small) < set(large)
    assert prepare.sample(5, 10) == prepare.sample(5, None) == [0, 1, 2, 3, 4]


def test_damaged_files_are_named(tmp_path):
    path = tmp_path / "x.parquet"
    with pytest.raises(UserError, match=r"x\.parquet: there is no such file"):
        prepare.read(path)
    path.write_bytes(b"PAR1 cut off")
    for reader in (prepare.read, prepare.metadata):
        with pytest.raises(UserError, match=r"x\.parquet: is damaged .*delete it"):
            reader(path)
    pa.parquet.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(UserError, match="was not made by"):
        prepare.metadata(path)


@pytest.mark.real
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data")
@pytest.mark.parametrize(
    ("spec", "rows", "first"),
    [
        ({"task": "mnli", "format": "classification", "hub": "nyu-mll/glue", "config": "mnli",
          "split": "train", "columns": XNLI["columns"], "labels": mirror.NLI}, 8999, "0"),
        ({"task": "squad", "format": "span", "hub": "rajpurkar/squad", "config": "plain_text",
          "split": "train", "rows": "squad"}, 7452, "5725b33f6a3fe71400b8952d"),
        ({"task": "hellaswag", "format": "choice", "hub": "Rowan/hellaswag", "config": "default",
          "split": "validation", "rows": "hellaswag"}, 3000, "0"),
        ({"task": "xnli", "format": "classification", "hub": "facebook/xnli", "config": "de",
          "split": "validation", "columns": XNLI["columns"], "labels": mirror.NLI}, 2490, "0"),
        ({"task": "udpos", "format": "tagging", "hub": "google/xtreme", "config": "udpos.Thai",
          "split": "test", "rows": "xtreme_udpos"}, 1000, "0"),
        ({"task": "xquad", "format": "span", "hub": "google/xquad", "config": "xquad.th",
          "split": "validation", "rows": "squad"}, 1190, "56beb4343aeaaa14008c925b"),
        ({"task": "tatoeba", "format": "retrieval", "hub": "google/xtreme", "config": "tatoeba.deu",
          "split": "validation", "rows": "tatoeba"}, 2000, "0.source"),
    ],
    ids=lambda v: v["task"] if isinstance(v, dict) else None,
)  # fmt: skip
def test_real_rows(spec, rows, first, tmp_path):
    found, record = step(SHARED, {"lang": "xx", **spec}, tmp_path)
    assert len(found) == rows
    assert found[0]["id"] == first
    assert record["dropped"] == {}


def of_file(folder, name, content, **spec):
    """Unify the rows of a file of one's own."""
    path = folder / name
    path.write_text(content, encoding="utf-8")
    spec = {"task": "mine", "lang": "en", "hub": "en/train", **spec}
    return prepare.unify(files.read([path], spec), {}, spec)


def test_labels_of_a_file_may_be_words_that_others_take_for_nothing(tmp_path):
    content = "text,label\n" + "".join(f"{w},{w}\n" for w in ("NA", "None", "null", "nan", "N/A"))
    rows, report = of_file(tmp_path, "a.csv", content, format="classification")
    assert [row["label"] for row in rows] == ["NA", "None", "null", "nan", "N/A"]
    assert report["dropped"] == {}


@pytest.mark.parametrize(
    ("values", "labels", "names"),
    [
        ([1.0, 0.0], None, ["1", "0"]),
        ([1.0, 0.0], ["no", "yes"], ["yes", "no"]),
        ([1, 0], None, ["1", "0"]),
        ([True, False], None, ["true", "false"]),
        ([True, False], ["no", "yes"], ["yes", "no"]),
        ([0.5, 1.0], None, ["0.5", "1.0"]),
    ],
)
def test_labels_may_be_numbers(values, labels, names, tmp_path):
    lines = "\n".join(json.dumps({"text": "x", "label": value}) for value in values)
    rows, _ = of_file(tmp_path, "a.jsonl", lines, format="classification", labels=labels)
    assert [row["label"] for row in rows] == names


def test_rows_without_a_consensus_have_no_label(tmp_path):
    content = "gold_label\tsentence1\tsentence2\n-\ta\tb\nneutral\tc\td\n"
    rows, report = of_file(tmp_path, "snli.tsv", content, format="classification")
    assert rows == [{"id": "1", "text": "c", "text_pair": "d", "label": "neutral"}]
    assert report["dropped"] == {"no label": 1}
    content = content.replace("gold_label", "label")
    assert len(of_file(tmp_path, "a.tsv", content, format="classification")[0]) == 2


ARC = {
    "id": "Mercury_1",
    "question": {
        "stem": "What melts?",
        "choices": [{"text": "ice", "label": "A"}, {"text": "fire", "label": "B"}],
    },
    "answerKey": "A",
}
OPENBOOKQA = {
    "id": "7-980",
    "question_stem": "What melts?",
    "choices": {"text": ["fire", "ice"], "label": ["1", "2"]},
    "answerKey": "2",
}


@pytest.mark.parametrize(
    ("raw", "choices", "label"), [(ARC, ["ice", "fire"], 0), (OPENBOOKQA, ["fire", "ice"], 1)]
)
def test_published_choices(raw, choices, label, tmp_path):
    rows, report = of_file(tmp_path, "a.jsonl", json.dumps(raw), format="choice")
    assert {k: rows[0][k] for k in ("id", "context", "choices", "label")} == {
        "id": raw["id"],
        "context": "What melts?",
        "choices": choices,
        "label": label,
    }
    prepare.write(tmp_path / "rows.parquet", rows, "choice", {})
    assert report["dropped"] == {}


def squad(*answers, context="Он ел суп. суп"):
    questions = [
        {"id": str(i), "question": "?", "answers": [{"text": t, "answer_start": s}] if t else []}
        for i, (t, s) in enumerate(answers)
    ]
    paragraphs = [{"context": context, "qas": questions}]
    return json.dumps({"version": 1, "data": [{"title": "", "paragraphs": paragraphs}]})


def test_offsets_in_bytes_are_said(tmp_path):
    rows, report = of_file(tmp_path, "a.json", squad(("суп", 10), ("ел", 5)), format="span")
    assert [row["answers"] for row in rows] == [
        {"text": ["суп"], "start": [6]},
        {"text": ["ел"], "start": [3]},
    ]
    assert (report["dropped"], report["repaired"]) == ({}, 0)
    assert prepare.notes(report) == ["answer offsets count bytes"]
    _, report = of_file(tmp_path, "a.json", squad(("суп", 6), ("ел", 5)), format="span")
    assert "offsets" not in report
    assert prepare.notes(report) == ["moved 1 answers"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.text("aß я😀", min_size=1, max_size=4)] * 3), min_size=1, max_size=3),
    st.booleans(),
)
def test_answers_are_found_whatever_their_offsets_count(tmp_path_factory, rows, in_bytes):
    def start(before):
        return len(before.encode()) if in_bytes else len(before)

    paragraphs = [
        {
            "context": a + b + c,
            "qas": [{"id": a, "question": "?", "answers": [{"text": b, "answer_start": start(a)}]}],
        }
        for a, b, c in rows
    ]
    content = json.dumps({"data": [{"paragraphs": paragraphs}]})
    found, report = of_file(tmp_path_factory.mktemp("squad"), "a.json", content, format="span")
    for row, (_, answer, _) in zip(found, rows, strict=True):
        assert row["answers"]["text"] == [answer]
        assert row["context"].startswith(answer, row["answers"]["start"][0])
    assert in_bytes or "offsets" not in report


def test_a_split_whose_answers_are_kept_back_is_refused(tmp_path):
    line = (
        "task mine: en/train: none of its 2 questions has an answer, as in a test set whose answers"
        " are kept back; give another split, or say `no_answer: true` if that is so"
    )
    for content in (
        squad(("", 0), ("", 0)),
        squad(("", 0), ("", 0)).replace("[]", '[{"text": ""}]'),
    ):
        with pytest.raises(UserError) as caught:
            of_file(tmp_path, "a.json", content, format="span")
        assert str(caught.value) == line
    rows, _ = of_file(tmp_path, "a.json", squad(("", 0), ("", 0)), format="span", no_answer=True)
    assert len(rows) == 2


def test_questions_without_an_answer_are_said_where_none_are_meant(tmp_path):
    content = squad(("суп", 6), ("", 0))
    _, report = of_file(tmp_path, "a.json", content, format="span", no_answer=False)
    assert prepare.notes(report) == [
        "1 questions have no answer, and the task does not say `no_answer: true`",
    ]
    _, report = of_file(tmp_path, "a.json", content, format="span", no_answer=True)
    assert "unanswered" not in report


def test_a_gold_of_one_value_is_said(tmp_path):
    content = "text,label\na,0\nb,0\nc,\n"
    _, report = of_file(tmp_path, "a.csv", content, format="classification")
    assert report["one_value"] == "0"
    assert prepare.notes(report) == ["dropped 1 (no label)", "the gold is `0` in every row"]


def test_missing_texts_are_dropped_not_raised(tmp_path):
    content = "question,context,answers,answer_start\n,a b,b,2\n?,,b,0\n?,a b,b,2\n"
    rows, report = of_file(tmp_path, "a.csv", content, format="span")
    assert rows[0]["answers"] == {"text": ["b"], "start": [2]}
    assert report["dropped"] == {"no question": 1, "no context": 1}


def test_texts_that_are_numbers_are_written_as_text(tmp_path):
    rows, _ = of_file(tmp_path, "a.jsonl", '{"text": 7, "label": "x"}', format="classification")
    prepare.write(tmp_path / "rows.parquet", rows, "classification", {})
    assert prepare.read(tmp_path / "rows.parquet").to_pylist() == [
        {"id": "0", "text": "7", "text_pair": None, "label": "x"}
    ]


def test_two_files_of_text_are_pairs(tmp_path):
    spec = {"task": "mine", "lang": "de", "hub": "x", "format": "retrieval"}
    for name, text in {"a.de": "Ja.\n\nNein.\n", "a.en": "Yes.\n\nNo.\n"}.items():
        (tmp_path / name).write_text(text)
    table = files.read([tmp_path / "a.de", tmp_path / "a.en"], spec)
    rows, report = prepare.unify(table, {}, spec)
    assert rows[:2] == [
        {"id": "0.source", "side": "source", "text": "Ja.", "gold": "0.target"},
        {"id": "0.target", "side": "target", "text": "Yes.", "gold": None},
    ]
    assert report["dropped"] == {"no text": 1}


@pytest.mark.real
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data")
@pytest.mark.parametrize(
    ("folder", "file", "format"),
    [
        ("facebook/xnli/de", "validation", "classification"),
        ("google-research-datasets/paws-x/de", "validation", "classification"),
        ("nyu-mll/glue/mnli", "validation_matched", "classification"),
        ("google/xquad/xquad.ru", "validation", "span"),
        ("google/xtreme/udpos.Thai", "test", "tagging"),
        ("unimelb-nlp/wikiann/sw", "validation", "tagging"),
        ("tau/commonsense_qa/default", "validation", "choice"),
        ("allenai/cosmos_qa/default", "validation", "choice"),
        ("aps/super_glue/copa", "validation", "choice"),
        ("lighteval/siqa/default", "validation", "choice"),
    ],
)
def test_the_hubs_parquet_files_need_no_columns(folder, file, format):
    path = SHARED / "datasets" / folder / f"{file}-00000-of-00001.parquet"
    spec = {"task": "mine", "lang": "xx", "hub": folder, "format": format}
    table = files.read([path], spec)
    rows, report = prepare.unify(table, {}, spec)
    assert (len(rows), report["dropped"]) == (table.num_rows, {})


NAMES = {
    "classification": ("id", "text", "text_pair", "label"),
    "regression": ("id", "text", "label"),
    "choice": ("id", "context", "question", "choices", "label"),
    "span": ("id", "question", "context", "answers", "answer_start"),
    "tagging": ("id", "tokens", "tags"),
    "retrieval": ("id", "source", "target"),
    "mlm": ("id", "text"),
}
SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 5),
    st.just(2**70),
    st.floats(),
    st.text(max_size=3),
    st.sampled_from(["a b", "A", "1", "[1, 2]", "{'text': 'a'}", '{"a": 1}', "[", "-1"]),
)
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["text", "label", "answer_start", "stem", "choices", "en", "de"]), inner
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(NAMES)), st.data())
def test_rows_of_any_values_are_used_dropped_or_refused_in_one_line(tmp_path_factory, format, data):
    keys = NAMES[format]
    shape = data.draw(
        st.fixed_dictionaries({key: st.sampled_from([SCALAR, VALUE]) for key in keys})
    )
    rows = data.draw(st.lists(st.fixed_dictionaries(shape), min_size=1, max_size=4))
    folder = tmp_path_factory.mktemp("any")
    try:
        found, _ = of_file(folder, "a.json", json.dumps(rows), format=format)
        prepare.write(folder / "rows.parquet", found, format, {})
    except UserError as error:
        assert "\n" not in str(error)
        return
    assert prepare.read(folder / "rows.parquet").num_rows == len(found)
