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
        (b"a: [", "cannot be read as YAML: while parsing"),
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
