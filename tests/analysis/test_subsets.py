"""The table `difficulty`, and the data map of a recorded training."""

import numpy as np
import pandas as pd

from xstilts.analysis import figure_data, subsets
from xstilts.analysis.plots import data_map
from xstilts.analysis.text_table import to_markdown
from xstilts.experiment import difficulty

RUN = ("xlmr", "mnli", "seed1")
ROWS = pd.DataFrame(
    {
        "id": list("abcd"),
        "label": ["no", "no", "yes", "yes"],
        "length": [10, 20, 30, 40],
        "confidence": [0.1, 0.2, 0.8, 0.9],
        "variability": [0.0, 0.1, 0.2, 0.3],
        "correctness": [0.0, 0.5, 1.0, 1.0],
        "forgetting": [0, 1, 0, 0],
        "loss": [2.0, 1.5, 0.5, 0.1],
        subsets.WORDS: [0.0, 0.0, 1.0, 1.0],
    }
)
PICKED = {
    "xlmr/hard/seed1": (RUN, {"by": "confidence", "keep": "lowest"}, [0, 1]),
    "large/any/seed1": (RUN, {"by": "confidence", "keep": "random"}, [0, 3]),
}
FOUND = subsets.Found({RUN: ROWS}, PICKED)


def test_each_subset_is_beside_all_rows_of_its_task():
    every, hard, any_rows = subsets.table(FOUND).to_dict("records")
    assert every | {"rows": 4, "confidence": 0.5, "length": 25.0, subsets.WORDS: 0.5} == every
    told = {k: v for k, v in hard.items() if v == v}  # but for PVI, which is not recorded
    assert told == {
        "model": "xlmr", "task": "mnli", "seed": "seed1", "intermediate": "hard",
        "by": "confidence", "keep": "lowest", "rows": 2, "confidence": np.mean([0.1, 0.2]),
        "variability": 0.05, "correctness": 0.25, "forgetting": 0.5, "loss": 1.75,
        "length": 15.0, subsets.WORDS: 0.0, "labels": "no 100.0",
    }  # fmt: skip
    assert (any_rows["model"], any_rows["keep"], any_rows["by"]) == ("large", "random", "")
    assert any_rows["labels"] == "no 50.0, yes 50.0"


def test_what_is_not_known_is_no_column_for_readers():
    text = to_markdown(subsets.text_table(subsets.table(FOUND)))
    heading, _, _, hard, *_ = text.splitlines()
    assert "pvi" not in heading and "bag of words" in heading
    assert [part.strip() for part in hard.split("|")[3:6]] == ["hard", "2", "0.150"]


def test_the_mean_of_each_measure_is_by_row():
    means = subsets.means(FOUND)
    assert means["loss"] == {("xlmr", "hard"): 1.75, ("large", "any"): 1.05}
    assert means["pvi"] == {} and subsets.means(subsets.Found())["loss"] == {}


def test_the_map_has_the_same_rows_whatever_their_order_and_of_each_recording_its_own():
    rows = pd.concat([ROWS.assign(id=[f"{n}{i}" for i in ROWS["id"]]) for n in range(2000)])
    rows = rows.reset_index(drop=True)
    points = subsets.points(subsets.Found({RUN: rows}))
    again = subsets.points(subsets.Found({RUN: rows[::-1].reset_index(drop=True)}))
    assert len(points) == subsets.POINTS == len(set(points["id"]))
    assert set(points["id"]) == set(again["id"])
    without = ROWS[["id", "label"]]
    assert subsets.points(subsets.Found({RUN: without})).empty


def test_the_data_map_is_drawn_of_the_table_that_is_read(tmp_path):
    subsets.points(FOUND).to_csv(tmp_path / "difficulty.map.csv", index=False)
    [(run, points)] = figure_data.data_maps(tmp_path).items()
    assert run == RUN
    panel, *sides = data_map.draw(points, "mnli, xlmr, seed1").axes
    assert panel.get_title(loc="left") == "mnli, xlmr, seed1: 4 rows"
    dots = {c.get_label(): c.get_offsets().tolist() for c in panel.collections}
    assert dots == {"0": [[0.0, 0.1]], "0.5": [[0.1, 0.2]], "1": [[0.2, 0.8], [0.3, 0.9]]}
    assert [side.get_xlabel() for side in sides] == ["confidence", "variability", "correctness"]
    assert [sum(bar.get_height() for bar in side.patches) for side in sides] == [100] * 3
    assert not figure_data.data_maps(tmp_path / "other")


def test_recordings_are_known_by_their_keys():
    keys = [f"results/difficulty/m/mnli/seed1{end}.json" for end in ("", ".pvi")]
    assert difficulty.recorded([*keys, "results/scores/x.json"]) == [("m", "mnli", "seed1")]
