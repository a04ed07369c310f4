"""Files as they are published: read right, or refused with file, row and remedy."""

import bz2
import gzip
import json
import lzma
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from xstilts.data import files
from xstilts.running.errors import UserError

SPEC = {"task": "mine", "lang": "de", "format": "classification"}
TAGGING = {**SPEC, "format": "tagging"}
SPAN = {**SPEC, "format": "span"}


def write(folder, content, name="a.csv"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path, spec=SPEC, **options):
    return files.read([path], {**spec, **({"file": options} if options else {})}).to_pylist()


def refusal(path, spec=SPEC, **options):
    """The line that refuses a file, without its path."""
    with pytest.raises(UserError) as caught:
        read(path, spec, **options)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    return line.removeprefix(f"{path}: ")


def zstd(data):
    with pa.BufferOutputStream() as sink:
        with pa.CompressedOutputStream(sink, "zstd") as out:
            out.write(data)
        return sink.getvalue().to_pybytes()


COMPRESS = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".bz2": bz2.compress,
    ".zst": zstd,
}
ROWS = [{"text": "gut", "label": "1"}, {"text": "schlecht", "label": "0"}]


@pytest.mark.parametrize("ending", COMPRESS)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "text,label\ngut,1\nschlecht,0\n"),
        ("a.csv", "text;label\ngut;1\nschlecht;0\n"),
        ("a.csv", "text\tlabel\ngut\t1\nschlecht\t0\n"),
        ("a.csv", '\ufeff"text","label"\r\n"gut",1\r\nschlecht,"0"'),
        ("a.tsv", "text\tlabel\ngut\t1\n\nschlecht\t0"),
        ("a", "text\tlabel\rgut\t1\rschlecht\t0\r"),
        ("a.json", json.dumps(ROWS)),
        ("a.json", json.dumps({"version": 1, "data": ROWS}, indent=1)),
        ("a.json", json.dumps({"text": ["gut", "schlecht"], "label": ["1", "0"]})),
        ("a.json", '{"text": {"0": "gut", "1": "schlecht"}, "label": {"0": "1", "1": "0"}}'),
        ("a.json", "\n".join(map(json.dumps, ROWS))),
        ("a.jsonl", "\n\n".join(map(json.dumps, ROWS)) + "\n"),
        ("a.ndjson", "\r\n".join(map(json.dumps, ROWS))),
        ("a.jsonl", json.dumps(ROWS)),
        ("a.txt", json.dumps(ROWS)),
    ],
)
def test_the_same_rows_of_each_kind(name, content, ending, tmp_path):
    path = write(tmp_path, COMPRESS[ending](content.encode()), name + ending)
    assert read(path) == ROWS
    assert files.head([path], SPEC, 1).to_pylist() == ROWS[:1]


@pytest.mark.parametrize("name", ["a.parquet", "a"])
def test_parquet(name, tmp_path):
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / name)
    assert read(tmp_path / name) == ROWS
    assert files.head([tmp_path / name], SPEC, 1).to_pylist() == ROWS[:1]


def test_a_file_that_was_unpacked_on_the_way_keeps_its_name(tmp_path):
    assert read(write(tmp_path, "BZh,label\ngut,1\n"))[0]["BZh"] == "gut"
    assert read(write(tmp_path, "text,label\ngut,1\n", "a.csv.gz")) == ROWS[:1]


def test_the_hubs_parquet_files_name_their_labels(tmp_path):
    from datasets import ClassLabel, Dataset, Features, List, Value

    features = {
        "label": ClassLabel(names=["no", "yes"]),
        "tags": List(ClassLabel(names=["N", "V"])),
    }
    rows = {"label": [1, -1], "tags": [[0, 1], [1]], "text": ["a", "b"]}
    path = tmp_path / "a.parquet"
    Dataset.from_dict(rows, Features({**features, "text": Value("string")})).to_parquet(path)
    assert read(path) == [
        {"label": "yes", "tags": ["N", "V"], "text": "a"},
        {"label": None, "tags": ["V"], "text": "b"},
    ]
    assert [r["label"] for r in read(path, {**SPEC, "format": "choice"})] == [1, -1]


