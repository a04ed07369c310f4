"""An entry of three lines: own files as a target and an intermediate under one name."""

import pytest

from xstilts.experiment import config_files, entries, graph
from xstilts.experiment.config import load
from xstilts.experiment.grid import Grid
from xstilts.running.errors import UserError

MINE = {
    "format": "classification",
    "files": {"train": "en/train.csv", "validation": "{lang}/dev.csv"},
    "languages": ["en", "de", "ru"],
    "base": "/data",
}
CONFIG = {
    "source": "toy",
    "models": {"m": {"from": "o/m"}},
    "intermediates": {"mine": {"tasks": ["mine"]}},
    "targets": ["mine", "xnli"],
    "languages": ["en", "de", "ru"],
    "tasks": {"mine": MINE},
}


def grid(tasks=None, **changes):
    return Grid(load({**CONFIG, "tasks": {"mine": {**MINE, **(tasks or {})}}, **changes}))


def test_three_lines_are_a_target_and_an_intermediate():
    task = entries.check("mine", MINE)
    assert task.files == {"train": ("en/train.csv",), "dev": ("{lang}/dev.csv",)}
    assert task.splits == {"train": "train", "dev": "dev"}
    assert (task.tuned_on, task.metric, task.home, task.open_labels) == (
        "mine",
        "accuracy",
        "en",
        True,
    )
    found = grid()
    assert found.experiment.languages["mine"] == ("de", "en", "ru")
    assert found.experiment.intermediates["mine"] == {"mine": ("en",)}
    assert {str(cell) for cell in found.cells if cell.target == "mine"} == {
        "m/none/seed1/mine",
        "m/mine/seed1/mine",
    }


def test_names_in_results_are_no_paths():
    nodes = graph.build(
        grid(
            tasks={
                "base": "/my data",
                "files": {
                    "train": "~/a b/train.csv",
                    "dev": "/abs/{lang} dev.csv",
                },
            }
        )
    )
    own = [key for key in nodes if "mine" in key]
    assert "results/pins/datasets/files/mine/en.train.json" in own
    assert "results/data/mine/de.dev.parquet" in own
    assert not any(set(key) & set(" ~{}") or "//" in key for key in own)
    pin = nodes["results/pins/datasets/files/mine/de.dev.json"]
    assert (pin.folder, pin.files) == ("/my data", ("/abs/de dev.csv",))
    assert "my data" not in str(nodes["results/data/mine/de.dev.parquet"].spec)


def test_a_language_more_changes_no_pin_of_the_others():
    first, second = graph.build(grid()), graph.build(grid(tasks={"languages": ["en", "de"]}))
    training = "results/tuned/m/none/seed1/mine/node.json"
    assert (
        first[training].pins
        == second[training].pins
        == {
            "models/toy/xlmr",
            "datasets/files/mine/en.train",
            "datasets/files/mine/en.dev",
        }
    )
    assert first[training].outputs == second[training].outputs


def test_the_toy_world_has_no_say_in_ones_own_data():
    found = grid(tasks={"languages": ["en", "de", "fi"]}, languages=["en", "fi"])
    assert found.experiment.languages["mine"] == ("en", "fi")
    assert found.experiment.pinned
    assert not Grid(load({**CONFIG, "targets": ["xnli"], "intermediates": {}})).experiment.pinned


def test_a_known_task_has_toy_rows_in_the_toy_world_and_says_so():
    xnli = {"files": {"dev": "{lang}.csv"}}
    found = load({**CONFIG, "tasks": {"mine": MINE, "xnli": xnli}})
    assert not found.tasks["xnli"].own
    assert found.notes == (
        "tasks: xnli: the toy world's rows stand for {'dev': '{lang}.csv'} (source: toy)",
    )
    found = load({**CONFIG, "source": "hub", "tasks": {"mine": MINE, "xnli": xnli}})
    task = found.tasks["xnli"]
    assert task.own and task.columns == {} and task.config is None and task.tuned_on == "mnli"
    assert task.labels == ("entailment", "neutral", "contradiction")


