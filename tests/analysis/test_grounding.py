"""The table `grounding`: used and helps, by hand; what is marked; what is said of it."""

import numpy as np
import pytest

from xstilts.analysis import grounding
from xstilts.experiment.config import load
from xstilts.experiment.grid import Grid
from xstilts.monitoring import products

ROWS = 200


def judged(trained="pictures", rows=ROWS, images=None, steps=50, **values):
    """What a record says of a task: values under each condition, score their mean; two rows a
    picture, if nothing else is said."""
    under = {
        name: {"score": float(np.mean(of)), "loss": 1.5, "values": [*map(float, of)]}
        for name, of in values.items()
    }
    told = {"metric": "accuracy", "rows": rows, "trained": trained, "steps": steps}
    return {
        **told,
        "images": [at // 2 for at in range(rows)] if images is None else images,
        **under,
    }


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
    assert own["seeds"] == 3 and own["over"] == "pictures and seeds"
    assert (own["rows"], own["images"], own["steps"], own["control steps"]) == (200, 100, 50, 50)
    assert own["uses"] == "yes" and rows.loc["own-shuffled", ""]["uses"] == "no"
    assert rows.loc["own-text", ""]["uses"] == "" and np.isnan(rows.loc["own-text", ""]["used"])
    assert rows.loc["idle", ""]["uses"] == "no" and rows.loc["idle", ""]["used"] == 0


def test_an_arm_that_does_not_use_its_pictures_is_named_where_an_answer_rests_on_it(grid_of_three):
    unused = grounding.unused(grounding.table(grid_of_three, {}))
    assert unused == {("m", "idle"): ["vqa"]}, "those on shuffled pictures are not meant to"
    [line] = grounding.notes(unused, [("m", "own"), ("m", "idle"), ("m", "none")])
    start = "Pictures not used: by idle of m (vqa), as good on dev with other pictures"
    assert line.startswith(start)
    assert grounding.notes(unused, [("m", "own"), ("m", "own-shuffled")]) == []
    assert grounding.notes(unused, [("other", "idle")]) == [], "another model may use them"
    assert grounding.notes({}) == [] and len(grounding.notes(unused)) == 1
    chains = {"idle": ("idle",), "more": ("idle", "more")}
    assert grounding.notes(unused, [("m", "more")], chains) == [line]
    assert grounding.notes(unused, [("other", "more")], chains) == []


def test_the_value_of_a_picture_is_the_mean_of_its_rows():
    found = grounding.by_picture([1, 0, 1, 1, 0.5], [0, 1, 0, 2, 1])
    assert found.tolist() == [1.0, 0.25, 1.0]


def test_intervals_are_of_the_draw_of_pictures_not_of_rows():
    """Five rows a picture that are right or wrong together say no more than one does."""
    own, others = drawn(0.6, 1, 40).astype(float), drawn(0.5, 2, 40).astype(float)
    few = judged(rows=40, images=[*range(40)], pictures=own, shuffled=others)
    images = np.repeat(np.arange(40), 5).tolist()
    many = judged(
        rows=200, images=images, pictures=np.repeat(own, 5), shuffled=np.repeat(others, 5)
    )
    rows = [grounding.table({("m", "own", "seed1", "t"): one}, {}).iloc[0] for one in (few, many)]
    for name in grounding.USED:
        assert rows[0][name] == pytest.approx(rows[1][name], abs=1e-6)
    assert [row["over"] for row in rows] == ["pictures", "pictures"]


def test_a_training_that_ended_before_its_control_is_told(grid_of_three):
    early = {
        key: {**told, "steps": 30 if key[1] == "own-shuffled" else 50}
        for key, told in grid_of_three.items()
    }
    notes = [
        grounding.text_table(grounding.table(each, {"own": ["own-shuffled", "own-text"]})).notes
        for each in (grid_of_three, early)
    ]
    assert len(notes[0]) == 1 and len(notes[1]) == 2
    assert notes[1][1].endswith(
        "in it: own of m (50) and own-shuffled (30). With `steps` in their entries none does."
    )


def test_one_seed_has_the_noise_of_examples_alone(grid_of_three):
    one = {key: told for key, told in grid_of_three.items() if key[2] == "seed1"}
    table = grounding.table(one, {"own": ["own-shuffled"]})
    assert set(table["over"]) == {"pictures", ""} and table["uses"].tolist()[0] == "yes"
    text = grounding.text_table(table)
    assert "Intervals cover the noise of pictures;" in text.notes[0]
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


def test_a_control_may_name_the_encoder_that_is_the_default():
    found = grounding.controls(grid({
        "captions": {"tasks": ["captions"]},
        "named": {"tasks": ["captions"], "vision": "a", "images": "shuffled"},
        "other": {"tasks": ["captions"], "vision": "b", "images": "shuffled"},
    }))  # fmt: skip
    assert found == {"captions": ["named"]}


def test_what_follows_on_a_training_with_pictures_has_a_table_of_it():
    one = grid({"captions": {"tasks": ["captions"]},
                "more": {"tasks": ["mnli"], "after": "captions"}})  # fmt: skip
    kept = [cell for cell in one.cells if cell.intermediate in ("more", "none")]
    one.cells = kept
    assert products.has(one, {})["grounding"]
    assert [path for path in products.records(one, {}) if "captions" in path] == [
        "results/encoders/m/captions/seed1/node.json"
    ]
