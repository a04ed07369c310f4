"""The grid: its cells by hand, and which specs change with what."""

import json

import pytest

from xstilts.experiment import graph, grid
from xstilts.experiment.cells import Cell
from xstilts.experiment.config import load
from xstilts.experiment.config_files import merge
from xstilts.experiment.grid import Grid
from xstilts.running.errors import UserError
from xstilts.running.files import digest

# `other` is a second target that is tuned on SQuAD.
OTHER = {
    "format": "span", "hub": "google/xtreme", "config": "{lang}", "splits": {"dev": "validation"},
    "languages": ["de", "en"], "metric": "squad", "version": 1, "tuned_on": "squad",
    "rows": "squad", "recipe": {"learning_rate": 1.0e-5, "batch_size": 16, "epochs": 2,
    "max_length": 384},
}  # fmt: skip
BASE = {
    "source": "hub",
    "models": {"m": {"from": "o/m"}},
    "intermediates": {"mnli": {"tasks": ["mnli"]}},
    "targets": ["xquad", "other", "tatoeba"],
    "languages": ["de", "en"],
    "seeds": [1, 2],
    "tasks": {"other": OTHER},
}


def make(**over):
    return Grid(load(merge(BASE, over)))


def test_all_cells_of_a_small_config():
    assert list(map(str, make().cells)) == [
        "m/none/seed1/xquad",
        "m/none/seed1/other",
        "m/none/noseed/tatoeba",
        "m/none/seed2/xquad",
        "m/none/seed2/other",
        "m/mnli/seed1/xquad",
        "m/mnli/seed1/other",
        "m/mnli/seed1/tatoeba",
        "m/mnli/seed2/xquad",
        "m/mnli/seed2/other",
        "m/mnli/seed2/tatoeba",
    ]


def test_exclude_leaves_out_and_include_brings_back():
    found = make(
        exclude=[{"intermediate": "none"}, {"seed": 2, "target": "xquad"}, {"target": "other"}],
        include=[{"intermediate": "none", "target": "xquad", "seed": 1}],
    )
    assert list(map(str, found.cells)) == [
        "m/none/seed1/xquad",
        "m/mnli/seed1/xquad",
        "m/mnli/seed1/tatoeba",
        "m/mnli/seed2/tatoeba",
    ]
    with pytest.raises(UserError, match="exclude: no cell is left in the grid"):
        make(exclude=[{"model": "m"}])


def test_where_things_are():
    found = make(models={"n": {"from": "o/n", "tokenizer": "m"}})
    trained, plain = Cell("m", "mnli", "seed1", "xquad"), Cell("m", "none", "noseed", "tatoeba")
    assert found.checkpoint(trained) == "results/tuned/m/mnli/seed1/squad"
    assert found.checkpoint(Cell("m", "mnli", "seed1", "other")) == found.checkpoint(trained)
    assert found.checkpoint(plain) == "results/models/m"
    assert (
        found.checkpoint(Cell("m", "mnli", "seed2", "tatoeba")) == "results/encoders/m/mnli/seed2"
    )
    assert found.encoder("m", "none", "seed1") == "results/models/m"
    assert found.score(plain, "de", "dev") == "results/scores/m/none/noseed/tatoeba/de.json"
    assert [found.tokenizer(name) for name in ("m", "n")] == ["m", "m"]
    assert [found.length(target) for target in ("xquad", "other", "tatoeba")] == [384, 384, 512]


def test_later_recipes_win():
    found = make(
        targets=["xnli"],
        recipes={"all": {"epochs": 9}, "mnli": {"epochs": 5}, "xnli": {"learning_rate": 2e-5}},
    )
    first, second = found.recipe("mnli"), found.tuned_recipes["mnli"]
    assert (first.epochs, first.batch_size, first.learning_rate) == (5, 24, 1e-5)
    assert (second.epochs, second.batch_size, second.learning_rate) == (9, 4, 2e-5)


def test_the_spec_of_prepared_rows_in_full():
    found = make(limits={"all": {"dev": 50, "train": 9}, "xquad": {"dev": 7}})
    assert found.data_spec("xquad", "de", "dev") == {
        "kind": "data", "task": "xquad", "format": "span",
        "hub": "google/xquad",
        "revision": "main", "config": "xquad.de", "split": "validation", "lang": "de",
        "rows": "squad", "columns": {},
        "labels": None, "max_rows": 7, "version": [1, 1], "source": "hub",
    }  # fmt: skip
    assert found.data_spec("tatoeba", "de", "dev")["max_rows"] == 50
    assert found.data_spec("tatoeba", "de", "dev")["config"] == "tatoeba.deu"
    assert found.data_spec("mnli", "en", "train")["max_rows"] == 9


