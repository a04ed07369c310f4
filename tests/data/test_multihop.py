"""Multi-hop questions through the prepare step: raw rows before and after, the toy world's, files
of a user's, and which rows there are in which view."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.data.test_hops import HOTPOT, MUSIQUE
from tests.data.test_pools import folder
from tests.data.test_prepare import SHARED, step, unify

from xstilts.data import files, hops, passages, prepare
from xstilts.experiment.config import load
from xstilts.experiment.grid import Grid
from xstilts.running.errors import UserError
from xstilts.toy import catalogue, mirror
from xstilts.toy import spec as toy

SPAN = {"format": "span", "no_answer": False}
MULTIQ = {
    "support_text": "«Эмма» — роман Остин.", "main_text": "Остин родилась в Стивентоне.",
    "question": "Где родилась автор «Эммы»?",
    "bridge_answers": [{"label": "passage", "offset": 15, "length": 5, "segment": "Остин"}],
    "main_answers": [{"label": "passage", "offset": 17, "length": 10, "segment": "Стивентоне"}],
}  # fmt: skip
TASKS = (
    "hotpot", "hotpot_gold", "hotpot_answer", "hotpot_x", "hotpot_x_gold", "hotpot_x_answer",
    "multiq", "musique", "musique_gold", "musique_last",
)  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "raw", "context", "made"),
    [
        ("hotpot", HOTPOT, "gold", {
            "id": "5a", "question": "Where was the author of Emma born?",
            "context": "yes no Emma (novel): Emma is a novel by Jane Austen. It is from 1815. Jane"
            " Austen: Jane Austen was a novelist. She was born in Steventon.",
            "answers": {"text": ["Steventon"], "start": [127]},
            "strata": {"type": "bridge", "answer": "span"},
        }),
        ("musique", MUSIQUE, 1, {
            "id": "2hop__12_34", "question": "Where was the author of Emma born?",
            "context": "yes no Bath: A city. Emma: By Jane Austen. Jane: Born in Steventon.",
            "answers": {"text": ["Steventon"], "start": [57]},
            "strata": {"hops": "2", "shape": "2hop"},
        }),
        ("musique_last", MUSIQUE, "gold", {
            "id": "2hop__12_34", "question": "Where was Jane Austen born?",
            "context": "yes no Jane: Born in Steventon.",
            "answers": {"text": ["Steventon"], "start": [21]},
            "strata": {"hops": "1", "shape": "2hop"},
        }),
        ("multiq", MULTIQ, "gold", {
            "id": "0", "question": "Где родилась автор «Эммы»?",
            "context": "yes no «Эмма» — роман Остин. Остин родилась в Стивентоне.",
            "answers": {"text": ["Стивентоне"], "start": [46]}, "strata": {"hops": "2"},
        }),
    ],
)  # fmt: skip
def test_a_raw_row_of_each_in_full(rows, raw, context, made):
    strata = {name: name for name in hops.STRATA[rows]}
    found, report = unify([raw], {**SPAN, "rows": rows, "context": context, "strata": strata})
    assert found == [made]
    assert report["dropped"] == {}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A toy mirror of the multi-hop sets, and the grid of all tasks over it."""
    root, spec = (
        tmp_path_factory.mktemp("toy"),
        toy.parse({"seed": 3, "sizes": {"train": 60, "dev": 40, "test": 40}}),
    )
    made = [
        table
        for family in catalogue.CATALOGUE
        if family.make.__module__.endswith(".multihop")
        for table in family.make(spec)
    ]
    for name in {table.repository for table in made}:
        mirror.write_repository(name, [t for t in made if t.repository == name], {}, root)
    model = {"m": {"from": "FacebookAI/xlm-roberta-base"}}
    raw = {"source": "toy", "models": model, "intermediates": {}, "targets": list(TASKS)}
    return root, Grid(load({**raw, "languages": "all", "seeds": [1]}))


