"""Mining pools: gold pairs, read and made into pairs of rows; what is no mining is refused."""

import json

import pytest
from tests.data.test_prepare import step
from tests.hub import mirror

from xstilts.data import pin, pools
from xstilts.running.errors import UserError

POOL = [
    {"side": "source", "id": "zh-1", "text": "一"},
    {"side": "source", "id": "zh-2", "text": "二"},
    {"side": "source", "id": "zh-3", "text": "三"},
    {"side": "target", "id": "en-1", "text": "two"},
    {"side": "target", "id": "en-2", "text": "four"},
]
SPEC = {
    "task": "bucc", "format": "retrieval", "hub": "local/bucc2018", "config": "zh", "split": "dev",
    "lang": "zh", "gold": "zh/dev.gold.tsv",
}  # fmt: skip


def write(root, rows, gold):
    """Write a mirror with one pool, as JSON lines, and its gold pairs."""
    folder = root / "datasets/local/bucc2018"
    (folder / "zh").mkdir(parents=True)
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "zh/dev.jsonl").write_text("\n".join(lines))
    (folder / "zh/dev.gold.tsv").write_text(gold)
    front = "- config_name: zh\n  data_files:\n  - {split: dev, path: zh/dev.jsonl}\n"
    (folder / "README.md").write_text(f"---\nconfigs:\n{front}---\n")
    return root


def test_a_pair_becomes_neighbours_and_the_rest_have_no_gold(tmp_path):
    root = write(tmp_path / "mirror", POOL, "zh-2\ten-1\n")
    rows, record = step(root, SPEC, tmp_path)
    assert rows == [
        {"id": "zh-1", "side": "source", "text": "一", "gold": None},
        {"id": "zh-2", "side": "source", "text": "二", "gold": "en-1"},
        {"id": "en-1", "side": "target", "text": "two", "gold": None},
        {"id": "zh-3", "side": "source", "text": "三", "gold": None},
        {"id": "en-2", "side": "target", "text": "four", "gold": None},
    ]
    assert (record["rows_total"], record["dropped"]) == (5, {})


def test_a_sample_keeps_pairs_whole(tmp_path):
    gold = "".join(f"s{i}\tt{i}\n" for i in range(20))
    ids = [f"{side}{i}" for side in "st" for i in range(30)]
    pool = [{"side": {"s": "source", "t": "target"}[i[0]], "id": i, "text": i} for i in ids]
    root = write(tmp_path / "mirror", pool, gold)
    rows, _ = step(root, {**SPEC, "max_rows": 10}, tmp_path)
    there = {row["id"] for row in rows}
    paired = [row for row in rows if row["gold"]]
    assert paired and {row["gold"] for row in paired} <= there
    assert len(rows) == 10 + len(paired)


def test_of_two_pairs_of_a_sentence_the_first_counts(tmp_path):
    root = write(tmp_path / "mirror", POOL, "zh-2\ten-1\nzh-1\ten-1\n")
    rows, record = step(root, SPEC, tmp_path)
    assert [row["gold"] for row in rows if row["side"] == "source"] == [None, "en-1", None]
    assert record["dropped"] == {pools.TAKEN: 1}


@pytest.mark.parametrize(
    ("rows", "gold", "line"),
    [
        (POOL, "zh-2 en-1\n", r"dev\.gold\.tsv: line 1 is not `source id TAB target id`: zh-2 en"),
        (POOL, "zh-2\ten-1\nzh-9\ten-2\n", "the gold pair zh-9, en-2: no source has the id zh-9"),
        (POOL, "en-1\tzh-2\n", "the gold pair en-1, zh-2: no source has the id en-1"),
        (POOL[1:2] + POOL[3:4], "zh-2\ten-1\n", "task bucc: every sentence .* use the full pools"),
    ],
)
def test_what_is_wrong_with_pools(rows, gold, line, tmp_path):
    root = write(tmp_path / "mirror", rows, gold)
    with pytest.raises(UserError, match=line) as error:
        step(root, SPEC, tmp_path)
    assert "\n" not in str(error.value)


def test_gold_that_is_not_there_or_has_changed(tmp_path, monkeypatch):
    root = write(tmp_path / "mirror", POOL, "zh-2\ten-1\n")
    with pytest.raises(UserError, match=r"zh/no\.tsv is missing"):
        step(root, {**SPEC, "gold": "zh/no.tsv"}, tmp_path)
    gold = root / "datasets/local/bucc2018/zh/dev.gold.tsv"

    pinned = pin.resolve("datasets", str(root), str(root), SPEC["hub"], "main")
    gold.write_text("zh-1\ten-1\n")
    monkeypatch.setattr(pin, "resolve", lambda *_: pinned)
    with pytest.raises(UserError, match=r"dev\.gold\.tsv has changed since it was pinned"):
        step(root, SPEC, tmp_path)