def test_the_spec_of_prepared_rows_has_what_few_tasks_need():
    found = make()
    assert found.data_spec("tydiqa", "sw", "dev")["id_prefix"] == "swahili-"
    assert found.data_spec("bucc", "fr", "dev")["gold"] == "fr/dev.gold.tsv"
    assert not {"id_prefix", "gold"} & found.data_spec("xquad", "de", "dev").keys()


def test_an_open_tag_set_depends_on_the_training_rows():
    found = make()
    train = digest(found.data_spec("ccg", "en", "train"))
    for split in ("train", "dev"):
        spec = found.encoded_spec("ccg", "en", split, 256)
        assert (spec["labels"], spec["labels_of"]) == ([], train)
    assert "labels_of" not in found.encoded_spec("udpos", "en", "dev", 256)


def test_every_spec_names_its_ancestry():
    found = make()
    model, encoder = found.model_spec("m"), found.encoder_spec("m", "mnli", "seed2")
    tuned = found.tuned_spec("m", "mnli", "seed2", "squad")
    score = found.score_spec(Cell("m", "mnli", "seed2", "xquad"), "de", "dev")
    assert model == {
        "kind": "model", "from": "o/m", "revision": "main", "pooling": None, "source": "hub",
        "version": 1,
    }  # fmt: skip
    assert (encoder["parent"], encoder["task"], encoder["seed"]) == (digest(model), "mnli", 2)
    assert (tuned["parent"], tuned["task"], tuned["seed"]) == (digest(encoder), "squad", 2)
    encoded = digest(found.encoded_spec("xquad", "de", "dev", 384))
    assert score == {
        "kind": "score", "model": digest(tuned), "target": "xquad", "metric": "squad",
        "encoded": encoded, "retrieval_layer": None, "version": 1,
    }  # fmt: skip
    assert found.encoder_spec("m", "none", "seed1") == model
    plain = found.score_spec(Cell("m", "none", "noseed", "tatoeba"), "de", "dev")
    assert plain["model"] == digest(model)


# A mix of a task in English, a task of two languages, and text of three.
GERMAN = {
    "format": "classification", "hub": "o/nli", "config": "{lang}", "metric": "accuracy",
    "splits": {"train": "train", "dev": "dev"}, "languages": ["de", "ru"], "version": 1,
    "labels": ["entailment", "neutral", "contradiction"], "recipe": {"max_length": 100},
}  # fmt: skip
TEXT = {
    "format": "mlm", "hub": "o/text", "config": "{lang}", "splits": {"train": "train"},
    "languages": ["de", "en", "ru"], "version": 1, "recipe": {"batch_size": 6, "max_length": 80},
}  # fmt: skip
MIX = {
    "targets": ["xquad", "tatoeba"],
    "seeds": [1],
    "tasks": {"german": GERMAN, "text": TEXT},
    "intermediates": {
        "mix": {"tasks": ["mnli", "german", "text"], "languages": ["ru", "de"], "cap": 50}
    },
    "recipes": {"all": {"epochs": 9}, "mnli": {"batch_size": 5}, "mix": {"learning_rate": 3e-5}},
}


def test_the_tasks_of_a_mix_have_their_own_batches_lengths_and_languages():
    found = make(**MIX)
    assert [
        (one.task, one.languages, one.dev, one.recipe.batch_size, one.recipe.max_length)
        for one in found.mixture("mix")
    ] == [
        ("mnli", ("en",), "en", 5, 256),
        ("german", ("de", "ru"), "de", 32, 100),
        ("text", ("de", "ru"), None, 6, 80),
    ]
    chosen = found.recipe("mix")
    assert (chosen.learning_rate, chosen.epochs, chosen.eval_every) == (3e-5, 9, 1000)


