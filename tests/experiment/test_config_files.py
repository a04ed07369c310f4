"""Config files: how they are laid over each other, and what is called after them."""

import pytest

from xstilts.experiment import config_files
from xstilts.running.errors import UserError


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ({}, {"a": 1}, {"a": 1}),
        ({"a": 1, "b": 2}, {"a": 3}, {"a": 3, "b": 2}),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"e": 3}}}, {"a": {"b": {"c": 1, "e": 3}}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
    ],
    ids=["new", "replaced", "deep", "lists are replaced", "emptied", "another kind"],
)  # fmt: skip
def test_a_config_over_another(base, over, merged):
    before = str(base)
    assert config_files.merge(base, over) == merged
    assert str(base) == before, "as it was"


def test_later_files_are_laid_over_the_first(tmp_path):
    texts = {"a": "seeds: [1]\nmodels: {m: {from: o/m}}\n", "b": "models: {n: {from: o/n}}\n"}
    paths = [tmp_path / f"{name}.yaml" for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        path.write_text(text)
    models = {"m": {"from": "o/m"}, "n": {"from": "o/n"}}
    assert config_files.read(paths) == {"seeds": [1], "models": models}
    assert config_files.read([str(paths[1])]) == {"models": {"n": {"from": "o/n"}}}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "there is no such config file"),
        (b"a: [", "cannot be read as YAML: line 1, column 5: expected the node content, but"),
        (
            b"a:\n  dev: {lang}/dev.csv\n",
            "cannot be read as YAML: line 2, column 14: expected <block end>, but found '<scalar>';"
            ' quote the path: "{lang}/dev.csv"',
        ),
        (
            b"a: {train: en/train.csv, dev: d-{lang}/{split}.csv}\n",
            "cannot be read as YAML: line 1, column 33: expected ',' or '}', but got '{'; quote the"
            ' path: "d-{lang}/{split}.csv"',
        ),
        (b'a: "{lang}.csv"]\n', "cannot be read as YAML: line 1, column 16: expected <block end>"),
        (
            b"a:\n\tb: 1\n",
            "cannot be read as YAML: line 2, column 1: found character '\\t' that cannot start"
            " any token; indent with spaces, not tabs",
        ),
        (
            b"ask: Mixes: do they gain?\n",
            "cannot be read as YAML: line 1, column 11: mapping values are not allowed here; put"
            " text that has `: ` in it in quotes, and begin keys of one mapping in one column",
        ),
        (
            b"a: {b: {c: 1}\nd: 2\n",
            "cannot be read as YAML: line 2, column 1: expected ',' or '}', but got '<scalar>'; a"
            " bracket is not closed, here or in a line before",
        ),
        (
            b"a:\n  b: 1\n c: 2\n",
            "cannot be read as YAML: line 3, column 2: expected <block end>, but found '<block"
            " mapping start>'; begin keys of one mapping in one column",
        ),
        (b"\xff\xfe\xfa", "cannot be read as YAML: "),
        (b"just text", "holds no config"),
        (b"- a", "holds no config"),
        (b"", "holds no config"),
    ],
)
def test_a_file_that_is_no_config_is_one_line(tmp_path, content, line):
    good, path = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("a: 1")
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as raised:
        config_files.read([good, path])
    assert str(raised.value).startswith(f"{path}: {line}") and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("own", "files", "name"),
    [
        ("", ["config.yaml"], "config"),
        ("", ["/x/my.grid.yaml"], "my.grid"),
        ("", ["experiments/paper.yaml", "experiments/rehearsal.yaml"], "paper+rehearsal"),
        ("mine", ["experiments/paper.yaml", "my.yaml"], "mine"),
        ("mine", [], "mine"),
    ],
)
def test_the_name_of_an_experiment(own, files, name):
    assert config_files.name({"name": own}, files) == name


def test_the_lock_is_beside_the_last_file():
    assert config_files.lock_file(["config.yaml"]) == "config.lock"
    assert config_files.lock_file(["/x/a.yaml", "y/my.grid.yaml"]) == "y/my.grid.lock"


def test_without_a_config_file_the_name_must_be_set():
    with pytest.raises(UserError, match=r"^config: name: set it: there is no config file"):
        config_files.name({"name": ""}, [])
    assert config_files.lock_file([], "mine") == "mine.lock"


SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "on": {"type": "boolean"},
        "top": {"type": ["integer", "null"]},
        "seeds": {"type": "array", "items": {"type": "integer"}},
        "recipes": {
            "type": "object",
            "additionalProperties": {
                "type": "object", "properties": {"epochs": {"type": "number"}}
            },
        },
        "languages": {"oneOf": [{"const": "all"}, {"type": "array"}]},
        "tasks": {"type": "object"},
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"on": "true"}, {"on": True}),
        ({"on": "no"}, {"on": False}),
        ({"on": "maybe"}, {"on": "maybe"}),  # the schema says what is wrong with it
        ({"top": "3"}, {"top": 3}),
        ({"seeds": ["1", "2"]}, {"seeds": [1, 2]}),
        ({"seeds": "[1, 2]"}, {"seeds": [1, 2]}),
        ({"seeds": "[1, 2"}, {"seeds": "[1, 2"}),
        ({"seeds": "3"}, {"seeds": 3}),
        ({"recipes": {"a": {"epochs": "1.5"}}}, {"recipes": {"a": {"epochs": 1.5}}}),
        ({"recipes": "{a: {epochs: 2}}"}, {"recipes": {"a": {"epochs": 2}}}),
        ({"recipes": {"a": {"epochs": "1e-5"}}}, {"recipes": {"a": {"epochs": "1e-5"}}}),
        ({"name": "1", "languages": ["no"]}, {"name": "1", "languages": ["no"]}),
        ({"tasks": {"a": {"labels": ["0", "1"]}}}, {"tasks": {"a": {"labels": ["0", "1"]}}}),
        ({"nmae": "1", "on": True}, {"nmae": "1", "on": True}),
    ],
)
def test_text_is_read_where_the_schema_wants_something_else(given, read):
    assert config_files.typed(given, SCHEMA) == read


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (["--cores", "2", "status"], []),
        (["--configfile", "a.yaml", "status"], ["a.yaml", "status"]),
        (["-n", "--configfiles", "a.yaml", "b.yaml", "--cores", "2", "x"], ["a.yaml", "b.yaml"]),
        (["--configfile"], []),
    ],
)
def test_what_snakemake_takes_for_config_files(words, files):
    assert config_files.given(words) == files


@pytest.mark.parametrize(
    ("files", "line"),
    [
        (["a.yaml"], ""),
        (["a.yaml", "over", "results/experiments/a/config.yaml"], ""),
        ([], ""),
        (["b.yaml"], "--configfile: b.yaml: there is no such config file"),
        (["a.yaml", "b.yml"], "--configfile: b.yml: there is no such config file"),
        (
            ["a.yaml", "status", "results/x.json"],
            "--configfile takes every word after it for a config file, `status` too; a target goes"
            " before it: snakemake status results/x.json --configfile a.yaml",
        ),
        (["a.yaml", "results/x.json"], "snakemake results/x.json --configfile a.yaml"),
    ],
)
def test_targets_among_the_config_files(monkeypatch, tmp_path, files, line):
    monkeypatch.chdir(tmp_path)
    for path in ("a.yaml", "over", "results/x.json", "results/experiments/a/config.yaml"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("{}")
    said = config_files.targets(files)
    assert said.endswith(line) and bool(said) == bool(line)
