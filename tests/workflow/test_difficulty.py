"""Recorded trainings by the real Snakemake: by name, killed, and made again by the record."""

import json
import os
import signal

import pyarrow.parquet as pq
from tests.workflow.running import at_work, tiny
from tests.workflow.test_failures import step_process

MNLI = "results/difficulty/xlmr/mnli/seed1"
CONFIG = {"save_every": 0, "recipes": {"mnli": {"max_steps": 60, "eval_every": 20}}}


def test_difficulty_by_name_after_a_kill(done):
    path, log = done.write(tiny(**CONFIG)), done.path("logs/difficulty/xlmr/mnli/seed1.log")

    def begun() -> bool:
        return log.exists() and "step 20:" in log.read_text()

    with at_work(done.folder, [path], f"{MNLI}.json", until=begun) as process:
        os.kill(step_process(done.folder), signal.SIGKILL)
        assert process.wait(60) != 0
    assert not list(done.path("difficulty").glob("**/*.parquet"))
    assert done.snakemake(f"{MNLI}.pvi.json").ok().jobs == {"difficulty": 1, "pvi": 1}
    record = json.loads((done.folder / f"{MNLI}.json").read_text())
    assert record["recorded_at"] == [*range(6, 61, 6)], "48 rows, 8 a batch"
    assert record["attempts"] == 2 and 0 < record["resumed_at"][0] < 60
    rows = pq.read_table(done.folder / f"{MNLI}.parquet").to_pylist()
    prepared = pq.read_table(done.path("data/mnli/en.train.parquet")).to_pylist()
    assert [row["id"] for row in rows] == [row["id"] for row in prepared]
    assert [row["label"] for row in rows] == [row["label"] for row in prepared]
    assert all(len(row["probability"]) == 10 for row in rows)
    pvi = pq.read_table(done.folder / f"{MNLI}.pvi.parquet").to_pylist()
    assert [row["id"] for row in pvi] == [row["id"] for row in rows]
    assert done.snakemake(f"{MNLI}.pvi.json").nothing
    # Another seed is another training; another recipe makes it anew, and PVI with it.
    done.write(tiny(save_every=0, recipes={"mnli": {"max_steps": 61, "eval_every": 20}}))
    again = done.planned(f"{MNLI}.pvi.json", f"{MNLI[:-1]}2.json")
    assert again == {"difficulty": 2, "pvi": 1}