def test_the_spec_of_a_mix_in_full():
    found = make(**MIX)

    def encoded(task, split, length, *languages):
        return {lang: digest(found.encoded_spec(task, lang, split, length)) for lang in languages}

    nli = {"format": "classification", "labels": GERMAN["labels"], "metric": "accuracy"}
    assert found.encoder_spec("m", "mix", "seed1") == {
        "kind": "train", "parent": digest(found.model_spec("m")), "seed": 1, "version": 1,
        "cap": 50, "recipe": found.recipe("mix").spec(),
        "tasks": [
            {"task": "mnli", **nli, "batch_size": 5,
             "train": encoded("mnli", "train", 256, "en"),
             "dev": encoded("mnli", "dev", 256, "en")},
            {"task": "german", **nli, "batch_size": 32,
             "train": encoded("german", "train", 100, "de", "ru"),
             "dev": encoded("german", "dev", 100, "de")},
            {"task": "text", "format": "mlm", "labels": [], "metric": "", "batch_size": 6,
             "train": encoded("text", "train", 80, "de", "ru"), "dev": {}},
        ],
    }  # fmt: skip


def test_the_cap_of_a_mix_is_the_papers_unless_it_is_given():
    both = {"multi": {"tasks": ["mnli", "squad"]}}
    assert make(intermediates=both).encoder_spec("m", "multi", "seed1")["cap"] == 131072


def test_one_task_in_another_language_is_a_mix_of_itself():
    alone = {"ru": {"tasks": ["german"], "languages": ["ru"]}}
    found = make(**MIX | {"recipes": {}, "intermediates": alone})
    spec = found.encoder_spec("m", "ru", "seed1")
    (one,) = spec["tasks"]
    assert (one["train"].keys(), one["dev"].keys(), spec["cap"]) == ({"ru"}, {"ru"}, None)
    assert spec["recipe"]["max_length"] == 100, "its own recipe"


def test_a_recipe_of_the_name_of_an_intermediate_is_for_it_alone():
    named = {"intermediates": {"slow": {"tasks": ["mnli"]}}}
    expected = {p for p in specs(make(**named)) if "/slow/" in p}
    before, after = (
        specs(make(**named, recipes=recipes)) for recipes in ({}, {"slow": {"learning_rate": 1e-6}})
    )
    assert {p for p in before if before[p] != after[p]} == expected


def test_a_change_of_one_task_of_a_mix_changes_the_mix():
    before = specs(make(**MIX))
    for over in (
        {"limits": {"text": {"train": 5}}},
        {"recipes": {"german": {"batch_size": 7}}},
        {"tasks": {"mnli": {"version": 2}}},
        {"intermediates": {"mix": {"cap": 51}}},
    ):
        after = specs(make(**merge(MIX, over)))
        mixed = {p for p in before if p.startswith(("encoders/m/mix", "scores/m/mix"))}
        assert mixed and mixed <= {p for p in before if before[p] != after[p]}, over


def specs(found):
    """Every node of a grid by its path, with its spec."""
    nodes = {f"models/{m}": found.model_spec(m) for m in found.experiment.settings["models"]}
    for cell in found.cells:
        at = (cell.model, cell.intermediate, cell.seed)
        train = found.tasks[cell.target].tuned_on
        if cell.intermediate != "none":
            nodes["encoders/" + "/".join(at)] = found.encoder_spec(*at)
        if train:
            nodes["tuned/" + "/".join((*at, train))] = found.tuned_spec(*at, train)
        for lang in found.experiment.languages[cell.target]:
            nodes[f"scores/{cell}/{lang}"] = found.score_spec(cell, lang, "dev")
    return {path: digest(spec) for path, spec in nodes.items()}


def changed(**over):
    """Paths of the nodes that a change makes anew, and those that it adds or takes away."""
    before, after = specs(make()), specs(make(**over))
    return (
        {path for path in before.keys() & after.keys() if before[path] != after[path]},
        before.keys() ^ after.keys(),
    )


def under(*prefixes):
    return {path for path in specs(make()) if path.startswith(prefixes)}


def test_nothing_changes_by_itself():
    assert changed() == (set(), set())


def test_the_learning_rate_of_one_target_changes_its_tunes_and_their_scores():
    both = {"xquad": {"learning_rate": 1e-4}, "other": {"learning_rate": 1e-4}}
    expected = {
        p for p in specs(make()) if p.startswith("tuned/") or "/xquad/" in p or "/other/" in p
    }
    assert changed(recipes=both) == (expected, set())


def test_the_learning_rate_of_an_intermediate_changes_what_comes_after_it():
    expected = under("encoders/m/mnli", "tuned/m/mnli", "scores/m/mnli")
    assert changed(recipes={"mnli": {"learning_rate": 1e-4}}) == (expected, set())


