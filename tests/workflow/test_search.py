"""Learning rates that are searched on dev in the grid itself; one diverges, one is added."""

import csv
import json

from tests.workflow.running import OWN, tiny

CONFIG = {
    "targets": ["xnli"],
    "languages": ["de"],
    "keep_tuned": False,
    "exclude": [{"intermediate": "none"}],
}
TABLES = {"plan": 1, "tables": 1, "figures": 1, "report": 1, "all": 1}
NOTE = "note: xlmr/mnli: what follows is made again only if other values win"


def config(*rates):
    """Stage 1 and stage 2 with a search; with the last rate nothing is finite any more."""
    searched = {"mnli": list(rates), "xnli": [1e-3, 1e30]}
    return tiny(
        **CONFIG,
        recipes={name: {"tune_on_dev": {"learning_rate": of}} for name, of in searched.items()},
    )


def table(experiment):
    """(search, values) -> outcome, and whether they were chosen."""
    rows = csv.DictReader(experiment.read(f"{OWN}/tables/chosen.csv").splitlines())
    return {(row["task"], row["values"]): (row["outcome"], row["chosen"]) for row in rows}


def test_rates_are_searched_in_the_grid_and_one_more_trains_itself_alone(done):
    done.write(config(1e-3, 1e30))
    left = {"trial_intermediate": 2, "trial_tune": 2, "choose": 2, "intermediate": 1, "tune": 1}
    every = left | {"manifest": 1, "evaluate_xnli": 1, **TABLES}
    said = done.step("status", "config.yaml").ok().out
    assert "2 trial_intermediate, 2 trial_tune, 2 choose, 1 intermediate, 1 tune" in said
    assert "trial_tune" in done.step("estimate", "config.yaml").ok().out
    assert done.snakemake().ok().jobs == every
    found = table(done)
    assert {key: taken for key, (_, taken) in found.items()} == {
        ("", "learning_rate=0.001"): "True", ("", "learning_rate=1e+30"): "False",
        ("mnli", "learning_rate=0.001"): "True", ("mnli", "learning_rate=1e+30"): "False",
    }  # fmt: skip
    assert (
        found["", "learning_rate=1e+30"][0] == found["mnli", "learning_rate=1e+30"][0] == "diverged"
    )
    folder = "encoders/xlmr/mnli/seed1"
    node, trial = (
        json.loads(done.read(f"{at}/node.json"))
        for at in (folder, "trials/xlmr/mnli/seed1/learning_rate=0.001")
    )
    assert node["weights"] == trial["weights"] and node["history"] == trial["history"]
    assert node["chosen"] == {"learning_rate": 1e-3}
    assert "taken from" in done.read("logs/intermediate/xlmr/mnli/seed1.log")
    score = json.loads(done.read("scores/xlmr/mnli/seed1/xnli/de.json"))
    names = ("chosen/xlmr/mnli", "chosen/xlmr/mnli/mnli")
    assert [score["pins"][name] for name in names] == ["learning_rate=0.001"] * 2
    results = csv.DictReader(done.read(f"{OWN}/tables/results.csv").splitlines())
    assert {(row["stage1_learning_rate"], row["learning_rate"]) for row in results} == {
        ("0.001", "0.001")
    }
    assert "Chosen on English dev rows (chosen.csv): learning_rate of 2 trainings" in done.read(
        f"{OWN}/tables/main.md"
    )
    assert not list(done.path("trials").rglob("*.safetensors"))
    assert not list(done.path(".state/train").rglob("*.safetensors"))
    assert done.snakemake().nothing

    # One that cannot win trains itself alone, and is in the table.
    done.write(config(1e-3, 1e30, 1e29))
    dry = done.snakemake("--dry-run", "--quiet", "rules").ok()
    more = {"trial_intermediate": 1, "choose_again": 1, **TABLES}
    assert NOTE in dry.out and dry.jobs == more
    before = done.path(f"{folder}/node.json").stat().st_mtime_ns
    assert NOTE not in done.snakemake().ok().out
    assert done.path(f"{folder}/node.json").stat().st_mtime_ns == before
    assert table(done)["", "learning_rate=1e+29"] == ("diverged", "False")
    assert done.snakemake().nothing

    # Without the value that won, another wins, and what follows is made again in the same run.
    done.write(config(1e-4, 1e30, 1e29))
    done.snakemake().ok()
    node = json.loads(done.read(f"{folder}/node.json"))
    assert node["chosen"] == {"learning_rate": 1e-4}
    score = json.loads(done.read("scores/xlmr/mnli/seed1/xnli/de.json"))
    assert score["pins"]["chosen/xlmr/mnli"] == "learning_rate=0.0001"
    assert done.snakemake().nothing


def test_where_all_values_diverge_one_line_says_so(done):
    done.write(config(1e29, 1e30))
    run = done.snakemake("results/chosen/xlmr/mnli.json")
    run.failed("xlmr/mnli: the training diverged with all that was tried: learning_rate=1e+29,")