WORDS = ["NA", "None", "null", "nan", "N/A", "NULL", "NaN", "-", "true", "1.0", " x ", '"', "#"]


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_text_is_text_and_only_an_empty_field_is_missing(kind, tmp_path):
    mark, quote = {"csv": (",", '""""'), "tsv": ("\t", '"')}[kind]
    lines = [mark.join((quote if w == '"' else w,) * 2) for w in WORDS]
    path = write(tmp_path, "\n".join([f"text{mark}label", *lines, f"{mark}"]), f"a.{kind}")
    found = [{"text": word, "label": word} for word in WORDS]
    assert read(path) == [*found, {"text": None, "label": None}]


def test_csv_is_quoted_as_rfc_4180_has_it(tmp_path):
    content = 'text,label\n"He said ""hi"", then\r\nleft, really",a\n5" disk,b\n'
    assert read(write(tmp_path, content)) == [
        {"text": 'He said "hi", then\r\nleft, really', "label": "a"},
        {"text": '5" disk', "label": "b"},
    ]


@pytest.mark.parametrize(
    ("lines", "swallows"),
    [
        (["text,label", "a,x", '"b,x', 'c 5",x'], True),
        (["text,label", "a,x", '"b,x', "d,x", 'c 5",x'], True),
        (["label,text", "x,a", 'x,"b', "x,d", 'c 5"'], True),
        (["label,text", "x,a", 'x,"b', 'c"'], False),
        (["text,label", "a,x", '"b, y', 'c",x'], False),
        (["text,note", "a,", '"Dear Ann,', 'how are you",'], False),
        (["text,note", "a,x", '"Dear Ann', "of 5, Road", 'how are you",'], False),
        (["id,text,label", "1,a,x", '2,"b,x', "3,d,x", 'c 5",x'], True),
        (["id,text,label", "1,a,x", '2,"b, it said', "c, and d", 'e",x'], False),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_quoted_field_that_swallows_rows_is_told_from_a_text_of_lines(
    lines, swallows, end, tmp_path
):
    path = write(tmp_path, end.join(lines))
    if swallows:
        line = "row 3: a quote opens a field here and swallows what follows up to the next quote"
        assert refusal(path).startswith(line)
    else:
        assert len(read(path)) == 2


def test_a_lone_quote_in_a_tsv_is_a_quote(tmp_path):
    content = 'text\tlabel\n"quoted at first\ta\nand " later\tb\n"all"\tc\n'
    path = write(tmp_path, content, "a.tsv")
    assert [r["text"] for r in read(path)] == ['"quoted at first', 'and " later', '"all"']
    whole = write(tmp_path, 'text\tlabel\n"a ""b""\tand\n c"\tx\n', "b.tsv")
    assert read(whole, quoting=True) == [{"text": 'a "b"\tand\n c', "label": "x"}]


def test_columns_by_number_where_there_is_no_header(tmp_path):
    path = write(tmp_path, "1\tgut\tx\n0\tschlecht\ty\n", "a.tsv")
    spec = {**SPEC, "columns": {2: "text", "1": "label"}}
    assert read(path, spec)[0] == {"1": "1", "2": "gut", "3": "x"}
    with_header = write(tmp_path, "Label\tSentence\nx\ty\n", "b.tsv")
    assert refusal(with_header, spec) == (
        "row 1 is a header (Label, Sentence), and columns by number are for files without one; say"
        " columns: {Sentence: text, Label: label}"
    )
    with pytest.raises(UserError, match=r"columns: 1, text: give names, or numbers .* not both"):
        read(path, {**SPEC, "columns": {1: "label", "text": "text"}})


def test_a_column_without_a_name_has_its_number(tmp_path):
    path = write(tmp_path, ",text,label,\n0,gut,1,\n")
    assert read(path) == [{"1": "0", "text": "gut", "label": "1", "4": None}]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.csv", "", "is empty; give a file with rows, or leave it out"),
        ("a.csv", "\n \n".replace(" ", ""), "holds blank lines alone; give a file with rows"),
        ("a.csv", "text,label\n", r"holds a header alone \(text, label\), no row; give a file"),
        ("a.csv", "text,label\na,b,c\n", "row 2: 3 fields, but the header has 2; quote a field"),
        ("a.csv", "text,label\na,b\na\n", "row 3: 1 field, but the header has 2; quote a field"),
        ("a.csv", 'text,label\na,b\n"c,d\ne,f\n', r"row 3: a quote opens a field here and is not"),
        ("a.csv", 'text,label\n"c,d\ne,f\n"g",h\n', "row 2: a quote opens a field here and is not"),
        ("a.csv", 'text,label\n"c" d,e\n', "row 2: text follows the quote that ends a field"),
        ("a.csv", 'text,label\ne,d\n"c,d\ng,e\n5",e\n', "row 3: a quote opens a field here and sw"),
        ("a.csv", 'a,b,c\n"x\ny",1\n', "row 2: 2 fields, but the header has 3; a quoted fi"),
        ("a.csv", "text,text\na,b\n", "row 1: two columns are named `text`; give each its"),
        ("a.tsv", "text\tlabel\na\n", r"row 2: 1 field, .*say `file: {kind: tsv, quoting: "),
        ("a.csv", b"text,label\nok,a\nna\xefve,b\n", "row 3: the byte 0xef is not UTF-8; say what"
         " the file's encoding is, as in `file: {encoding: latin-1}`"),
        ("a.csv", b"text,label\nx\x00y,b\n", "row 2: holds a NUL byte, so it is damaged or no"),
        ("a.csv", b"version https://git-lfs.github.com/spec/v1\noid", "is a Git LFS pointer, not"
         " the data; run `git lfs pull` in its folder"),
        ("a.xlsx", b"PK\x03\x04\x14\x00", "is a zip archive or a spreadsheet; unpack it, or"),
        ("a.csv.gz", gzip.compress(b"text,label\na,b\n" * 99, mtime=0)[:-30],
         "is damaged or cut off .*; "),
        ("a.csv.zst", zstd(b"text,label\na,b\n" * 99)[:-9], "is damaged or cut off .*; "),
        ("a.csv.xz", lzma.compress(b"text,label\na,b\n" * 99)[:-9], "is damaged or cut off .*; "),
        ("a.csv.bz2", bz2.compress(b"text,label\na,b\n" * 99)[:-9], "is damaged or cut off .*; "),
        ("a.parquet", b"PAR1 cut off", r"is no parquet file, or damaged \(.*\); fetch it again"),
        ("a.parquet", "text,label\n", r"is no parquet file, or damaged \(.*\); fetch it again"),
        ("a.txt", "text,label\na,b\n", r"its name does not say what .* say `file: {kind: "),
        ("a.jsonl", '{"text": "a"}\n{"text": \n', r"row 2: is not JSON \(Expecting value at char"),
        ("a.jsonl", '{"text": "a"}\n["a"]\n', "row 2: is a list, not an object; write each row as"),
        ("a.jsonl", '{"text": "\\ud800"}', "row 1: holds half of a surrogate pair"),
        ("a.json", '[{"text": "a"},\n {"text": }]', r"row 2: is not JSON \(Expecting value"),
        ("a.json", '[{"text": "a"}', r"row 1: is not JSON \(Expecting ',' delimiter"),
        ("a.json", "[]", "holds no row; give a file with rows, or leave it out"),
        ("a.json", "[{}]", "its rows have no keys"),
        ("a.json", '["a", "b"]', "row 1: is text, not an object"),
        ("a.json", "7", "is a number, not a list of records"),
        ("a.json", '{"a": [1, 2], "b": [1]}', r"its columns are not equally long \(a: 2, b: 1\)"),
        ("a.json", '{"a": 1}', "is an object with a, in which no list of records is found; write"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(name, content, line, tmp_path):
    found = refusal(write(tmp_path, content, name))
    assert re.match(line, found), found


def test_files_that_are_not_there(tmp_path):
    assert refusal(tmp_path / "a.csv") == "there is no such file"
    (tmp_path / "b.csv").mkdir()
    assert refusal(tmp_path / "b.csv") == "is a folder, not a file"


def test_what_a_file_is_can_be_said(tmp_path):
    path = write(tmp_path, "text\tlabel\nna\xefve\t1\n".encode("latin-1"), "a.data")
    found = [{"text": "naïve", "label": "1"}]
    assert read(path, kind="tsv", encoding="latin-1") == found
    assert read(write(tmp_path, "text\tlabel\nnaïve\t1\n".encode("utf-16")), kind="tsv") == found
    assert refusal(path, kind="tvs") == (
        "file: there is no kind `tvs`; did you mean `tsv`? (valid: csv, tsv, json, jsonl, parquet,"
        " conll, conllu, text)"
    )
    assert refusal(path, kinds="tsv") == (
        "file: there is no key `kinds`; did you mean `kind`? (valid: kind, quoting, encoding)"
    )
    assert refusal(path, quoting="no") == "file: quoting must be true or false, not 'no'"
    assert refusal(path, kind="tsv", encoding="latin1x") == (
        "there is no encoding `latin1x`; `utf-8`, `latin-1` and `cp1251` are some"
    )
    assert refusal(path, kind="tsv", encoding="rot13").startswith("there is no encoding `rot13`")


def test_values_of_one_column_that_have_no_common_type_are_text(tmp_path):
    rows = [{"id": 1, "x": [1]}, {"id": "b", "x": "y"}, {"id": None, "x": True}, {"id": 10**30}]
    assert read(write(tmp_path, json.dumps(rows), "a.json")) == [
        {"id": "1", "x": "[1]"},
        {"id": "b", "x": "y"},
        {"id": None, "x": "true"},
        {"id": str(10**30), "x": None},
    ]


SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Tesla",
            "paragraphs": [
                {
                    "context": " Tesla was born in 1856.",
                    "qas": [
                        {
                            "id": "a",
                            "question": "When?",
                            "answers": [{"text": "1856", "answer_start": 19}],
                            "is_impossible": False,
                        },
                        {
                            "id": 7,
                            "question": "Where?",
                            "is_impossible": True,
                            "plausible_answers": [{"text": "1856", "answer_start": 19}],
                        },
                    ],
                }
            ],
        }
    ],
}


