"""Predictions for a file are those that the evaluation makes of its rows."""

import ast
import csv
import io
import json

import pyarrow as pa
import pytest
from tests.export.made import ROWS, Made
from tests.export.test_documents import Standard
from tests.export.test_folder import code, export

from xstilts.export import predictions
from xstilts.running.errors import UserError
from xstilts.steps import predict


def spec(format, labels=(), **columns):
    return {"task": "t", "format": format, "labels": list(labels), "columns": columns}


@pytest.mark.parametrize(
    ("format", "table", "row"),
    [
        (
            "classification",
            {"premise": ["a"], "hypothesis": ["b"], "gold_label": ["?"], "genre": ["x"]},
            {"text": "a", "text_pair": "b", "label": "yes"},
        ),
        ("classification", {"sentence": ["a"]}, {"text": "a", "text_pair": None, "label": "yes"}),
        ("tagging", {"words": [["a", "b"]]}, {"tokens": ["a", "b"], "tags": [None, None]}),
        (
            "span",
            {"question": ["a"], "passage": ["b"], "answers": [[{"text": "zz"}]]},
            {"question": "a", "context": "b", "answers": {"text": [], "start": []}},
        ),
        (
            "choice",
            {"question": ["a"], "option_a": ["b"], "option_b": ["c"]},
            {"context": "a", "choices": ["b", "c"], "label": 0},
        ),
    ],
)
def test_a_row_needs_no_gold(format, table, row):
    labels = ["yes", "no"] if format == "classification" else []
    (found,) = predictions.rows_of(pa.table(table), spec(format, labels), "a.csv")
    assert {key: found[key] for key in row} == row


def test_the_columns_of_the_task_hold_for_a_file_that_has_one_of_them():
    table = pa.table({"body": ["a"], "title": ["b"]})
    (found,) = predictions.rows_of(table, spec("classification", ["y"], body="text"), "f")
    assert found["text"] == "a"
    (found,) = predictions.rows_of(
        pa.table({"text": ["a"]}), spec("classification", ["y"], body="text", class_="label"), "f"
    )
    assert found["text"] == "a"


@pytest.mark.parametrize(
    ("columns", "table", "line"),
    [
        ({"premise": "text", "hypothesis": "text_pair"}, {"premise": ["a"], "hypo": ["b"]},
         "rows.csv has no column `hypothesis`; did you mean `hypo`? (there are premise, hypo)"),
        ({"premise": "text", "hypothesis": "text_pair"}, {"text": ["a"], "n": ["b"]},
         "rows.csv has no column `hypothesis` (there are text, n)"),
        ({}, {"body": ["a"], "title": ["b"]},
         "rows.csv: which column is the text? there are body, title; say columns: {body: text}"),
    ],
)  # fmt: skip
def test_a_file_that_lacks_a_column(columns, table, line):
    with pytest.raises(UserError) as error:
        predictions.rows_of(pa.table(table), spec("classification", ["y"], **columns), "rows.csv")
    assert str(error.value) == line


def run(made, *args):
    predict.main(predict.parser().parse_args([*args, "--directory", str(made.root)]))


def standard(monkeypatch, data):
    out = Standard()
    monkeypatch.setattr("sys.stdin", Standard(data.encode()))
    monkeypatch.setattr("sys.stdout", out)
    return out.buffer


@pytest.fixture(scope="module")
def predicted(made):
    """Target -> the predictions of the evaluation, by the text of the row."""
    return {target: made.score(f"m/mnli/seed1/{target}", "zh") for target in ("xnli", "xquad")}