def test_a_new_seed_and_a_new_language_only_add():
    again, added = changed(seeds=[1, 2, 3])
    assert not again
    assert {path.split("/")[3] for path in added} == {"seed3"}
    again, added = changed(languages=["de", "en", "ru"])
    assert not again
    assert {path.rsplit("/", 1)[1] for path in added} == {"ru"}


def test_a_new_intermediate_only_adds():
    again, added = changed(intermediates={"hs": {"tasks": ["hellaswag"]}})
    assert not again
    assert {path.split("/")[2] for path in added} == {"hs"}


def test_a_task_version_changes_what_depends_on_the_task():
    assert changed(tasks={"xquad": {"version": 2}})[0] == {
        p for p in specs(make()) if "/xquad/" in p
    }
    assert changed(tasks={"mnli": {"version": 2}})[0] == under(
        "encoders/m/mnli", "tuned/m/mnli", "scores/m/mnli"
    )
    assert changed(tasks={"hellaswag": {"version": 2}}) == (set(), set())


def test_a_limit_changes_what_reads_that_split():
    assert changed(limits={"tatoeba": {"dev": 5}})[0] == {
        p for p in specs(make()) if "/tatoeba/" in p
    }
    expected = {
        p for p in specs(make()) if p.startswith("tuned/") or "/xquad/" in p or "/other/" in p
    }
    assert changed(limits={"squad": {"train": 5}})[0] == expected
    assert changed(limits={"xquad": {"test": 5}}) == (set(), set())


def test_the_retrieval_layer_changes_retrieval_alone():
    assert changed(models={"m": {"retrieval_layer": 3}})[0] == {
        p for p in specs(make()) if "/tatoeba/" in p
    }


def test_the_machine_does_not_change_a_spec():
    assert changed(threads=2, micro_batch_tokens=64, compile=True) == (set(), set())


def test_the_version_of_a_step_changes_its_nodes_and_what_comes_after(monkeypatch):
    before = specs(make())
    monkeypatch.setitem(grid.VERSIONS, "train", 99)
    after = specs(make())
    assert {path for path in before if before[path] == after[path]} == {
        "models/m", "scores/m/none/noseed/tatoeba/de",
    }  # fmt: skip


def test_a_changed_toy_world_changes_everything():
    before, after = (specs(make(source="toy", toy=toy)) for toy in ({}, {"seed": 5}))
    assert before.keys() == after.keys()
    assert not [path for path in before if before[path] == after[path]]


def test_targets_that_share_a_model_must_agree_on_its_recipe():
    line = "recipes: `xquad` and `other` share one model tuned on `squad`, so their recipes must be"
    with pytest.raises(UserError, match=line):
        make(recipes={"other": {"epochs": 7}})


def test_a_recipe_under_the_training_data_of_a_target_would_be_lost():
    with pytest.raises(UserError, match=r"`squad` is no intermediate task here; .* under `xquad`"):
        make(recipes={"squad": {"epochs": 7}})
    make(recipes={"squad": {"epochs": 7}}, intermediates={"squad": {"tasks": ["squad"]}})


def test_test_scores_are_apart_and_their_spec_knows_the_rows_of_the_threshold():
    found = make(targets=["xnli", "xquad", "bucc"], test=True)
    assert [found.test_split(target) for target in ("xnli", "xquad", "bucc")] == [
        "test", "dev", "test",
    ]  # fmt: skip
    cell = Cell("m", "mnli", "seed1", "bucc")
    assert found.score(cell, "de", "test") == "results/test/m/mnli/seed1/bucc/de.json"
    assert found.score(cell, "de", "dev") == "results/scores/m/mnli/seed1/bucc/de.json"
    dev, test = (found.score_spec(cell, "de", split) for split in ("dev", "test"))
    encoded = {
        split: digest(found.encoded_spec("bucc", "de", split, 512)) for split in ("dev", "test")
    }
    assert (dev["encoded"], "dev" in dev) == (encoded["dev"], False)
    assert (test["encoded"], test["dev"]) == (encoded["test"], encoded["dev"])


def test_a_test_split_that_is_scored_alone_is_in_the_folder_of_the_scores():
    found = make(targets=["xnli"], split="test")
    cell = Cell("m", "mnli", "seed1", "xnli")
    assert found.score(cell, "de", "test") == "results/scores/m/mnli/seed1/xnli/de.json"


