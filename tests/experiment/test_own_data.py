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
        "mine", "accuracy", "en", True,
    )  # fmt: skip
    found = grid()
    assert found.experiment.languages["mine"] == ("de", "en", "ru")
    assert found.experiment.intermediates["mine"] == {"mine": ("en",)}
    assert {str(cell) for cell in found.cells if cell.target == "mine"} == {
        "m/none/seed1/mine", "m/mine/seed1/mine",
    }  # fmt: skip


def test_names_in_results_are_no_paths():
    nodes = graph.build(grid(tasks={"base": "/my data", "files": {
        "train": "~/a b/train.csv", "dev": "/abs/{lang} dev.csv",
    }}))  # fmt: skip
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
    assert first[training].pins == second[training].pins == {
        "models/toy/xlmr", "datasets/files/mine/en.train", "datasets/files/mine/en.dev",
    }  # fmt: skip
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
    found = grid(tasks={"train_language": "de", "files": {
        "train": "{lang}/train.csv", "dev": "{lang}/dev.csv"}})  # fmt: skip
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
        ({"languages": ["de", "ru"]}, r"which language is it trained in\? say `train_language`, one of de, ru"),
        ({"train_language": "german"}, r"train_language: `german` is not among .*did you mean `de`\?"),
        ({"files": {"trian": "x"}}, r"files: there is no `trian`; did you mean `train`\?"),
        ({"files": {"train": 3}}, "files: train: must be a path, not 3"),
        ({"files": {"train": "{split}.csv"}}, r"\{split\}.csv: only \{lang\} is filled in, not \{split\}"),
        ({"files": []}, r"files: must be \{train: PATH, dev: PATH\} or one path, not \[\]"),
        ({"files": {"train": "a.csv"}}, "no dev split, by which the best checkpoint is chosen"),
    ],
)  # fmt: skip
def test_what_an_entry_lacks_is_said_in_one_line(task, line):
    with pytest.raises(UserError, match=line) as error:
        grid(tasks=task, intermediates={})
    assert "\n" not in str(error.value)


def test_all_mistakes_are_said_together():
    with pytest.raises(UserError) as error:
        load({
            **CONFIG,
            "targets": ["mine", "xnil"],
            "intermediates": {"a": {"tasks": ["mnil"]}, "b": {"tasks": ["mine"], "languages": ["german"]}},
        })  # fmt: skip
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
        "languages: there is no language `xx`",
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
        "tasks": {"mine": {"files": {"dev": "y.csv"}}, "other": {"hub": "./x"}, "hubs": {"hub": "o/n"}},
    }  # fmt: skip
    assert config_files.places(files, merged) == found
