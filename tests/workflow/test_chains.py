"""A chain of intermediates whose last is a family by its dose; its first is no row of the table."""

import csv
import json

from tests.workflow.running import OWN, tiny

from xstilts.running.files import digest

CONFIG = {
    "targets": ["tatoeba"],
    "languages": ["de"],
    "intermediates": {
        "mnli": {"tasks": ["mnli"]},
        "more-{rows}": {"tasks": ["mnli"], "after": "mnli", "rows": [20, 10**6], "steps": 9},
    },
    "exclude": [{"intermediate": "mnli"}],
}
TABLES = {"plan": 1, "tables": 1, "figures": 1, "report": 1, "all": 1}


def test_a_chain_with_a_dose_on_the_results_of_another_grid(done):
    """The finished experiment has the encoder that the chain starts from."""
    done.write(tiny(**CONFIG))
    run = done.snakemake().ok()
    assert run.jobs == {"intermediate": 2, "evaluate_tatoeba": 2, **TABLES}
    said = run.out
    assert "note: intermediates: more-1000000: the toy world has fewer rows" in said
    assert "more-20, more-1000000: steps: `max_steps` of their recipe is less" in said
    rows = list(csv.DictReader(done.read(f"{OWN}/tables/main.csv").splitlines()))
    assert [row["intermediate"] for row in rows] == ["none", "more-20", "more-1000000"]
    first, few, all_ = (
        json.loads(done.read(f"encoders/xlmr/{name}/seed1/node.json"))
        for name in ("mnli", "more-20", "more-1000000")
    )
    for node, drawn in ((few, 20), (all_, 48)):
        assert node["spec"]["parent"] == digest(first["spec"]) and node["spec"]["after"] == "mnli"
        assert (node["rows"]["train"], node["steps"]) == (drawn, 3)  # `max_steps` is 3
        assert node["pins"] == first["pins"] and node["weights"] != first["weights"]
    grid = list(csv.DictReader(done.read(f"{OWN}/grid.csv").splitlines()))
    told = {row["intermediate"]: (row["stage1_rows"], row["stage1_steps"]) for row in grid}
    assert told["more-20"] == ("20", "9")
    assert done.snakemake().nothing
    # A change of the first link makes the chain anew, and what it scores.
    done.write(tiny(**CONFIG, recipes={"mnli": {"learning_rate": 2.0e-3}}))
    jobs = done.planned()
    assert jobs == {"intermediate": 3, "evaluate_tatoeba": 2, **TABLES}
