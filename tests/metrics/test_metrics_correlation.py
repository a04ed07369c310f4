"""The correlations of numbers: by hand, and equal to scipy's."""

import math
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.metrics import correlation

# Few different numbers give ties; of many the differences may be small beside the numbers.
NUMBERS = st.sampled_from([0.0, 1.0, 2.5, 5.0]) | st.floats(-1e6, 1e6, width=32)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=40).map(
    lambda pairs: tuple(map(list, zip(*pairs, strict=True)))
)


def test_by_hand():
    found = correlation.correlations([1.0, 2.0, 3.0], [1.0, 3.0, 2.0])
    assert found == {"pearson": pytest.approx(0.5), "spearman": pytest.approx(0.5)}
    found = correlation.correlations([0.0, 1.0, 2.0], [0.0, 1.0, 8.0])
    assert found["pearson"] == pytest.approx(8 / math.sqrt(2 * 38))
    assert found["spearman"] == pytest.approx(1.0), "the order is right"


def test_equal_numbers_have_the_mean_of_their_ranks():
    assert correlation.ranks([5.0, 1.0, 5.0, 0.5, 5.0]) == [4.0, 2.0, 4.0, 1.0, 4.0]
    assert correlation.ranks([2.0, 2.0]) == [1.5, 1.5]


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        ([0.1, 0.2, 0.3], [0.1, 0.1, 0.1]),  # the mean of three 0.1 is not 0.1 to the last bit
        ([2.0, 2.0, 2.0], [1.0, 2.0, 3.0]),
        ([1.0], [1.0]),
    ],
)
def test_one_number_alone_is_zero(gold, predicted):
    assert correlation.correlations(gold, predicted) == {"pearson": 0.0, "spearman": 0.0}


@given(PAIRS)
def test_they_equal_scipy(pairs):
    from scipy import stats

    found = correlation.correlations(*pairs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pearson, spearman = stats.pearsonr(*pairs), stats.spearmanr(*pairs)
    if any(len(set(numbers)) == 1 for numbers in pairs):
        assert found == {"pearson": 0.0, "spearman": 0.0}
    else:
        assert found["pearson"] == pytest.approx(pearson.statistic, abs=1e-7)
        assert found["spearman"] == pytest.approx(spearman.statistic, abs=1e-12)


@given(PAIRS)
def test_scale_and_origin_do_not_matter(pairs):
    gold, predicted = pairs
    moved = [2.0 * number for number in predicted]
    assert correlation.correlations(gold, moved) == correlation.correlations(gold, predicted)
    turned = correlation.correlations(gold, [-number for number in predicted])
    assert turned["spearman"] == pytest.approx(-correlation.correlations(*pairs)["spearman"])