def test_another_language_to_train_in():
    found = grid(
        tasks={
            "train_language": "de",
            "files": {"train": "{lang}/train.csv", "dev": "{lang}/dev.csv"},
        }
    )
    (member,) = found.tuning("mine")
    assert (member.languages, member.dev) == (("de",), "de")
    spec = found.tuned_spec("m", "none", "seed1", "mine")
    assert list(spec["tasks"][0]["train"]) == ["de"] and spec["cap"] is None
    assert found.labelled_by("mine") == ("mine", "de", "train")
    assert found.experiment.intermediates["mine"] == {"mine": ("de",)}


def test_a_dev_file_of_one_language_is_of_that_language():
    files = {"train": "en/train.csv", "dev": "en/dev.csv", "test": "{lang}/test.csv"}
    found = grid(tasks={"files": files})
    assert found.experiment.languages["mine"] == ("en",)
    assert found.experiment.notes == (
        "task `mine`: de, ru: not scored, en/dev.csv is in en alone; name files of each language"
        " with {lang}",
    )
    assert grid(tasks={"files": files}, split="test", targets=["mine"]).experiment.languages == {
        "mine": ("de", "en", "ru")
    }


@pytest.mark.parametrize(
    ("task", "line"),
    [
        (
            {"languages": ["de", "ru"]},
            r"which language is it trained in\? say `train_language`, one of de, ru",
        ),
        (
            {"train_language": "german"},
            r"train_language: `german` is not among .*did you mean `de`\?",
        ),
        ({"files": {"trian": "x"}}, r"files: there is no `trian`; did you mean `train`\?"),
        ({"files": {"train": 3}}, "files: train: must be a path, not 3"),
        (
            {"files": {"train": "{split}.csv"}},
            r"\{split\}.csv: only \{lang\} is filled in, not \{split\}",
        ),
        ({"files": []}, r"files: must be \{train: PATH, dev: PATH\} or one path, not \[\]"),
        ({"files": {"train": "a.csv"}}, "no dev split, by which the best checkpoint is chosen"),
        (
            {"files": {"train": [], "dev": "x"}},
            "files: train: the list is empty; name at least one",
        ),
        ({"files": ""}, "files: must be .* or one path, not ''"),
        (
            {"files": {"dev": "x", "val": "y"}},
            "files: val: is the dev split, which is there already",
        ),
        (
            {"files": {"dev": "a/" + "x" * 300}},
            "files: dev: a/xxx.*… is too long for a file's name",
        ),
        ({"files": None}, r"`files` \(paths of yours\) or `hub` \(an id\) is missing"),
        ({"hub": "o/x"}, "both `files` and `hub` say where its data is; leave one out"),
        ({"config": "{lang}"}, "`config` is for a data set by `hub`; its data is in `files`"),
        ({"splits": {"dev": "test"}}, "`splits` is for a data set by `hub`"),
        ({"gold": "g.tsv"}, "`gold` is for a data set by `hub`"),
        ({"revision": "v2"}, "`revision` is for a data set by `hub`"),
        (
            {"files": None, "hub": "o/x", "file": {"kind": "csv"}},
            "`file` says how `files` are read",
        ),
        ({"labels": ["a", "b", "a"]}, "labels: `a` is there twice"),
        ({"labels": ["1", 1]}, "labels: `1` is there twice"),
        ({"format": "regression", "labels": ["a"]}, "a regression task has no `labels`"),
        ({"format": "span", "labels": ["a"]}, "a span task has no `labels`"),
        ({"codes": {False: "Norwegian"}}, 'codes: YAML reads no, .*: quote the key, "no"'),
        ({"columns": {True: "text"}}, 'columns: YAML reads no, .*: quote the key, "no"'),
        ({"codes": {1: "x"}}, 'codes: 1 is not text: quote it, "1"'),
    ],
)
def test_what_an_entry_lacks_is_said_in_one_line(task, line):
    with pytest.raises(UserError, match=line) as error:
        grid(tasks=task, intermediates={})
    assert "\n" not in str(error.value)


