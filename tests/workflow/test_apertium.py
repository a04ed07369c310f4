"""Real machine translation, offline: MNLI and SQuAD into Spanish by Debian's Apertium."""

import json
import shutil

import pytest
from tests.workflow.running import ROOT, Experiment, tiny

from xstilts.data import prepare

DATA = ROOT.parent / "shared/data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the real rows are not in ../shared/data"),
    pytest.mark.skipif(
        shutil.which("apertium") is None,
        reason="no apertium here: apt-get install apertium apertium-eng-spa",
    ),
]
APERTIUM = {"engine": "command", "run": "apertium -u {from3}-{lang3}", "languages": ["es"]}
SPANISH = {"by": "apertium", "languages": ["es"], "filter": "basic"}


def test_real_rows_become_spanish(tmp_path):
    """Most rows are kept, labels and ids as they were, answers where they are said to be; what is
    dropped is counted; and English that has been there and back is English."""
    experiment = Experiment(tmp_path)
    config = tiny(
        source=str(DATA),
        models={"me5": {"from": "local/me5-small-xlmr-32k-6l"}},
        translators={"apertium": APERTIUM},
        intermediates={
            "mnli": {"tasks": ["mnli"], "translated": {**SPANISH, "round_trip": True}},
            "squad": {"tasks": ["squad"], "translated": SPANISH},
        },
        targets=["xnli"],
        limits={"mnli": {"train": 150}, "squad": {"train": 40}},
    )
    config.pop("toy")
    experiment.write(config)
    passed = {task: f"synthetic/apertium.basic/{task}/es.train" for task in ("mnli", "squad")}
    trip = "synthetic/apertium.basic.round-trip-es/mnli/en.train"
    experiment.snakemake(*(f"results/{name}.json" for name in (*passed.values(), trip))).ok()
    english = {task: prepare.read(experiment.path(f"data/{task}/en.train.parquet")).to_pylist()
               for task in passed}  # fmt: skip
    for task, name in passed.items():
        record = json.loads(experiment.read(f"{name}.json"))
        rows = prepare.read(experiment.path(f"{name}.parquet")).to_pylist()
        assert record["rows_total"] == len(english[task]) and record["rows_kept"] == len(rows)
        assert record["rows_kept"] + sum(record["dropped"].values()) == record["rows_total"]
        assert len(rows) > (0.9 if task == "mnli" else 0.6) * len(english[task]), record["dropped"]
        by_id = {row["id"]: row for row in english[task]}
        assert [row["id"] for row in rows] == [i for i in by_id if i in {r["id"] for r in rows}]
        for row in rows:
            was = by_id[row["id"]]
            if task == "mnli":
                assert row["label"] == was["label"] and row["text"] != was["text"]
            else:
                [answer], [start] = row["answers"]["text"], row["answers"]["start"]
                assert answer and row["context"][start : start + len(answer)] == answer
                assert row["context"].count("\n") == was["context"].count("\n")
    back = prepare.read(experiment.path(f"{trip}.parquet")).to_pylist()
    words = {word for row in back for word in row["text"].lower().split()}
    assert {"the", "and", "of"} <= words and not {"los", "que", "una"} & words
    made = json.loads(experiment.read("translated/apertium/mnli/es/0.json"))
    numbers = made["kept"]["numbers"]
    assert made["spec"]["translator"]["run"] == "apertium -u eng-spa"
    assert numbers["kept"] > 0.8 * numbers["before"] > 0