def test_squad_as_published(tmp_path):
    path = write(tmp_path, json.dumps(SQUAD), "dev-v2.0.json")
    rest = {"title": "Tesla", "context": " Tesla was born in 1856."}
    articles = write(tmp_path, json.dumps(SQUAD["data"]), "articles.json")
    assert read(articles, SPAN) == read(path, SPAN)
    assert read(path, SPAN) == [
        {"id": "a", "question": "When?", "answers": [{"text": "1856", "answer_start": 19}], **rest},
        {"id": "7", "question": "Where?", "answers": [], **rest},
    ]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda p: p.pop("context"),
            "article 1, paragraph 1: has no `context`, which SQuAD's form",
        ),
        (lambda p: p.pop("qas"), "article 1, paragraph 1: has no `qas`, which"),
        (lambda p: p["qas"][1].pop("id"), "article 1, paragraph 1, question 2: has no `id`, which"),
        (lambda p: p.update(qas=[]), "holds no row"),
    ],
)
def test_squad_with_parts_missing(change, line, tmp_path):
    squad = json.loads(json.dumps(SQUAD))
    change(squad["data"][0]["paragraphs"][0])
    assert refusal(write(tmp_path, json.dumps(squad), "a.json"), SPAN).startswith(line)


CONLL = """-DOCSTART- -X- -X- O

# id 12 domain
# all O
# this is sentence 3 O
EU NNP I-NP I-ORG
# NN I-NP O

-DOCSTART- O

rejects VBZ  I-VP O
"""