def test_all_mistakes_are_said_together():
    with pytest.raises(UserError) as error:
        load(
            {
                **CONFIG,
                "targets": ["mine", "xnil"],
                "intermediates": {
                    "a": {"tasks": ["mnil"]},
                    "b": {"tasks": ["mine"], "languages": ["german"]},
                },
            }
        )
    assert str(error.value).splitlines() == [
        "intermediates: a: there is no task `mnil`; did you mean `mnli`?",
        "targets: there is no task `xnil`; did you mean `xnli`?",
    ]
    with pytest.raises(UserError) as error:
        load({**CONFIG, "languages": ["german", "rus", "xx"], "recipes": {"min": {}}})
    assert str(error.value).splitlines() == [
        "recipes: there is no task or intermediate `min`; did you mean `mine`?",
        "languages: there is no language `german`; did you mean `de`?",
        "languages: there is no language `rus`; did you mean `ru`?",
        "languages: no target has dev rows in `xx` (but in ar, de, en, hi, ru, zh; source: toy)",
    ]


def test_paths_are_from_the_config_file(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/base.yaml").write_text(
        "source: ../mirror\nmodels: {m: {from: ./model}, h: {from: o/h}}\n"
        "tasks: {mine: {files: {dev: x.csv}}, other: {hub: ./x}, hubs: {hub: o/n}}\n"
    )
    (tmp_path / "over.yaml").write_text("tasks: {mine: {files: {dev: y.csv}}}\n")
    files = [tmp_path / "a/base.yaml", tmp_path / "over.yaml"]
    found = config_files.read(files)
    assert found == {
        "source": str(tmp_path / "mirror"),
        "models": {"m": {"from": "./model", "base": str(tmp_path / "a")}, "h": {"from": "o/h"}},
        "tasks": {
            "mine": {"files": {"dev": "y.csv"}, "base": str(tmp_path)},
            "other": {"hub": "./x", "base": str(tmp_path / "a")},
            "hubs": {"hub": "o/n"},
        },
    }
    merged = {
        "source": "../mirror",
        "models": {"m": {"from": "./model"}, "h": {"from": "o/h"}},
        "tasks": {
            "mine": {"files": {"dev": "y.csv"}},
            "other": {"hub": "./x"},
            "hubs": {"hub": "o/n"},
        },
    }
    assert config_files.places(files, merged) == found


def test_a_later_file_does_not_move_the_paths_of_an_earlier_one(tmp_path):
    texts = {
        "a/a.yaml": "{train: [en/train.csv, /abs.csv, ~/x.csv], dev: dev.csv, test: t/{lang}.csv}",
        "b/b.yaml": "{dev: dev.csv}",
        "b/c.yaml": "{test: new.csv}",
    }
    for name, files in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        quoted = files.replace("t/{lang}.csv", '"t/{lang}.csv"')
        (tmp_path / name).write_text(f"tasks: {{mine: {{files: {quoted}}}}}\n")
    files = [tmp_path / name for name in texts]
    told = {
        "files": {
            "train": ["../a/en/train.csv", "/abs.csv", "~/x.csv"],
            "dev": "dev.csv",
            "test": "../a/t/{lang}.csv",
        },
        "base": str(tmp_path / "b"),
    }
    assert config_files.read(files[:2]) == {"tasks": {"mine": told}}
    plain = {"train": ["en/train.csv", "/abs.csv", "~/x.csv"], "dev": "dev.csv"}
    merged = {"tasks": {"mine": {"files": {**plain, "test": "t/{lang}.csv"}}}}
    assert config_files.places(files[:2], merged) == {"tasks": {"mine": told}}
    assert config_files.read(files)["tasks"]["mine"]["files"] == {
        **told["files"],
        "test": "new.csv",
    }
    merged["tasks"]["mine"]["files"]["dev"] = "line.csv"  # on the command line
    told["files"]["dev"] = "line.csv"
    assert config_files.places(files[:2], merged) == {"tasks": {"mine": told}}


