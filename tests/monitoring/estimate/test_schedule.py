"""When jobs run, and in which order, by hand."""

from tests.experiment.test_grid import make

from xstilts.experiment.graph import build
from xstilts.monitoring.estimate.priorities import priorities
from xstilts.monitoring.estimate.schedule import chains, schedule


def test_when_jobs_run_that_wait_for_each_other():
    seconds = {"data": 0.0, "a": 3.0, "b": 2.0, "c": 4.0}
    needs = {"data": [], "a": ["data"], "b": ["data", "done before"], "c": ["a", "b"]}
    one = {"data": (0, 0), "a": (0, 3), "b": (3, 5), "c": (5, 9)}
    two = {"data": (0, 0), "a": (0, 3), "b": (0, 2), "c": (3, 7)}
    assert schedule(seconds, needs, 1) == one
    assert schedule(seconds, needs, 2) == schedule(seconds, needs, 8) == two
    assert schedule({}, {}, 1) == {}


def test_evaluations_run_before_the_next_training():
    seconds = dict.fromkeys(["tune1", "tune2", "tune3", "score1", "score2", "score3"], 1.0)
    needs = {f"score{i}": [f"tune{i}"] for i in (1, 2, 3)} | {f"tune{i}": [] for i in (1, 2, 3)}
    order = dict.fromkeys(["score1", "score2", "score3"], 10.0) | {"tune3": 0.5, "tune1": 0.25}
    found = schedule(seconds, needs, 1, order)
    assert sorted(found, key=found.get) == ["tune3", "score3", "tune1", "score1", "tune2", "score2"]


def test_the_next_is_chosen_once_all_that_end_at_a_time_have_ended():
    seconds = {"a": 1.0, "b": 1.0, "none": 0.0, "low": 1.0, "high": 1.0}
    needs = {"a": [], "b": [], "none": ["b"], "low": ["a"], "high": ["none"]}
    found = schedule(seconds, needs, 2, {"high": 1.0, "low": 0.5})
    assert found["high"] == found["low"] == (1, 2)
    busy = schedule(seconds | {"c": 9.0}, needs | {"c": []}, 3, {"c": 2.0, "high": 1.0})
    assert busy["low"] == (1, 2)
    one = schedule(seconds | {"c": 9.0}, needs | {"c": ["a"]}, 2, {"c": 2.0, "high": 1.0})
    assert one["c"] == (1, 10) and one["high"] == (1, 2) and one["low"] == (2, 3)


def test_a_job_that_takes_several_devices_waits_until_they_are_free():
    seconds = {"a": 1.0, "wide": 1.0, "b": 2.0, "c": 1.0}
    needs = {job: [] for job in seconds}
    order = {"a": 0.9, "wide": 0.8, "b": 0.7, "c": 0.6}
    found = schedule(seconds, needs, 2, order, takes={"wide": 2})
    assert found == {"a": (0, 1), "b": (0, 2), "c": (1, 2), "wide": (2, 3)}, "what fits goes before"


def test_the_longest_chain_below_each_job():
    seconds = {"data": 0.0, "a": 3.0, "b": 2.0, "c": 4.0, "d": 1.0}
    needs = {"data": [], "a": ["data"], "b": ["data", "made"], "c": ["a", "b"], "d": ["b"]}
    assert chains(seconds, needs) == {"data": 7.0, "a": 7.0, "b": 6.0, "c": 4.0, "d": 1.0}
    assert chains({}, {}) == {}


def test_the_order_of_a_grid(tmp_path):
    """MNLI is longer than CSQA, in stage 1 as in stage 2; what follows on another goes after it."""
    chain = {
        "csqa": {"tasks": ["csqa"]},
        "mnli": {"tasks": ["mnli"]},
        "more": {"tasks": ["csqa"], "after": "mnli"},
    }
    grid = make(intermediates=chain, targets=["xnli", "pawsx", "tatoeba"], seeds=[1, 2])
    nodes = build(grid)
    found = priorities(grid, nodes, tmp_path)
    assert found.keys() == nodes.keys() and len(set(found.values())) == len(found)
    named = {(node.rule, node.name): found[key] for key, node in nodes.items()}
    stage_1 = ["m/mnli/seed1", "m/mnli/seed2", "m/csqa/seed1", "m/csqa/seed2"]
    order = [named["intermediate", name] for name in stage_1]
    assert order == sorted(order, reverse=True), "the longest first, seed by seed"
    tuned = [named["tune", f"m/more/seed1/{task}"] for task in ("mnli", "pawsx_en")]
    assert order[0] > named["intermediate", "m/more/seed1"] > tuned[0] > tuned[1]
    assert named["intermediate", "m/csqa/seed1"] > named["tune", "m/none/seed1/mnli"]
    for (rule, name), priority in named.items():
        tuned = rule == "evaluate" and not name.endswith("tatoeba")  # which is of an encoder
        level = 10 if tuned else 0 if rule in ("intermediate", "tune", "evaluate") else 1
        assert level < priority < level + 1, name
    for key, node in nodes.items():
        if node.rule in ("pin_data", "prepare", "encode"):  # before what else reads them
            below = (k for k, n in nodes.items() if key in n.needs and int(found[k]) == 1)
            assert all(found[key] > found[k] for k in below)
