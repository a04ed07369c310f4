"""The config: defaults, layers, and one line that names what is wrong and what would be right."""

import math
import re

import pytest

from xstilts.experiment import tasks
from xstilts.experiment.config import load, merge
from xstilts.experiment.schema import config_schema
from xstilts.running.errors import UserError

BASE = {
    "source": "hub",
    "models": {"base": {"from": "o/base"}},
    "intermediates": {"mnli": {"tasks": ["mnli"]}},
    "targets": ["xnli", "xquad"],
}
OWN = {
    "format": "classification", "hub": "o/own", "config": "{lang}", "splits": {"dev": "validation"},
    "languages": ["en", "no", "de"], "metric": "accuracy", "version": 1, "tuned_on": "mnli",
    "labels": ["entailment", "neutral", "contradiction"],
}  # fmt: skip


def test_defaults_are_filled_in_and_names_resolved():
    found = load(BASE)
    assert found.settings == {
        **BASE,
        "name": "", "replace": False,
        "models": {
            "base": {
                "from": "o/base", "base": "", "revision": "main", "tokenizer": None,
                "pooling": None, "attention": None, "retrieval_layer": None, "gpus": 1,
                "sharding": "none", "checkpointing": "auto",
            }
        },
        "vision": {}, "languages": "all", "split": "dev", "test": False, "seeds": [1],
        "exclude": [], "include": [], "recipes": {}, "limits": {}, "tasks": {}, "toy": {},
        "threads": 1, "jobs_per_gpu": 1, "micro_batch_tokens": 16384, "compile": False,
        "save_every": 600, "keep_tuned": False, "on_collapse": "keep", "trackers": [],
        "language_traits": {}, "questions": {}, "alignment": {}, "overlap": False,
        "translators": {}, "generators": {}, "filters": {},
    }  # fmt: skip
    assert found.intermediates == {"none": {}, "mnli": {"mnli": ("en",)}}
    assert found.languages == {
        "xnli": tuple(
            [
                "ar",
                "bg",
                "de",
                "el",
                "en",
                "es",
                "fr",
                "hi",
                "ru",
                "sw",
                "th",
                "tr",
                "ur",
                "vi",
                "zh",
            ]
        ),
        "xquad": tuple(["ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh"]),
    }
    assert (found.toy, found.root) == (False, None)
    assert load({**BASE, "source": "/data"}).root == "/data"
    assert load({**BASE, "source": "toy"}).root == "results/toy"


def test_layers_merge_deeply_and_lists_are_replaced():
    base = {"a": {"b": 1, "c": {"d": 2}}, "list": [1, 2], "kept": 0}
    over = {"a": {"c": {"e": 3}}, "list": [3], "new": {}}
    merged = {"a": {"b": 1, "c": {"d": 2, "e": 3}}, "list": [3], "kept": 0, "new": {}}
    assert merge(base, over) == merged
    assert base == {"a": {"b": 1, "c": {"d": 2}}, "list": [1, 2], "kept": 0}


def test_languages_are_those_that_are_asked_for_and_there():
    asked = load({**BASE, "languages": ["sw", "de", "en"]})
    assert asked.languages == {"xnli": ("de", "en", "sw"), "xquad": ("de", "en")}
    both = {**BASE, "targets": ["udpos", "tatoeba"], "languages": ["th", "de"]}
    assert load(both).languages["udpos"] == ("de",), "Thai has no dev split"
    test = load({**both, "targets": ["udpos"], "split": "test"})
    assert test.languages == {"udpos": ("de", "th")}


def test_languages_are_sorted_as_the_keys_of_the_specs_are():
    own = load({**BASE, "targets": ["own"], "tasks": {"own": OWN}})
    assert own.languages == {"own": ("de", "en", "no")}


