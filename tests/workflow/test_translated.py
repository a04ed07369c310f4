"""Translated rows by Snakemake: the toy world's, a command's and a checkpoint's; and a control."""

import csv
import json

import yaml
from tests.translation.checkpoints import m2m100
from tests.workflow.running import OWN, tiny

from xstilts.data import prepare

OWN_TASK = {
    "format": "classification", "languages": ["en"], "labels": ["yes", "no"],
    "files": {"train": "train.csv", "dev": "train.csv"},
}  # fmt: skip
TRANSLATORS = {
    "toy": {"engine": "ctranslate2", "from": "facebook/nllb-200-distilled-600M", "shards": 2,
            "mistakes": {"wrong_word": 0.05}},
    "loud": {"engine": "command", "run": "tr a-z A-Z", "blank_lines": False},
    "tiny": {"engine": "ctranslate2", "from": "./m2m100", "beam": 1},
}  # fmt: skip
ASKED = {"languages": ["de", "ru"], "filter": "basic"}
INTERMEDIATES = {
    "x": {"tasks": ["mnli"], "translated": {"by": "toy", **ASKED, "keep_english": True}},
    "trip": {"tasks": ["mnli"], "translated": {"by": "toy", **ASKED, "round_trip": True}},
    "loud": {"tasks": ["mine"], "translated": {"by": "loud", "languages": ["es"]}},
    "tiny": {"tasks": ["mine"], "translated": {"by": "tiny", "languages": ["es"]}},
}


def config(**changes):
    """Return a config of translated rows."""
    return tiny(
        targets=["tatoeba"], languages=["de"], tasks={"mine": OWN_TASK},
        translators=TRANSLATORS | changes, intermediates=INTERMEDIATES,
    )  # fmt: skip


def test_translated_rows_are_trained_on(done):
    """Each row in one of its languages; what is made again is what has changed."""
    rows = [{"text": f"It is {n}.", "label": "yes" if n % 2 else "no"} for n in range(12)]
    with open(done.folder / "train.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["text", "label"])
        writer.writeheader()
        writer.writerows(rows)
    m2m100(done.folder / "m2m100")
    done.write(config())
    jobs = done.snakemake().ok().jobs
    made = {k: v for k, v in jobs.items() if k.startswith(("trans", "filt", "cont", "pin_trans"))}
    assert made == {
        "pin_translator": 1, "translator": 1, "translate": 6, "filter": 4, "control": 1,
        "translate_back": 4,
    }  # fmt: skip
    node = json.loads(done.read("encoders/xlmr/x/seed1/node.json"))
    assert node["examples"] == 48
    both = json.loads(done.read("encoders/xlmr/tiny/seed1/node.json"))["pins"]
    assert {"models/./m2m100", "datasets/files/mine/en.train"} <= both.keys()
    lock = yaml.safe_load((done.folder / "config.lock").read_text())
    assert "./m2m100" in lock["models"]
    loud = prepare.read(done.path("synthetic/loud.none/mine/es.train.parquet")).to_pylist()
    assert [row["text"] for row in loud] == [row["text"].upper() for row in rows]
    assert [row["label"] for row in loud] == [row["label"] for row in rows]
    shards = [done.read(f"translated/toy/mnli/de/{shard}.json") for shard in (0, 1)]
    assert sum(json.loads(shard)["rows_total"] for shard in shards) == 48
    assert not any(done.path(".state/translated").rglob("*.json"))
    assert done.snakemake().nothing
    assert "synthetic" not in done.step("unused").ok().out
    told = done.step("estimate", "config.yaml").ok().out
    assert "translate " in told
    grid = csv.DictReader(done.read(f"{OWN}/grid.csv").splitlines())
    assert {row["intermediate"] for row in grid} == {"none", *INTERMEDIATES}
    # Another rate of mistakes is another translation of all that follows from it, and of no other.
    done.write(config(toy=TRANSLATORS["toy"] | {"mistakes": {"wrong_word": 0.1}}))
    planned = done.planned()
    assert (planned["translate"], planned["translate_back"], planned["control"]) == (4, 4, 1)
    assert planned["intermediate"] == 2 and "translator" not in planned
    # A command that fails: one line, which block; nothing else is made anew.
    done.write(config(loud=TRANSLATORS["loud"] | {"run": "head -c 9; exit 3"}))
    said = done.snakemake("results/translated/loud/mine/es/0.json")
    said.failed(
        "block 1 of 1", "failed with exit status 3", "results/logs/translate/loud/mine/es/0"
    )


def test_a_target_that_is_translated_is_refused_before_a_training(done):
    """Its rows are those of the task, and would be scored after they were read in Spanish."""
    rows = "".join(f"Here it is said {n} times.,{'yes' if n % 2 else 'no'}\n" for n in range(12))
    (done.folder / "train.csv").write_text(f"text,label\n{rows}")
    same = {"mine": OWN_TASK, "same": OWN_TASK}
    loud = {"loud": INTERMEDIATES["loud"]}
    done.write(config() | {"tasks": same, "targets": ["same"], "languages": ["en"],
                           "intermediates": loud})  # fmt: skip
    done.snakemake("results/encoders/xlmr/loud/seed1/node.json").failed(
        "loud: same: 12 of the 12 English rows of same stand in the train rows of mine",
        "say `leaks: allow` in `intermediates: loud: translated`",
    )
    assert done.path("overlap/mine/same.json").exists()
