"""Alignment in a run: measured once, and a new language or set by itself."""

import csv
import json

from tests.workflow.running import OWN, tiny

SETS = {"tatoeba": {}}
PRODUCTS = {"all": 1, "plan": 1, "tables": 1, "figures": 1, "report": 1}


def test_encoders_are_measured_and_shown(done):
    done.write(tiny(alignment=SETS))
    assert done.snakemake().ok().jobs == {"align": 2, **PRODUCTS}
    record = json.loads(done.read("alignment/xlmr/none/noseed/tatoeba/de.json"))
    score = json.loads(done.read("scores/xlmr/none/noseed/tatoeba/de.json"))
    # The toy encoder's retrieval pools 14/24 of its two layers, and English looks for German.
    assert record["layers"].keys() == {"0", "1", "2"} and record["sentences"] == score["n"] == 12
    assert abs(record["layers"]["1"]["retrieval_from"] - score["score"]) < 0.17  # bf16 and ties
    rows = list(csv.DictReader(done.read(f"{OWN}/tables/alignment.csv").splitlines()))
    assert [row["intermediate"] for row in rows] == ["none", "mnli"] * 8
    assert done.path(f"{OWN}/figures/alignment/xlmr/tatoeba.pdf").exists()
    assert done.snakemake().nothing
    done.path("alignment/xlmr/mnli/seed1/tatoeba/de.json").unlink()
    assert done.planned() == {"align": 1, **{k: v for k, v in PRODUCTS.items() if k != "plan"}}
    assert "next run: 1 align" in done.step("status", "config.yaml").out