def test_the_toy_encoder_has_its_own_layer_for_retrieval():
    models = {"m": {"from": "o/m", "retrieval_layer": 14}}
    cell = Cell("m", "none", "noseed", "tatoeba")
    layers = [
        make(models=models, source=source).score_spec(cell, "de", "dev")["retrieval_layer"]
        for source in ("hub", "toy")
    ]
    assert layers == [14, None]


def test_languages_come_in_the_order_of_the_specs_text():
    languages = make(tasks={"other": {"languages": ["en", "de"]}}).experiment.languages["other"]
    text = grid.spec_text({lang: {} for lang in languages})
    assert tuple(json.loads(text)) == languages


def test_strata_prepare_and_score_anew_and_never_train():
    mine = {
        "format": "classification", "files": {"train": "train.csv", "dev": "{lang}.csv"},
        "languages": ["de", "en"], "base": "/data",
    }  # fmt: skip
    changes = {"targets": ["mine", "tatoeba"], "intermediates": {"mine": {"tasks": ["mine"]}}}
    plain = make(**changes, tasks={"mine": mine})
    with_strata = make(**changes, tasks={"mine": {**mine, "strata": {"genre": "topic"}}})
    renamed = make(**changes, tasks={"mine": {**mine, "strata": {"genre": "kind"}}})
    cell = Cell("m", "mine", "seed1", "mine")
    assert "strata" not in {
        **plain.data_spec("mine", "de", "dev"),
        **plain.score_spec(cell, "de", "dev"),
    }
    dev = with_strata.data_spec("mine", "de", "dev")
    assert dev == {**plain.data_spec("mine", "de", "dev"), "strata": {"genre": "topic"}}
    assert with_strata.score_spec(cell, "de", "dev") == {
        **plain.score_spec(cell, "de", "dev"), "strata": {"genre": "topic"},
    }  # fmt: skip
    before, after, other = (graph.build(found) for found in (plain, with_strata, renamed))
    assert before.keys() == after.keys()
    changed = {key for key in before if before[key].spec != after[key].spec}
    assert changed == {
        *(f"results/data/mine/{lang}.dev.parquet" for lang in ("de", "en")),
        *(key for key in before if key.endswith("/mine/cell.json")),
    }
    assert {key for key in after if after[key].spec != other[key].spec} == changed
    assert any(node.rule == "tune" for node in after.values())


def test_labels_of_train_rows_are_not_of_their_strata():
    mine = {"format": "tagging", "files": "{lang}/{split}.conll", "languages": ["en"], "base": "/d",
            "strata": ["genre"]}  # fmt: skip
    changes = {"targets": ["mine"], "intermediates": {}, "languages": ["en"]}
    files = {"train": ("en/train.conll",), "dev": ("en/dev.conll",)}
    with_strata = make(**changes, tasks={"mine": {**mine, "files": files}})
    plain = make(**changes, tasks={"mine": {**mine, "files": files, "strata": None}})
    specs = [found.encoded_spec("mine", "en", "dev", 128) for found in (with_strata, plain)]
    assert specs[0] == specs[1] and "labels_of" in specs[0]


def test_the_toy_world_has_strata_where_the_hub_has_none():
    toy = make(source="toy")
    assert toy.tasks["xquad"].strata == {"asks": "asks"} and not make().tasks["xquad"].strata
    assert toy.stratified and not make().stratified
    own = {"squad2": {"hub": "~/mine", "strata": ["genre"]}}
    assert make(tasks=own).tasks["squad2"].strata == {"genre": "genre"}
    # The toy world's rows stand for those of the folder, and are of none of its classes.
    found = make(source="toy", tasks=own).tasks["squad2"].strata
    assert found == {"answerable": "answerable", "asks": "asks", "genre": ""}


def test_only_trainings_have_what_becomes_of_them_if_they_collapse_and_only_if_it_is_retry():
    kept, retried = (make(on_collapse=value) for value in ("keep", "retry"))
    one, other = (grid.encoder_spec("m", "mnli", "seed1") for grid in (kept, retried))
    assert other == {**one, "on_collapse": "retry"}
    assert one == make().encoder_spec("m", "mnli", "seed1")
    one, other = (grid.tuned_spec("m", "none", "seed1", "squad") for grid in (kept, retried))
    assert other == {**one, "on_collapse": "retry"}
    assert kept.model_spec("m") == retried.model_spec("m")
    one, other = (grid.encoded_spec("mnli", "en", "train", 128) for grid in (kept, retried))
    assert one == other
