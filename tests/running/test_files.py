"""Files that are whole or not there, and digests that stay."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.running import files
from xstilts.running.errors import UserError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=9,
)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a/b.txt"
    with files.atomic(path) as temporary:
        temporary.write_text("one")
        assert not path.exists()
    assert path.read_text() == "one"
    with pytest.raises(ZeroDivisionError), files.atomic(path) as temporary:
        temporary.write_text("two")
        1 / 0  # noqa: B018
    assert path.read_text() == "one"
    assert [p.name for p in path.parent.iterdir()] == ["b.txt"]


def test_the_digest_of_a_spec_is_the_same_everywhere():
    assert files.digest({"b": 1, "a": ["é", None]}) == files.digest({"a": ["é", None], "b": 1})
    assert files.digest({"b": 1, "a": ["é", None]}) == "6b940ff97b8f64e7"
    assert files.canonical({"b": 1, "a": ["é", None]}) == '{"a":["é",null],"b":1}'


@given(JSON)
def test_what_is_written_can_be_read(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "value.json"
    files.write_json(path, value)
    assert files.read_json(path) == value
    assert files.digest(files.read_json(path)) == files.digest(value)


def test_numbers_that_are_none_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "x.json", {"loss": float("nan")})
    assert not list(tmp_path.iterdir())


def test_missing_and_damaged_json_is_named(tmp_path):
    path = tmp_path / "x.json"
    with pytest.raises(UserError, match=r"x\.json: there is no such file"):
        files.read_json(path)
    for content in (b"", b"{", b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"x\.json: cannot be read as JSON .*delete it"):
            files.read_json(path)


def test_the_digest_of_a_file_is_of_its_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert files.sha256(tmp_path / "x").startswith("ba7816bf8f01cfea")


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("/a/results/scores/m/x.json", "/a/results"),
        ("/a/results/rehearsal/results/experiments/e/grid.csv", "/a/results/rehearsal/results"),
        ("/results/clone/results/logs/x.log", "/results/clone/results"),
        ("/a/results/scores/results/x.json", "/a/results"),
        ("/a/results/ledger.jsonl", "/a/results"),
        ("/a/results/rehearsal/results/ledger.jsonl", "/a/results/rehearsal/results"),
        ("/a/tables/main.csv", "/a/tables"),
    ],
)
def test_the_results_folder_that_a_file_is_in(path, folder):
    assert files.results_of(path) == Path(folder)
