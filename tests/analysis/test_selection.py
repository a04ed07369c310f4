"""The best intermediate task of each target, by hand."""

import json

import pandas as pd
import pytest
from tests.analysis.test_tables import as_rows, experiment, write

from xstilts.analysis import selection
from xstilts.experiment import plan
from xstilts.running.errors import UserError
from xstilts.steps import select as select_step

NAN = float("nan")


def cells(values):
    """One model, and (intermediate, seed, target) -> value."""
    return pd.DataFrame(
        [["m", i, seed, target, value] for (i, seed, target), value in values.items()],
        columns=["model", "intermediate", "seed", "target", "value"],
    )


# MNLI has the best seed and the best mean on XNLI, SQuAD the best median.
VALUES = {
    ("none", "seed1", "xnli"): 99.0, ("none", "noseed", "tatoeba"): 99.0,
    ("mnli", "seed1", "xnli"): 70.0, ("mnli", "seed2", "xnli"): 90.0,
    ("mnli", "seed3", "xnli"): 71.0,
    ("squad", "seed1", "xnli"): 73.0, ("squad", "seed2", "xnli"): 60.0,
    ("squad", "seed3", "xnli"): 72.0,
    ("mnli", "seed1", "tatoeba"): 80.0, ("mnli", "seed2", "tatoeba"): 82.0,
    ("squad", "seed1", "tatoeba"): 81.0, ("squad", "seed2", "tatoeba"): 81.0,
}  # fmt: skip


def test_the_choice_in_full():
    table = selection.best(cells(VALUES))
    assert list(table) == ["model", "target", "intermediate", "seed", "value"]
    assert as_rows(table) == [
        ["m", "xnli", "squad", "seed3", 72.0],
        ["m", "tatoeba", "mnli", "seed1", 80.0],  # of equal medians the first; the lower middle
    ]


def test_each_model_has_its_own_choice():
    two = {("mnli", "seed1", "xnli"): 70.0, ("squad", "seed1", "xnli"): 72.0}
    other = cells({key: -value for key, value in two.items()}).assign(model="n")
    table = selection.best(pd.concat([cells(two), other]))
    assert [line[:3] for line in as_rows(table)] == [["m", "xnli", "squad"], ["n", "xnli", "mnli"]]


def test_a_candidate_without_a_value_is_named():
    with pytest.raises(UserError, match=r"1 cell.s. have no complete score, .* m/mnli/seed2/xnli"):
        selection.best(cells({**VALUES, ("mnli", "seed2", "xnli"): NAN}))


def test_the_baseline_alone_is_no_choice():
    with pytest.raises(UserError, match="no intermediate task to choose from"):
        selection.best(cells({("none", "seed1", "xnli"): 50.0}))


def test_the_baselines_are_those_that_have_a_value():
    found = selection.baselines(cells({**VALUES, ("none", "seed2", "xnli"): NAN}))
    assert as_rows(found) == [
        ["m", "xnli", "none", "seed1", 99.0],
        ["m", "tatoeba", "none", "noseed", 99.0],
    ]
    assert selection.baselines(cells({("mnli", "seed1", "xnli"): 1.0})).empty


CONFIG = {
    "source": "hub", "models": {"m": {"from": "o/m"}},
    "intermediates": {"mnli": {"tasks": ["mnli"]}},
    "targets": ["xnli", "xquad"], "languages": ["de", "en"], "seeds": [1, 2], "test": True,
}  # fmt: skip


def arguments(root, *files):
    grid = write(root, *files).grid
    (root / "config.yaml").write_text(json.dumps(CONFIG))
    paths = {"--config": "config.yaml", "--out": "selection.csv", "--test-grid": "test.csv"}
    given = [text for name, path in paths.items() for text in (name, str(root / path))]
    return select_step.parser().parse_args([*given, "--grid", grid])


def test_the_step_writes_what_it_chose_and_the_scores_on_test(tmp_path, capsys):
    select_step.main(arguments(tmp_path, *experiment()))
    assert (tmp_path / "selection.csv").read_text().splitlines() == [
        "model,target,intermediate,seed,value",
        "m,xnli,mnli,seed1,65.0000",
        "m,xquad,mnli,seed1,30.0000",
    ]
    assert capsys.readouterr().out.splitlines()[0] == "m xnli: mnli (seed1, 65.0)"
    tested = pd.read_csv(tmp_path / "test.csv")
    # XQuAD has one split alone, so what is chosen there has its scores already.
    assert as_rows(tested[["row", "target", "language", "split", "score"]]) == [
        [row, target, lang, "test", f"results/{folder}/m/{cell}/seed1/{target}/{lang}.json"]
        for row, cell in (("none", "none"), ("best", "mnli"))
        for target, folder in (("xnli", "test"), ("xquad", "scores"))
        for lang in ("de", "en")
    ]
    assert set(plan.MADE_BY) < set(tested)
    learned = tested.groupby("row", sort=False)["stage1_learning_rate"].unique()
    assert learned["none"].tolist() == [pytest.approx(float("nan"), nan_ok=True)]
    assert learned["best"].tolist() == [1e-5], "of the intermediate that was chosen"


def test_a_damaged_score_stops_the_choice(tmp_path):
    args = arguments(tmp_path, *experiment())
    (tmp_path / "scores/m/mnli/seed1/xnli/de.json").write_text("{")
    with pytest.raises(UserError, match=r"1 score file.s. refused: .*mnli/seed1/xnli/de\.json"):
        select_step.main(args)
