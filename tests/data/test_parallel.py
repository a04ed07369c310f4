"""Parallel sentences: rows by their ids, pairs, and which of them are measured."""

import pytest

from xstilts.data import parallel
from xstilts.data.parallel import Pair
from xstilts.data.prepare import sample
from xstilts.running.errors import UserError


def rows(**texts):
    return [{"id": name, "text": text} for name, text in texts.items()]


def test_rows_go_together_by_their_ids_in_the_order_of_the_pivot():
    found = parallel.of_rows(rows(b="Katze", a="Hund"), rows(a="dog", b="cat"), "text", "de", "en")
    assert found == [Pair("Hund", "dog"), Pair("Katze", "cat")]


@pytest.mark.parametrize(
    ("german", "line"),
    [
        (
            {"a": "Hund"},
            "1 rows in de and 2 in en: both need rows of the same ids, and `b` is in en",
        ),
        ({"a": "Hund", "c": "x"}, "2 rows in de and 2 in en: .* `b` is in en alone; give both the"),
        ({"a": "x", "b": "y", "c": "z"}, "3 rows in de .* `c` is in de alone; .* leave de out of"),
    ],
)
def test_sides_that_differ_are_refused(german, line):
    with pytest.raises(UserError, match=line):
        parallel.of_rows(rows(**german), rows(a="dog", b="cat"), "text", "de", "en")


PAIRS = [
    {"id": "1.s", "side": "source", "text": "a", "gold": "1.t"},
    {"id": "1.t", "side": "target", "text": "A", "gold": None},
    {"id": "2.t", "side": "target", "text": "B", "gold": None},  # nothing's translation
    {"id": "3.s", "side": "source", "text": "c", "gold": None},  # without one
]


def test_pairs_are_sources_with_their_targets_whichever_is_the_pivot():
    assert parallel.of_pairs(PAIRS, pivot_first=False) == [Pair("a", "A")]
    assert parallel.of_pairs(PAIRS, pivot_first=True) == [Pair("A", "a")]
    with pytest.raises(UserError, match="no sentence has its translation among the rows"):
        parallel.of_pairs(PAIRS[2:], pivot_first=False)


def test_what_is_there_again_or_empty_is_left_out():
    pairs = [Pair(*each) for each in ("aA", "bA", "cC", "cD", ("", "E"), ("f", ""), "gG")]
    assert parallel.chosen(pairs, 9) == ([0, 2, 3, 4, 6], [0, 2, 6], 4)


def test_a_smaller_sample_is_part_of_a_larger_one_and_the_same_for_all_languages():
    pairs = [Pair(f"x{i}", f"y{i}") for i in range(40)]
    small, large = (parallel.chosen(pairs, n)[0] for n in (10, 30))
    assert small == sample(40, 10) and set(small) < set(large) and len(large) == 30
    others = [pair._replace(text=f"z{i % 7}") for i, pair in enumerate(pairs)]
    drawn, kept, left_out = parallel.chosen(others, 10)
    assert drawn == small and set(kept) <= set(small) and left_out == 10 - len(kept)
