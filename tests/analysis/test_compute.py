"""Compute by hand: tokens of the trainings of stage 1, times the operations of a model."""

import pandas as pd
from tests import results

from xstilts.analysis import compute
from xstilts.running.files import read_json, write_json
from xstilts.steps import tables

RECORD = {
    "kind": "train", "stage": "intermediate", "model": "m", "intermediate": "mnli", "seed": "seed1",
    "tokens": 1_000_000, "spec": {"after": "", "recipe": {"dropout": 0.1}},
}  # fmt: skip
TUNED = {**RECORD, "stage": "tune", "tokens": 7, "task": "xnli"}
KEY, TUNE = ("m", "mnli", "seed1", "d"), ("m", "mnli", "seed1", "t")


def test_the_operations_of_one_training():
    """6 a token and parameter of a matrix product; stage 2 is not counted."""
    found = compute.of([[TUNE, KEY]], {KEY: RECORD, TUNE: TUNED}, {"m": 1000})
    assert found.runs.to_dict("records") == [
        {"model": "m", "intermediate": "mnli", "seed": "seed1", "tokens": 1_000_000, "flop": 6e9}
    ]
    assert found.rows == {("m", "mnli"): 6e9}


def test_an_adapter_a_chain_and_seeds():
    adapter = {**RECORD, "spec": {"adapter": {"rank": 16}}, "tokens": 500_000}
    chain = {**RECORD, "intermediate": "squad", "seed": "seed2"}
    second = ("m", "mnli", "seed2", "d")
    last = ("m", "squad", "seed2", "e")
    records = {KEY: RECORD, second: {**adapter, "seed": "seed2"}, last: chain}
    found = compute.of([[KEY], [second], [last, second]], records, {"m": 1})
    assert found.rows == {("m", "mnli"): (6e6 + 2e6) / 2, ("m", "squad"): 8e6}


def test_what_is_not_known_is_left_out():
    old = {key: value for key, value in RECORD.items() if key != "tokens"}
    assert not compute.of([[KEY]], {KEY: old}, {"m": 1}).rows
    assert not compute.of([[KEY]], {KEY: RECORD}, {}).rows
    assert not compute.of([[], [TUNE]], {TUNE: TUNED}, {"m": 1}).rows, "none: nothing in stage 1"


def test_products_are_those_of_the_config(tmp_path):
    config = {"model_type": "bert", "num_hidden_layers": 2, "hidden_size": 8, "vocab_size": 9}
    write_json(tmp_path / "models/m/config.json", config | {"intermediate_size": 16})
    assert compute.products(tmp_path, ["m", "other"]) == {"m": 2 * (4 * 64 + 2 * 8 * 16)}


def test_the_tables_have_the_compute_of_each_run_and_go_along_it(tmp_path, monkeypatch):
    """Three trainings of 4,000 tokens each, one after another; the model has 576 parameters in
    matrix products."""
    chain = {
        "mnli": {"tasks": ["mnli"]}, "two": {"tasks": ["mnli"], "after": "mnli"},
        "three": {"tasks": ["mnli"], "after": "two"},
    }  # fmt: skip
    asked = {"compute": {"along": {"intermediate": "flop", "scale": "log10"}}}
    results.write(tmp_path, intermediates=chain, seeds=[1, 2], questions=asked)
    config = {"model_type": "bert", "num_hidden_layers": 1, "hidden_size": 8, "vocab_size": 9}
    write_json(tmp_path / "results/models/m/config.json", config | {"intermediate_size": 20})
    monkeypatch.chdir(tmp_path)
    home = tmp_path / results.HOME
    given = ["--grid", str(home / "grid.csv"), "--out", str(home / "tables")]
    tables.main(tables.parser().parse_args(given))
    found = pd.read_csv(home / "tables/compute.csv")
    flop = 6 * 4000 * (4 * 64 + 2 * 8 * 20)
    assert found.groupby("intermediate")["flop"].unique().map(list).to_dict() == {
        "mnli": [flop], "two": [2 * flop], "three": [3 * flop],
    }  # fmt: skip
    assert read_json(home / "tables/questions/compute.json")["reason"] == ""
    points = pd.read_csv(home / "tables/questions/compute.points.csv")
    assert sorted(points["x"]) == [flop, 2 * flop, 3 * flop]
