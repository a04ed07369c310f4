"""An intermediate that is trained on a subset: its recording is made, its rows are picked."""

import csv
import json

from tests.workflow.running import OWN, tiny

from xstilts.data import subset

CONFIG = {
    "targets": ["tatoeba"],
    "languages": ["de"],
    "intermediates": {
        "hard": {"tasks": ["mnli"], "subset": {"by": "confidence", "keep": "lowest", "rows": 15}}
    },
}
SHOWN = {"plan": 1, "tables": 1, "figures": 1, "report": 1, "all": 1}
KEY = "subsets/xlmr/hard/seed1"


def test_the_rows_that_are_hard_are_picked_and_trained_on(done):
    """The finished experiment has the rows and the model."""
    done.write(tiny(**CONFIG))
    jobs = done.snakemake().ok().jobs
    assert jobs == {
        "difficulty": 1, "bag_of_words": 1, "subset": 1, "intermediate": 1, "evaluate_tatoeba": 1,
        **SHOWN,
    }  # fmt: skip
    places, ids = subset.read(done.path(f"{KEY}.parquet"))
    node = json.loads(done.read("encoders/xlmr/hard/seed1/node.json"))
    assert len(places) == len(set(ids)) == node["examples"] == node["rows"]["train"] == 15
    every, hard = csv.DictReader(done.read(f"{OWN}/tables/difficulty.csv").splitlines())
    assert (every["rows"], hard["rows"], hard["intermediate"]) == ("48", "15", "hard")
    assert float(hard["confidence"]) < float(every["confidence"])
    assert hard["labels"] == "contradiction 33.3, entailment 33.3, neutral 33.3"
    assert done.path(f"{OWN}/figures/data_map/xlmr/mnli/seed1.png").exists()
    assert done.snakemake().nothing
    # Others are picked by what is recorded, and trained on.
    done.write(tiny(**CONFIG) | {"intermediates": {"hard": {"tasks": ["mnli"], "subset": {
        "by": "variability", "keep": "lowest", "rows": 15,
    }}}})  # fmt: skip
    again = {"subset": 1, "intermediate": 1, "evaluate_tatoeba": 1, **SHOWN}
    assert done.planned() == again
    # Fewer rows, of which nothing is recorded yet: the places of the subset are not of these.
    subset_of = CONFIG["intermediates"]["hard"]["subset"] | {"rows": 9}
    fewer = {"hard": {"tasks": ["mnli"], "subset": subset_of}}
    done.write(tiny(**CONFIG | {"intermediates": fewer, "limits": {"mnli": {"train": 12}}}))
    done.snakemake("--until", "plan", "prepare").ok()
    folder = f"results/{OWN}"
    said = done.step("tables", "--grid", f"{folder}/grid.csv", "--out", f"{folder}/tables")
    said.failed("hard/seed1/tatoeba/de.json: a score from another spec")
    [alone] = csv.DictReader(done.read(f"{OWN}/tables/difficulty.csv").splitlines())
    assert (alone["rows"], alone["confidence"], alone["intermediate"]) == ("12", "", "")
