"""Student's t interval against printed tables and a case worked out by hand."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.analysis import student_t


@pytest.mark.parametrize(
    ("dof", "level", "t"),
    [
        (1, 0.95, 12.706), (2, 0.95, 4.303), (3, 0.95, 3.182), (4, 0.95, 2.776), (5, 0.95, 2.571),
        (9, 0.95, 2.262), (10, 0.95, 2.228), (30, 0.95, 2.042), (120, 0.95, 1.980),
        (1, 0.5, 1.0), (2, 0.99, 9.925), (7, 0.9, 1.895),
    ],
)  # fmt: skip
def test_quantiles_of_the_printed_tables(dof, level, t):
    assert student_t.critical_value(dof, level) == pytest.approx(t, abs=5e-4)


def test_many_degrees_of_freedom_are_nearly_normal():
    normal = statistics.NormalDist().inv_cdf(0.975)
    assert student_t.critical_value(2000) == pytest.approx(normal, abs=2e-3)


def test_the_interval_by_hand():
    """Mean 71, deviation 1, error 1 / root 3; t of two degrees of dof is 4.303."""
    low, high = student_t.mean_interval([70.0, 71.0, 72.0])
    assert (low, high) == pytest.approx((71 - 4.3027 / math.sqrt(3), 71 + 4.3027 / math.sqrt(3)))


def test_one_value_has_no_interval():
    assert student_t.mean_interval([70.0]) is None


def test_equal_values_have_an_interval_without_width():
    assert student_t.mean_interval([0.5, 0.5, 0.5]) == (0.5, 0.5)


@given(st.lists(st.floats(0, 100), min_size=2, max_size=9), st.floats(-50, 50))
def test_it_holds_the_mean_and_moves_with_the_values(values, shift):
    low, high = student_t.mean_interval(values)
    assert low <= statistics.fmean(values) <= high
    moved = student_t.mean_interval([value + shift for value in values])
    assert moved == pytest.approx((low + shift, high + shift), abs=1e-6)
