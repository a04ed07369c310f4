"""Variances that are made surer by one another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from xstilts.analysis import moderation
from xstilts.analysis.moderation import moderate


def test_equal_variances_become_one_with_the_degrees_of_freedom_of_all():
    variances, dof = moderate(np.array([1.0, 1.1, 0.9, 1.0]), np.full(4, 2))
    assert variances.tolist() == pytest.approx([1.0] * 4)
    assert dof.tolist() == [8.0] * 4


def test_by_hand_where_rows_differ():
    """Logarithms 0, 3 and 6: their variance 9 is 8.3551 above trigamma(1) = 1.6449 / ... ."""
    given_, dof = np.exp([0.0, 3.0, 6.0]), np.full(3, 2)
    found, moderated_dof = moderate(given_, dof)
    spread = 9 - special.polygamma(1, 1.0)
    d0 = moderated_dof[0] - 2
    assert special.polygamma(1, d0 / 2) == pytest.approx(spread), "the fit of the prior"
    mean = 3 - special.digamma(1.0)  # + log(2 / 2)
    s0 = np.exp(mean + special.digamma(d0 / 2) - np.log(d0 / 2))
    assert found.tolist() == pytest.approx(((d0 * s0 + 2 * given_) / (d0 + 2)).tolist())


def test_variances_that_differ_shrink_less():
    dof = np.full(6, 2)
    alike, alike_dof = moderate(np.array([1.0, 0.5, 2.0, 1.0, 0.2, 3.0]), dof)
    apart, apart_dof = moderate(np.array([1.0, 1e-3, 1e3, 1.0, 1e-4, 1e4]), dof)
    assert alike.max() / alike.min() < 3 < 1e4 < apart.max() / apart.min()
    assert apart_dof[0] < 2.5 < 5 < alike_dof[0]


def test_two_rows_or_no_noise_are_left_as_they_are():
    for variances in ([1.0, 4.0], [0.0, 0.0, 0.0], []):
        found, dof = moderate(np.array(variances), np.full(len(variances), 2))
        assert found.tolist() == variances and dof.tolist() == [2.0] * len(variances)


def test_a_row_without_noise_is_no_reason_to_fail():
    found, dof = moderate(np.array([0.0, 1.0, 1.0, 2.0]), np.full(4, 2))
    assert np.isfinite(found).all() and (found > 0).all() and (dof >= 2).all()


@given(st.floats(1e-9, 1e9))
def test_the_inverse_of_trigamma(y):
    assert special.polygamma(1, moderation._inverse_trigamma(y)) == pytest.approx(y, rel=1e-4)


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=12),
    st.integers(1, 9),
)
def test_moderated_variances_lie_between_what_there_is(variances, dof):
    found, moderated_dof = moderate(np.array(variances), np.full(len(variances), dof))
    assert np.isfinite(found).all() and (found >= 0).all()
    assert (moderated_dof >= dof - 1e-9).all() and (moderated_dof <= dof * len(variances)).all()
