"""Filters by Snakemake: what models say of translated rows, which of them pass; none is left."""

import json

import pyarrow.parquet as pq
import pytest
from tests.workflow.running import Experiment, tiny

pytestmark = pytest.mark.workflow

OWN = {
    "similarity": {"min": -0.9, "model": "xlmr"},
    "consistency": {"min": 0.01, "model": "xlmr"},
    "round_trip": {"min": 40},
}
PASSED = "synthetic/toy.own/mnli/de.train"


def config(own):
    return tiny(
        intermediates={
            "mnli": {"tasks": ["mnli"]},
            "mnli-de": {
                "tasks": ["mnli"],
                "translated": {"by": "toy", "languages": ["de"], "filter": "own"},
            },
        },
        targets=["xnli"],
        translators={"toy": {"engine": "toy", "mistakes": {"wrong_word": 0.2}}},
        filters={"own": own},
    )


def test_rows_pass_by_what_models_say_of_them(tmp_path):
    experiment = Experiment(tmp_path)
    experiment.write(config(OWN))
    experiment.snakemake(f"results/{PASSED}.json").ok()
    experiment.snakemake(f"results/{PASSED}.json").ok()  # pins were looked up
    record = json.loads(experiment.read(f"{PASSED}.json"))
    values = pq.read_table(experiment.path(f"{PASSED}.measures.parquet")).to_pylist()
    assert len(values) == record["rows_made"] == 48
    kept = [row["id"] for row in values if row["round_trip"] >= 40]
    assert 0 < len(kept) < 48
    assert pq.read_table(experiment.path(f"{PASSED}.parquet"))["id"].to_pylist() == kept
    assert record["dropped"] == {"round trip": 48 - len(kept)}
    assert all(0 < row["consistency"] < 1 and -1 <= row["similarity"] <= 1 for row in values)
    assert experiment.snakemake(f"results/{PASSED}.json").nothing
    # Other bounds: what models say of the rows stays.
    experiment.write(config({**OWN, "round_trip": {"min": 99.9}, "length_ratio": {"max": 0.001}}))
    again = experiment.planned("--nocolor", f"results/{PASSED}.json")
    assert "filter" in again and not {"similarity", "consistency", "round_trip"} & set(again)
    experiment.snakemake(f"results/{PASSED}.json").failed(
        "filter own leaves none of the 48 rows of `mnli` in de (length: 48)"
    )
