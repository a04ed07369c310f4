"""The table `grounding`: used and helps, by hand; what is marked; what is said of it."""

import numpy as np
import pytest

from xstilts.analysis import grounding
from xstilts.experiment.config import load
from xstilts.experiment.grid import Grid

ROWS = 200


def judged(trained="pictures", rows=ROWS, **values):
    """What a record says of a task: values under each condition, score their mean."""
    under = {
        name: {"score": float(np.mean(of)), "loss": 1.5, "values": [*map(float, of)]}
        for name, of in values.items()
    }
    return {"metric": "accuracy", "rows": rows, "trained": trained, **under}


def drawn(share, seed, rows=ROWS):
    return np.random.default_rng(seed).random(rows) < share


@pytest.fixture
def grid_of_three():
    """Three seeds: one that uses its pictures and is helped, its controls, one that does not."""
    found = {}
    for seed in (1, 2, 3):
        others = drawn(0.3, seed)
        at = ("m", "own", f"seed{seed}", "vqa")
        found[at] = judged(pictures=others | drawn(0.8, seed + 9), shuffled=others, none=others)
        at = ("m", "own-shuffled", f"seed{seed}", "vqa")
        mixed = drawn(0.3, seed + 20)
        found[at] = judged("shuffled", pictures=mixed, shuffled=drawn(0.3, seed + 30), none=mixed)
        found["m", "own-text", f"seed{seed}", "vqa"] = judged("none", none=drawn(0.3, seed + 40))
        same = drawn(0.5, seed + 50)
        found["m", "idle", f"seed{seed}", "vqa"] = judged(pictures=same, shuffled=same, none=same)
    return found


def test_used_and_helps_are_differences_of_means_over_rows_and_seeds(grid_of_three):
    table = grounding.table(grid_of_three, {"own": ["own-shuffled", "own-text"]})
    rows = table.set_index(["intermediate", "control"])
    assert list(rows.index) == [
        ("own", "own-shuffled"), ("own", "own-text"), ("own-shuffled", ""), ("own-text", ""),
        ("idle", ""),
    ]  # fmt: skip

    def mean(name, condition):
        told = [one for key, one in grid_of_three.items() if key[1] == name]
        return 100 * np.mean([one[condition]["values"] for one in told])

    own = rows.loc["own", "own-shuffled"]
    assert own["used"] == pytest.approx(mean("own", "pictures") - mean("own", "shuffled"), abs=1e-4)
    helps = mean("own", "pictures") - mean("own-shuffled", "shuffled")
    assert own["helps"] == pytest.approx(helps, abs=1e-4)
    text = mean("own", "pictures") - mean("own-text", "none")
    assert rows.loc["own", "own-text"]["helps"] == pytest.approx(text, abs=1e-4)
    assert own["pictures"] == pytest.approx(mean("own", "pictures")) and own["loss none"] == 1.5
    assert own["used low"] < own["used"] < own["used high"] and own["used low"] > 30
    assert own["seeds"] == 3 and own["over"] == "examples and seeds"
    assert own["uses"] == "yes" and rows.loc["own-shuffled", ""]["uses"] == "no"
    assert rows.loc["own-text", ""]["uses"] == "" and np.isnan(rows.loc["own-text", ""]["used"])
    assert rows.loc["idle", ""]["uses"] == "no" and rows.loc["idle", ""]["used"] == 0


def test_an_arm_that_does_not_use_its_pictures_is_named_where_an_answer_rests_on_it(grid_of_three):
    unused = grounding.unused(grounding.table(grid_of_three, {}))
    assert unused == {"idle": ["vqa"]}, "those on shuffled pictures are not meant to"
    [line] = grounding.notes(unused, ["own", "idle", "none"])
    assert line.startswith("Pictures not used: by idle (vqa), as good on dev with other pictures")
    assert grounding.notes(unused, ["own", "own-shuffled"]) == [] and grounding.notes({}) == []
    assert len(grounding.notes(unused)) == 1


def test_one_seed_has_the_noise_of_examples_alone(grid_of_three):
    one = {key: told for key, told in grid_of_three.items() if key[2] == "seed1"}
    table = grounding.table(one, {"own": ["own-shuffled"]})
    assert set(table["over"]) == {"examples", ""} and table["uses"].tolist()[0] == "yes"
    text = grounding.text_table(table)
    assert "Intervals cover the noise of examples;" in text.notes[0]
    assert [cell.text for cell in text.rows[2][1]][:3] == ["text alone", "–", "–"]


def test_dev_sets_of_another_size_are_not_compared():
    keyed = {
        ("m", "own", "seed1", "vqa"): judged(pictures=drawn(1, 1), shuffled=drawn(0, 1)),
        ("m", "less", "seed1", "vqa"): judged(
            "shuffled", 20, pictures=drawn(1, 1, 20), shuffled=drawn(0, 1, 20)
        ),
    }
    table = grounding.table(keyed, {"own": ["less"]})
    assert np.isnan(table["helps"]).all() and table["used"].tolist()[0] == 100


def grid(intermediates):
    return Grid(load({
        "models": {"m": {"from": "x/m"}}, "vision": {"a": {"from": "x/a"}, "b": {"from": "x/b"}},
        "intermediates": intermediates, "targets": ["xnli"], "seeds": [1],
    }))  # fmt: skip


def test_a_control_differs_in_its_pictures_alone():
    found = grounding.controls(grid({
        "captions": {"tasks": ["captions"], "traits": {"kind": "own"}},
        "shuffled": {"tasks": ["captions"], "images": "shuffled"},
        "text": {"tasks": ["captions"], "images": "none"},
        "by-b": {"tasks": ["captions"], "vision": "b"},
        "by-b-shuffled": {"tasks": ["captions"], "vision": "b", "images": "shuffled"},
        "fewer": {"tasks": ["captions"], "rows": 100, "images": "shuffled"},
        "mnli": {"tasks": ["mnli"]},
    }))  # fmt: skip
    assert found == {"captions": ["shuffled", "text"], "by-b": ["text", "by-b-shuffled"]}
