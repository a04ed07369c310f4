"""Suites in `targets`, the languages that they add, and what a target is tuned on in a chain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.experiment import entries, graph, reference, suites, tasks
from xstilts.experiment.config import load
from xstilts.experiment.grid import Grid
from xstilts.running.errors import UserError

BASE = {"source": "hub", "models": {"m": {"from": "o/m"}}, "intermediates": {}}
# A retrieval target of XTREME-R that is not known here yet is one of a user's own.
RETRIEVAL = {"format": "retrieval", "hub": "o/x", "splits": {"dev": "dev"}}
BESIDE = {
    "tasks": {
        target: {**RETRIEVAL, "languages": list(codes)}
        for target, codes in suites.languages("xtreme-r").items()
        if target not in tasks.known()
    }
}


def experiment(**changes):
    return load({**BASE, **BESIDE, **changes})


def test_a_suite_is_all_its_targets_in_its_languages():
    found = experiment(targets="xtreme")
    assert found.settings["targets"] == [
        "pawsx", "xnli", "udpos", "wikiann", "xquad", "mlqa", "tydiqa", "bucc", "tatoeba",
    ]  # fmt: skip
    counts = {target: len(codes) for target, codes in found.languages.items()}
    assert (counts["udpos"], counts["wikiann"], counts["xquad"]) == (29, 40, 11)
    found = experiment(targets=["xtreme-r"])  # on dev, which udpos has not in kk, th, tl, yo
    assert found.settings["suites"] == ["xtreme-r"]
    counts = {target: len(codes) for target, codes in found.languages.items()}
    assert counts == {
        "xnli": 15, "xcopa": 11, "udpos": 34, "wikiann": 48, "xquad": 12, "mlqa": 7, "tydiqa": 9,
        "lareqa": 11, "mewslix": 11, "tatoeba_r": 41,
    }  # fmt: skip
    task = found.tasks["udpos"]
    assert len(suites.scored_in(task, found.settings)) == 38, "with those that have no dev"


def test_a_target_that_is_in_both_is_scored_once_in_the_languages_of_both():
    both = experiment(targets=["xtreme-r", "xtreme", "anli", "xnli"])
    named = both.settings["targets"]
    assert len(named) == len(set(named)) == 14 and named[-1] == "anli"
    assert both.languages["wikiann"] == experiment(targets="xtreme-r").languages["wikiann"]
    assert len(Grid(both).cells) == 14
    again = load(dict(both.settings))
    assert again.languages == both.languages and again.settings == both.settings, "resolved"


def test_a_target_by_its_own_name_has_its_own_languages_and_those_that_are_listed():
    assert len(experiment(targets=["xquad"]).languages["xquad"]) == 11
    assert experiment(targets=["xquad"], languages=["ro"]).languages["xquad"] == ("ro",)
    with pytest.raises(UserError, match=r"languages: no target has dev rows in `ro` \(but in af"):
        experiment(targets="xtreme", languages=["ro"])


def test_an_own_trait_may_be_of_a_language_that_a_suite_adds():
    experiment(targets=["xnli"], language_traits={"qu": {"spoken": "Peru"}})


@pytest.mark.parametrize(
    ("targets", "line"),
    [
        (
            "xtreme_r",
            "targets: there is no suite `xtreme_r`; did you mean `xtreme-r`? (valid: xtreme,"
            " xtreme-r; targets are a list, even one: [xtreme_r])",
        ),
        ("xnli", "targets: there is no suite `xnli`"),
        (["xtreme-R"], "targets: there is no task `xtreme-R`; did you mean `xtreme-r`?"),
        (["xnli", "xnli"], "config: targets: "),
        (7, "config: targets: must be a list, not 7"),
    ],
)
def test_what_is_no_suite_is_named(targets, line):
    with pytest.raises(UserError) as error:
        experiment(targets=targets)
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


def test_a_task_may_not_be_called_as_a_suite():
    own = {"tasks": {"xtreme": {"format": "choice", "hub": "o/x", "languages": ["en"]}}}
    with pytest.raises(UserError, match="tasks: `xtreme` is a suite; give the task another name"):
        load({**BASE, **own, "targets": ["xnli"]})


@given(st.lists(st.sampled_from(["xtreme", "xtreme-r", "xnli", "anli", "xcopa", "bucc"])))
def test_expanding_keeps_order_and_each_target_once(given):
    found = suites.expand({"targets": given})
    asked = [name for name in given if name in suites.names()]
    assert found.get("suites", []) == list(dict.fromkeys(asked))
    of_suites = {target for suite in asked for target in suites.languages(suite)}
    assert of_suites <= set(found["targets"]) and len(of_suites & set(found["targets"])) == sum(
        target in of_suites for target in found["targets"]
    )
    assert set(given) - set(suites.names()) <= set(found["targets"])
    assert suites.expand(found) == found


def test_every_suite_is_whole_and_says_where_it_is_from():
    for row in reference.table("suites"):
        assert row["certainty"] == "read" and row["source"]
        entry = tasks.known().get(row["target"])
        if entry:
            has = entries.check(row["target"], entry).every_language
            assert set(row["languages"].split()) <= set(has), row["target"]


def test_the_languages_that_a_suite_adds_may_be_read_elsewhere():
    found = Grid(experiment(targets="xtreme-r"))
    romanian, german = (found.data_spec("udpos", lang, "dev") for lang in ("ro", "de"))
    assert (romanian["hub"], romanian["config"], romanian["rows"]) == (
        "commul/universal_dependencies", "ro_rrt", "universal_dependencies",
    )  # fmt: skip
    assert (german["hub"], german["config"]) == ("google/xtreme", "udpos.German")
    assert german == Grid(experiment(targets="xtreme")).data_spec("udpos", "de", "dev")
    nodes = graph.build(found)
    assert "results/pins/datasets/commul/universal_dependencies.json" in nodes
    assert "udpos" in found.tasks_of("commul/universal_dependencies")


def suite_entry(more):
    return {"format": "tagging", "hub": "o/x", "languages": ["de"], "suites": more}


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"xtrem": {"languages": ["ro"]}}, "there is no suite `xtrem`; did you mean `xtreme`?"),
        ({"xtreme-r": ["ro"]}, "xtreme-r: must be a mapping with `languages`, which it adds"),
        ({"xtreme-r": {"languages": "ro"}}, "xtreme-r: must be a mapping with `languages`"),
        ({"xtreme-r": {"languages": []}}, "xtreme-r: `languages` must be a list of different"),
        (
            {"xtreme-r": {"languages": ["ro"], "confg": "x"}},
            "xtreme-r: there is no field `confg`; did you mean `config`?",
        ),
    ],
)
def test_what_is_wrong_with_the_languages_of_a_suite_is_named(more, line):
    with pytest.raises(UserError) as error:
        entries.check("x", suite_entry(more))
    assert str(error.value).startswith(f"task `x`: suites: {line}")


# ---- chains of tunings


def test_xcopa_is_tuned_on_social_iqa_and_then_on_copa():
    found = Grid(experiment(targets=["xcopa"], intermediates={"mnli": {"tasks": ["mnli"]}}))
    nodes = graph.build(found)
    tuned = {node.name: node for node in nodes.values() if node.rule == "tune"}
    assert list(tuned) == [
        f"m/{row}/seed1/{task}" for row in ("none", "mnli") for task in ("siqa", "copa")
    ]
    for row, encoder in (("none", "models/m"), ("mnli", "encoders/m/mnli/seed1")):
        first, second = (tuned[f"m/{row}/seed1/{task}"] for task in ("siqa", "copa"))
        assert f"results/{encoder}/node.json" in first.needs
        assert first.key in second.needs and f"results/{encoder}/node.json" not in second.needs
        assert second.inputs["init"] == tuple(
            f"results/tuned/m/{row}/seed1/siqa/{name}"
            for name in ("model.safetensors", "config.json", "tokenizer.json", "node.json",
                         "head.safetensors")
        )  # fmt: skip
        assert second.spec["parent"] == first.outputs[first.key]
        assert (second.spec["after"], second.spec["head"]) == ("siqa", "goes on")
        score = nodes[f"results/scores/m/{row}/seed1/xcopa/cell.json"]
        assert second.key in score.needs and first.key not in score.needs
    assert found.tunings("xcopa") == ("siqa", "copa")
    assert found.tuned_from("m", "none", "seed1", "copa") == "results/tuned/m/none/seed1/siqa"
    assert found.tasks_of("lighteval/siqa") == ["siqa"]


def test_each_step_of_a_chain_has_a_recipe_of_its_own_name():
    recipes = {"siqa": {"epochs": 2}, "xcopa": {"epochs": 7}}
    found = Grid(experiment(targets=["xcopa"], recipes=recipes))
    assert [found.tuning(task)[0].recipe.epochs for task in ("siqa", "copa")] == [2, 7]
    with pytest.raises(UserError, match="as the training data of `xcopa` its recipe is set under"):
        Grid(experiment(targets=["xcopa"], recipes={"copa": {"epochs": 7}}))


def test_a_step_on_the_way_is_searched_too():
    recipes = {"siqa": {"tune_on_dev": {"learning_rate": [1.0e-5, 3.0e-5]}}}
    nodes = graph.build(Grid(experiment(targets=["xcopa"], recipes=recipes)))
    assert sum(node.rule == "trial_tune" for node in nodes.values()) == 2
    copa = nodes["results/tuned/m/none/seed1/copa/node.json"]
    assert "chosen/m/none/siqa" in copa.pins


@pytest.mark.parametrize(
    ("own", "line"),
    [
        ({"copa": {"after": "siqq"}}, "task `copa`: after: there is no task `siqq`; did you mean"),
        ({"copa": {"after": "xnli"}}, "task `copa`: after: `xnli` has no train split; tasks that"),
        (
            {"siqa": {"after": "copa"}},
            "task `siqa`: after: `xcopa` is tuned in a circle: copa after siqa after copa",
        ),
        ({"copa": {"after": "copa"}}, "task `copa`: after: `xcopa` is tuned in a circle: copa aft"),
        ({"copa": {"after": 3}}, "task `copa`: `after` must be text, not 3"),
    ],
)
def test_what_cannot_come_before_is_named(own, line):
    with pytest.raises(UserError) as error:
        experiment(targets=["xcopa"], tasks={**BESIDE["tasks"], **own})
    assert str(error.value).startswith(line) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("task", "after", "goes_on"),
    [
        ("copa", "siqa", True),
        ("squad2", "squad", True),
        ("snli", "mnli", True),
        ("copa", "mnli", False),  # another format
        ("qqp", "mnli", False),  # other labels
        ("ccg", "ccg_pmb", False),  # open labels, which may be others
    ],
)
def test_the_head_goes_on_where_the_outputs_are_the_same(task, after, goes_on):
    own = {task: {"tuned_on": task, "after": after}}
    spec = Grid(experiment(targets=[task], tasks={**BESIDE["tasks"], **own})).tuned_spec(
        "m", "none", "seed1", task
    )
    assert spec["after"] == after and ("head" in spec) == goes_on