def test_a_csv_as_in_the_evaluation(made, predicted, tmp_path):
    rows = [{"n": r["id"], "premise": r["text"], "hypothesis": r["text_pair"]}
            for r in ROWS["classification"]]  # fmt: skip
    with open(tmp_path / "a.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["n", "premise", "hypothesis"])
        writer.writeheader()
        writer.writerows(rows)
    run(made, "m/mnli/seed1/xnli", str(tmp_path / "a.csv"), "--out", str(tmp_path / "b.csv"))
    found = list(csv.DictReader((tmp_path / "b.csv").open()))
    assert [row["prediction"] for row in found] == predicted["xnli"]
    assert [{k: row[k] for k in ("n", "premise", "hypothesis")} for row in found] == rows
    assert all(1 / 3 < float(row["probability"]) < 1 for row in found)


def test_answers_from_standard_input(made, predicted, monkeypatch):
    """What is said of the device is not among them."""
    real = predictions.device.choose
    monkeypatch.setattr(predictions.device, "choose", lambda: print("no bf16") or real())
    rows = [{"id": r["id"], "question": r["question"], "context": r["context"]}
            for r in ROWS["span"]]  # fmt: skip
    out = standard(monkeypatch, "".join(json.dumps(row) + "\n" for row in rows))
    run(made, "m/mnli/seed1/xquad", "-")
    found = [json.loads(line) for line in out.getvalue().decode().splitlines()]
    assert found == [
        {**row, "prediction": text} for row, text in zip(rows, predicted["xquad"], strict=True)
    ]


def test_tags_of_untagged_tokens(made, monkeypatch):
    out = standard(monkeypatch, "the\ncat\n\nhund\n")
    run(made, "m/mnli/seed1/udpos", "-")
    lines = [line.split() for line in out.getvalue().decode().split("\n")]
    tags = set(made.grid.tasks["udpos"].labels)
    assert [line[:1] for line in lines] == [["the"], ["cat"], [], ["hund"], []]
    assert all(line[1] in tags for line in lines if line)


def test_choices_of_an_intermediate(made, tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [{"context": r["context"], "choices": r["choices"]} for r in ROWS["choice"]]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run(made, "m/hellaswag/seed1", str(path), "--out", str(tmp_path / "b.jsonl"))
    found = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()]
    for row, given in zip(found, rows, strict=True):
        assert 0 <= row["prediction"] < len(given["choices"])
        assert 1 / len(given["choices"]) <= row["probability"] <= 1


def test_numbers(made, monkeypatch):
    expected = [float(text) for text in made.score("m/mnli/seed1/sts", "zh")]
    rows = [{"s1": r["text"], "s2": r["text_pair"]} for r in ROWS["regression"]]
    out = standard(monkeypatch, json.dumps(rows))
    run(made, "m/mnli/seed1/sts", "-", "--columns", "{s1: text, s2: text_pair}")
    found = json.loads(out.getvalue())
    assert [row["prediction"] for row in found] == expected
    assert [set(row) for row in found] == [{"s1", "s2", "prediction"}] * len(rows)


def test_a_head_of_a_mixture(made, monkeypatch):
    out = standard(monkeypatch, "text,text_pair\nthe cat,a dog\n")
    run(made, "m/multi/seed1", "-", "--task", "mnli")
    (row,) = csv.DictReader(io.StringIO(out.getvalue().decode()))
    assert row["prediction"] in made.grid.tasks["mnli"].labels


def test_words_of_a_sentence(made, monkeypatch):
    out = standard(monkeypatch, "der hund sieht\n")
    how = ["--file", "{kind: text}", "--columns", "{text: tokens}"]
    run(made, "m/mnli/seed1/udpos", "-", *how)
    text, tags = out.getvalue().decode().rstrip("\n").split("\t")
    assert text == "der hund sieht" and len(tags.split()) == 3


def test_another_encoding(made, monkeypatch):
    out = Standard()
    monkeypatch.setattr("sys.stdin", Standard("text,text_pair\nschläft,x\n".encode("latin-1")))
    monkeypatch.setattr("sys.stdout", out)
    with pytest.raises(UserError) as error:
        run(made, "m/mnli/seed1/xnli", "-")
    line = str(error.value)
    assert line.startswith("standard input: row 2: the byte 0xe4 is not UTF-8; ")
    assert " --file '{encoding: latin-1}'" in line
    monkeypatch.setattr("sys.stdin", Standard("text,text_pair\nschläft,x\n".encode("latin-1")))
    run(made, "m/mnli/seed1/xnli", "-", "--file", "{encoding: latin-1}")
    assert out.buffer.getvalue().decode().splitlines()[1].startswith("schläft,x,")


def test_rows_without_text_keep_their_place(made, monkeypatch, capsys):
    out = standard(monkeypatch, "text,text_pair\n,a dog\nthe cat,a dog\n,\n")
    run(made, "m/mnli/seed1/xnli", "-")
    rows = list(csv.DictReader(io.StringIO(out.getvalue().decode())))
    assert [bool(row["prediction"]) for row in rows] == [False, True, False]
    assert capsys.readouterr().err == (
        "standard input: 2 of 3 rows are empty, the first is row 1; so is their prediction\n"
    )


@pytest.mark.parametrize(
    ("args", "data", "line"),
    [
        (["m/mnli/seed1/tatoeba", "-"], "text\na\n", "m/mnli/seed1/tatoeba: has nothing to predict,"
         " since nothing is tuned for tatoeba; `xstilts export` writes its encoder"),
        (["m/mnli/seed1/xnli", "-", "--columns", "body"], "body\na\n",
         "--columns body: is no mapping; write it as '{body: text}'"),
        (["m/mnli/seed1/xnli", "-", "--columns", "{bod: text}"],
         "text,body\na,b\n", "standard input has no column `bod`; did you mean `body`? (there are"
         " text, body)"),
        (["m/mnli/seed1/xnli", "-", "--out", "a.csv.gz"], "text\na\n",
         "--out a.csv.gz: is written as it is, not compressed; leave the suffix"),
        (["m/mnli/seed1/udpos", "-", "--file", "{kind: text}"], "der hund\n", "standard input:"
         " which column is the tokens? there are text; say --columns '{text: tokens}'"),
        (["m/mnli/seed1/xnli", "-", "--file", "{kid: text}"], "a\n", "--file: there is no key"
         " `kid`; did you mean `kind`? (valid: kind, quoting, encoding)"),
        (["m/mnli/seed1/xnli", "-", "--file", "tsv"], "a\n",
         "--file tsv: is no mapping; write it as '{encoding: latin-1}'"),
        (["m/mnli/seed1/xnli", "-", "--file", "{kind: cvs}"], "a\n", "standard input: file: there"
         " is no kind `cvs`; did you mean `csv`? (valid: csv, tsv, json, jsonl, parquet, conll,"
         " conllu, text)"),
        (["m/mnli/seed1/xnli", "-"], "text\ttext_pair\n\"a\n\"\tb\n", "standard input: row 2: 1"
         " field, but the header has 2; a field must hold no tab and no line break; if fields are"
         " quoted here, say --file '{kind: tsv, quoting: true}'"),
        (["m/mnli/seed1/xnli", "-"], "Ein Hund.\n",
         "standard input has no column `hypothesis` (there are text)"),
        (["m/mnli/seed1/xnli", "not/there.csv"], "", "not/there.csv: there is no such file"),
        (["m/mnli/seed1/xnli", "-"], "text,text_pair,prediction\na,b,c\n",
         "standard input: has a column `prediction` already; rename it"),
    ],
)  # fmt: skip
def test_one_line_for_what_is_wrong(made, monkeypatch, args, data, line):
    standard(monkeypatch, data)
    with pytest.raises(UserError) as error:
        run(made, *args)
    assert str(error.value) == line


def test_parquet_is_not_for_a_terminal(made, tmp_path):
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["a"], "text_pair": ["b"]}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match="--out is missing: parquet is not for standard output"):
        run(made, "m/mnli/seed1/xnli", str(tmp_path / "a.parquet"))
    run(made, "m/mnli/seed1/xnli", str(tmp_path / "a.parquet"), "--out", str(tmp_path / "b"))
    assert pq.read_table(tmp_path / "b").column_names == [
        "text", "text_pair", "prediction", "probability"
    ]  # fmt: skip


def test_a_retrieval_by_a_dual_encoder_predicts_the_nearest_passages(tmp_path):
    """Those of the file, by their ids; and the code of the card embeds them the same."""
    dual = Made(tmp_path / "made", targets=["tatoeba_r"], tasks={})
    dual.tuned("mnli", "lareqa_en")
    rows = [
        (f"q{i}", row["text"], row["text_pair"]) for i, row in enumerate(ROWS["classification"])
    ]
    path, out = tmp_path / "rows.csv", tmp_path / "out.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "question", "answer"), *rows])
    run(dual, "m/mnli/seed1/tatoeba_r", str(path), "--out", str(out))
    with out.open(newline="") as file:
        found = [ast.literal_eval(row["prediction"]) for row in csv.DictReader(file)]
    export(dual, "m/mnli/seed1/tatoeba_r", tmp_path / "x")
    embed = code(tmp_path / "x")["embed"]
    queries, passages = (embed([row[side] for row in rows]) for side in (1, 2))
    order = (queries @ passages.T).argsort(dim=1, descending=True).tolist()
    assert found == [[f"q{i}" for i in one] for one in order]
    assert len({tuple(one) for one in found}) > 1
