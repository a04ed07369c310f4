"""mAP@20, and the exact search for the first candidates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts import metrics
from xstilts.metrics import nearest, ranking


def test_average_precision_by_hand():
    # Right at ranks 1 and 3 of three right ones: (1/1 + 2/3) / 3.
    assert ranking.average_precision({"a", "b", "c"}, ["a", "x", "b", "y"]) == (1 + 2 / 3) / 3
    assert ranking.average_precision({"a"}, ["x", "y", "a"]) == 1 / 3, "one right: 1 / rank"
    assert ranking.average_precision({"a", "b"}, ["a", "a", "b"]) == (1 + 2 / 3) / 2, "once each"
    assert ranking.average_precision({"a"}, ["x"] * 20 + ["a"]) == 0, "past the 20th"
    assert ranking.average_precision({str(i) for i in range(30)}, [*map(str, range(20))]) == 1
    assert ranking.average_precision([], ["a"]) == ranking.average_precision({"gone"}, ["a"]) == 0
    assert ranking.average_precision({"a"}, []) == 0
    assert metrics.score("map20", [["a"], [], ["b"]], [["x", "a"], ["a"], ["b"]], "de") == {
        "map20": 0.5
    }
    with pytest.raises(ValueError):
        ranking.map20([["a"]], [])


def first(products, k):
    """The k largest of each row, of equals the first, by a stable sort of all."""
    return np.argsort(-products, axis=1, kind="stable")[:, :k]


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_the_search_is_a_stable_sort_however_the_candidates_come(data):
    """Small whole numbers, so that ties are many and products exact."""
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    n, m, k = (data.draw(st.integers(1, size)) for size in (6, 40, 12))
    queries, candidates = (draw.integers(-1, 2, (size, 3)).astype(np.float32) for size in (n, m))
    cuts = sorted(data.draw(st.lists(st.integers(0, m), max_size=4)))
    found = nearest.search(queries, np.split(candidates, cuts), k)
    products = queries @ candidates.T
    expected = first(products, k)
    assert found.position.tolist() == expected.tolist()
    assert found.similarity.tolist() == np.take_along_axis(products, expected, 1).tolist()


def test_blocks_are_of_a_few_candidates_where_queries_are_many(monkeypatch):
    monkeypatch.setattr(nearest, "PRODUCTS", 35)
    sizes = []
    take = nearest.Search._take
    monkeypatch.setattr(
        nearest.Search, "_take", lambda s, block: sizes.append(tuple(block.shape)) or take(s, block)
    )
    draw = np.random.default_rng(0)
    queries, candidates = (draw.normal(size=(size, 4)).astype(np.float32) for size in (10, 11))
    found = nearest.search(queries, [candidates])
    assert sizes == [(10, 3), (10, 3), (10, 3), (10, 2)]
    assert found.position.tolist() == first(queries @ candidates.T, 20).tolist()