def test_the_toy_world_has_rows_of_every_task_in_every_view(world, tmp_path):
    root, grid = world
    rows, records = {}, {}
    for name in (*TASKS, "hotpotqa", "musique_en"):
        for lang in grid.tasks[name].languages:
            key = name, lang
            rows[key], records[key] = step(root, grid.data_spec(name, lang, "dev"), tmp_path)
            for row in rows[key]:
                for text, start in zip(*row["answers"].values(), strict=True):
                    assert row["context"][start : start + len(text)] == text
    ids = {key: [row["id"] for row in found] for key, found in rows.items()}
    english = ids["hotpot", "en"]
    assert len(english) == 40
    assert {len(ids[key]) for key in ids if not key[0].endswith("_answer")} == {40}
    for lang in grid.tasks["hotpot_x"].languages:
        assert ids["hotpot_x", lang] == ids["hotpot_x_gold", lang] == english
        assert ids["hotpot_x_answer", lang] == ids["hotpot_answer", "en"]
    assert ids["hotpot_gold", "en"] == ids["hotpotqa", "en"] == english
    comparisons = sum(row["strata"]["type"] == "comparison" for row in rows["hotpot", "en"])
    assert 0 < comparisons < 20
    assert records["hotpot_answer", "en"]["dropped"] == {passages.IN_NONE: comparisons}
    assert {row["strata"]["hops"] for row in rows["musique", "en"]} == {"2", "3", "4"}
    assert {row["strata"]["hops"] for row in rows["musique_last", "en"]} == {"1"}
    assert {row["strata"]["hops"] for row in rows["multiq", "ru"]} == {"2"}
    assert ids["musique", "en"] == ids["musique_gold", "en"] == ids["musique_last", "en"]
    last = rows["musique_last", "en"]
    assert all(row["question"].startswith("Where is ") for row in last)
    assert [row["answers"]["text"] for row in last] == [
        row["answers"]["text"] for row in rows["musique", "en"]
    ]
    train, _ = step(root, grid.data_spec("hotpotqa", "en", "train"), tmp_path)
    assert len(train) == 60


HOTPOT_X = {
    "task": "hotpot_x", **SPAN, "hub": "local/hotpotqa-x", "config": "de", "lang": "de",
    "split": "validation", "rows": "hotpot", "context": 1,
    "strata": {"type": "type", "answer": "answer"},
}  # fmt: skip


def pairs(row):
    """A row as HotpotQA's makers write it."""
    made = {k: v for k, v in row.items() if k != "id"} | {"_id": row["id"]}
    for field in ("context", "supporting_facts"):
        made[field] = [list(pair) for pair in zip(*row[field].values(), strict=True)]
    return made


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([HOTPOT, HOTPOT | {"id": "5b"}]),
        json.dumps([pairs(HOTPOT), pairs(HOTPOT | {"id": "5b"})], indent=1),
        f"{json.dumps(HOTPOT)}\n{json.dumps(HOTPOT | {'id': '5b'})}\n",
        json.dumps({"data": [HOTPOT, HOTPOT | {"id": "5b"}]}),
    ],
    ids=["columns", "pairs", "lines", "data"],
)
def test_a_folder_of_translations_is_read_however_it_is_written(text, tmp_path):
    root = folder(tmp_path / "m", "local/hotpotqa-x", {"de.json": text})
    rows, _ = step(root, HOTPOT_X, tmp_path)
    assert [row["id"] for row in rows] == ["5a", "5b"]
    assert rows[0]["context"].startswith("yes no ") and rows[0]["answers"]["text"] == ["Steventon"]
    assert rows[0]["strata"] == {"type": "bridge", "answer": "span"}
    assert step(root, HOTPOT_X | {"config": "ru", "lang": "ru"}, tmp_path)[0] == []
    path = root / "datasets/local/hotpotqa-x/de.json"
    assert prepare.unify(files.read([path], HOTPOT_X), {}, HOTPOT_X)[0] == rows, "of `files:`"


