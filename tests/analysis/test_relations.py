"""Rank correlations of estimates with estimates: by hand, and against scipy."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from xstilts.analysis import relations
from xstilts.analysis.relations import Scoring, by_chance, correlation, shuffles

ALL = Scoring((np.arange(4),))


def drawn(x, y, noise_x, noise_y):
    """Draws of both sides of points; the noise is array (draws, points)."""
    return SimpleNamespace(
        values=np.concatenate([x, y]), noise=np.concatenate([noise_x, noise_y], axis=1)
    )


def of(scoring, x, y):
    return float(correlation(scoring, np.array([x], float), np.array([y], float))[0])


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=12))
def test_over_all_points_it_is_spearmans(points):
    x, y = np.array(points, float).T
    found = of(Scoring((np.arange(len(x)),)), x, y)
    if np.ptp(x) and np.ptp(y):
        assert found == pytest.approx(stats.spearmanr(x, y).statistic)
    else:
        assert found == 0


def test_within_families_it_is_the_mean_of_theirs_by_their_points_less_one():
    groups = (np.array([0, 2, 4]), np.array([1, 3, 5, 6, 7]))
    x, y = [1, 1, 2, 2, 3, 3, 4, 5], [9, 1, 8, 3, 7, 2, 5, 4]  # -1 in the first
    second = stats.spearmanr([1, 2, 3, 4, 5], [1, 3, 2, 5, 4]).statistic
    assert of(Scoring(groups), x, y) == pytest.approx((2 * -1 + 4 * second) / 6)
    assert Scoring(groups).dof == 6


def test_a_partial_correlation_is_that_of_the_formula():
    x, y, z = np.random.default_rng(0).normal(size=(3, 9))
    xy, xz, yz = (stats.spearmanr(*pair).statistic for pair in ((x, y), (x, z), (y, z)))
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    scoring = Scoring((np.arange(9),), z[:, None])
    assert of(scoring, x, y) == pytest.approx(expected) and scoring.dof == 7
    assert of(scoring, z, y) == 0, "nothing is left of what is taken out"


def test_without_noise_the_interval_is_the_correlation():
    still = np.zeros((50, 4))
    draws = drawn([1, 2, 3, 4], [1, 2, 4, 3], still, still)
    found = relations.interval(draws, ALL, np.arange(4), np.arange(4, 8))
    assert found == pytest.approx((0.8, 0.8, 0.8))


@pytest.mark.parametrize("noisy", [0, 1])
def test_what_differs_by_no_more_than_its_noise_has_no_order(noisy):
    noise = [np.zeros((200, 4)), np.zeros((200, 4))]
    noise[noisy] = np.random.default_rng(0).normal(size=(200, 4)) * 3
    draws = drawn([1, 2, 3, 4], [1, 2, 3, 4], *noise)
    assert relations.interval(draws, ALL, np.arange(4), np.arange(4, 8)) == (1, -1, 1)


def test_noise_that_both_sides_have_in_common_is_taken_out():
    """What looks related by the luck of the same seeds is not, in an interval of both sides."""
    random = np.random.default_rng(1)
    n, number = 12, 40
    true, luck = random.normal(size=(2, number, n)), random.normal(size=(number, n))
    noise = random.normal(size=(500, n))
    scoring, places = Scoring((np.arange(n),)), np.arange(n)
    seen = held = apart = 0
    for x, y, own in zip(true[0], true[1], luck, strict=True):
        of_truth = of(scoring, x, y)
        together = drawn(x + own, y + own, noise, noise)
        each = drawn(x + own, y + own, noise, random.permuted(noise, axis=0))
        value, low, high = relations.interval(together, scoring, places, places + n)
        _, other, top = relations.interval(each, scoring, places, places + n)
        seen += value > of_truth
        held += low <= of_truth <= high
        apart += other <= of_truth <= top
    assert seen > 33, "the luck in common makes it larger"
    # 38 are promised, but as much luck in common as there is to see is more than can be taken out.
    assert held >= 30 and apart < held


def test_permutations_are_of_points_of_labels_or_within_families():
    random = np.random.default_rng(0)
    found = shuffles("abcd", ["x", "x", "y", "y"], False, random)
    assert {tuple(row) for row in found} == set(itertools.permutations(range(4)))
    inside = shuffles("abcd", ["x", "x", "y", "y"], True, random)
    assert {tuple(row) for row in inside} == {
        (0, 1, 2, 3), (1, 0, 2, 3), (0, 1, 3, 2), (1, 0, 3, 2),
    }  # fmt: skip
    # Two languages in two families, and one that is in the first alone: it stays.
    labels, families = ["de", "ru", "sw", "de", "ru"], ["x", "x", "x", "y", "y"]
    both = {tuple(row) for row in shuffles(labels, families, False, random)}
    assert both == {(0, 1, 2, 3, 4), (1, 0, 2, 4, 3)}


def test_the_chance_of_the_largest_is_that_of_any():
    weak = np.array([0.1, -0.2, 0.3, -0.4] * 25)
    strong = np.array([0.9, 0.2, 0.3, 0.4] * 25)
    low, high = by_chance([relations.Tested(0.35, weak, 4), relations.Tested(0.8, strong, 4)])
    assert low.p == pytest.approx(26 / 101) and high.p == pytest.approx(26 / 101)
    # 0.9, 0.4 and 0.4 are the largest of four permutations, 0.2 of the second is below.
    assert low.p_any == pytest.approx(51 / 101) and high.p_any == pytest.approx(26 / 101)
    assert low.least == pytest.approx(0.9)
    assert by_chance([]) == []


def test_a_correlation_of_more_points_is_less_by_chance():
    one = np.array([0.5] * 100)
    few, many = by_chance([relations.Tested(0.5, one, 4), relations.Tested(0.5, 0 * one, 16)])
    assert (few.p_any, many.p_any) == (1.0, 1 / 101), "in units of its deviation it is twice as far"
    assert few.least == pytest.approx(0.5) and many.least == pytest.approx(0.25)


def test_who_looks_at_all_layers_claims_little_by_chance(monkeypatch):
    """Of 300 tries of 8 layers at 5%, more than 28 are wrong in 1 of 1,000."""
    monkeypatch.setattr(relations, "PERMUTATIONS", 400)
    random, every = np.random.default_rng(0), np.arange(10)
    order = shuffles([f"p{i}" for i in every], [""] * 10, False, random)
    scoring, together, alone = Scoring((every,)), 0, 0
    for _ in range(300):
        y, first = random.normal(size=(2, 10))
        layers = 0.6 * first + 0.8 * random.normal(size=(8, 10))
        found = by_chance([relations.tested(scoring, x, y, order) for x in layers])
        together += min(chance.p_any for chance in found) < 0.05
        alone += min(chance.p for chance in found) < 0.05
    assert together <= 28 < 2 * 28 < alone


@pytest.mark.parametrize(("points", "seen"), [(4, False), (5, True)])
def test_four_points_can_show_nothing_and_five_can(points, seen):
    random, every = np.random.default_rng(0), np.arange(points)
    order = shuffles([f"p{i}" for i in every], [""] * points, False, random)
    scoring = Scoring((every,))
    [found] = by_chance([relations.tested(scoring, every, every, order)])
    assert (found.p_any < 0.05) == seen
    assert (found.least <= 1) == seen, "NaN where not even 1 would be told from chance"
