"""What a change costs: exactly the jobs that depend on it."""

import json

from tests.workflow.running import tiny

TABLES = {"plan": 1, "tables": 1, "figures": 1, "report": 1, "all": 1}  # of any changed config


def test_a_second_run_has_nothing_to_do(finished):
    assert finished.snakemake().nothing
    assert finished.snakemake(profile=False).nothing, "the plain command"


def test_a_learning_rate_of_one_target(plan):
    jobs = plan(recipes={"xnli": {"learning_rate": 2.0e-3}})
    assert jobs == {"tune": 2, "evaluate_xnli": 2, **TABLES}


def test_a_learning_rate_of_one_intermediate(plan):
    jobs = plan(recipes={"mnli": {"learning_rate": 2.0e-3}})
    scored = {"evaluate_xnli": 1, "evaluate_udpos": 1, "evaluate_tatoeba": 1}
    assert jobs == {"intermediate": 1, "tune": 2, **scored, **TABLES}


def test_a_language(plan):
    jobs = plan(languages=["de", "en", "ru"])
    scored = {"evaluate_xnli": 2, "evaluate_udpos": 2, "evaluate_tatoeba": 2}
    assert jobs == {"prepare": 3, "encode": 3, "manifest": 3, **scored, **TABLES}


def test_a_stratum_trains_nothing_and_encodes_nothing(plan):
    jobs = plan(tasks={"xnli": {"strata": {"gold": "label"}}})
    assert jobs == {"prepare": 2, "manifest": 1, "evaluate_xnli": 2, **TABLES}


def test_seeds_and_the_cell_that_no_seed_can_change(plan):
    jobs = plan(seeds=[1, 2, 3])
    # tatoeba without an intermediate task has nothing trained: it stays the one cell that it was.
    scored = {"evaluate_xnli": 4, "evaluate_udpos": 4, "evaluate_tatoeba": 2}
    assert jobs == {"intermediate": 2, "tune": 8, **scored, **TABLES}


def test_an_intermediate(plan):
    jobs = plan(intermediates={"mnli": {"tasks": ["mnli"]}, "squad": {"tasks": ["squad"]}})
    data = {"toy_world": 1, "pin_data": 1, "prepare": 2, "encode": 2}
    scored = {"evaluate_xnli": 1, "evaluate_udpos": 1, "evaluate_tatoeba": 1}
    assert jobs == {**data, "intermediate": 1, "tune": 2, **scored, **TABLES}


def test_a_target_that_is_left_out(plan):
    assert plan(exclude=[{"intermediate": "mnli", "target": "udpos"}]) == TABLES


def test_what_changes_no_result_computes_nothing(plan):
    # The resolved config is written again, and so the tables; both take no time.
    assert plan(threads=2, micro_batch_tokens=4096) == TABLES


def test_a_changed_recipe_is_what_the_new_score_is_of(done):
    before = json.loads(done.read("scores/xlmr/none/seed1/xnli/en.json"))
    done.write(tiny(recipes={"xnli": {"learning_rate": 2.0e-3}}))
    cell = "results/scores/xlmr/none/seed1/xnli/cell.json"
    assert done.snakemake(cell).ok().jobs == {"tune": 1, "evaluate_xnli": 1}
    after = json.loads(done.read("scores/xlmr/none/seed1/xnli/en.json"))
    assert after["checkpoint"]["recipe"]["learning_rate"] == 2e-3
    assert after["weights"] != before["weights"]
    assert "already computed" not in done.read("logs/evaluate/xlmr/none/seed1/xnli.log")
    assert done.planned() == {"tune": 1, "evaluate_xnli": 1, **TABLES}, "the other row is left"
