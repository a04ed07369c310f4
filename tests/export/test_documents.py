"""A file comes back in its own form, with all that was in it, in its order."""

import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.export import documents
from xstilts.running.errors import UserError

TWO = {"prediction": ["yes", None], "probability": [0.5, None]}
TEXT = "xlmr"


def spec(format="classification", **about):
    return {"task": "t", "format": format, "labels": ["yes", "no"], "columns": {}, **about}


def again(tmp_path, name, data, added=TWO, **about):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return documents.read(str(path), spec(**about)).written(added).decode()


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        (
            "a.csv",
            'id,text\n1,"a, ""b"""\n2,NA\n',
            'id,text,prediction,probability\n1,"a, ""b""",yes,0.5\n2,NA,,\n',
        ),
        (
            "a.csv",
            "id;text\r\n1;a\r\n2;b\r\n",
            "id;text;prediction;probability\r\n1;a;yes;0.5\r\n2;b;;\r\n",
        ),
        (
            "a.tsv",
            'id\ttext\n1\ta "b\n2\tnull\n',
            'id\ttext\tprediction\tprobability\n1\ta "b\tyes\t0.5\n2\tnull\t\t\n',
        ),
        (
            "a.jsonl",
            '{"text": "a", "n": 1.0, "x": [1]}\n\n{"text": "ß"}\n',
            '{"text": "a", "n": 1.0, "x": [1], "prediction": "yes", "probability": 0.5}\n'
            '{"text": "ß", "prediction": null, "probability": null}\n',
        ),
        (
            "a.json",
            '[{"text": "a"}, {"text": "b"}]',
            '[{"text": "a", "prediction": "yes", "probability": 0.5},'
            ' {"text": "b", "prediction": null, "probability": null}]\n',
        ),
        (
            "a.json",
            '{"version": 1, "data": [{"text": "a"}, {"text": "b"}]}',
            '{"version": 1, "data": [{"text": "a", "prediction": "yes", "probability": 0.5},'
            ' {"text": "b", "prediction": null, "probability": null}]}\n',
        ),
        (
            "a.json",
            '{"text": ["a", "b"], "id": [1, 2]}',
            '{"text": ["a", "b"], "id": [1, 2], "prediction": ["yes", null],'
            ' "probability": [0.5, null]}\n',
        ),
    ],
)
def test_rows_with_their_predictions(tmp_path, name, data, expected):
    assert again(tmp_path, name, data) == expected


def test_plain_text_gets_fields_behind_it(tmp_path):
    found = again(tmp_path, "a.txt", "one\ntwo\n", file={"kind": "text"})
    assert found == "one\tyes\t0.5\ntwo\t\t\n"


def test_a_file_without_header_stays_without(tmp_path):
    found = again(tmp_path, "a.tsv", "1\ta\n2\tb\n", columns={"2": "text"})
    assert found == "1\ta\tyes\t0.5\n2\tb\t\t\n"


def test_an_answer_with_white_space_stays_in_its_field(tmp_path):
    added = {"prediction": ["a\tb\nc"]}
    data = "question\tcontext\nq\tc\n"
    assert again(tmp_path, "a.tsv", data, added, format="span") == (
        "question\tcontext\tprediction\nq\tc\ta b c\n"
    )


def test_squads_articles_have_the_answer_beside_the_question(tmp_path):
    squad = {
        "version": "1.1",
        "data": [
            {"title": "t", "paragraphs": [
                {"context": "c", "qas": [{"id": "1", "question": "q", "extra": 1}]},
                {"context": "d", "qas": [{"id": "2", "question": "r"}]},
            ]},
        ],
    }  # fmt: skip
    found = json.loads(
        again(tmp_path, "a.json", json.dumps(squad), {"prediction": ["x", ""]}, format="span")
    )
    paragraphs = squad["data"][0]["paragraphs"]
    paragraphs[0]["qas"][0]["prediction"], paragraphs[1]["qas"][0]["prediction"] = "x", ""
    assert found == squad


TAGS = {"prediction": [["A", "B"], ["C"]]}


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        (
            "a.conll",
            "-DOCSTART- -X-\n\nEU B-ORG\nsays O\n\n猫 O\n",
            "-DOCSTART- -X-\n\nEU B-ORG A\nsays O B\n\n猫 O C\n",
        ),
        ("a.conll", "EU\nsays\n\n猫\n", "EU A\nsays B\n\n猫 C\n"),
        ("a.tsv", "EU\tO\nsays\tO\n\n猫\tO", "EU\tO\tA\nsays\tO\tB\n\n猫\tO\tC\n"),
        (
            "a.conllu",
            "# sent_id = 1\n1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n"
            "1\tde\tde\tADP\t_\t_\t_\t_\t_\t_\n2\tle\tle\tDET\t_\t_\t_\t_\t_\tSpaceAfter=No\n\n"
            "1\tx\tx\tX\t_\t_\t_\t_\t_\t_\n\n",
            "# sent_id = 1\n1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n"
            "1\tde\tde\tADP\t_\t_\t_\t_\t_\tPrediction=A\n"
            "2\tle\tle\tDET\t_\t_\t_\t_\t_\tSpaceAfter=No|Prediction=B\n\n"
            "1\tx\tx\tX\t_\t_\t_\t_\t_\tPrediction=C\n\n",
        ),
    ],
)
def test_tokens_with_their_tags(tmp_path, name, data, expected):
    path = tmp_path / name
    path.write_text(data)
    document = documents.read(str(path), spec("tagging"))
    (tokens,) = document.table.columns
    assert [len(sentence) for sentence in tokens.to_pylist()] == [2, 1]
    assert document.written(TAGS).decode() == expected