def test_gold_pairs_of_the_hub_are_refused_for_mining(tmp_path):
    mirror.write_datasets(tmp_path)
    spec = {**SPEC, "hub": "google/xtreme", "config": "tatoeba.deu", "split": "validation"}
    with pytest.raises(
        UserError, match=r"task bucc: google/xtreme .* has no column `side` but"
    ) as e:
        step(tmp_path, spec, tmp_path)
    assert "\n" not in str(e.value)


# ---- candidates of all languages

TEXTS = {
    "de": ("Ein Hund. Er bellt.", [[0, 9], [10, 19]]),
    "en": ("A dog. It barks.", [[0, 6], [7, 16]]),
}
LAREQA = {
    "task": "lareqa", "format": "retrieval", "hub": "local/lareqa", "config": "de", "lang": "de",
    "split": "validation", "rows": "lareqa", "pool": {"de": "de", "en": "en", "zh": "zh"},
}  # fmt: skip


def lareqa(lang, breaks=True):
    """SQuAD's JSON of two questions on a paragraph, as LAReQA's makers have it."""
    context, found = TEXTS[lang]
    starts = {"q1": found[1][0], "q2": 0}
    asked = [
        {"id": i, "question": f"{i} {lang}?", "answers": [{"text": "x", "answer_start": at}]}
        for i, at in starts.items()
    ]
    paragraph = {"context": context, "qas": asked, **({"sentence_breaks": found} if breaks else {})}
    return json.dumps({"data": [{"title": "t", "paragraphs": [paragraph]}]})


def folder(root, hub, files):
    """Write a data set in the files of its makers."""
    for name, text in files.items():
        path = root / "datasets" / hub / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_a_question_has_right_candidates_in_all_languages_that_are_there(tmp_path, capsys):
    root = folder(tmp_path / "m", "local/lareqa", {f"{lang}.json": lareqa(lang) for lang in TEXTS})
    rows, record = step(root, LAREQA, tmp_path)
    about = {"side": "source", "gold": None, "lang": "de"}
    assert rows == [
        {"id": "q1", "text": "q1 de?", "golds": ["de.1.1", "en.1.1"], **about},
        {"id": "q2", "text": "q2 de?", "golds": ["de.1.0", "en.1.0"], **about},
    ]
    assert (record["rows_total"], record["dropped"]) == (2, {})
    assert "no candidates in zh" in capsys.readouterr().out
    pool, record = step(root, {**LAREQA, "lang": "pool", "config": None, "max_rows": 1}, tmp_path)
    assert pool == [
        {"id": f"{lang}.1.{n}", "side": "target", "lang": lang, "gold": None, "golds": None,
         "text": f"{TEXTS[lang][0][slice(*TEXTS[lang][1][n])]} {TEXTS[lang][0]}"}
        for lang in ("de", "en") for n in (0, 1)
    ], "a limit is no limit of candidates, each of which is there once"  # fmt: skip


def test_a_language_that_is_not_there_is_absent(tmp_path, capsys):
    root = folder(tmp_path / "m", "local/lareqa", {"de.json": lareqa("de")})
    rows, record = step(root, {**LAREQA, "lang": "zh", "config": "zh"}, tmp_path)
    assert rows == [] and "no zh.json" in record["absent"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"de.json": lareqa("de", breaks=False)}, "no column `sentence_breaks`.*lareqa.*xquad-r"),
        ({"de.json": "{"}, "de.json: cannot be read as JSON"),
        ({"de.json": '{"data": [{"paragraphs": [{}]}]}'}, "de.json: has no 'qas'"),
        ({"notes.txt": "x"}, r"its folder has no de.json \(there is notes.txt\)"),
    ],
)
def test_a_folder_that_is_not_lareqa_is_refused(tmp_path, files, message):
    root = folder(tmp_path / "m", "local/lareqa", files)
    with pytest.raises(UserError, match=message):
        step(root, {**LAREQA, "pool": {"de": "de"}}, tmp_path)


MEWSLIX = {
    "task": "mewslix", "format": "retrieval", "hub": "local/mewslix", "config": "de", "lang": "de",
    "split": "test", "rows": "mewslix", "pool": {"pool": "candidates"},
}  # fmt: skip
CONTEXT = {
    "text": "Ja. Anna kauft.",
    "sentence_spans": [{"start": 0, "end": 3}, {"start": 4, "end": 15}],
}


def mentions(*entities):
    """A line of mentions, each of the same words."""
    span = {"start": 4, "end": 8, "text": "Anna"}
    listed = [
        {"example_id": f"m{n}", "mention_span": span, "entity_id": entity}
        for n, entity in enumerate(entities)
    ]
    return json.dumps({"context": CONTEXT, "mentions": listed})


def entity(name, lang):
    span = {"start": 0, "end": 4}
    return json.dumps({
        "entity_id": name, "title": "A", "description": f"{lang} A. Rest.",
        "sentence_spans": [span], "description_language": lang, "description_url": "",
    })  # fmt: skip


