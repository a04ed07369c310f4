"""Alignment as a table: by hand, from files as the step writes them."""

import pytest
from tests.experiment.test_grid import make

from xstilts.analysis import alignment
from xstilts.experiment.alignment import Row
from xstilts.running.files import write_json

NONE, MNLI = Row("m", "none", "noseed"), Row("m", "mnli", "seed1")
SETS = {"pairs": {"task": "tatoeba", "layers": [0, 2], "measures": ["cka", "margin"]}}


def grid(**changes):
    asked = {"targets": ["xnli"], "languages": ["de", "ru"], "seeds": [1], "tasks": {}}
    return make(**{**asked, "alignment": SETS, **changes})


def written(root, of, row, lang, values, **changes):
    """Write what is measured: layer -> {measure: value}."""
    spec = of.alignment_specs(row, "pairs")[lang]
    path = root / row.folder("pairs") / f"{lang}.json"
    write_json(path, {"spec": spec, "sentences": 7, "layers": values, **changes})
    return path


def test_a_row_a_value_in_the_order_of_the_config(tmp_path):
    of = grid()
    written(tmp_path, of, MNLI, "de", {"0": {"margin": 1.25, "cka": 0.5}, "2": {"margin": 1.5}})
    written(tmp_path, of, NONE, "ru", {"2": {"margin": 1.0}})
    table, refused = alignment.read(of, tmp_path)
    assert list(table.itertuples(index=False, name=None)) == [
        ("m", "none", "noseed", "pairs", "ru", 2, "margin", 1.0, 7),
        ("m", "mnli", "seed1", "pairs", "de", 0, "margin", 1.25, 7),
        ("m", "mnli", "seed1", "pairs", "de", 0, "cka", 0.5, 7),
        ("m", "mnli", "seed1", "pairs", "de", 2, "margin", 1.5, 7),
    ]
    assert refused == []


def test_nothing_measured_is_an_empty_table(tmp_path):
    for of in (grid(), grid(alignment={})):
        table, refused = alignment.read(of, tmp_path)
        assert (list(table.columns), len(table), refused) == (alignment.COLUMNS, 0, [])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"spec": {"kind": "other"}}, "measured for another spec than the config asks for"),
        ({"sentences": None}, "holds no measures"),
        ({"layers": {"first": {"cka": 1.0}}}, "holds no measures"),
    ],
)
def test_files_of_something_else_are_refused(tmp_path, changes, problem):
    of = grid()
    written(tmp_path, of, NONE, "de", {"0": {"cka": 0.5}}, **changes)
    table, refused = alignment.read(of, tmp_path)
    line = f"{NONE.folder('pairs')}/de.json: {problem}; delete it, run again"
    assert (len(table), refused) == (0, [line])