def test_parquet_keeps_types_and_metadata(tmp_path):
    table = pa.table({"text": ["a", "b"], "n": pa.array([1, 2], pa.int8())})
    table = table.replace_schema_metadata({"own": "1"})
    pq.write_table(table, tmp_path / "a.parquet")
    document = documents.read(str(tmp_path / "a.parquet"), spec())
    found = pq.read_table(io.BytesIO(document.written(TWO)))
    assert found.select(["text", "n"]).equals(table) and found.schema.metadata[b"own"] == b"1"
    assert found.select(["prediction", "probability"]).to_pydict() == TWO


def test_a_column_that_would_be_there_twice(tmp_path):
    (tmp_path / "a.csv").write_text("text,prediction\na,b\n")
    document = documents.read(str(tmp_path / "a.csv"), spec())
    with pytest.raises(UserError) as error:
        document.check(("prediction", "probability"))
    line = f"{tmp_path}/a.csv: has a column `prediction` already; rename it"
    assert str(error.value) == line


class Standard:
    """Standard input or output of some bytes."""

    def __init__(self, data=b""):
        self.buffer = io.BytesIO(data)


@pytest.mark.parametrize(
    ("data", "format", "kind"),
    [
        (b"text\nab\n", "classification", "csv"),
        (b"\xef\xbb\xbftext\tid\nab\t1\n", "classification", "tsv"),
        (b'\n{"text": "ab"}\n{"text": "c"}\n', "classification", "jsonl"),
        (b'{"question": "q", "answers": [{"text": "ab"}]}', "span", "jsonl"),
        (b'{"v": 1, "data": [{"text": "ab"}]}', "classification", "json"),
        (b'{"text": ["ab", "c"]}', "classification", "json"),
        (b'{\n "text": ["ab", "c"]\n}', "classification", "json"),
        (b'[{"text": "ab"}]', "classification", "json"),
        (b"EU O\n", "tagging", "conll"),
        (b"Ein Hund, der ab bellt.\nab\n", "classification", "text"),
        (b'"Premise";x\nab;1\n', "regression", "csv"),
        (b"question,context\nab,c\n", "span", "csv"),
    ],
)
def test_standard_input_says_by_its_beginning_what_it_is(monkeypatch, data, format, kind):
    monkeypatch.setattr("sys.stdin", Standard(data))
    document = documents.read("-", spec(format))
    assert (document.kind, document.name) == (kind, "standard input")
    added = {"prediction": [["X"] if format == "tagging" else "x"] * document.table.num_rows}
    assert (
        document.written(added).count(b"x") == data.lower().count(b"x") + len(added["prediction"])
        or format == "tagging"
    )


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b" \n", "standard input: is empty; give rows"),
        (b"a,text\n1\n", "standard input: row 2: 1 field, but the header has 2; quote a field that"
         " holds the delimiter or a line break"),
    ],
)  # fmt: skip
def test_standard_input_that_cannot_be_read(monkeypatch, data, line):
    monkeypatch.setattr("sys.stdin", Standard(data))
    with pytest.raises(UserError) as error:
        documents.read("-", spec())
    assert str(error.value) == line


VALUES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), max_size=8)


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=5), st.booleans())
def test_what_is_in_a_csv_comes_back_whatever_it_is(tmp_path_factory, rows, is_json):
    folder = tmp_path_factory.mktemp("any")
    path: Path = folder / ("a.jsonl" if is_json else "a.csv")
    records = [{"text": a, "note": b} for a, b in rows]
    if is_json:
        path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records))
    else:
        import csv

        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ["text", "note"], quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(records)
    try:
        document = documents.read(str(path), spec())
    except UserError:
        return  # a line that looks as if a quote had swallowed it
    added = {"prediction": [f"p{i}" for i in range(len(rows))]}
    path.write_bytes(document.written(added))
    found = documents.read(str(path), spec()).table
    assert found["prediction"].to_pylist() == added["prediction"]
    assert found["text"].to_pylist() == [a if is_json else a or None for a, _ in rows]
