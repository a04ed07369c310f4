"""Traits: what is known of each thing before anything runs, by small grids in full."""

import csv
import dataclasses
import re

import pytest

from xstilts.experiment import cells, graph, traits
from xstilts.experiment.config import load
from xstilts.experiment.config_files import merge
from xstilts.experiment.grid import Grid
from xstilts.experiment.selectors import Condition, Pick
from xstilts.running.errors import UserError

BASE = {
    "source": "hub",
    "models": {
        "base": {"from": "FacebookAI/xlm-roberta-base"},
        "mine": {"from": "o/mine", "adapter": {"rank": 8}},
    },
    "intermediates": {
        "mnli": {"tasks": ["mnli"]},
        "both": {"tasks": ["mnli", "squad"]},
        "german": {"tasks": ["mnli_translated"], "languages": ["de", "sw"]},
    },
    "targets": ["xnli", "tatoeba"],
    "languages": ["de", "sw"],
}


def of(**over):
    return traits.of(load(merge(BASE, over)))


def test_the_traits_of_a_grid_in_full():
    found = of()
    assert found.values == {
        "model": {
            "base": {
                "parameters": 277453056, "layers": 12, "architecture": "encoder", "adapter": False,
            },
            "mine": {
                "parameters": None, "layers": None, "architecture": None, "adapter": True,
                "rank": 8,
            },
        },
        "intermediate": {
            "none": {"n_tasks": 0, "rows": 0},
            "mnli": {
                "tasks": ("mnli",), "n_tasks": 1, "languages": ("en",), "n_languages": 1,
                "rows": 392702, "format": ("classification",),
            },
            "both": {
                "tasks": ("mnli", "squad"), "n_tasks": 2, "languages": ("en",), "n_languages": 1,
                "rows": 392702 + 87599, "format": ("classification", "span"),
            },
            "german": {
                "tasks": ("mnli_translated",), "n_tasks": 1, "languages": ("de", "sw"),
                "n_languages": 2, "rows": 2 * 392702, "format": ("classification",),
            },
        },
        "target": {
            "xnli": {
                "format": "classification", "suites": ("xtreme", "xtreme-r"), "tuned_on": "mnli",
            },
            "tatoeba": {"format": "retrieval", "suites": ("xtreme",)},
        },
        "language": {
            "de": {
                "family": ("Indo-European", "Germanic"), "script": "Latin", "resources": 18000.0,
                "distance": 0.097,
            },
            "sw": {
                "family": ("Atlantic-Congo",), "script": "Latin", "resources": 332.0,
                "distance": 0.526,
            },
        },
    }  # fmt: skip
    assert found.others["fi"]["family"] == ("Uralic",)
    assert found.strata == {"xnli": (), "tatoeba": ()}
    seen = [
        (name, lang) for name in BASE["intermediates"] for lang in ("de", "en")
        if found.value("language", lang, "seen", name)
    ]  # fmt: skip
    assert seen == [("mnli", "en"), ("both", "en"), ("german", "de")]


def test_rows_are_those_of_the_limits_and_of_the_toy_world():
    limits = {"all": {"train": 100000}, "mnli_translated": {"train": 500}}
    found = of(limits=limits).values["intermediate"]
    assert {name: known["rows"] for name, known in found.items()} == {
        "none": 0, "mnli": 100000, "both": 100000 + 87599, "german": 1000,
    }  # fmt: skip
    toy = {"source": "toy", "languages": "all", "toy": {"sizes": {"train": 700}}}
    found = of(**toy, limits={"squad": {"train": 200}}).values["intermediate"]
    assert [found[name]["rows"] for name in ("mnli", "both", "german")] == [700, 900, 700]