def test_conll(tmp_path):
    path = write(tmp_path, CONLL, "eng.train")
    assert read(path, TAGGING) == [
        {"tokens": ["EU", "#"], "tags": ["I-ORG", "O"]},
        {"tokens": ["rejects"], "tags": ["O"]},
    ]
    numbers = {**TAGGING, "columns": {1: "tokens", 2: "tags"}}
    assert read(path, numbers)[1] == {"1": ["rejects"], "2": ["VBZ"]}
    assert refusal(path, {**TAGGING, "columns": {1: "tokens", 5: "tags"}}) == (
        "columns: there is no column `5` (there are 1 to 4)"
    )


def test_conll_with_tabs_keeps_blanks_in_tokens(tmp_path):
    path = write(tmp_path, "New York\tLOC\n\u00a0\tO\n#a\tO\n\n\nis\tO", "dev-de.tsv")
    assert read(path, TAGGING) == [
        {"tokens": ["New York", "\u00a0", "#a"], "tags": ["LOC", "O", "O"]},
        {"tokens": ["is"], "tags": ["O"]},
    ]
    named = write(tmp_path, "words\tner\na b\tX Y\n", "b.tsv")
    assert read(named, TAGGING) == [{"words": "a b", "ner": "X Y"}]
    header = write(tmp_path, "Word\tTag\na\tX\n\nb\tY\n", "c.tsv")
    assert [row["tokens"] for row in read(header, TAGGING)] == [["a"], ["b"]]


