"""XTREME's tasks and averages."""

import csv
import pathlib

import pytest

from xstilts.benchmarks import xtreme
from xstilts.experiment import tasks

SHARED = pathlib.Path(__file__).resolve().parents[2] / "../shared/reference/xtreme_languages.csv"
SCORES = {
    "pawsx": 80.0, "xnli": 70.0, "udpos": 72.0, "wikiann": 60.0, "xquad": 66.0, "mlqa": 60.0,
    "tydiqa": 54.0, "bucc": 90.0, "tatoeba": 30.0,
}  # fmt: skip


def test_averages_by_hand():
    assert xtreme.averages(SCORES) == {
        "classification": 75.0, "tagging": 66.0, "qa": 60.0, "retrieval": 60.0,
        "overall": pytest.approx(582 / 9),  # the mean of the groups would be 65.25
    }  # fmt: skip


def test_the_published_averages_follow_from_the_published_scores():
    """X-STILTs on test (FACTS 1.8), rounded to a decimal there, BUCC and Tatoeba not verified."""
    scores = {
        "xnli": 80.0, "pawsx": 87.9, "udpos": 74.9, "wikiann": 64.0, "xquad": (78.7 + 63.3) / 2,
        "mlqa": (72.4 + 53.7) / 2, "tydiqa": (76.0 + 59.5) / 2, "bucc": 71.9, "tatoeba": 81.2,
    }  # fmt: skip
    published = {
        "classification": 83.9, "tagging": 69.4, "qa": 67.2, "retrieval": 76.5, "overall": 73.5,
    }  # fmt: skip
    assert xtreme.averages(scores) == pytest.approx(published, abs=0.1)


def test_a_mean_without_one_of_its_tasks_is_none():
    scores = {key: value for key, value in SCORES.items() if key != "mlqa"}
    assert xtreme.averages({**scores, "of_my_own": 1.0}) == {
        "classification": 75.0, "tagging": 66.0, "qa": None, "retrieval": 60.0, "overall": None,
    }  # fmt: skip


def test_every_task_is_in_one_group():
    grouped = [task for group in xtreme.GROUPS.values() for task in group]
    assert sorted(grouped) == sorted(xtreme.TASKS)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("wikiann", "panx/test-de.tsv"),
        ("bucc", "bucc2018/test-de.tsv"),
        ("tydiqa", "tydiqa/test-de.json"),
    ],
)
def test_files(target, path):
    assert xtreme.TASKS[target].file("de") == path


@pytest.mark.parametrize("target", sorted(xtreme.TASKS.keys() & tasks.known().keys()))
def test_our_tasks_have_the_languages(target):
    known, official = tasks.known()[target], xtreme.TASKS[target]
    assert set(known["languages"]) >= set(official.languages)
    if official.split == "dev":
        assert "test" not in known["splits"]


@pytest.mark.skipif(not SHARED.exists(), reason="../shared/reference is not there")
def test_languages_are_those_of_the_facts():
    with open(SHARED, encoding="utf-8") as file:
        lines = [line for line in csv.DictReader(file) if line["benchmark"] == "xtreme"]
    listed = {line["task"]: set(line["languages_iso639_1"].split()) for line in lines}
    assert listed == {task.folder: set(task.languages) for task in xtreme.TASKS.values()}
    folders = {target: task.folder for target, task in xtreme.TASKS.items()}
    for line in lines:
        assert line["task"] in {folders[target] for target in xtreme.GROUPS[line["group"]]}
