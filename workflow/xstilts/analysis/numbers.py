"""How a number is shown: the one place where results are rounded, for tables, page and figures.

A value is first taken to the four decimals of the CSV files, as decimal digits, then to those that
are shown, half away from zero, as readers round by hand: -1.25 is −1.3 everywhere, and whoever
rounds what a CSV file holds has what is printed. A number that is shown as zero has no sign.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pandas as pd

MISSING = "–"  # an en dash, for None, NaN and pd.NA
MINUS = "\u2212"  # true minus sign: a hyphen is too short, and breaks lines
CSV = "%.4f"  # the form of what is shown, in CSV files
EXACT = "%.10g"  # that of scores, from which others compute


def points(value: Any, digits: int = 1) -> str:
    """Return a value with its decimals, such as a score in percent; `MISSING` for none."""
    if pd.isna(value):
        return MISSING
    return _digits(value, digits).replace("-", MINUS)


def delta(value: Any, digits: int = 1) -> str:
    """Return a difference with its decimals and its sign; what is shown as zero has none."""
    text = points(value, digits)
    return f"+{text}" if not pd.isna(value) and rounded(value, digits) > 0 else text


def interval(low: Any, high: Any, digits: int = 1) -> str:
    """Return `low to high`; `MISSING` where there is none."""
    texts = points(low, digits), points(high, digits)
    return MISSING if MISSING in texts else " to ".join(texts)


def p_value(p: Any) -> str:
    """Return a probability with three decimals, or that it is below 0.001."""
    return "<0.001" if not pd.isna(p) and p < 0.001 else points(p, 3)


def decimals(low: float, high: float, least: int = 1) -> int:
    """Return with how many decimals an interval is shown: more where it is narrow, at most six.

    As many that its width has at least two units of the last one, and that no bound is shown as
    zero, or with another sign than it has, though it is not. A width below 0.000001 is none.
    """
    for digits in range(least, 6):
        vanishes = any(bound and not rounded(bound, digits) for bound in (low, high))
        if not (vanishes or 1e-6 < high - low < 2 * 10**-digits):
            return digits
    return 6


def count(value: Any) -> str:
    """Return how many there are; `MISSING` where it is not known."""
    return MISSING if pd.isna(value) else f"{int(value):,}"


def rounded(value: float, digits: int = 1) -> float:
    """Return the number that is shown, to compare: what is shown alike is equal; NaN for NaN."""
    return float(_digits(value, digits)) if value == value else value


def stored(value: float, form: str = CSV) -> str:
    """Return a value as CSV files have it; no zero has a sign."""
    text = form % value
    return text if float(text) else form % 0


def _digits(value: float, digits: int) -> str:
    exact = Decimal(stored(value)) if digits < 4 else Decimal(repr(float(value)))
    shown = exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{shown if shown else abs(shown)}"
