import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from xstilts.translation import links

# the red car -> das rote Auto fährt
ALIKE = np.array([[0.9, 0.1, 0.2, 0.0], [0.1, 0.8, 0.1, 0.3], [0.2, 0.1, 0.7, 0.6]])


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("mutual", [(0, 0), (1, 1), (2, 2)]),
        ("itermax", [(0, 0), (1, 1), (2, 2), (2, 3)]),
        ("assigned", [(0, 0), (1, 1), (2, 2)]),
        ("forward", [(0, 0), (1, 1), (2, 2), (2, 3)]),
    ],
)
def test_links_of_one_sentence(method, expected):
    found = links.aligned(ALIKE, method)
    assert list(found.links) == expected
    assert found.nearest == (0, 1, 2, 2)


def test_words_that_are_alike_only_one_way_are_not_mutual():
    alike = np.array([[0.9, 0.8], [0.1, 0.2]])
    assert links.mutual(alike) == [(0, 0)]
    assert links.assigned(alike) == [(0, 0), (1, 1)]


matrices = arrays.arrays(
    np.float32, arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=6),
    elements=st.floats(-1, 1, width=32),
)  # fmt: skip


@given(matrices, st.sampled_from([*links.METHODS]))
def test_links_are_of_words_that_are_there(alike, method):
    found = links.aligned(alike, method)
    assert list(found.links) == sorted(set(found.links))
    assert all(0 <= i < alike.shape[0] and 0 <= j < alike.shape[1] for i, j in found.links)
    assert len(found.nearest) == alike.shape[1]


@given(matrices)
def test_mutual_links_are_one_to_one_and_the_same_both_ways(alike):
    found = links.mutual(alike)
    assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)
    if len(np.unique(alike)) == alike.size:  # of equal ones the first counts, which differs
        assert tuple(links.mutual(alike.T)) == links.swapped(tuple(found))
    assert set(found) <= set(links.itermax(alike))


def test_words_at_the_same_place_are_near():
    found = links.nearness(2, 4)
    far = np.exp(-((np.array([[0, 1, 2, 3], [2, 1, 0, 1]]) / links.FAR) ** 2))
    np.testing.assert_allclose(found, far, rtol=1e-6)
    assert links.nearness(0, 3).shape == (0, 3)
