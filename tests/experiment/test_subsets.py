"""`subset` of an intermediate: what it is picked by, what follows from it, what is refused."""

import pytest
from tests.experiment.test_grid import BASE, make

from xstilts.experiment import graph, plan, traits
from xstilts.experiment.cells import Cell
from xstilts.experiment.config import load
from xstilts.experiment.config_files import merge
from xstilts.running.errors import UserError
from xstilts.running.files import digest

BY = {"by": "confidence", "keep": "lowest", "rows": 1000}
ANY = {"keep": "random", "rows": 1000}
KEY = "results/subsets/m/hard/seed1.json"


def hard(**subset):
    return {"hard": {"tasks": ["mnli"], "subset": BY | subset}}


def grid_of(intermediates, **more):
    settings = {"targets": ["xnli"], "languages": ["de"], "seeds": [1, 2], "tasks": {}}
    return make(**settings, intermediates=intermediates, **more)


def refused(entry, **more):
    with pytest.raises(UserError) as error:
        load(merge(BASE | {"intermediates": {"hard": {"tasks": ["mnli"], **entry}}}, more))
    return str(error.value)


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (
            {"subset": {**BY, "rows": 400000}},
            "hard: subset: rows: 400000, but mnli has 392702 train rows; ask for fewer",
        ),
        (
            {"subset": {**BY, "by": "confidense"}},
            "hard: subset: by: of a classification task there is no `confidense`; did you mean"
            " `confidence`?",
        ),
        (
            {"subset": {"keep": "lowest", "rows": 9}},
            "hard: subset: by: is missing: the measure whose lowest are kept, one of confidence,",
        ),
        (
            {"subset": {**BY, "keep": "low"}},
            "hard: subset: keep: must be highest, middle, lowest or random; did you mean `lowest`?",
        ),
        (
            {"subset": {**BY, "of": "n"}},
            "hard: subset: of: there is no model `n`",
        ),
        (
            {"subset": {**BY, "seed": "all"}},
            "hard: subset: seed: must be a whole number or `each`, not `all`",
        ),
        (
            {"subset": BY, "rows": 10},
            "hard: subset: says which rows it is trained on, so leave `rows` out",
        ),
        (
            {"tasks": ["mnli", "snli"], "subset": BY},
            "hard: subset: is of the rows of one task, not of mnli, snli",
        ),
        (
            {"tasks": ["mnli_15"], "languages": ["de"], "subset": BY},
            "hard: subset: is of the rows in en, in which `mnli_15` is recorded; leave `languages`",
        ),
        (
            {"tasks": ["lareqa_en"], "subset": BY},
            "hard: subset: by: of a dual task there is no difficulty, since what is right among",
        ),
        (
            {"tasks": ["wikiann_en"], "subset": {**BY, "by": "pvi"}},
            "hard: subset: by: of a tagging task there is no `pvi` (there are confidence,",
        ),
    ],
)
def test_a_mistake_in_a_subset_is_said_in_one_line(entry, line):
    assert line in refused(entry)


def test_what_is_over_epochs_needs_several():
    over = {"subset": {**BY, "by": "variability"}}
    assert refused(over, recipes={"mnli": {"epochs": 1}}) == (
        "intermediates: hard: subset: by: variability is over the epochs of the training of `m` on"
        " `mnli`, which has 1; give `epochs: 2` or more in recipes: mnli"
    )
    entry = {"intermediates": {"hard": {"tasks": ["mnli"], "subset": BY}}}
    load(merge(BASE | entry, {"recipes": {"mnli": {"epochs": 1}}}))