CONLLU = """# newdoc id = 1
# text = Zum Haus
1-2\tZum\t_\t_\t_\t_\t_\t_\t_\t_
1\tzu\tzu\tADP\tAPPR\t_\t3\tcase\t_\t_
2\tdem\tder\tDET\tART\t_\t3\tdet\t_\t_
2.1\tleer\t_\tX\t_\t_\t_\t_\t_\t_
3\tHaus\tHaus\tNOUN\tNN\t_\t0\troot\t_\t_

# text = #
1\t#\t#\tSYM\t$\t_\t0\troot\t_\t_
"""


def test_conllu_skips_comments_multiword_tokens_and_empty_nodes(tmp_path):
    path = write(tmp_path, CONLLU, "de.conllu")
    assert read(path, TAGGING) == [
        {"tokens": ["zu", "dem", "Haus"], "tags": ["ADP", "DET", "NOUN"]},
        {"tokens": ["#"], "tags": ["SYM"]},
    ]
    spec = {**TAGGING, "columns": {"FORM": "tokens", "xpos": "tags"}}
    assert read(path, spec)[1] == {"FORM": ["#"], "xpos": ["$"]}
    assert "no column `XPO`; did you mean `XPOS`? (there are 1 to 10, or ID, FORM" in refusal(
        path, {**TAGGING, "columns": {"FORM": "tokens", "XPO": "tags"}}
    )


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.conll", "a X O\nb O\n", "row 2: 2 columns, but row 1 has 3; give each token as many"),
        ("a.conll", "a\nb\n", "row 1: has one column, the tokens, and no tags; give a file with"),
        ("a.conll", "\n# x\n", "holds no token; give a file with a token a line"),
        ("a.conllu", "a\tO\n", "row 1: 2 columns, but CoNLL-U has 10, with tabs between them"),
    ],
)
def test_conll_that_cannot_be_read(name, content, line, tmp_path):
    assert refusal(write(tmp_path, content, name), TAGGING).startswith(line)


def test_plain_text(tmp_path):
    spec = {**SPEC, "format": "mlm"}
    path = write(tmp_path, "Erste Zeile.\r\n\r\n Zweite\u2028Zeile. \r\n", "de.txt")
    assert read(path, spec) == [{"text": "Erste Zeile."}, {"text": " Zweite\u2028Zeile. "}]


def test_parallel_text(tmp_path):
    spec = {**SPEC, "format": "retrieval"}
    de, en = (
        write(tmp_path, "Ja.\n\nNein.\n", "de-en.de"),
        write(tmp_path, "Yes.\n\nNo.", "de-en.en"),
    )
    assert files.read([de, en], spec).to_pylist() == [
        {"source": "Ja.", "target": "Yes."},
        {"source": "", "target": ""},
        {"source": "Nein.", "target": "No."},
    ]
    write(tmp_path, "Yes.\n", "de-en.en")
    with pytest.raises(UserError, match=r"en: has 1 line, but .*de has 3; in parallel text line n"):
        files.read([de, en], spec)
    assert refusal(de, spec) == "parallel text is two files, source and target, not 1"


def test_shards_are_one_table(tmp_path):
    a = write(tmp_path, "text,label\nx,1\n", "a.csv")
    b = write(tmp_path, '{"label": 2, "text": "y"}', "b.jsonl")
    assert files.read([a, b], SPEC).to_pylist() == [
        {"text": "x", "label": "1"},
        {"text": "y", "label": "2"},
    ]
    c = write(tmp_path, "text,lable\nx,1\n", "c.csv")
    with pytest.raises(UserError) as caught:
        files.read([a, c], SPEC)
    assert str(caught.value) == (
        f"{c}: its columns are text, lable, but those of {a} are text, label (label, lable is in"
        " one alone); give shards of one data set"
    )


def test_the_head_of_a_large_file_does_not_need_the_rest(tmp_path, monkeypatch):
    monkeypatch.setattr(files.content, "HEAD", 40)
    body = b'text,label\na,x\n"b\nc",y\n' + b'"d\n' + b"d\n" * 10 + b'",z\n' + b"\xff" * 99
    for ending, compress in COMPRESS.items():
        path = write(tmp_path, compress(body), f"a.csv{ending}")
        found = files.head([path], SPEC, 5).to_pylist()
        assert found == [{"text": "a", "label": "x"}, {"text": "b\nc", "label": "y"}]
    conll = write(tmp_path, "a O\n\n" * 6 + "b O\n" * 9 + "c O O\n", "a.conll")
    assert len(files.head([conll], TAGGING, 99)) == 6, "a sentence that goes on is left out"
    long = write(tmp_path, 'text,label\n"' + "a\n" * 40 + '",x\n', "b.csv")
    assert files.head([long], SPEC, 1).to_pylist() == read(long)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
