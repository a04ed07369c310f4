"""Splits and languages are found by the names of files, and a name that is none is refused."""

import pytest

from xstilts.data import layout
from xstilts.running.errors import Absent, UserError


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x\n")


def splits(root, given, languages=("en", "de")):
    return layout.splits(given, str(root), languages, "task `mine`: files")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (
            ["en/train.csv", "en/dev.csv", "de/dev.csv"],
            {"train": "{lang}/train.csv", "dev": "{lang}/dev.csv"},
        ),
        (
            ["train.en.tsv", "validation.en.tsv", "validation.de.tsv", "test.de.tsv"],
            {
                "train": "train.{lang}.tsv",
                "dev": "validation.{lang}.tsv",
                "test": "test.{lang}.tsv",
            },
        ),
        (
            ["train.jsonl.gz", "dev/de.jsonl"],
            {"train": "train.jsonl.gz", "dev": "dev/{lang}.jsonl"},
        ),
        (
            ["en-train.conllu", "en_dev.conllu"],
            {"train": "{lang}-train.conllu", "dev": "{lang}_dev.conllu"},
        ),
    ],
)
def test_a_folder_is_read_by_the_names_in_it(tmp_path, names, found):
    make(tmp_path / "my data", *names)
    assert splits(tmp_path, "my data") == {k: (f"my data/{v}",) for k, v in found.items()}


def test_a_pattern_is_filled_with_the_names_of_splits(tmp_path):
    make(tmp_path, "ud/en_ewt-train.conllu", "ud/de_gsd-dev.conllu")
    found = splits(tmp_path, "ud/{lang}-{split}.conllu", ("en_ewt", "de_gsd"))
    assert found == {"train": ("ud/{lang}-train.conllu",), "dev": ("ud/{lang}-dev.conllu",)}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("one.csv", r"files: of which split is one\.csv\? write \{train: \.\.\., dev: \.\.\.\}"),
        ("{lang}.csv", "of which split is"),
        ("nowhere", r"nowhere: there is no such file or folder in /"),
        ("org/name", r"a data set on the hub is `hub: org/name`"),
        ("empty", r"empty holds no file that is called after a split, as train\.csv"),
        ("hubs", r"hubs has the shape of a data set of the hub: `hub: \./hubs`"),
        ("{lang}/{split}.csv", "no such file of a split train, dev or test"),
        ("x" * 3000, "files: x{59}…: File name too long"),
        ("x" * 3000 + "{split}", "files: x{59}…: File name too long"),
    ],
)
def test_what_is_no_set_of_files_is_named(tmp_path, given, line):
    make(tmp_path, "one.csv", "empty/readme.txt")
    (tmp_path / "hubs").mkdir()
    (tmp_path / "hubs/README.md").write_text("---\nconfigs: []\n---\n")
    with pytest.raises(UserError, match=line) as error:
        splits(tmp_path, given)
    assert str(error.value).startswith("task `mine`: files: ") and "\n" not in str(error.value)


def test_the_parts_of_a_set_are_in_the_order_of_their_names(tmp_path):
    make(tmp_path, "train/b.csv", "train/a.csv", "train/.hidden", "train/README.md", "x y.csv")
    found = layout.parts(["train/", "x y.csv"], str(tmp_path))
    assert found == {
        "train/a.csv": tmp_path / "train/a.csv",
        "train/b.csv": tmp_path / "train/b.csv",
        "x y.csv": tmp_path / "x y.csv",
    }


def test_a_part_that_is_not_there_is_named_and_one_further_down_pointed_at(tmp_path):
    make(tmp_path, "ner/en.conll", "a/b/c.csv", "here.csv")
    for path, hint in {
        "en.conll": " (there is ner/en.conll)",
        "b/c.csv": " (there is a/b/c.csv)",
        "c.csv": " (there is a/b/c.csv)",
        "de.conll": "",
    }.items():
        with pytest.raises(Absent) as error:
            layout.parts(["here.csv", path], str(tmp_path))
        assert str(error.value) == f"{path}: there is no such file in {tmp_path}{hint}"
        assert not layout.are_there(["here.csv", path], str(tmp_path))
    assert layout.are_there(["here.csv"], str(tmp_path))
