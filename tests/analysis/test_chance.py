"""Chance levels, from prepared rows."""

import pytest
from tests import results

from xstilts.analysis import chance
from xstilts.data import prepare
from xstilts.experiment import config, grid

CHOICES = [
    {"id": "0", "context": "a", "choices": ["b", "c"], "label": 0},
    {"id": "1", "context": "a", "choices": ["b", "c", "d", "e"], "label": 0},
]
TWO = [{"id": str(i), "text": "a", "text_pair": None, "label": "xy"[i % 2]} for i in range(4)]
TAGS = [{"id": "0", "tokens": ["a"], "tags": ["X"]}]


@pytest.mark.parametrize(
    ("format", "rows", "labels", "metric", "level"),
    [
        ("classification", TWO, ["x", "y", "z", "w"], "accuracy", 25.0),
        ("classification", TWO, None, "accuracy", 50.0),
        ("classification", TWO, None, "macro_f1", None),
        ("classification", TWO, None, "matthews", 0.0),
        ("choice", CHOICES, None, "accuracy", 37.5),
        ("retrieval", results.ROWS["tatoeba"][1], None, "retrieval", 50.0),
        ("retrieval", results.ROWS["tatoeba"][1], None, "bucc", None),
        ("tagging", TAGS, None, "tagging", None),
    ],
)
def test_a_level(tmp_path, format, rows, labels, metric, level):
    path = tmp_path / "en.dev.parquet"
    prepare.write(path, rows, format, {"spec": {"format": format, "labels": labels}})
    assert chance.level(path, metric) == level


def test_without_the_rows_nothing_is_known(tmp_path):
    path = tmp_path / "en.dev.parquet"
    assert chance.level(path, "accuracy") is None
    path.write_text("damaged")
    assert chance.level(path, "accuracy") is None


def test_a_curve_has_the_level_of_its_dev_set(tmp_path):
    settings = results.CONFIG | {
        "targets": ["xnli", "xquad"],
        "intermediates": {"nli": {"tasks": ["mnli"]}, "two": {"tasks": ["mnli", "squad"]}},
    }
    path = chance.rows_path(tmp_path, "mnli", "en", "dev")
    spec = {"format": "classification", "labels": ["x", "y"]}
    prepare.write(path, TWO, "classification", {"spec": spec})
    found = chance.of_trainings(grid.Grid(config.load(settings)), tmp_path)
    assert found == {("intermediate", "nli"): 50.0, ("tune", "mnli"): 50.0}, "a mix has none"