def test_own_tasks_are_laid_over_the_known_ones():
    found = load({**BASE, "tasks": {"own": OWN, "xnli": {"version": 7}}, "targets": ["own"]})
    assert found.tasks["own"].hub == "o/own"
    assert found.tasks["xnli"].version == 7
    assert found.tasks["xnli"].hub == "facebook/xnli"
    assert tasks.known()["xnli"]["version"] == 1, "the known tasks are not changed"


def own(**changes):
    return {"tasks": {"own": {**OWN, **changes}}, "targets": ["own"]}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"langauges": ["en"]}, "config: there is no key `langauges`; did you mean `languages`?"),
        (
            {"models": {"base": {"form": "x"}}},
            "models: base: there is no key `form`; did you mean `from`?",
        ),
        (
            {"models": {"base": {"from": "a", "tokenizer": "bas"}}},
            "tokenizer: there is no model `bas`; did you mean `base`?",
        ),
        ({"models": {"a b": {"from": "a"}}}, "config: models: `a b` is no name"),
        (
            {"tasks": {"x" * 101: OWN}},
            "config: tasks: `x{59}…` is too long for a name: 100 characters at most",
        ),
        ({"name": "x" * 101}, "config: name: `x{59}…` is too long for a name: 100 characters at"),
        ({"models": {1: {"from": "a"}}}, 'models: `1` is not text: quote the name, "1"'),
        (
            {"intermediates": {False: {"tasks": ["mnli"]}}},
            'intermediates: `False` is not text: YAML reads no, .*: quote it, "no"',
        ),
        ({"vision": {2: {"from": "o/d"}}}, 'vision: `2` is not text: quote the name, "2"'),
        ({"generators": {2: {"from": "o/d"}}}, 'generators: `2` is not text: quote the name, "2"'),
        (
            {"translators": {name: {"engine": "command", "run": "x {lang}"} for name in (1, "a")}},
            'translators: `1` is not text: quote the name, "1"',
        ),
        ({"filters": {1: {}, "a": {}}}, 'filters: `1` is not text: quote the name, "1"'),
        ({"filters": {True: {}}}, 'filters: `True` is not text: YAML reads .*: quote it, "yes"'),
        ({"alignment": {1: {"task": "xnli"}}}, 'alignment: `1` is not text: quote the name, "1"'),
        (
            {"intermediates": {"mnli": {"tasks": ["mnil"]}}},
            "intermediates: mnli: there is no task `mnil`; did you mean `mnli`?",
        ),
        (
            {"intermediates": {"x": {"tasks": ["xnli"]}}},
            "intermediates: x: `xnli` has no train split; tasks that have: mnli,",
        ),
        ({"intermediates": {"x": {"tasks": []}}}, "intermediates: x: tasks: the list is empty"),
        (
            {"intermediates": {"x": {"tasks": ["mnli", "mnli"]}}},
            "config: intermediates: x: tasks: `mnli` is there twice",
        ),
        (
            {"intermediates": {"x": {"task": ["mnli"]}}},
            "config: intermediates: x: there is no key `task`; did you mean `tasks`?",
        ),
        (
            {"intermediates": {"squad": {"tasks": ["mnli", "squad"]}}},
            "intermediates: `squad` is the name of a task, .* give it another name",
        ),
        (
            {"intermediates": {"x": {"tasks": ["mnli"], "cap": 9}}},
            r"intermediates: x: cap: .*; for fewer rows of one say `rows: 9`",
        ),
        (
            {"intermediates": {"x": {"tasks": ["mnli"], "languages": ["ne"]}}},
            "intermediates: x: languages: there is no language `ne`; did you mean `en`?",
        ),
        (
            {"intermediates": {"x": {"tasks": ["mnli"], "languages": [False]}}},
            'intermediates: x: languages: YAML reads no, .* as booleans: quote it, "no"',
        ),
        (
            {"intermediates": {"x": {"tasks": ["squad"], "languages": ["de"]}}},
            "intermediates: x: languages: `squad` has no rows in `de` .but in en.$",
        ),
        (
            {"intermediates": {"x": {"tasks": ["mnli", "squad"], "languages": ["ja"]}}},
            "intermediates: x: languages: none of its tasks has rows in `ja` .but in en.$",
        ),
        (
            {"intermediates": {"none": {"tasks": ["mnli"]}}},
            "`none` is always there; leave it out with `exclude`",
        ),
        ({"targets": ["xnil"]}, "targets: there is no task `xnil`; did you mean `xnli`?"),
        (
            {"targets": ["mnli"]},
            "targets: `mnli` is a task to train on.*`tuned_on`; did you mean `xnli`?",
        ),
        ({"targets": []}, "config: targets: the list is empty"),
        ({"targets": ["xnli", "xnli"]}, "config: targets: `xnli` is there twice"),
        (
            {"languages": []},
            r"config: languages: `\[\]` is neither `all` nor a list of one or more",
        ),
        ({"languages": ["en", "en"]}, "config: languages: .* different language codes"),
        ({"languages": "en"}, "config: languages: `en` is neither `all`"),
        (
            {"jobs_per_gpu": "atuo"},
            "jobs_per_gpu: must be auto or a whole number from 1 to 20; did you mean `auto`",
        ),
        ({"jobs_per_gpu": 0}, "config: jobs_per_gpu: must be auto or a whole number from 1 to 20$"),
        ({"languages": ["ed"]}, "languages: there is no language `ed`; did you mean `"),
        (
            {"languages": [False]},
            'config: languages: YAML reads no, .* as booleans: quote it, "no"',
        ),
        (
            {"targets": ["xgqa"], "languages": ["sw"], "vision": {"d": {"from": "o/d"}}},
            "languages: `xgqa` has no dev rows in `sw` .but in bn, de, en, id, ko, pt, ru, zh.$",
        ),
        (
            {"language_traits": {"de": True}},
            "config: language_traits: de: must be a mapping, not true",
        ),
        ({"languages": ["sw"]}, "languages: target `xquad` has none of sw .it has ar, de,"),
        ({"seeds": []}, "config: seeds: the list is empty"),
        ({"seeds": [1.0]}, "config: seeds: 0: must be a whole number, not 1.0"),
        ({"seeds": [1, 1]}, "config: seeds: `1` is there twice"),
        ({"source": ""}, "config: source: must not be empty"),
        ({"toy": {"sizes": {"train": "many"}}}, "toy: sizes: train: must be a whole number"),
        ({"toy": {"languages": None}}, "config: toy: languages: must be a list, not nothing"),
        ({"split": "tset"}, "config: split: must be dev or test; did you mean `test`"),
        (
            {"recipes": {"all": {"grouping": "lenght"}}},
            "config: recipes: all: grouping: must be length or none; did you mean `length`",
        ),
        (
            {"languages": [True, "de"]},
            'config: languages: YAML reads no, .* as booleans: quote it, "yes" or "on"',
        ),
        ({"split": True}, "config: split: must be dev or test$"),
        ({"threads": 0}, "config: threads: must be at least 1, not 0"),
        ({"seeds": [2**32]}, "config: seeds: 0: must be at most 4294967295, not 4294967296"),
        ({"split": "test"}, "split: target `xquad` has no test split"),
        (
            {"exclude": [{"model": "bose"}]},
            "exclude: model: there is no model `bose`; did you mean `base`?",
        ),
        (
            {"include": [{"target": "xnil"}]},
            "include: target: there is no target `xnil`; did you mean `xnli`?",
        ),
        (
            {"exclude": [{"modle": "base"}]},
            "config: exclude: 0: there is no key `modle`; did you mean `model`?",
        ),
        ({"exclude": [{"seed": 3}]}, "exclude: seed: there is no seed `3`"),
        (
            {"recipes": {"mnil": {}}},
            "recipes: there is no task or intermediate `mnil`; did you mean `mnli`?",
        ),
        (
            {"recipes": {"mnli": {"learnin_rate": 1}}},
            "recipes: mnli: there is no key `learnin_rate`; did you mean `learning_rate`?",
        ),
        (
            {"recipes": {"mnli": {"learning_rate": "1e-5"}}},
            "learning_rate: must be a number, not '1e-5' .YAML takes 1e-5 for text: write 1.0e-5",
        ),
        ({"recipes": {"mnli": {"learning_rate": math.nan}}}, "must be a number, not nan"),
        ({"recipes": {"mnli": {"learning_rate": "nan"}}}, "must be a number, not 'nan'$"),
        ({"recipes": {"mnli": {"dropout": "5e"}}}, "must be a number or null, not '5e'$"),
        ({"recipes": {"mnli": {"dropout": 1.0}}}, "dropout: must be below 1, not 1.0"),
        ({"recipes": {"mnli": {"max_length": 64.0}}}, "must be a whole number, not 64.0"),
        ({"recipes": None}, "config: recipes: must be a mapping, not nothing"),
        (
            {"limits": {"all": {"trian": 1}}},
            "limits: all: there is no key `trian`; did you mean `train`?",
        ),
        (
            {"limits": {"xnli": {"train": 9}}},
            "limits: xnli: the task has no train split; it is tuned on `mnli`",
        ),
        ({"limits": {"xnil": {}}}, "limits: there is no task `xnil`; did you mean `xnli`?"),
        (
            {"tasks": {"mnli": {"recipe": {"epoch": 1}}}},
            "tasks: mnli: recipe: there is no key `epoch`; did you mean `epochs`?",
        ),
        (
            {"tasks": {"mnli": {"recipe": {"epochs": "x"}}}},
            "tasks: mnli: recipe: epochs: must be a number, not 'x'",
        ),
        ({"tasks": {"a b": OWN}}, "config: tasks: `a b` is no name"),
        ({"tasks": {1: OWN}}, 'tasks: `1` is not text: quote the name, "1"'),
        (
            {"tasks": {"udpos": {"revision": "x"}}},
            "tasks: `udpos_en` and `udpos` are both of google/xtreme, so their `revision`",
        ),
        (
            own(format="clasification"),
            "task `own`: format: there is no `clasification`; did you mean `classification`?",
        ),
        (
            {"tasks": {"own": {"format": "image", "hub": "o/own"}}},
            "task `own`: format: there is no `image`; did you mean `images`?",
        ),
        ({"tasks": {"own": {"format": "span", "hub": "o/own"}}}, "field `languages` is missing"),
        (own(format=["image"]), "task `own`: `format` must be text, not .'image'"),
        (
            own(metric="acuracy"),
            "task `own`: metric: there is no `acuracy`; did you mean `accuracy`?",
        ),
        (own(rows="sqad"), "task `own`: rows: there is no `sqad`; did you mean `squad`?"),
        (
            own(tuned_on="mnil"),
            "task `own`: tuned_on: there is no task `mnil`; did you mean `mnli`?",
        ),
        (own(tuned_on="squad"), "task `own`: its format must be the same as of `squad`"),
        (
            {"tasks": {"tatoeba": {"tuned_on": "squad"}}, "targets": ["tatoeba"]},
            "task `tatoeba`: tuned_on: a retrieval task is tuned on one of format dual, and `squad`"
            " is of format span",
        ),
        (
            own(labels=["neutral", "entailment"]),
            "task `own`: its labels must be the same as of `mnli`",
        ),
        (own(splits={"train": "t"}, tuned_on=None), "targets: `own` is a task to train on"),
        (own(hub=""), "task `own`: `files` .* or `hub` .an id. is missing"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(change, line):
    with pytest.raises(UserError, match=line) as error:
        load({**BASE, **change})
    assert "\n" not in str(error.value)


def test_a_train_task_needs_a_dev_split():
    train = {k: v for k, v in OWN.items() if k != "tuned_on"} | {"splits": {"train": "train"}}
    line = "intermediates: i: `tr` has no dev split, by which the best checkpoint is chosen"
    with pytest.raises(UserError, match=line):
        load({**BASE, "tasks": {"tr": train}, "intermediates": {"i": {"tasks": ["tr"]}}})


TEXT = {
    "format": "mlm", "hub": "wikimedia/wikipedia", "config": "{lang}", "splits": {"train": "train"},
    "languages": ["ru", "de", "en"], "version": 1,
}  # fmt: skip
TRANSLATED = {
    **{k: v for k, v in OWN.items() if k != "tuned_on"},
    "hub": "o/translated", "splits": {"train": "train", "dev": "dev"}, "languages": ["de", "sw"],
}  # fmt: skip


def trained_in(entry, **over):
    own = {"text": TEXT, "translated": TRANSLATED}
    return load({**BASE, "tasks": own, "intermediates": {"x": entry}, **over}).intermediates["x"]


@pytest.mark.parametrize(
    ("over", "line"),
    [
        (
            {"split": "test"},
            "test: the best cells are chosen by dev scores, so `split` must be dev",
        ),
        ({"intermediates": {}}, "test: there is no intermediate task of which to choose the best"),
    ],
)
def test_the_best_on_test_must_be_chosen_somehow(over, line):
    with pytest.raises(UserError, match=re.escape(line)):
        load(BASE | {"targets": ["xnli"], "test": True} | over)


def test_languages_without_dev_rows_are_scored_on_test():
    found = load(BASE | {"targets": ["udpos", "xquad"], "test": True})
    more = set(found.test_languages["udpos"]) - set(found.languages["udpos"])
    assert more == {"kk", "th", "tl", "yo"}
    assert found.test_languages["xquad"] == found.languages["xquad"]
    assert load(BASE).test_languages == {}


def test_a_rehearsal_has_toy_data_and_toy_languages_in_place_of_other():
    over = {
        "tasks": {"ccg": {"hub": "~/ccgbank", "config": "mine", "recipe": {"epochs": 4}}},
        "intermediates": {
            "ccg": {"tasks": ["ccg"]},
            "swahili": {"tasks": ["mnli_translated"], "languages": ["sw"]},
        },
        "exclude": [{"seed": 3}],
    }
    found = load(BASE | over | {"source": "toy"})
    assert (found.tasks["ccg"].hub, found.tasks["ccg"].config) == ("local/ccgbank", "default")
    assert found.tasks["ccg"].recipe["epochs"] == 4
    assert found.intermediates["swahili"] == {"mnli_translated": ("ar",)}
    with pytest.raises(UserError, match="exclude: seed: there is no seed `3`"):
        load(BASE | over)


def test_a_task_is_trained_in_english_and_masked_language_modelling_in_all_its_languages():
    mixed = {"tasks": ["text", "mnli"]}
    assert trained_in(mixed) == {"text": ("de", "en", "ru"), "mnli": ("en",)}
    assert list(trained_in(mixed)) == ["text", "mnli"], "in the order of the config"
    toy = trained_in(mixed, source="toy", toy={"languages": ["en", "ru"]})
    assert toy == {"text": ("en", "ru"), "mnli": ("en",)}


def test_the_languages_of_an_intermediate_are_for_its_tasks_of_several_languages():
    mixed = {"tasks": ["mnli", "text", "translated"], "languages": ["ru", "sw"]}
    assert trained_in(mixed) == {"mnli": ("en",), "text": ("ru",), "translated": ("sw",)}
    assert trained_in({"tasks": ["translated"], "languages": ["sw", "de"]}) == {
        "translated": ("de", "sw")
    }


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (
            {"tasks": ["translated"]},
            "x: which language is `translated` trained in. say `languages` here, or",
        ),
        (
            {"tasks": ["text", "translated"], "languages": ["ru"]},
            "x: languages: task `translated` has none of ru .it has de, sw",
        ),
        (
            {"tasks": ["text", "mnli"], "languages": ["dd"]},
            "x: languages: there is no language `dd`; did you mean `de`?",
        ),
        ({"tasks": ["text"]}, "x: masked language modelling has no dev set .* mix it with a task"),
    ],
)
def test_languages_that_a_mix_cannot_have_are_named(entry, line):
    with pytest.raises(UserError, match="intermediates: " + line) as error:
        trained_in(entry)
    assert "\n" not in str(error.value)