def test_mentions_are_looked_up_in_a_pool_of_its_own(tmp_path):
    entities = "\n".join([entity("Q1", "sw"), entity("Q2", "de"), entity("Q1", "sw")])
    files = {
        "candidate_set_entities.jsonl": entities,
        "wikinews_mentions/test-de.jsonl": mentions("Q2", None, "Q9"),
    }
    root = folder(tmp_path / "m", "local/mewslix", files)
    rows, record = step(root, MEWSLIX, tmp_path)
    text = "Anna: { Anna } kauft."
    about = {"side": "source", "text": text, "gold": None, "lang": "de"}
    assert rows == [
        {"id": "m0", "golds": ["Q2"], **about}, {"id": "m2", "golds": ["Q9"], **about},
    ]  # fmt: skip
    assert record["dropped"] == {"no label": 1}
    pool, _ = step(root, {**MEWSLIX, "lang": "pool", "config": None}, tmp_path)
    assert [(r["id"], r["lang"], r["text"]) for r in pool] == [
        ("Q1", "sw", "sw A"), ("Q2", "de", "de A"),
    ]  # fmt: skip


def listed(configs):
    """Files of a data set with a README that lists them: one config a file of rows."""
    of = [
        {"config_name": name, "data_files": [{"split": "test", "path": f"{name}.jsonl"}]}
        for name in configs
    ]
    files = {f"{name}.jsonl": "\n".join(map(json.dumps, rows)) for name, rows in configs.items()}
    return files | {"README.md": f"---\n{json.dumps({'configs': of})}\n---\n"}


FAQ = {**MEWSLIX, "task": "faq", "hub": "local/faq", "rows": None, "pool": {"pool": "all"}}
QUERIES = {
    "de": [{"id": "q1", "text": "wer?", "golds": ["c1", "c2"]}, {"id": "q2", "text": "was?"}],
    "en": [{"side": "source", "text": "who?", "gold": 7}],
    "fr": [{"id": 3, "text": "qui?", "golds": '["c1", "c7"]', "gold": "c1"}],
}


def test_a_pool_of_ones_own_needs_no_row_function(tmp_path):
    """A file says the side of its rows, unless they do; `golds` may be a list's text, as in CSV."""
    candidates = [{"id": "c1", "text": "ich", "lang": "de"}, {"id": 7, "text": "me"}]
    configs = QUERIES | {"all": [{**row, "id": str(row["id"])} for row in candidates]}
    root = folder(tmp_path / "m", "local/faq", listed(configs))
    found = {lang: step(root, {**FAQ, "lang": lang, "config": lang}, tmp_path) for lang in QUERIES}
    about = {"side": "source", "gold": None}
    assert {lang: rows for lang, (rows, _) in found.items()} == {
        "de": [{"id": "q1", "text": "wer?", "golds": ["c1", "c2"], "lang": "de", **about}],
        "en": [{"id": "0", "text": "who?", "golds": ["7"], "lang": "en", **about}],
        "fr": [{"id": "3", "text": "qui?", "golds": ["c1", "c7"], "lang": "fr", **about}],
    }
    assert found["de"][1]["dropped"] == {"no label": 1}
    pool, _ = step(root, {**FAQ, "lang": "pool", "config": None}, tmp_path)
    about = {"side": "target", "gold": None, "golds": None}
    assert pool == [
        {"id": "c1", "text": "ich", "lang": "de", **about},
        {"id": "7", "text": "me", "lang": "", **about},
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"text": "ich"}], r"task faq: local/faq all test has no column `id` \(there are text"),
        ([{"id": "c1", "texts": "ich"}], "has no column `text`; did you mean `texts`"),
        ([{"id": "c1", "side": "source", "text": "ich"}], "local/faq all test has no usable row"),
    ],
)
def test_candidates_without_what_they_need_are_refused(tmp_path, rows, message):
    root = folder(tmp_path / "m", "local/faq", listed({"all": rows}))
    with pytest.raises(UserError, match=message) as error:
        step(root, {**FAQ, "lang": "pool", "config": None}, tmp_path)
    assert "\n" not in str(error.value)


def test_a_folder_without_candidates_is_refused(tmp_path):
    files = {"wikinews_mentions/test-de.jsonl": mentions("Q2")}
    root = folder(tmp_path / "m", "local/mewslix", files)
    with pytest.raises(UserError, match=r"no candidate_set_entities.jsonl \(there is wikinews_m"):
        step(root, {**MEWSLIX, "lang": "pool", "config": None}, tmp_path)


def test_pairs_of_wikipedia_are_read_as_published(tmp_path):
    pair = json.loads(mentions("Q2"))
    line = {
        "contextual_mention": {"context": pair["context"], "mention": pair["mentions"][0]},
        "entity": json.loads(entity("Q2", "en")),
    }
    root = folder(tmp_path / "m", "local/mewslix", {"wikipedia_pairs-dev.jsonl": json.dumps(line)})
    spec = {
        "task": "mewslix_en", "format": "dual", "hub": "local/mewslix", "config": "wikipedia_pairs",
        "lang": "en", "split": "validation", "rows": "mewslix_en",
    }  # fmt: skip
    rows, _ = step(root, spec, tmp_path)
    assert rows == [
        {"id": "m0", "text": "Anna: { Anna } kauft.", "text_pair": "en A", "group": "Q2"}
    ]
