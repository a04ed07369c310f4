"""The table of what was chosen on dev, what is said of it, the cost of what was not taken."""

import pandas as pd

from xstilts.analysis import chosen, cost
from xstilts.analysis.text_table import to_markdown

STAGE_1 = {
    "search": "m/mnli", "seed": "seed1", "chosen": "learning_rate=3e-05",
    "values": {"learning_rate": 3e-5}, "edges": [],
    "spec": {"searched": {"learning_rate": [1e-5, 3e-5, 1e-4, 1.0]}},
    "trials": {
        "learning_rate=1e-05": {"score": 0.625, "seconds": 7200.0, "device": "H100"},
        "learning_rate=3e-05": {"score": 0.75, "seconds": 7200.0, "device": "H100"},
        "learning_rate=0.0001": {"score": 0.375, "collapsed": True, "seconds": 3600.0,
                                 "device": "H100"},
        "learning_rate=1.0": {"diverged": "the loss is nan"},
    },
}  # fmt: skip
STAGE_2 = {
    "search": "m/none/squad", "seed": "seed1", "chosen": "epochs=2", "values": {"epochs": 2},
    "edges": ["epochs"], "spec": {"searched": {"epochs": [1, 2]}},
    "trials": {"epochs=1": {"score": 0.5}, "epochs=2": {"score": 0.5}},
}  # fmt: skip


def test_a_row_a_search_and_values():
    found = chosen.table([STAGE_1, STAGE_2])
    assert found.astype(object).where(found.notna(), None).values.tolist() == [
        ["m", "mnli", "", "seed1", "learning_rate=1e-05", 62.5, "", False, ""],
        ["m", "mnli", "", "seed1", "learning_rate=3e-05", 75.0, "", True, ""],
        ["m", "mnli", "", "seed1", "learning_rate=0.0001", 37.5, "collapsed", False, ""],
        ["m", "mnli", "", "seed1", "learning_rate=1.0", None, "diverged", False, ""],
        ["m", "none", "squad", "seed1", "epochs=1", 50.0, "", False, ""],
        ["m", "none", "squad", "seed1", "epochs=2", 50.0, "", True, "epochs"],
    ]
    assert to_markdown(chosen.text_table(found)).splitlines()[2:] == [
        "| m       | mnli           |        | **learning_rate=3e-05 (75.0)** | learning_rate=1e-05"
        " (62.5), learning_rate=0.0001 (37.5, collapsed), learning_rate=1.0 (diverged) | no"
        "            |",
        "| m       | none           | squad  | **epochs=2 (50.0)**            | epochs=1 (50.0)"
        "                                                                                  |"
        " epochs        |",
        "",
        "Each value was tried with the first seed; in brackets its score on English dev rows, in"
        " percent, by which alone it was chosen. Of equal ones the smaller is. At the edge of what"
        " was tried: 1 of 2; name wider values.",
    ]


def test_what_is_said_below_the_main_table():
    assert chosen.notes(chosen.table([])) == []
    assert chosen.notes(chosen.table([STAGE_1])) == [
        "Chosen on English dev rows (chosen.csv): learning_rate of 1 training."
    ]
    assert chosen.notes(chosen.table([STAGE_1, STAGE_2])) == [
        "Chosen on English dev rows (chosen.csv): learning_rate, epochs of 2 trainings, 1 of them"
        " at the edge of what was tried."
    ]


def test_the_recipes_of_results_have_what_was_chosen():
    columns = ["model", "intermediate", "target", "learning_rate", "epochs", "stage1_learning_rate"]
    grid = pd.DataFrame(
        [
            ["m", "none", "xquad", "1e-05", "tune_on_dev", ""],
            ["m", "none", "xnli", "1e-05", "3", ""],
            ["m", "mnli", "xquad", "1e-05", "3", "tune_on_dev"],
            ["xl", "mnli", "xquad", "1e-05", "3", "tune_on_dev"],
        ],
        columns=columns,
    )
    found = chosen.fill(grid, [STAGE_1, STAGE_2], {"xquad": "squad", "xnli": "mnli"})
    assert found["epochs"].tolist() == ["2", "3", "3", "3"]
    assert found["stage1_learning_rate"].tolist() == ["", "", "3e-05", "tune_on_dev"]
    assert grid["epochs"].tolist()[0] == "tune_on_dev", "the plan's own is left as it is"


def test_the_trials_that_were_not_taken_cost_too():
    losers = chosen.losers([STAGE_1, STAGE_2])
    assert [trial["score"] for trial in losers] == [0.625, 0.375], "of those whose time is known"
    (row,) = cost.table({}, {}, losers).to_dict("records")
    assert (row["kind"], row["nodes"], row["hours"], row["hours saved"]) == ("trial", 2, 3.0, 0.0)