def test_an_intermediate_has_a_recipe_of_its_own_name():
    mixed = {"multi": {"tasks": ["mnli", "squad"], "cap": 9}}
    load({**BASE, "intermediates": mixed, "recipes": {"multi": {"learning_rate": 1e-4}}})
    line = "recipes: there is no task or intermediate `mutli`; did you mean `multi`?"
    with pytest.raises(UserError, match=line):
        load({**BASE, "intermediates": mixed, "recipes": {"mutli": {}}})


@pytest.mark.parametrize("key", ["models", "intermediates", "targets"])
def test_what_has_no_default_must_be_there(key):
    with pytest.raises(UserError, match=f"config: the key `{key}` is missing"):
        load({k: v for k, v in BASE.items() if k != key})


def test_the_schema_knows_exactly_the_fields_of_a_recipe():
    import dataclasses

    from xstilts.experiment.recipe import Recipe

    known = config_schema()["properties"]["recipes"]["additionalProperties"]["properties"]
    fields = {field.name for field in dataclasses.fields(Recipe)}
    assert known.keys() == fields | {"tune_on_dev"}  # values to try, in place of one


def test_a_model_is_sharded_over_several_gpus_only():
    model = {"from": "o/base", "sharding": "fsdp"}
    line = "models: base: sharding: is over several GPUs; set `gpus`"
    for gpus in ({}, {"gpus": 1}, {"gpus": 0}):
        with pytest.raises(UserError, match=line):
            load({**BASE, "models": {"base": model | gpus}})
    found = load({**BASE, "models": {"base": {**model, "gpus": 4}}})
    assert found.settings["models"]["base"]["gpus"] == 4