def test_what_is_said_in_the_config_counts():
    found = of(
        models={"mine": {"traits": {"parameters": 7, "tuned": True}}},
        intermediates={"mnli": {"traits": {"kind": ["semantic", "pairs"], "rows": 9}}},
        tasks={"xnli": {"traits": {"kind": "semantic", "hops": 1}}},
        language_traits={"de": {"branch": "West Germanic", "distance": 0.1}},
    )
    mine = {"parameters": 7, "layers": None, "architecture": None, "tuned": True}
    assert found.values["model"]["mine"] == {**mine, "adapter": True, "rank": 8}
    assert found.values["intermediate"]["mnli"]["kind"] == ("semantic", "pairs")
    assert found.value("intermediate", "mnli", "rows") == 9
    assert found.value("target", "xnli", "hops") == 1
    assert found.value("target", "tatoeba", "hops") is None
    assert found.value("language", "de", "branch") == "West Germanic"
    assert found.value("language", "de", "distance") == 0.1


def test_the_toy_world_keeps_traits_of_tasks_whose_data_it_stands_for():
    ccg = {"hub": "~/ccgbank", "traits": {"kind": "syntactic"}}
    found = load(merge(BASE, {"source": "toy", "languages": "all", "tasks": {"ccg": ccg}}))
    assert found.tasks["ccg"].traits == {"kind": "syntactic"}


def chained(**keys):
    """Return an experiment with keys of an intermediate that the schema may not know yet."""
    found = load(BASE)
    settings = merge(found.settings, {"intermediates": keys})
    return dataclasses.replace(found, settings=settings)


def test_a_dose_and_a_chain():
    experiment = chained(
        both={"after": "german", "steps": 500, "rows": 70}, german={"after": "mnli", "rows": 3000}
    )
    found = traits.of(experiment)
    assert found.values["intermediate"]["both"] == {
        "tasks": ("mnli", "mnli_translated", "squad"), "n_tasks": 3,
        "languages": ("de", "en", "sw"), "n_languages": 3, "rows": 2 * 70,
        "format": ("classification", "span"), "steps": 500, "after": "german",
    }  # fmt: skip
    assert found.values["intermediate"]["german"]["rows"] == 3000
    assert found.value("language", "de", "seen", "both"), "by what it comes after"
    assert not found.value("language", "de", "seen", "mnli")


def test_strata_are_those_of_the_tasks():
    found = load(BASE)
    xnli = dataclasses.replace(found.tasks["xnli"])
    object.__setattr__(xnli, "strata", {"genre": "genre"})  # of a frozen dataclass
    found = traits.of(dataclasses.replace(found, tasks={**found.tasks, "xnli": xnli}))
    assert found.strata == {"xnli": ("genre",), "tatoeba": ()}
    assert list(traits.table(found))[-1] == {
        "thing": "example", "name": "xnli", "trait": "genre", "value": "",
    }  # fmt: skip


def test_the_table_has_a_row_a_value_and_none_for_what_is_not_known():
    rows = [tuple(row.values()) for row in traits.table(of())]
    assert rows[:8] == [
        ("model", "base", "parameters", "277453056"), ("model", "base", "layers", "12"),
        ("model", "base", "architecture", "encoder"), ("model", "base", "adapter", "false"),
        ("model", "mine", "adapter", "true"), ("model", "mine", "rank", "8"),
        ("intermediate", "none", "n_tasks", "0"), ("intermediate", "none", "rows", "0"),
    ]  # fmt: skip
    german = [(trait, value) for _, name, trait, value in rows if name == "german"]
    assert german == [
        ("tasks", "mnli_translated"), ("n_tasks", "1"), ("languages", "de"), ("languages", "sw"),
        ("n_languages", "2"), ("rows", "785404"), ("format", "classification"),
    ]  # fmt: skip
    assert ("language", "de", "distance", "0.097") in rows


def test_what_is_not_known_is_said_with_where_to_say_it():
    found = of()
    line = (
        "`parameters` of model `mine` is not known; say it in"
        " `models: mine: traits: {parameters: ...}`"
    )
    with pytest.raises(UserError, match=re.escape(line)):
        found.value("model", "mine", "parameters")
    with pytest.raises(UserError, match=re.escape(f"k: {line}")):
        traits.chosen(found, "model", [Pick({"parameters": Condition(low=3)})], ["mine"], "k")
    experiment = load(BASE)
    task = dataclasses.replace(experiment.tasks["mnli"], files={"train": ("x.json",)})
    found = traits.of(dataclasses.replace(experiment, tasks={**experiment.tasks, "mnli": task}))
    assert found.values["intermediate"]["both"]["rows"] is None, "of files of one's own"
    named = Pick({"name": Condition(("base",)), "parameters": Condition(low=3)})
    assert traits.chosen(of(), "model", [named], ["base", "mine"]) == ["base"], "it is not asked"


