"""XTREME-R's averages, its submission and the check of it, and which benchmark a grid is of."""

import csv
import json
import pathlib

import pandas as pd
import pytest

from xstilts.analysis import tables
from xstilts.benchmarks import known, submission, validator
from xstilts.benchmarks.xtreme_r import XTREME_R
from xstilts.data import prepare
from xstilts.experiment import tasks

SHARED = pathlib.Path(__file__).resolve().parents[2] / "../shared/reference/xtreme_languages.csv"
SCORES = {
    "xnli": 80.0, "xcopa": 70.0, "udpos": 72.0, "wikiann": 60.0, "xquad": 66.0, "mlqa": 60.0,
    "tydiqa": 54.0, "lareqa": 40.0, "mewslix": 50.0, "tatoeba_r": 90.0,
}  # fmt: skip
CHOICES = [{"id": str(i), "context": "a", "choices": ["b", "c"], "label": 0} for i in range(3)]
MENTIONS = [
    {"id": "m1", "side": "source", "text": "Köln", "golds": ["Q365"]},
    {"id": "m2", "side": "source", "text": "Rhein", "golds": ["Q584"]},
]


def test_averages_by_hand():
    assert XTREME_R.averages(SCORES) == {
        "classification": 75.0, "tagging": 66.0, "qa": 60.0, "retrieval": 60.0,
        "overall": pytest.approx(642 / 10),
    }  # fmt: skip
    fewer = {key: value for key, value in SCORES.items() if key != "lareqa"}
    assert (XTREME_R.averages(fewer)["retrieval"], XTREME_R.averages(fewer)["qa"]) == (None, 60.0)


def test_the_published_average_follows_from_the_published_scores():
    """XLM-R base in Table 1 of mGTE (arXiv 2407.19669), where questions count by F1 alone."""
    scores = {
        "xnli": 74.5, "xcopa": 50.45, "udpos": 73.84, "wikiann": 61.23, "xquad": 72.83,
        "mlqa": 61.54, "tydiqa": 53.09, "mewslix": 42.09, "lareqa": 63.43, "tatoeba_r": 67.2,
    }  # fmt: skip
    assert XTREME_R.averages(scores)["overall"] == pytest.approx(62.02, abs=0.005)


def test_every_task_is_in_one_group_and_has_languages():
    grouped = [target for group in XTREME_R.groups.values() for target in group]
    assert sorted(grouped) == sorted(XTREME_R.tasks)
    assert set(XTREME_R.files) == set(XTREME_R.tasks) - {"lareqa"}
    for target, task in XTREME_R.tasks.items():
        if entry := tasks.known().get(target):
            assert task.split in entry["splits"], target


@pytest.mark.skipif(not SHARED.exists(), reason="../shared/reference is not there")
def test_languages_are_those_of_the_facts():
    with open(SHARED, encoding="utf-8") as file:
        lines = [line for line in csv.DictReader(file) if line["benchmark"] == "xtreme-r"]
    listed = {line["task"]: set(line["languages_iso639_1"].split()) for line in lines}
    assert listed == {task.folder: set(task.languages) for task in XTREME_R.tasks.values()}


@pytest.mark.parametrize(
    ("languages", "suites"),
    [
        ({"xnli": ["de"], "udpos": ["de"]}, ["xtreme"]),
        ({"own": ["de"]}, ["xtreme"]),
        ({"xcopa": ["sw"], "udpos": ["de"]}, ["xtreme-r"]),
        ({"xquad": ["de", "ro"]}, ["xtreme-r"]),
        ({"xquad": ["de", "ro"], "bucc": ["de"]}, ["xtreme", "xtreme-r"]),
        ({"xcopa": ["en"]}, ["xtreme"]),  # a language that it has not there
    ],
)
def test_a_grid_is_of_the_benchmarks_of_which_it_has_something_of_their_own(languages, suites):
    assert [each.suite for each in known.scored(languages)] == suites