def test_a_wrong_key_hides_no_mistakes_in_tasks_and_targets():
    entry = {"format": "clasification", "hub": "o/x", "languages": ["en"]}
    with pytest.raises(UserError) as error:
        load({**BASE, "foo": 1, "tasks": {"a": entry}, "targets": ["xnil", "a", "xquad"]})
    said = str(error.value).splitlines()
    assert [line.split(" (valid")[0] for line in said] == [
        "config: there is no key `foo`",
        "task `a`: format: there is no `clasification`; did you mean `classification`?",
        "targets: there is no task `xnil`; did you mean `xnli`?",
    ]


@pytest.mark.parametrize("mode", ["auto", "yes", "no", True, False])
def test_checkpointing_may_be_a_boolean_of_yaml(mode):
    model = {"from": "o/base", "checkpointing": mode}
    found = load({**BASE, "models": {"base": model}})
    assert found.settings["models"]["base"]["checkpointing"] == mode


def test_checkpointing_that_does_not_exist_is_one_line():
    model = {"from": "o/base", "checkpointing": "auto-on"}
    line = "config: models: base: checkpointing: must be auto, yes or no; did you mean `auto`?"
    with pytest.raises(UserError, match=line):
        load({**BASE, "models": {"base": model}})


@pytest.mark.parametrize("where", ["recipes", "tasks"])
def test_an_optimizer_that_is_not_installed_is_said_with_how_to_install_it(where, monkeypatch):
    from xstilts.experiment import recipe

    own = {"optimizer": "adamw8bit"}
    section = {"all": own} if where == "recipes" else {"mnli": {"recipe": own}}
    found = load({**BASE, where: section})
    absent = {"bitsandbytes": None}
    monkeypatch.setattr(recipe.importlib.util, "find_spec", lambda name: absent[name])
    with pytest.raises(UserError, match="not installed: `pip install bitsandbytes`"):
        recipe.check_packages(found)
    recipe.check_packages(load(BASE))
    absent["bitsandbytes"] = object()
    recipe.check_packages(found)
