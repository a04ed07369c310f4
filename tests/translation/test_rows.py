"""Rows of formats whose labels stay: their texts, and the rows with others in their place."""

import pytest

from xstilts.running.errors import UserError
from xstilts.translation import choice_rows, counts, labelled_rows, rows, shards

PAIR = {"id": "1", "text": "A", "text_pair": "B", "label": "neutral"}
CHOICE = {"id": "2", "context": "C", "choices": ["x", "y", "x"], "label": 1}


def test_pair():
    """Both texts, with the label as it was."""
    assert labelled_rows.texts(PAIR) == ["A", "B"]
    assert labelled_rows.rebuilt(PAIR, ["a", "b"]) == PAIR | {"text": "a", "text_pair": "b"}
    assert labelled_rows.rebuilt(PAIR, ["a", " "]) == "empty translation"


def test_single_text():
    """A text that is missing or blank is none."""
    row = PAIR | {"text_pair": None}
    assert labelled_rows.texts(row) == ["A"]
    assert labelled_rows.rebuilt(row, ["a"]) == row | {"text": "a"}
    assert labelled_rows.texts(PAIR | {"text_pair": " "}) == ["A"]


def test_choice():
    """The right choice keeps its number, and has to stay apart."""
    assert choice_rows.texts(CHOICE) == ["C", "x", "y", "x"]
    made = choice_rows.rebuilt(CHOICE, ["c", "1", "2", "1"])
    assert made == CHOICE | {"context": "c", "choices": ["1", "2", "1"]}
    assert choice_rows.rebuilt(CHOICE, ["c", "1", "1", "1"]) == "two choices are the same"
    assert choice_rows.rebuilt(CHOICE, ["c", "1", "", "1"]) == "empty translation"
    assert choice_rows.texts(CHOICE | {"context": ""}) == ["x", "y", "x"]


def test_every_page_is_there():
    """A page has two functions; a format without one is refused."""
    for format in rows.PAGES:
        assert rows.page(format).texts and rows.page(format).rebuilt
    with pytest.raises(UserError, match="format retrieval are not translated"):
        rows.page("retrieval")


def test_shards():
    """Each text is in one shard, by its letters alone."""
    of = [shards.shard_of(f"text {i}", 4) for i in range(400)]
    assert min(map(of.count, range(4))) > 70 and {shards.shard_of("a", 1)} == {0}
    assert shards.shard_of("Anna buys bread.", 4) == 1


def test_counts():
    """Numbers whatever their marks and digits, names within a sentence, tags, line breaks."""
    source = "Anna met Bob Smith on <b>May</b> 5, 1,234 times.\nShe wrote to a@b.org."
    into = "Anna traf Bob Schmid am <b>5.</b> Mai, ١٬٢٣٤ Mal.\nSie schrieb an a@b.org."
    assert counts.numbers(source) == {"5": 1, "1234": 1}
    assert counts.numbers(into) == {"5": 1, "1234": 1}
    assert counts.names(source) == {"Bob": 1, "Smith": 1, "May": 1}
    found = counts.kept([(source, into)])
    assert found["numbers"] == {"before": 2, "after": 2, "kept": 2}
    assert found["markup"] == {"before": 3, "after": 3, "kept": 3}
    assert found["breaks"] == {"before": 1, "after": 1, "kept": 1}
    assert found["names"] == {"before": 3, "after": 4, "kept": 1}
