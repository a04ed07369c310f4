"""The prepare step on tables in memory and on a mirror in a folder."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from datasets import ClassLabel, Value
from tests.hub import mirror

from xstilts.data import pin, prepare
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