def test_names_of_tables_and_folders():
    assert [each.table for each in known.BENCHMARKS.values()] == ["groups", "groups_xtreme_r"]
    names = [each.submission for each in known.BENCHMARKS.values()]
    assert names == ["submission", "submission_xtreme_r"]
    files = [XTREME_R.tasks[name].file("tr") for name in ("xcopa", "mewslix", "tatoeba_r")]
    assert files == ["xcopa/test-tr.jsonl", "mewslix/test-tr.json", "tatoeba/test-tr.tsv"]


def test_the_table_of_a_benchmark_has_its_averages():
    main = pd.DataFrame([
        {"model": "m", "intermediate": "none", "xnli": 60.0, "xcopa": 50.0, "average": 55.0},
        {"model": "m", "intermediate": "mnli", "xnli": 62.0, "xcopa": 56.0, "average": 59.0},
    ])  # fmt: skip
    found = tables.groups_table(main, XTREME_R)
    assert found["classification"].tolist() == [55.0, 59.0]
    assert found["classification delta"].tolist()[1] == 4.0
    text = tables.groups_text_table(found, XTREME_R)
    assert text.notes[0].startswith("XTREME-R's averages")


# ---- its files


def test_the_text_in_full():
    found = submission.file_content("xcopa", CHOICES, {"0": "1", "1": "0", "2": "1"}, XTREME_R)
    assert found == '{"label": 1}\n{"label": 0}\n{"label": 1}\n'
    assert validator.faults("xcopa", found, CHOICES, [], XTREME_R) == []
    ranked = {"m1": '["Q365", "Q1"]', "m2": "[]"}
    found = submission.file_content("mewslix", MENTIONS, ranked, XTREME_R)
    assert json.loads(found) == {"m1": ["Q365", "Q1"], "m2": []}
    assert validator.faults("mewslix", found, MENTIONS, [], XTREME_R) == []


@pytest.mark.parametrize(
    ("target", "rows", "content", "lines"),
    [
        ("xcopa", CHOICES, '{"label": 1}\n', ["has 1 lines, but there are 3 rows"]),
        (
            "xcopa", CHOICES, '{"label": 2}\n1\n{"label": 0}\n',
            ['line 1: must be {"label": 0} to {"label": 1} (and 1 more like this)'],
        ),
        ("xcopa", CHOICES, "x\n" * 3, ['line 1: must be {"label": 0} to {"label": 1} (and 2 more'
                                       " like this)"]),
        ("mewslix", MENTIONS, '{"m1": ["Q1"]}', ["mention `m2` has no answer"]),
        (
            "mewslix", MENTIONS, '{"m1": ["Q1", "Q1"], "m2": "Q1", "m3": []}',
            ["there is no mention `m3`",
             "the answer to `m1` has a candidate twice (and 1 more like this)"],
        ),
        (
            "mewslix", MENTIONS, json.dumps({"m1": [str(i) for i in range(21)], "m2": []}),
            ["the answer to `m1` has more than 20 candidates"],
        ),
        ("mewslix", MENTIONS, "[]", ["must be a JSON object, id of a mention -> answer"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(target, rows, content, lines):
    assert validator.faults(target, content, rows, [], XTREME_R) == lines


def test_a_candidate_that_is_none_is_said(tmp_path):
    about = {"spec": {"pool": {"pool": "candidates"}}, "rows_total": 2, "dropped": {}}
    (tmp_path / "data/mewslix").mkdir(parents=True)
    rows = [{"side": "source", "text": "x", "golds": ["Q1"], **row} for row in MENTIONS]
    pool = [{"id": one, "side": "target", "text": one} for one in ("Q1", "Q2")]
    for name, its in (("de", rows), ("pool", pool)):
        prepare.write(tmp_path / f"data/mewslix/{name}.test.parquet", its, "retrieval", about)
    file = tmp_path / "out/mewslix/test-de.json"
    file.parent.mkdir(parents=True)

    def said(**answers):
        file.write_text(json.dumps(answers))
        expected = {"mewslix": ["de"]}
        return validator.check(tmp_path / "out", tmp_path / "data", expected, True, XTREME_R)

    assert said(m1=["Q2", "Q1"], m2=["Q1"]) == []
    assert said(m1=["Q2", "Q3"], m2=["Q1"]) == [
        "mewslix/test-de.json: the answer to `m1` has `Q3`, which is no candidate"
    ]