def test_a_later_file_unsets_files_by_null():
    xnli = {"files": None, "hub": "./x", "config": None}
    found = load({**CONFIG, "source": "hub", "tasks": {"mine": MINE, "xnli": xnli}})
    assert (found.tasks["xnli"].hub, found.tasks["xnli"].files) == ("./x", {})
    found = load({**CONFIG, "source": "hub", "tasks": {"mine": MINE, "xnli": {"files": None}}})
    assert found.tasks["xnli"].hub == "facebook/xnli"


@pytest.mark.parametrize("code", ["a b", "a.b", "a/b", "../x", "dä", "", "-de", "de_", "a\n"])
def test_a_language_code_is_part_of_names(code):
    with pytest.raises(
        UserError, match=r"task `mine`: languages: `.*` is no language code"
    ) as error:
        grid(tasks={"languages": ["en", code]})
    assert "\n" not in str(error.value)


def test_language_codes_with_script_or_country():
    codes = ["en", "zh-Hans", "pt_BR", "zh-min-nan", "es-419"]
    assert entries.check("mine", MINE | {"languages": codes}).languages == tuple(codes)


def test_columns_by_number_and_by_name(tmp_path):
    found = load({**CONFIG, "tasks": {"mine": {**MINE, "columns": {1: "text", "gold": "label"}}}})
    assert found.settings["tasks"]["mine"]["columns"] == {"1": "text", "gold": "label"}
    assert found.tasks["mine"].columns == {"1": "text", "gold": "label"}


PARALLEL = {"format": "retrieval", "languages": ["de", "fr"]}


def test_parallel_text_of_several_languages():
    files = {"dev": ["{lang}.txt", "en.txt"]}
    assert entries.check("p", {**PARALLEL, "files": files}).paths("fr", "dev") == [
        "fr.txt",
        "en.txt",
    ]
    with pytest.raises(UserError, match=r"files: of which language is de\.txt\? name the fil"):
        entries.check("p", {**PARALLEL, "files": {"dev": ["de.txt", "en.txt"]}})


def test_parts_of_which_one_is_of_each_language():
    files = {"train": ["common.csv", "{lang}/train.csv"], "dev": "{lang}/dev.csv"}
    task = entries.check("mine", MINE | {"files": files, "languages": ["de", "ru"]})
    assert task.is_there("ru", "train")


EACH = {"train": "{lang}/train.csv", "dev": "{lang}/dev.csv"}
ASKED = "intermediates: mine: which language is `mine` trained in? say "


@pytest.mark.parametrize("source", ["toy", "hub"])
@pytest.mark.parametrize(
    ("task", "entry", "says"),
    [
        ({}, {}, "`train_language` in its entry, of de, ru"),
        ({}, {"languages": ["de"]}, "`train_language` in its entry (or `labels`), of de, ru"),
        (
            {"labels": ["a", "b"]},
            {},
            "`languages` here, or `train_language` in its entry, of de, ru",
        ),
        ({"labels": ["a", "b"]}, {"languages": ["de"]}, None),
        ({"train_language": "ru"}, {"languages": ["de"]}, None),
        ({"train_language": "ru"}, {}, None),
    ],
)
def test_an_intermediate_without_english_is_asked_for_its_language(source, task, entry, says):
    config = {
        **CONFIG,
        "source": source,
        "targets": ["xnli"],
        "intermediates": {"mine": {"tasks": ["mine"], **entry}},
        "tasks": {"mine": {**MINE, "files": EACH, "languages": ["de", "ru"], **task}},
    }
    if says:
        with pytest.raises(UserError) as error:
            load(config)
        assert str(error.value) == ASKED + says
    else:
        wanted = tuple(entry.get("languages", ["ru"]))
        assert load(config).intermediates["mine"] == {"mine": wanted}


