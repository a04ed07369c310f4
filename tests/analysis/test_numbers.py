"""How numbers are shown."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.analysis import numbers

NAN = float("nan")
FLOATS = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("value", "points", "delta"),
    [
        (-1.25, "−1.3", "−1.3"),  # was -1.2 in main.md and -1.3 in report.html
        (1.25, "1.3", "+1.3"),
        (0.15, "0.2", "+0.2"),  # its float is a little less
        (100 * 0.5695, "57.0", "+57.0"),  # 56.949999999999996
        (1.249999, "1.3", "+1.3"),  # 1.2500 in the CSV file
        (1.2499, "1.2", "+1.2"),
        (-0.04, "0.0", "0.0"),  # no -0.0
        (-0.0, "0.0", "0.0"),
        (0.04, "0.0", "0.0"),
        (0.05, "0.1", "+0.1"),
        (100, "100.0", "+100.0"),
        (-1e-9, "0.0", "0.0"),
        (NAN, "–", "–"),
        (None, "–", "–"),
    ],
)
def test_a_number_is_rounded_once(value, points, delta):
    assert numbers.points(value) == points
    assert numbers.delta(value) == delta


def test_other_decimals():
    assert numbers.points(1234.5, 0) == "1235"
    assert numbers.points(0.0005, 3) == "0.001"
    assert numbers.points(0.000012345, 6) == "0.000012"
    assert numbers.delta(-0.0125, 2) == "−0.01"
    assert numbers.delta(-0.0151, 2) == "−0.02"


@pytest.mark.parametrize(
    ("low", "high", "least", "digits"),
    [
        (0.9, 2.7, 1, 1),
        (0.9, 1.1, 1, 1),
        (0.9, 1.0, 1, 2),  # else both would be 1.0 or 0.9
        (0.04, 2.0, 1, 2),  # else a bound above zero would be shown as 0.0
        (-2.0, -0.004, 1, 3),
        (0.00012, 0.0003, 1, 5),
        (-1.0, 0.0, 1, 1),
        (1.0, 1.0, 2, 2),
        (1.0, 1.0 + 1e-9, 1, 1),  # the noise of arithmetic
        (1e-12, 1.0, 1, 6),
        (NAN, NAN, 1, 1),
    ],
)
def test_a_narrow_interval_has_more_decimals(low, high, least, digits):
    assert numbers.decimals(low, high, least) == digits


@given(FLOATS, FLOATS)
def test_no_bound_is_shown_with_another_sign_than_it_has(a, b):
    low, high = min(a, b), max(a, b)
    digits = numbers.decimals(low, high)
    for bound in (low, high):
        shown = numbers.rounded(bound, digits)
        assert math.copysign(1, shown) == math.copysign(1, bound) or not bound or abs(bound) < 1e-5


def test_counts():
    assert [numbers.count(x) for x in (0, 12345.0, NAN, None)] == ["0", "12,345", "–", "–"]


def test_csv_files_have_no_zero_with_a_sign():
    assert [numbers.stored(x) for x in (-0.00001, -0.0, -0.0001, 56)] == [
        "0.0000", "0.0000", "-0.0001", "56.0000",
    ]  # fmt: skip
    assert numbers.stored(-0.0, numbers.EXACT) == "0"
    assert numbers.stored(100 * 0.57, numbers.EXACT) == "57"


def test_an_interval_and_a_p_value():
    assert numbers.interval(-1.25, 32.5) == "−1.3 to 32.5"
    assert numbers.interval(NAN, NAN) == numbers.interval(None, 1.0) == "–"
    assert numbers.p_value(0.0009) == "<0.001" and numbers.p_value(0.001) == "0.001"
    assert numbers.p_value(0.0123) == "0.012" and numbers.p_value(NAN) == "–"


@given(FLOATS)
def test_the_sign_is_that_of_the_number_and_gains_mirror_losses(value):
    text = numbers.delta(value)
    shown = numbers.rounded(value)
    assert re.fullmatch(r"[+−]?\d+\.\d", text)
    assert float(text.replace("−", "-")) == shown
    assert (text[0] == "+", text[0] == "−") == (shown > 0, shown < 0)
    assert numbers.rounded(-value) == -shown and math.copysign(1, shown * shown) == 1
    assert abs(shown - value) <= 0.05 + 1e-4


@given(FLOATS)
def test_what_the_csv_file_holds_is_shown_alike(value):
    assert numbers.delta(float(numbers.CSV % value)) == numbers.delta(value)