FIELD = st.one_of(TEXT, st.sampled_from([*WORDS, 'a "b"', "x,y", "a\nb", "x\r\ny,1", '",', ""]))
LABEL = st.sampled_from(["0", "1", "NA", 'so "so"', "ja, nein"])
TABLE = st.lists(st.tuples(FIELD, LABEL), min_size=1, max_size=8)
WAYS = st.tuples(
    st.booleans(), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.sampled_from(list(COMPRESS))
)


def save(folder, text, name, way):
    """Write text in one of the ways that files come in; return the path."""
    mark, end, last, ending = way
    text = text if last else text.removesuffix(end)
    data = text.encode("utf-8-sig" if mark else "utf-8")
    return write(folder, COMPRESS[ending](data), name + ending)


def wanted(rows):
    return [{"text": text or None, "label": label} for text, label in rows]


def quoted(field, end):
    return '"' + field.replace('"', '""') + '"' if set(field) & set(f',"{end}\n\r') else field


@settings(max_examples=60, deadline=None)
@given(TABLE, WAYS)
def test_any_csv_is_read_as_it_was_written(tmp_path_factory, rows, way):
    end = way[1]
    lines = [",".join(quoted(f, end) for f in row) + end for row in [("text", "label"), *rows]]
    path = save(tmp_path_factory.mktemp("csv"), "".join(lines), "a.csv", way)
    try:
        assert read(path) == wanted(rows)
    except UserError as error:  # what looks like rows in a field, in spite of its quotes
        assert re.match(rf"{re.escape(str(path))}: row \d+: a quote opens .*; close it", str(error))
        assert any("\n" in text for text, _ in rows)


@settings(max_examples=60, deadline=None)
@given(TABLE, WAYS)
def test_any_tsv_is_read_as_it_was_written_or_refused(tmp_path_factory, rows, way):
    # A break at the start of a row cannot be told from an empty line.
    assume(not any(text.startswith("\n") for text, _ in rows))
    end = way[1]
    lines = ["\t".join(row) + end for row in [("text", "label"), *rows]]
    path = save(tmp_path_factory.mktemp("tsv"), "".join(lines), "a.tsv", way)
    broken = [i for i, (text, _) in enumerate(rows, 2) if set(text) & {"\t", "\n"}]
    if not broken:
        assert read(path) == wanted(rows)
    else:
        assert re.match(rf"row {broken[0]}: \d+ fields?, but the header has 2; a", refusal(path))


VALUE = st.one_of(FIELD, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False))


@settings(max_examples=60, deadline=None)
@given(TABLE, st.data(), WAYS)
def test_any_json_is_read_as_it_was_written(tmp_path_factory, rows, data, way):
    records = [{"text": text, "label": label} for text, label in rows]
    name, text = data.draw(
        st.sampled_from(
            [
                ("a.jsonl", "".join(json.dumps(r, ensure_ascii=False) + way[1] for r in records)),
                ("a.json", json.dumps(records, indent=1)),
                ("a.json", json.dumps({"data": records, "name": "x"})),
                ("a.json", json.dumps({key: [r[key] for r in records] for key in records[0]})),
            ]
        )
    )
    assert read(save(tmp_path_factory.mktemp("json"), text, name, way)) == records
    records = [{"x": data.draw(VALUE)} for _ in rows]
    path = save(tmp_path_factory.mktemp("json"), json.dumps(records), "b.json", way)
    assert [r["x"] is None for r in read(path)] == [r["x"] is None for r in records]