def test_a_subset_is_picked_by_the_recording_of_one_seed_for_all_seeds():
    grid = grid_of(hard())
    nodes = graph.build(grid)
    recorded = "results/difficulty/m/mnli/seed1.json"
    node = nodes[KEY]
    assert node.inputs == {
        "rows": ("results/data/mnli/en.train.parquet",),
        "measured": ("results/difficulty/m/mnli/seed1.parquet",),
        "recorded": (recorded,),
    }
    assert recorded in node.needs and nodes[recorded].spec
    assert dict(node.spec) == {
        "kind": "subset",
        "task": "mnli",
        "data": digest(grid.data_spec("mnli", "en", "train")),
        "keep": "lowest",
        "rows": 1000,
        "balance": True,
        "by": "confidence",
        "measured": digest(nodes[recorded].spec),
        "version": 1,
    }
    for seed in ("seed1", "seed2"):
        training = nodes[f"results/encoders/m/hard/{seed}/node.json"]
        assert training.spec["subset"] == digest(node.spec) and "rows" not in training.spec
        assert KEY in training.needs
        assert training.inputs["subset"] == (KEY, "results/subsets/m/hard/seed1.parquet")
    assert [key for key in nodes if key.startswith("results/subsets/")] == [KEY]
    assert nodes["results/bags/mnli.json"].rule == "bag_of_words"


def test_a_seed_of_its_own_another_model_and_no_shares_are_other_subsets():
    each = grid_of(hard(seed="each"))
    nodes = graph.build(each)
    assert {key for key in nodes if "/subsets/" in key} == {
        KEY, "results/subsets/m/hard/seed2.json",
    }  # fmt: skip
    assert "results/difficulty/m/mnli/seed2.json" in nodes
    models = {"n": {"from": "o/n"}}
    other = grid_of(hard(of="n", balance=False, seed=7), models=BASE["models"] | models)
    nodes = graph.build(other)
    spec = nodes["results/subsets/m/hard/seed7.json"].spec
    assert spec["measured"] == digest(nodes["results/difficulty/n/mnli/seed7.json"].spec)
    assert spec["balance"] is False


def test_of_a_dual_task_it_is_of_any_rows():
    grid = grid_of({"any": {"tasks": ["lareqa_en"], "subset": ANY}})
    nodes = graph.build(grid)
    assert nodes["results/subsets/m/any/seed1.json"].spec["balance"] is False
    assert not [key for key in nodes if key.startswith("results/difficulty/")]


def test_any_rows_need_no_recording_and_are_those_of_the_seed():
    grid = grid_of({"any": {"tasks": ["mnli"], "subset": ANY}})
    nodes = graph.build(grid)
    assert not any("/difficulty/" in key for key in nodes)
    spec = nodes["results/subsets/m/any/seed1.json"].spec
    assert spec["seed"] == 1 and "measured" not in spec and "by" not in spec


def test_of_the_toy_world_it_takes_what_there_is():
    toy = {"source": "toy", "toy": {"sizes": {"train": 120, "dev": 24, "test": 24}}}
    grid = grid_of(hard(), **toy)
    spec = grid.subset_spec("m", "hard", "seed1")
    assert spec["rows_at_most"] == 1000 and "rows" not in spec
    assert any("hard: the toy world has fewer rows" in line for line in grid.experiment.notes)


def test_a_family_by_measure_and_end():
    family = {
        "{tasks}-{by}-{keep}": {
            "tasks": ["mnli", "snli"],
            "subset": {"by": ["confidence", "pvi"], "keep": ["highest", "lowest"], "rows": 9},
        }
    }
    entries = load(BASE | {"intermediates": family}).settings["intermediates"]
    assert len(entries) == 8
    assert entries["snli-pvi-highest"] == {
        "tasks": ["snli"],
        "subset": {"by": "pvi", "keep": "highest", "rows": 9},
    }
    with pytest.raises(UserError, match="mnli: keep: is a list; for an intermediate of each value"):
        load(BASE | {"intermediates": {"mnli": {"tasks": ["mnli"], "subset": {
            "by": "pvi", "keep": ["highest", "lowest"], "rows": 9,
        }}}})  # fmt: skip
    with pytest.raises(UserError, match="subset: by: must be a list, of a value for each"):
        load(BASE | {"intermediates": {"mnli-{by}": {"tasks": ["mnli"], "subset": BY}}})


def test_its_rows_are_those_that_are_asked_by_and_counted():
    grid = grid_of(hard())
    assert traits.of(grid.experiment).values["intermediate"]["hard"]["rows"] == 1000
    assert plan.made_by(grid, Cell("m", "hard", "seed1", "xnli"))["stage1_rows"] == 1000
    [member] = grid.mixture("hard")
    assert (member.rows, member.subset, member.sample) == (None, 1000, {})