@pytest.mark.parametrize(
    ("over", "line"),
    [
        (
            {"models": {"base": {"traits": {"name": "x"}}}},
            "models: base: traits: `name` has a meaning of its own; give it another name",
        ),
        (
            {"language_traits": {"de": {"seen": True}}},
            "language_traits: de: `seen` has a meaning of",
        ),
        (
            {"intermediates": {"mnli": {"traits": {"rows": "many"}}}},
            "intermediates: mnli: traits: rows: must be a number, not 'many'",
        ),
        (
            {"models": {"base": {"traits": {"layers": True}}}},
            "layers: must be a number, not 'True'",
        ),
        (
            {"models": {"base": {"traits": {"kind": None}}}},
            "models: base: traits: kind: must be a line of text, a number, true or false, or a list"
            " of such, not nothing",
        ),
        ({"models": {"base": {"traits": {"kind": {"a": 1}}}}}, "or a list of such, not {'a': 1}"),
        ({"models": {"base": {"traits": {"kind": "a\nb"}}}}, "must be a line of text, a number"),
        (
            {"models": {"base": {"traits": {"kind": []}}}},
            "kind: the list is empty; leave the trait",
        ),
        (
            {"models": {"base": {"traits": {"x": float("inf")}}}},
            "x: must be a finite number, not inf",
        ),
        (
            {"models": {"base": {"traits": {False: 1}}}},
            "traits: `False` is no name of a trait: YAML",
        ),
        (
            {"models": {"base": {"traits": ["a"]}}},
            "config: models: base: traits: must be a mapping,",
        ),
        ({"models": {"base": {"trait": {}}}}, "there is no key `trait`; did you mean `traits`?"),
        (
            {"tasks": {"xnli": {"traits": {"not": 1}}}},
            "tasks: xnli: traits: `not` has a meaning of",
        ),
        (
            {"language_traits": {"german": {"a": 1}}},
            "language_traits: there is no language `german`; did you mean `de`?",
        ),
        (
            {"language_traits": {False: {"a": 1}}},
            "language_traits: `False` is no language code: YAML",
        ),
    ],
)
def test_what_cannot_be_asked_by_is_refused_in_one_line(over, line):
    with pytest.raises(UserError, match=re.escape(line)) as error:
        load(merge(BASE, over))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("thing", "pick", "line"),
    [
        (
            "model",
            Pick({"parmeters": Condition(("1",))}),
            "k: no model has a trait `parmeters`; did you mean `parameters`? (there are name,",
        ),
        (
            "model",
            Pick({"name": Condition(("bose",))}),
            "k: there is no model `bose`; did you mean `",
        ),
        ("target", Pick({"name": Condition(("xnil",))}), "no target `xnil`; did you mean `xnli`?"),
        ("language", Pick({"name": Condition(("fi",))}), "k: there is no language `fi`"),
        ("language", Pick({"name": Condition(None, ("german",))}), "`german`; did you mean `de`?"),
        (
            "language",
            Pick({}, Pick({"family": Condition(("Germanc",))})),
            "k: family: no language has `Germanc`; did you mean `Germanic`? (there are ",
        ),
        (
            "intermediate",
            Pick({"format": Condition(low=3)}),
            "k: format: `from` and `below` are for numbers; it is 'classification'",
        ),
        (
            "intermediate",
            Pick({"steps": Condition(low=3)}),
            "k: no intermediate has a trait `steps`",
        ),
        ("language", Pick({"seen": Condition(("yes",))}), "k: seen: no language has `yes`"),
    ],
)
def test_names_traits_and_values_that_nothing_has_are_refused(thing, pick, line):
    with pytest.raises(UserError, match=re.escape(line)):
        of().check("k", thing, pick)