def test_in_a_mix_the_toy_world_takes_no_other_language_of_ones_own_data():
    mix = {"mix": {"tasks": ["mnli_translated", "mine"], "languages": ["fr"]}}
    with pytest.raises(UserError, match=r"task `mine` has none of fr \(it has de, en, ru\)"):
        grid(intermediates=mix)


OTHER = {**MINE, "files": {"train": "o/train.csv", "dev": "o/dev.csv"}, "languages": ["en"]}
SCORED = {**MINE, "files": {"dev": "{lang}/dev.csv"}}
HEAD = "task `mine`: its {} must be the same as of `other`, which it is tuned on: "


@pytest.mark.parametrize(
    ("mine", "other", "line"),
    [
        (
            {**MINE, "tuned_on": "other"},
            OTHER,
            "task `mine`: its labels are those of `other`, which it is tuned on, and it has train"
            " rows of its own; say `labels` in both, in the head's order",
        ),
        (
            {**SCORED, "tuned_on": "other", "labels": ["good", "bad"]},
            OTHER,
            HEAD.format("labels") + "those of its train rows, not good, bad",
        ),
        (
            {**SCORED, "tuned_on": "other", "labels": ["good", "bad"]},
            {**OTHER, "labels": ["bad", "good"]},
            HEAD.format("labels") + "bad, good, not good, bad",
        ),
        (
            {**SCORED, "tuned_on": "other", "format": "regression"},
            OTHER,
            HEAD.format("format") + "classification, not regression",
        ),
        (
            {**SCORED, "labels": ["good", "bad"]},
            OTHER,
            "targets: `mine` has no train split; say `tuned_on`, the task whose train rows tune the"
            " model before it is scored",
        ),
        ({**MINE, "tuned_on": "other"}, {**OTHER, "labels": ["a", "b"]}, None),
        ({**SCORED, "tuned_on": "other"}, OTHER, None),
    ],
)
def test_a_target_shares_the_head_that_it_is_tuned_with(mine, other, line):
    config = {**CONFIG, "targets": ["mine"], "intermediates": {}}
    if line is None:
        load({**config, "tasks": {"mine": mine, "other": other}})
        return
    with pytest.raises(UserError) as error:
        load({**config, "tasks": {"mine": mine, "other": other}})
    assert str(error.value) == line


def test_retrieval_is_not_trained_on():
    pairs = {**PARALLEL, "files": {"train": ["de.txt", "en.txt"], "dev": ["de.txt", "en.txt"]}}
    line = "intermediates: p: `p` is of format retrieval, which is scored without training"
    with pytest.raises(UserError, match=line):
        load(
            {
                **CONFIG,
                "intermediates": {"p": {"tasks": ["p"]}},
                "tasks": {"mine": MINE, "p": {**pairs, "languages": ["de"]}},
            }
        )


def test_the_toy_world_has_no_other_data_set_of_the_hub():
    hub = {"format": "classification", "hub": "org/name", "languages": ["en"]}
    config = {**CONFIG, "targets": ["xnli"], "tasks": {"mine": MINE, "h": hub}}
    assert load(config).tasks["h"].hub == "org/name", "it is not used"
    line = (
        "tasks: h: hub: the toy world has only the data sets of the known tasks, not org/name; give"
        " `files` or a folder, or another `source`"
    )
    for used in ({"targets": ["h"]}, {"intermediates": {"h": {"tasks": ["h"]}}}):
        with pytest.raises(UserError) as error:
            load(config | used)
        assert str(error.value) == line
    load(config | {"targets": ["h"], "source": "hub", "languages": "all"})


@pytest.mark.parametrize("section", ["tasks", "intermediates"])
def test_all_is_the_name_of_no_task(section):
    entry = {"tasks": {"mine": MINE, "all": MINE}, "intermediates": {"all": {"tasks": ["mnli"]}}}
    with pytest.raises(UserError, match=f"^{section}: `all` stands for all tasks in `recipes` and"):
        load({**CONFIG, section: entry[section]})
