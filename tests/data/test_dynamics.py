"""The files of training dynamics: columns, and what is refused."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.metrics.test_dynamics import RECORDED

from xstilts.data import dynamics
from xstilts.experiment.difficulty import MEASURES
from xstilts.running.errors import UserError

IDS = ["b", "a", "d", "c"]


@pytest.fixture
def path(tmp_path):
    table = dynamics.table(IDS, ["x", "y", "x", ""], np.array([5, 6, 7, 8]), RECORDED)
    dynamics.write(tmp_path / "seed1.parquet", table)
    return tmp_path / "seed1.parquet"


def test_a_row_of_the_file_in_full(path):
    row = pq.read_table(path).to_pylist()[1]
    numbers = {key: row.pop(key) for key in ("confidence", "variability", "correctness", "loss")}
    lists = {key: row.pop(key) for key in ("probability", "losses", "right")}
    assert row == {"id": "a", "label": "y", "length": 6, "forgetting": 1, "rank": [1, 2, 1]}
    expected = (0.5, 0.02**0.5, 2 / 3, -np.log(0.6 * 0.3 * 0.6) / 3)
    assert [*numbers.values()] == pytest.approx(expected)
    assert lists["probability"] == pytest.approx([0.6, 0.3, 0.6])
    assert lists["losses"] == pytest.approx(-np.log([0.6, 0.3, 0.6]))
    assert lists["right"] == [1, 0, 1]
    kinds = {field.name: str(field.type) for field in pq.read_schema(path)}
    assert kinds["probability"].startswith("list") and kinds["probability"].endswith("float>")
    assert kinds["rank"].endswith("int32>") and kinds["length"] == kinds["forgetting"] == "int64"
    assert {kinds[key] for key in numbers} == {"double"}


def test_every_measure_has_a_column_in_its_file(path):
    table = pq.read_table(path)
    assert dynamics.measured(table) == [name for name, of in MEASURES.items() if not of.file]
    pvi = dynamics.pvi_table(["a"], np.array([0.5]), np.array([0.5 + np.log(2)]))
    assert dynamics.measured(pvi) == ["pvi"] and pvi.to_pylist() == [
        {"id": "a", "pvi": pytest.approx(1)}
    ]


def test_the_losses_after_the_last_epoch(path):
    assert dynamics.last_losses(path, IDS) == pytest.approx(-np.log([0.9, 0.6, 0.1, 0.9]))


def test_a_file_of_other_rows_or_damaged_is_refused(path):
    with pytest.raises(UserError, match=r"seed1.parquet: is of other rows; delete it"):
        dynamics.last_losses(path, ["a", "b", "c", "d"])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"seed1.parquet: is damaged .*; delete it"):
        dynamics.last_losses(path, IDS)
    with pytest.raises(UserError, match=r"no\.parquet: is damaged"):
        dynamics.last_losses(path.with_name("no.parquet"), IDS)