LOST = HOTPOT | {"answer": "Chawton"}
PLAIN = {"id": "1", "question": "?", "answer": "x", "type": "bridge", "context": "A text.",
         "supporting_facts": []}  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([LOST], r"task hotpot_x: .*/de\.json: 1 of its 1 rows cannot be used: answer is in no"
                 r" supporting paragraph: 1 \(first: 5a\); a translation has to copy the answer"),
        ([PLAIN], r"de\.json: row 1: is not in the form that `rows: hotpot` reads"),
        ([HOTPOT | {"answer": None}], r"row 5a: is not in the form that `rows: hotpot` reads"),
        ([{"id": "1", "question": "?", "answer": "x"}], r"de\.json has no column `context`"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_as_it_has_to_be_is_named(rows, line, tmp_path):
    root = folder(tmp_path / "m", "local/hotpotqa-x", {"de.json": json.dumps(rows)})
    with pytest.raises(UserError, match=line):
        step(root, HOTPOT_X, tmp_path)


def test_a_folder_without_such_files_is_refused(tmp_path):
    root = folder(tmp_path / "m", "local/hotpotqa-x", {"notes.txt": "x"})
    with pytest.raises(UserError, match=r"its folder has no de\.json \(there is notes\.txt\)"):
        step(root, HOTPOT_X, tmp_path)


WORDS = {"en": ["home", "house", "town"], "de": ["Heim", "Haus", "Stadt"]}


@st.composite
def parallel(draw):
    """Rows of HotpotQA's form in two languages, in which other words are where the answer is."""
    made = {lang: [] for lang in WORDS}
    for number in range(draw(st.integers(1, 4))):
        size = draw(st.integers(1, 4))
        gold = draw(st.sets(st.integers(0, size), max_size=2))  # one past the last is not there
        answer = draw(st.sampled_from(["yes", "no", 0, 0, 1, 2]))
        said = [draw(st.lists(st.integers(0, 2), min_size=1, max_size=3)) for _ in range(size)]
        for lang, words in WORDS.items():
            made[lang].append({
                "id": f"q{number}", "question": f"{lang}?", "type": "bridge",
                "answer": answer if isinstance(answer, str) else words[answer],
                "supporting_facts": {
                    "title": [f"{lang} {i}" for i in sorted(gold)], "sent_id": [0] * len(gold),
                },
                "context": {
                    "title": [f"{lang} {i}" for i in range(size)],
                    "sentences": [
                        [f"<{i}> {' '.join(words[w] for w in part)}."]
                        for i, part in enumerate(said)
                    ],
                },
            })  # fmt: skip
    return made


def shown(raw, context):
    """Id -> numbers of the paragraphs that are shown, in order, of rows that are used."""
    found = {}
    for row in raw:
        made = passages.assemble(hops.hotpot(row), context)
        if not isinstance(made, str):
            parts = made["context"].split("<")[1:]
            found[row["id"]] = [int(part.split(">")[0]) for part in parts]
    return found


@given(parallel())
@settings(max_examples=60, deadline=None)
def test_views_have_the_same_rows_and_languages_the_same_paragraphs(made):
    views = {context: shown(made["en"], context) for context in ("all", 1, "gold", "answer")}
    assert list(views["gold"]) == list(views[1]) == list(views["all"])
    assert set(views["answer"]) <= set(views["gold"])
    for id, gold in views["gold"].items():
        one = [i for i in views[1][id] if i in gold]
        assert one == gold == [i for i in views["all"][id] if i in gold], "in the same order"
        assert len(views[1][id]) - len(gold) == min(1, len(views["all"][id]) - len(gold))
        assert id not in views["answer"] or views["answer"][id][0] in gold
    german = {context: shown(made["de"], context) for context in views}
    for context in ("all", 1, "gold"):
        assert german[context] == views[context]


def test_an_undeclared_stratum_and_a_column_of_the_data_in_its_place():
    with pytest.raises(UserError, match=r"returns the stratum `answer`.*say `strata: \[type, ans"):
        unify([HOTPOT], {**SPAN, "rows": "hotpot", "context": 1, "strata": {"type": "type"}})
    wanted = {"type": "type", "answer": "answer", "level": "level"}
    (row,), _ = unify([HOTPOT], {**SPAN, "rows": "hotpot", "strata": wanted})
    assert row["strata"] == {"type": "bridge", "answer": "span", "level": "hard"}


LOCAL = {"jemhopqa": ("local/jemhopqa", "default"), "hotpot": ("hotpotqa/hotpot_qa", "distractor")}
SEVERAL, NOWHERE, NONE = passages.SEVERAL, passages.NOWHERE, passages.IN_NONE


@pytest.mark.real
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data")
@pytest.mark.parametrize(
    ("task", "context", "kept", "dropped", "cut"),
    [
        ("hotpot", "all", 500, {}, 0.988),
        ("hotpot", 1, 500, {}, 0.452),
        ("hotpot", "gold", 500, {}, 0.062),
        ("hotpot", "answer", 345, {SEVERAL: 75, NONE: 80}, 0.006),
        ("jemhopqa", "all", 119, {NOWHERE: 1}, 0.0),
        ("jemhopqa", "gold", 119, {NOWHERE: 1}, 0.0),
        ("jemhopqa", "answer", 74, {NOWHERE: 1, NONE: 45}, 0.0),
    ],
)
def test_real_rows_in_every_view(task, context, kept, dropped, cut, tmp_path):
    """`cut`: the share whose question and paragraphs are over 512 pieces. The local tokenizer has
    32,002 pieces, an eighth of XLM-R's, and so makes more of a text."""
    from tokenizers import Tokenizer

    hub, config = LOCAL[task]
    spec = {**HOTPOT_X, "task": task, "hub": hub, "config": config, "context": context}
    rows, record = step(SHARED, spec, tmp_path)
    assert (len(rows), record["dropped"]) == (kept, dropped)
    for row in rows:
        for text, start in zip(*row["answers"].values(), strict=True):
            assert row["context"][start : start + len(text)] == text
    path = SHARED / "models/local/me5-small-xlmr-32k-6l/tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    texts = [(row["question"], row["context"]) for row in rows]
    sizes = np.array([len(found.ids) for found in tokenizer.encode_batch(texts)])
    assert np.mean(sizes > 512) == pytest.approx(cut, abs=0.004)
