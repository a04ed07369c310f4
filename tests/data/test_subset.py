"""Which rows are picked by a number of each."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.data import subset
from xstilts.running.errors import UserError

IDS = list("abcdefgh")
CLASSES = ["no", "yes"] * 4
VALUES = np.array([0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6])


@pytest.mark.parametrize(
    ("keep", "by_class", "by_rank"),
    [
        ("highest", [1, 3, 4, 6], [1, 3, 5, 7]),
        ("lowest", [0, 2, 5, 7], [0, 2, 4, 6]),
        ("middle", [2, 3, 4, 5], [4, 5, 6, 7]),
    ],
)
def test_rows_are_picked_by_rank_in_equal_shares_of_the_classes(keep, by_class, by_rank):
    assert subset.choose(IDS, CLASSES, VALUES, keep, 4).tolist() == by_class
    assert subset.choose(IDS, [], VALUES, keep, 4).tolist() == by_rank


def test_of_a_size_that_is_no_multiple_the_first_class_has_one_more():
    picked = subset.choose(IDS, CLASSES, VALUES, "highest", 3)
    assert [CLASSES[at] for at in picked] == ["yes", "no", "no"]


def test_equal_numbers_are_told_apart_by_id_and_not_by_place():
    same, back = np.zeros(8), np.arange(8)[::-1]
    picked = {IDS[at] for at in subset.choose(IDS, [], same, "lowest", 3)}
    again = subset.choose(IDS[::-1], [], same, "lowest", 3)
    assert {IDS[back[at]] for at in again} == picked
    assert picked == {IDS[at] for at in subset.choose(IDS, [], same, "highest", 3)}
    assert picked != set(IDS[:3])


def test_any_rows_follow_from_the_seed_and_fewer_are_among_more():
    few, more, other = (
        set(subset.choose(IDS, CLASSES, None, "random", n, seed).tolist())
        for n, seed in ((2, 1), (6, 1), (2, 2))
    )
    assert few < more and other != few
    assert sorted(CLASSES[at] for at in more) == ["no"] * 3 + ["yes"] * 3


def test_too_few_rows_of_a_class_are_said_and_where_any_number_will_do_taken():
    classes = ["a"] * 6 + ["b"] * 2
    with pytest.raises(UserError, match="is 3 of each, but `b` has 2; ask for fewer rows, or say"):
        subset.choose(IDS, classes, VALUES, "highest", 6)
    with pytest.raises(UserError, match="rows: 9, but there are 8"):
        subset.choose(IDS, [], VALUES, "highest", 9)
    picked = subset.choose(IDS, classes, VALUES, "highest", 100, at_most=True)
    assert [classes[at] for at in picked] == ["a", "a", "b", "b"]


def test_a_row_without_a_number_is_refused():
    with pytest.raises(UserError, match="a row has no number"):
        subset.choose(["a", "b"], [], np.array([0.5, np.nan]), "lowest", 1)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=30), st.data())
def test_thirds_cover_all_rows_once(values, data):
    values = np.array(values[: len(values) // 3 * 3])
    ids, rows = [str(at) for at in range(len(values))], len(values) // 3
    thirds = [subset.choose(ids, [], values, keep, rows) for keep in subset.KEEPS[:3]]
    high, middle, low = (values[third] for third in thirds)
    assert high.min() >= middle.max() and middle.min() >= low.max()


def test_a_subset_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "seed1.parquet"
    subset.write(path, np.array([1, 2]), IDS)
    places, ids = subset.read(path)
    assert (places.tolist(), ids) == ([1, 2], ["b", "c"])
    path.write_bytes(b"PAR1")
    with pytest.raises(UserError, match=r"is damaged .*; delete it to have it made anew"):
        subset.read(path)


def test_measures_are_known_by_id(tmp_path):
    path = tmp_path / "seed1.parquet"
    pq.write_table(pa.table({"id": ["b", "a"], "loss": [2.0, 1.0]}), path)
    assert subset.values(path, "loss", ["a", "b"]).tolist() == [1.0, 2.0]
    with pytest.raises(UserError, match="is not of the rows that are there"):
        subset.values(path, "loss", ["a", "c"])
    pq.write_table(pa.table({"id": ["b", "a"], "variability": [0.0, 0.0]}), path)
    with pytest.raises(UserError, match="`variability` is 0 of every row, so none is higher"):
        subset.values(path, "variability", ["a", "b"])
