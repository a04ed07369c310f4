"""Variances that are made surer by one another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from xstilts.analysis import moderation
from xstilts.analysis.estimates import Noise, satterthwaite, total
from xstilts.analysis.moderation import moderate


def test_equal_variances_become_one_with_the_degrees_of_freedom_of_all():
    found = moderate(np.array([1.0, 1.1, 0.9, 1.0]), np.full(4, 2))
    assert found.variances.tolist() == pytest.approx([1.0] * 4, rel=1e-4)
    assert found.learned.tolist() == pytest.approx([1.0] * 4, rel=1e-4), "nothing is its own"
    assert found.learned_dof == pytest.approx(8, rel=1e-4)


def test_by_hand_where_rows_differ():
    """Logarithms 0, 3 and 6: squares of 18 about their mean, and a fourth of what is usual."""
    given_, dof = np.exp([0.0, 3.0, 6.0]), np.full(3, 2)
    found = moderate(given_, dof)
    sampling = special.polygamma(1, 1.0)
    d0 = found.dof[0] - 2
    assert special.polygamma(1, d0 / 2) == pytest.approx((18 + 0.5 + sampling) / 3 - sampling)
    mean = 3 - special.digamma(1.0)  # + log(2 / 2)
    s0 = np.exp(mean + special.digamma(d0 / 2) - np.log(d0 / 2))
    assert found.variances[:2] == pytest.approx(((d0 * s0 + 2 * given_) / (d0 + 2))[:2])
    assert found.learned[:2] == pytest.approx(d0 * s0 / (d0 + 2))
    assert found.learned_dof == pytest.approx(3 / (1 / 2 + 1 / d0))


def test_variances_that_differ_shrink_less():
    dof = np.full(6, 2)
    alike = moderate(np.array([1.0, 0.5, 2.0, 1.0, 0.2, 3.0]), dof)
    apart = moderate(np.array([1.0, 1e-3, 1e3, 1.0, 1e-4, 1e4]), dof)
    assert alike.variances.max() / alike.variances.min() < 6
    assert apart.variances.max() / apart.variances.min() > 1e4
    assert apart.dof[0] < 2.5 < 5 < alike.dof[0]


def test_a_row_that_is_clearly_noisier_keeps_its_own_variance():
    found = moderate(np.array([1.0, 1.2, 0.7, 0.9, 1.1, 30.0]), np.full(6, 2))
    assert found.variances[-1] == pytest.approx(30) and found.dof[-1] == pytest.approx(2)
    assert found.learned[-1] == 0 and (found.learned[:-1] > 0.4).all()


def test_two_rows_or_no_noise_are_left_as_they_are():
    for variances in ([1.0, 4.0], [0.0, 0.0, 0.0], []):
        found = moderate(np.array(variances), np.full(len(variances), 2))
        assert found.variances.tolist() == variances and found.dof.tolist() == [2.0] * len(
            variances
        )
        assert not found.learned.any()


def test_a_row_without_noise_is_no_reason_to_fail():
    found = moderate(np.array([0.0, 1.0, 1.0, 2.0]), np.full(4, 2))
    assert np.isfinite(found.variances).all() and (found.variances > 0).all()
    assert (found.dof >= 2).all()


def test_what_rounding_leaves_of_a_row_without_noise_is_nothing():
    """On another scale that rounding is another number, and the answer must be the same."""
    exact, rounded = np.array([0.0, 1.0, 2.0, 1.5]), np.array([1e-33, 1.0, 2.0, 1.5])
    both = [moderate(variances, np.full(4, 2)) for variances in (exact, rounded)]
    for each, other in zip(*both, strict=True):
        assert each == pytest.approx(other, rel=1e-9)


def test_what_was_learned_of_the_same_rows_is_as_unsure_in_all_of_them():
    """Two rows that learned all: 4 degrees of freedom, not 8; of two models, 8."""
    one, other = (Noise(1.0, np.inf, 1.0, 4, model) for model in "ab")
    assert satterthwaite([one, one]) == pytest.approx(4)
    assert satterthwaite([one, other]) == pytest.approx(8)
    assert satterthwaite([one.scaled(9), Noise(9.0, np.inf)]) == pytest.approx(16)
    assert satterthwaite([Noise(1.0, 2), Noise(1.0, 2)]) == pytest.approx(4)
    assert satterthwaite([Noise(0.0, 2)]) == np.inf


def test_what_rounding_leaves_of_a_difference_is_no_variance():
    """Else two equal models differ by 0.000000 points and a power of 80% for 0.000001."""
    noises = [Noise(0.1, 2), Noise(0.2, 2), Noise(-0.3, np.inf)]
    assert sum(noise.variance for noise in noises) > 0
    assert total(noises) == 0.0
    assert total([*noises, Noise(1e-6, 11)]) == pytest.approx(1e-6)
    assert np.isnan(total([Noise(np.nan, 2)]))


def test_what_is_left_of_a_difference_of_variances_is_as_sure_as_the_least_sure_of_them():
    """The formula alone says 0.02² / (1² / 3 + 0.01² / 11) = 0.0012 degrees of freedom: an
    interval without end."""
    taken = Noise(-0.99, np.inf)
    assert satterthwaite([Noise(1.0, 3), Noise(0.01, 11), taken]) == 3
    assert satterthwaite([Noise(1.0, np.inf, 0.5, 1, "m"), taken]) == pytest.approx(4)
    plain = 0.41**2 / (1 / 3 + 0.4**2 / 11)
    assert satterthwaite([Noise(1.0, 3), Noise(0.4, 11), taken]) == 3 > plain
    assert satterthwaite([Noise(1.0, 3), Noise(9.0, 11), taken]) == pytest.approx(
        9.01**2 / (1 / 3 + 81 / 11)
    )


@given(st.floats(1e-9, 1e9))
def test_the_inverse_of_trigamma(y):
    assert special.polygamma(1, moderation._inverse_trigamma(y)) == pytest.approx(y, rel=1e-4)


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=12),
    st.integers(1, 9),
)
def test_moderated_variances_lie_between_what_there_is(variances, dof):
    found = moderate(np.array(variances), np.full(len(variances), dof))
    assert np.isfinite(found.variances).all() and (found.variances >= 0).all()
    assert (found.learned <= found.variances * (1 + 1e-9)).all()
    assert (found.dof >= dof - 1e-9).all()
    assert found.learned_dof <= dof * len(variances) + 1e-9 or not found.learned.any()