def test_languages_that_are_not_scored_may_be_spoken_of():
    of().check("k", "language", Pick({"family": Condition(("Uralic", "Atlantic-Congo"))}))
    of().check("k", "language", Pick({"name": Condition(None, ("en", "fi"))}))


def test_traits_and_questions_are_part_of_no_spec():
    said = {
        "models": {"base": {"traits": {"parameters": 3}}},
        "intermediates": {"mnli": {"traits": {"kind": "semantic", "rows": 3}}},
        "tasks": {"xnli": {"traits": {"kind": "semantic"}}, "mnli": {"traits": {"a": 1}}},
        "language_traits": {"de": {"branch": "West Germanic"}},
        "questions": {"all": {}},
    }
    before, after = (graph.build(Grid(load(merge(BASE, over)))) for over in ({}, said))
    assert {key: node.spec for key, node in before.items()} == {
        key: node.spec for key, node in after.items()
    }


def left(**patterns):
    found = cells.of(load(merge(BASE, {"models": {"base": {"traits": {"size": 1}}}, **patterns})))
    return {(cell.model, cell.intermediate, cell.target) for cell in found}


def test_cells_are_left_out_and_brought_back_by_traits():
    every = left()
    mixes = [{"intermediate": {"n_tasks": 2}, "target": {"format": "retrieval"}}]
    assert every - left(exclude=mixes) == {
        ("base", "both", "tatoeba"), ("mine", "both", "tatoeba"),
    }  # fmt: skip
    two = left(
        exclude=[{"intermediate": {"languages": "en"}}, {"model": {"not": "base"}}],
        include=[{"intermediate": ["mnli", "both"], "target": {"suites": "xtreme", "not": "xnli"}}],
    )
    assert two == {
        ("base", "none", "xnli"), ("base", "none", "tatoeba"), ("base", "german", "xnli"),
        ("base", "german", "tatoeba"), ("base", "mnli", "tatoeba"), ("base", "both", "tatoeba"),
        ("mine", "mnli", "tatoeba"), ("mine", "both", "tatoeba"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (
            {"model": {"size": {"from": 1}}},
            "exclude: model: no model has a trait `size` (there are ",
        ),
        ({"target": {"format": "spam"}}, "exclude: target: format: no target has `spam`"),
        (
            {"target": {"not": "xnil"}},
            "exclude: target: there is no target `xnil`; did you mean `xn",
        ),
        (
            {"target": {"format": {"form": 3}}},
            "exclude: target: format: there is no `form`; did you",
        ),
        (
            {"target": None},
            "exclude: target: must be text or a number, or a list of such, not nothi",
        ),
        (
            {"model": {"layers": {"from": 3}}},
            "exclude: model: `layers` of model `mine` is not known; say it in `models: mine: trait",
        ),
        (
            {"language": "de"},
            "config: exclude: 0: there is no key `language` (valid: model, interm",
        ),
    ],
)
def test_patterns_by_what_is_not_there_are_refused(pattern, line):
    with pytest.raises(UserError, match=re.escape(line)) as error:
        load({**BASE, "exclude": [pattern]})
    assert "\n" not in str(error.value)


def test_a_rehearsal_may_lack_the_values_of_patterns():
    over = {"source": "toy", "languages": "all", "exclude": [{"intermediate": {"languages": "sw"}}]}
    german = {"german": {"tasks": ["mnli_translated"], "languages": ["de"]}}
    assert len(Grid(load(merge(BASE, {**over, "intermediates": german}))).cells) == 2 * 4 * 2
    with pytest.raises(
        UserError, match="exclude: intermediate: languages: no intermediate has `sw`"
    ):
        load(merge(BASE, {**over, "intermediates": german, "source": "hub"}))


def test_the_step_writes_them(tmp_path, monkeypatch):
    from tests.experiment.test_plan import HOME, run

    monkeypatch.chdir(tmp_path)
    run()
    with open(tmp_path / HOME / "traits.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(traits.COLUMNS)
    assert {"thing": "target", "name": "other", "trait": "tuned_on", "value": "squad"} in rows
