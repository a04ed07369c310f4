"""A search of hyper-parameters: what is tried, which specs it changes, what cannot be searched."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.experiment.test_grid import BASE, make

from xstilts.experiment import graph, plan, search
from xstilts.experiment.cells import Cell
from xstilts.experiment.config import load
from xstilts.experiment.config_files import merge
from xstilts.experiment.grid import Grid
from xstilts.experiment.nodes import TRIALS
from xstilts.experiment.recipe import Recipe
from xstilts.running.errors import UserError
from xstilts.running.files import digest

RATES = {"tune_on_dev": {"learning_rate": [3e-5, 1e-5]}}
AT = ("m", "mnli")


def built(**over):
    found = make(**over)
    return found, graph.build(found)


# ---- what is tried


def test_the_last_layer_that_says_something_of_a_key_counts():
    both = {"tune_on_dev": {"learning_rate": [1, 2], "dropout": [0.1, None]}}
    assert search.candidates([both]) == {"dropout": (None, 0.1), "learning_rate": (1, 2)}
    assert search.candidates([{"learning_rate": 5}, RATES]) == {"learning_rate": (1e-5, 3e-5)}
    assert search.candidates([both, {"learning_rate": 5}]) == {"dropout": (None, 0.1)}
    assert search.candidates([RATES, {"tune_on_dev": {"learning_rate": [7, 8]}}]) == {
        "learning_rate": (7, 8)
    }
    assert search.candidates([{}, {"epochs": 2}]) == {} == search.trials({})


def test_a_trial_is_a_combination_and_is_called_by_its_values():
    found = search.trials({"batch_size": (16, 32), "learning_rate": (1e-5, 0.0003)})
    assert found == {
        "batch_size=16+learning_rate=1e-05": {"batch_size": 16, "learning_rate": 1e-5},
        "batch_size=16+learning_rate=0.0003": {"batch_size": 16, "learning_rate": 3e-4},
        "batch_size=32+learning_rate=1e-05": {"batch_size": 32, "learning_rate": 1e-5},
        "batch_size=32+learning_rate=0.0003": {"batch_size": 32, "learning_rate": 3e-4},
    }
    assert search.name({"max_steps": None, "grouping": "none"}) == "max_steps=null+grouping=none"
    assert search.ordered(["none", "length"]) == ("none", "length"), "text as it is written"


@pytest.mark.parametrize(
    ("chosen", "edges"),
    [
        ({"learning_rate": 1e-5, "warmup": 0.1}, ["learning_rate"]),
        ({"learning_rate": 3e-5, "warmup": 0.1}, []),
        ({"learning_rate": 1e-4, "warmup": 0.2}, ["learning_rate", "warmup"]),
        ({"learning_rate": 3e-5, "warmup": 0}, []),  # there is no less
    ],
)
def test_the_lowest_or_highest_value_is_at_the_edge(chosen, edges):
    tried = {"learning_rate": (1e-5, 3e-5, 1e-4), "warmup": (0, 0.1, 0.2)}
    assert search.edges(tried, chosen) == edges


def test_text_and_nothing_have_no_edge():
    assert search.edges({"grouping": ("length", "none")}, {"grouping": "none"}) == []
    tried = {"dropout": (None, 0.1, 0.2)}
    found = [search.edges(tried, {"dropout": value}) for value in tried["dropout"]]
    assert found == [[], ["dropout"], ["dropout"]]


SOME = {
    "learning_rate": st.floats(1e-6, 1.0), "batch_size": st.integers(1, 64),
    "dropout": st.none() | st.floats(0, 0.5), "grouping": st.sampled_from(["length", "none"]),
}  # fmt: skip


@given(st.fixed_dictionaries({}, optional=SOME), st.booleans())
def test_what_is_left_open_is_filled_in_again(values, mix):
    def spec(**chosen):
        tasks = [{"task": t, "batch_size": chosen.get("batch_size", 8)} for t in "ab"]
        return {"recipe": Recipe(**chosen).spec(), "seed": 1, **({"tasks": tasks} if mix else {})}

    left_open = search.opened(spec(epochs=2), values)
    assert not values.keys() & left_open["recipe"].keys()
    assert left_open.get("tune_on_dev", []) == sorted(values)
    assert search.filled(left_open, values) == spec(epochs=2, **values)


# ---- specs


def test_a_trial_is_the_training_that_a_fixed_value_would_be():
    found = make(recipes={"mnli": RATES})
    fixed = make(recipes={"mnli": {"learning_rate": 3e-5}})
    trials = found.searches.trials(*AT)
    assert list(trials) == ["learning_rate=1e-05", "learning_rate=3e-05"]
    assert trials["learning_rate=3e-05"] == fixed.encoder_spec(*AT, "seed1")
    spec = found.encoder_spec(*AT, "seed2")
    assert spec["tune_on_dev"] == ["learning_rate"] and "learning_rate" not in spec["recipe"]
    assert found.searches.choice(*AT) == {
        "kind": "choice",
        "searched": {"learning_rate": [1e-5, 3e-5]},
        "trials": {name: digest(spec) for name, spec in trials.items()},
        "version": 1,
    }


def test_the_nodes_of_a_search_in_full():
    found, nodes = built(
        recipes={"mnli": RATES, "xquad": RATES, "other": RATES}, exclude=[{"target": "tatoeba"}]
    )
    assert found.searches.all == {
        name: {"learning_rate": (1e-5, 3e-5)} for name in ("m/none/squad", "m/mnli", "m/mnli/squad")
    }
    trial = nodes["results/trials/m/mnli/seed1/squad/learning_rate=1e-05/node.json"]
    assert (trial.rule, trial.name) == ("trial_tune", "m/mnli/seed1/squad/learning_rate=1e-05")
    assert trial.outputs == {trial.key: digest(trial.spec)}, "its weights are not declared"
    assert trial.state == "results/.state/train/" + trial.key[len("results/") : -len("/node.json")]
    assert "chosen" not in trial.inputs and "chosen/m/mnli" in trial.pins
    assert trial.inputs["init"][0] == "results/encoders/m/mnli/seed1/model.safetensors"
    choice = nodes["results/chosen/m/mnli/squad.json"]
    assert (choice.rule, choice.name) == ("choose", "m/mnli/squad")
    assert choice.needs == (trial.key, trial.key.replace("1e-05", "3e-05"))
    for seed in ("seed1", "seed2"):
        tuned = nodes[f"results/tuned/m/mnli/{seed}/squad/node.json"]
        assert tuned.inputs["chosen"] == (choice.key,) and choice.key in tuned.needs
    scored = nodes["results/scores/m/mnli/seed2/xquad/cell.json"]
    chosen = {pin for pin in scored.pins if pin.startswith("chosen/")}
    assert chosen == {"chosen/m/mnli", "chosen/m/mnli/squad"}
    assert sum(node.rule in TRIALS for node in nodes.values()) == 6, "of one seed"


def test_a_longer_list_changes_the_choice_alone():
    (_, before), (_, after) = (
        built(recipes={"mnli": {"tune_on_dev": {"learning_rate": rates}}})
        for rates in ([1e-5, 3e-5], [1e-4, 3e-5, 1e-5])
    )
    changed = {key for key in before if before[key].outputs != after[key].outputs}
    assert changed == {"results/chosen/m/mnli.json"}
    assert after.keys() - before.keys() == {
        "results/trials/m/mnli/seed1/learning_rate=0.0001/node.json"
    }


def test_without_a_search_no_spec_knows_of_it():
    _, nodes = built(recipes={"all": {"epochs": 2}})
    assert not any("tune_on_dev" in node.spec for node in nodes.values())
    assert not any(node.rule in ("choose", *TRIALS) for node in nodes.values())


def test_a_model_has_recipes_of_its_own_over_those_of_all():
    both = {
        "m": {"from": "o/m"},
        "xl": {"from": "o/xl", "recipes": {"all": {"learning_rate": 2e-6}, "xquad": RATES}},
    }
    found = make(
        models=both, recipes={"mnli": RATES, "xquad": {"epochs": 4}, "other": {"epochs": 4}},
        targets=["xquad"],
    )  # fmt: skip
    assert list(found.searches.all) == ["m/mnli", "xl/none/squad", "xl/mnli/squad"]
    assert found.recipe("mnli", "xl").learning_rate == 2e-6
    spec = found.encoder_spec("xl", "mnli", "seed1")
    assert spec["recipe"]["learning_rate"] == 2e-6
    tuned = found.tuned_spec("xl", "mnli", "seed1", "squad")["recipe"]
    assert tuned["epochs"] == 4 and "learning_rate" not in tuned
    plain = make(recipes={"xquad": {"epochs": 4}}, targets=["xquad"], tasks={})
    assert plain.tuned_spec("m", "none", "seed1", "squad") == found.tuned_spec(
        "m", "none", "seed1", "squad"
    )


def test_a_mix_has_its_batch_size_in_each_task_and_steps_leave_out_epochs():
    entries = {"mix": {"tasks": ["mnli", "squad"]}, "short": {"tasks": ["mnli"], "steps": 9}}
    searched = {"tune_on_dev": {"batch_size": [8, 16]}}
    every = {"tune_on_dev": {"epochs": [1, 2], "warmup": [0, 0.1]}}
    found = make(intermediates=entries, recipes={"mix": searched, "all": every})
    fixed = make(
        intermediates=entries, recipes={"mix": {"batch_size": 8, "epochs": 2, "warmup": 0}}
    )
    name = "batch_size=8+epochs=2+warmup=0"
    assert found.searches.trials("m", "mix")[name] == fixed.encoder_spec("m", "mix", "seed1")
    assert list(found.searches.of("m", "short")) == ["warmup"]


def test_the_plan_says_what_is_chosen_on_dev():
    found = make(recipes={"mnli": RATES})
    about = plan.made_by(found, Cell("m", "mnli", "seed1", "xquad"))
    assert about["stage1_learning_rate"] == "tune_on_dev" and about["learning_rate"] == 1e-5


# ---- what cannot be


def refused(**over):
    with pytest.raises(UserError) as error:
        Grid(load(merge(BASE, over)))
    return str(error.value)


def of(values, name="mnli", **more):
    return {"recipes": {name: {"tune_on_dev": values, **more}}}


MIX = {"intermediates": {"mix": {"tasks": ["mnli", "qqp"]}}}
SIZES = {"tune_on_dev": {"batch_size": [8, 16]}}
SHORT = {"intermediates": {"short": {"tasks": ["mnli"], "steps": 9}}}


@pytest.mark.parametrize(
    ("over", "line"),
    [
        (
            of({"learning_rat": [1e-5, 3e-5]}),
            "recipes: mnli: tune_on_dev: learning_rat: there is no such key of a recipe; did you"
            " mean `learning_rate`?",
        ),
        (of({"learning_rate": []}), "learning_rate: must be a list of values to try, not `[]`"),
        (of({"learning_rate": 1e-5}), "must be a list of values to try, not `1e-05`"),
        (
            of({"learning_rate": [1e-5]}),
            "one value is no search: name several, or set `learning_rate: 1.0e-05`",
        ),
        (of({"learning_rate": [1e-5, "3e-5"]}), "(YAML takes 1e-5 for text: write 1.0e-5)"),
        (of({"learning_rate": [1e-5, -1]}), "tune_on_dev: learning_rate: must be above 0, not -1"),
        (of({"batch_size": [8, 8]}), "batch_size: a value is there twice: 8, 8"),
        (of({"max_length": [64, 128]}), "max_length: cannot be searched: rows are encoded to it"),
        (of({"eval_rows": [64, 128]}), "eval_rows: cannot be searched: the dev scores would be"),
        (of({}), "tune_on_dev: says no key and its values, such as {learning_rate: [1.0e-5, 3.0"),
        (of([1e-5]), "config: recipes: mnli: tune_on_dev: must be a mapping, not [1e-05]"),
        (
            of({"learning_rate": [1e-5, 3e-5]}, learning_rate=1e-5),
            "mnli: tune_on_dev: learning_rate: is set beside it too; leave one of them out",
        ),
        (of({"epochs": [1, 2]}, "mnlii"), "no task or intermediate `mnlii`; did you mean `mnli`?"),
        (of({"epochs": [1, 2]}, "xnli"), "`xnli` is no intermediate or target here; did you mean"),
        (
            of({"epochs": [1, 2]}, "tatoeba"),
            "recipes: tatoeba: tune_on_dev: `tatoeba` is scored without training",
        ),
        (MIX | of({"epochs": [1, 2]}, "qqp"), "is part of a mix, of which one thing is searched"),
        (SHORT | of({"epochs": [1, 2]}, "short"), "`steps` of the intermediate says how long"),
        (of({"tune_on_dev": [1, 2]}), "tune_on_dev: there is no such key of a recipe"),
        (
            MIX | {"recipes": {"all": SIZES, "qqp": {"batch_size": 4}}},
            "recipes: all: tune_on_dev: batch_size: `qqp`, a part of the mix `mix`, sets its own;"
            " search it under `mix`, or set it there",
        ),
        (
            MIX
            | {"models": {"m": {"recipes": {"all": SIZES, "qqp": {"batch_size": 4}}}}},
            "models: m: recipes: all: tune_on_dev: batch_size: `qqp`, a part of the mix `mix`",
        ),
        (
            SHORT | {"models": {"m": {"recipes": {"short": {"epochs": 2}}}}},
            "short: steps: 9, but `models: m: recipes: short: epochs` says too how long",
        ),
        (
            {"models": {"m": {"recipes": {"squad": {"epochs": 2}}}}},
            "models: m: recipes: `squad` is no intermediate task here; as the training data of",
        ),
        (of({"epochs": [1, 2]}, "xquad"), "`xquad` and `other` share one model tuned on `squad`"),
        (
            {"models": {"m": {"recipes": {"all": {"max_length": 64}}}}},
            "models: m: recipes: all: max_length: is the same for all models; set it in `recipes`",
        ),
        (
            {"models": {"m": {"recipes": {"mnli": {"epoch": 2}}}}},
            "models: m: recipes: mnli: there is no key `epoch`; did you mean `epochs`?",
        ),
        (
            {"models": {"m": {"recipes": {"mnli": {"tune_on_dev": {"epochs": [1]}}}}}},
            "models: m: recipes: mnli: tune_on_dev: epochs: one value is no search",
        ),
        (
            {"tasks": {"mnli": {"recipe": RATES}}},
            "tasks: mnli: recipe: tune_on_dev: a search belongs to the experiment",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_one_line(over, line):
    said = refused(**over)
    assert line in said and len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("over", "line"),
    [
        (of({"scale": [10, 20]}), "recipes: mnli: scale: is what the cosines of a dual encoder are"
                                  " multiplied by, and `mnli` trains none; leave it out"),
        ({"recipes": {"xquad": {"scale": 20.0}}, "targets": ["xquad", "lareqa"]},
         "recipes: xquad: scale: is what .*, and `xquad` trains none; say it under lareqa"),
        ({"recipes": {"all": {"scale": 20.0}}, "targets": ["lareqa"],
          "intermediates": {"both": {"tasks": ["mnli", "lareqa_en"]}}},
         "recipes: all: scale: .* not all trainings have one; say it under both or lareqa"),
        ({"models": {"m": {"recipes": {"mnli": {"scale": 20.0}}}}},
         "models: m: recipes: mnli: scale: is what"),
        ({"tasks": {"mnli": {"recipe": {"scale": 20.0}}}}, "tasks: mnli: recipe: scale: is what"),
    ],
)  # fmt: skip
def test_a_scale_is_of_dual_encoders_alone(over, line):
    said = refused(**over)
    assert re.search(line, said) and len(said.splitlines()) == 1


def test_the_scale_of_a_dual_encoder_is_in_its_spec_alone():
    grid = Grid(load(merge(BASE, {
        "targets": ["lareqa", "xquad"], "recipes": {"lareqa": {"scale": 20.0}},
    })))  # fmt: skip
    specs = [grid.tuned_spec("m", "none", "seed1", task) for task in ("lareqa_en", "squad")]
    assert [spec["recipe"].get("scale") for spec in specs] == [20.0, None]


def test_where_nothing_is_trained_there_is_nothing_to_search():
    alone = {"targets": ["tatoeba"], "intermediates": {}, "tasks": {}}
    with pytest.raises(UserError, match="recipes: all: tune_on_dev: nothing is trained here"):
        load(BASE | alone | of({"epochs": [1, 2]}, "all"))


def test_all_that_is_wrong_is_said_at_once():
    said = refused(
        recipes={
            "mnli": {"tune_on_dev": {"epoch": [1, 2]}},
            "tatoeba": {"tune_on_dev": {"epochs": [1, 2]}},
        }
    )
    assert len(said.splitlines()) == 2


def test_a_rehearsal_may_set_what_is_searched():
    """Its values are laid over the recipes; the search goes on all the same."""
    found = make(source="toy", **of({"batch_size": [8, 16]}, batch_size=4))
    assert list(found.searches.all) == ["m/mnli"]


def test_a_batch_size_under_all_is_searched_where_no_part_of_a_mix_sets_its_own():
    for more in ({}, {"mix": SIZES, "qqp": {"batch_size": 4}}):
        found = make(**MIX, recipes={"all": SIZES, **more})
        assert found.searches.of("m", "mix") == {"batch_size": (8, 16)}
    found = make(**MIX, recipes={"all": SIZES, "qqp": {"batch_size": 4}, "mix": {"batch_size": 2}})
    assert found.searches.of("m", "mix") == {}


def test_what_makes_a_rehearsal_long_is_noted():
    def notes(bound, own, source="toy"):
        models = {"m": {"from": "o/m", "recipes": own}}
        return load(
            merge(BASE, {"source": source, "models": models, "recipes": {"all": bound}})
        ).notes

    [line] = notes({"max_steps": 4}, {"all": {"tune_on_dev": {"max_steps": [2, 20000]}}})
    assert line == (
        "models: m: recipes: all: trained for longer than `recipes: all: max_steps: 4`, as"
        " `max_steps` there says (source: toy)"
    )
    assert len(notes({"max_steps": 4}, {"mnli": {"max_steps": None}})) == 1
    assert notes({"max_steps": 4}, {"all": {"max_steps": 4}}) == ()
    assert notes({}, {"all": {"max_steps": 20000}}) == ()
    assert notes({"max_steps": 4}, {"all": {"max_steps": 20000}}, source="hub") == ()