TOKEN = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\t\n\r \ufeff"), min_size=1, max_size=6
).filter(lambda t: t != "-DOCSTART-")
SENTENCES = st.lists(
    st.lists(st.tuples(TOKEN, st.sampled_from(["O", "B-X", "#"])), min_size=1, max_size=4),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(SENTENCES, st.sampled_from("\t "), WAYS)
def test_any_conll_is_read_as_it_was_written(tmp_path_factory, sentences, mark, way):
    sentences = [[("The", "O"), ("end", "B-X"), ("C", "#")], *sentences]
    end = way[1]
    text = "".join(
        f"# id {i} of all{end}"
        + "".join(f"{token}{mark}{tag}{end}" for token, tag in sentence)
        + end
        for i, sentence in enumerate(sentences)
    )
    path = save(tmp_path_factory.mktemp("conll"), text, "a.conll", way)
    assert read(path, TAGGING) == [
        {"tokens": [token for token, _ in s], "tags": [tag for _, tag in s]} for s in sentences
    ]


@settings(max_examples=40, deadline=None)
@given(SENTENCES, st.lists(st.sampled_from(["multiword", "empty", "comment"]), max_size=4), WAYS)
def test_any_conllu_is_read_as_it_was_written(tmp_path_factory, sentences, extras, way):
    end, rest = way[1], "\t_" * 5
    lines = []
    for sentence in sentences:
        for i, (form, tag) in enumerate(sentence, 1):
            if "multiword" in extras[i - 1 : i]:
                lines.append(f"{i}-{i + 1}\t{form}\t_\t_\t_{rest}")
            lines.append(f"{i}\t{form}\t_\t{tag}\tX{rest}")
            if "empty" in extras[i - 1 : i]:
                lines.append(f"{i}.1\t{form}\t_\tX\t_{rest}")
        lines.append("")
    lines = ["# text = x"] * ("comment" in extras) + lines
    text = "".join(line + end for line in lines)
    assert read(save(tmp_path_factory.mktemp("conllu"), text, "a.conllu", way), TAGGING) == [
        {"tokens": [form for form, _ in s], "tags": [tag for _, tag in s]} for s in sentences
    ]


@settings(max_examples=40, deadline=None)
@given(st.lists(TEXT.filter(lambda t: not set(t) & set("\n\r\ufeff")), min_size=1), WAYS)
def test_any_text_is_read_as_it_was_written(tmp_path_factory, lines, way):
    lines = ["first", *lines]
    path = save(tmp_path_factory.mktemp("text"), "".join(t + way[1] for t in lines), "a.txt", way)
    assert read(path, {**SPEC, "format": "mlm"}) == [{"text": t} for t in lines if t.strip()]


@settings(max_examples=20, deadline=None)
@given(TABLE, st.sampled_from(["", ".gz", ".zst"]))
def test_any_parquet_is_read_as_it_was_written(tmp_path_factory, rows, ending):
    records = [{"text": text, "label": label} for text, label in rows]
    path = tmp_path_factory.mktemp("parquet") / f"a.parquet{ending}"
    with pa.BufferOutputStream() as sink:
        pq.write_table(pa.Table.from_pylist(records), sink)
        path.write_bytes(COMPRESS[ending](sink.getvalue().to_pybytes()))
    assert read(path) == records


WHOLE = {
    "a.csv": b'text,label\n"a ""b""",1\n"c\nd",0\n',
    "a.tsv": b"text\tlabel\na\t1\nb\t0\n",
    "a.json": json.dumps(SQUAD).encode(),
    "b.json": json.dumps(ROWS).encode(),
    "a.jsonl": b'{"text": "a", "label": 1}\n{"text": "b", "label": [1]}\n',
    "a.conllu": CONLLU.encode(),
    "a.conll": CONLL.encode(),
    "a.csv.gz": gzip.compress(b"text,label\na,1\n", mtime=0),
    "a.csv.zst": zstd(b"text,label\na,1\n"),
    "a.csv.xz": lzma.compress(b"text,label\na,1\n"),
}


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(WHOLE)),
    st.integers(0, 400),
    st.integers(0, 3),
    st.sampled_from(
        [b"", b'"', b",", b"\t", b"\n", b"\x00", b"\xff", b"{", b"[", b"#", b"1", b"\r"]
    ),
)
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path_factory, name, at, cut, put):
    data = WHOLE[name]
    at %= len(data)
    folder = tmp_path_factory.mktemp("damaged")
    path = write(folder, data[:at] + put + data[at + cut :], name)
    spec = TAGGING if "conll" in name else SPEC
    for call in (lambda: files.read([path], spec), lambda: files.head([path], spec, 3)):
        try:
            assert call().num_rows > 0
        except UserError as error:
            assert str(error).startswith(f"{path}: ")
            assert "\n" not in str(error)
