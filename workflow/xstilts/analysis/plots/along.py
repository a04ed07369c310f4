"""The panel of an answer along a trait: points with intervals, lines with bands, ranks."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from xstilts.analysis import numbers
from xstilts.analysis.answers import findings
from xstilts.analysis.answers.files import COLLAPSED, SLOPE
from xstilts.analysis.plots import style

LABELLED = 16  # points; of more each has no name
WIDE = 50.0  # ranks: an axis is logarithmic if the largest value is so many times the smallest
SHIFT = 0.012  # of the axis, between classes, so that equal points do not hide each other
_PREFIXES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def draw(
    panel, meta: Mapping[str, Any], points: pd.DataFrame, slopes: pd.DataFrame,
    markers: Mapping[str, Mapping[str, Any]],
) -> None:  # fmt: skip
    """Draw the points of each class, and with slopes its line.

    A line goes through the mean of the points of its class with the slope of the answer; what the
    answer gives of its noise is the interval of the slope, so the band has the slopes at its bounds
    about that mean, and the noise of the mean itself is in the intervals of the points alone.

    Args:
        meta: see `files.Answer`.
        points: of one scale.
        slopes: rows of the table of that scale: slopes, or rank correlations.
        markers: class -> its colour and marker.
    """
    slope = findings.what(meta) == SLOPE
    known = points[points["x"].notna() & points["estimate"].notna()]
    log = meta["scale"] == "log10" or (not slope and _wide(known["x"]))
    known = known[known["x"] > 0] if log else known
    place = np.log10 if log else np.asarray
    xs = place(known["x"].to_numpy(dtype=float))
    span = float(np.ptp(xs)) if len(xs) else 0.0
    for i, (name, marker) in enumerate(markers.items()):
        part = known[known["class"] == name]
        if part.empty:
            continue
        x, y = place(part["x"].to_numpy(dtype=float)), part["estimate"].to_numpy(dtype=float)
        shifted = x + SHIFT * span * (i - (len(markers) - 1) / 2)
        colour = marker["color"]
        panel.vlines(shifted, part["low"], part["high"], colour, linewidth=0.8, alpha=0.7)
        panel.scatter(shifted, y, 14, zorder=3, **marker)
        row = slopes[(slopes["class"] == name) & (slopes["without"] != COLLAPSED)]
        if slope and len(row):
            _line(panel, x, y, row.iloc[0], colour, i)
    if len(markers) == 1 and len(slopes):
        panel.set_title(_said(meta, slopes.iloc[0]), loc="left", size=8)
        if not slope and len(known) <= LABELLED:
            for at, row in zip(xs, known.to_dict("records"), strict=True):
                text = findings.plain(row["label"])
                panel.annotate(
                    text, (at, row["estimate"]), (3, 3), textcoords="offset points", size=6
                )
    if meta["value"] != "score" and np.prod(panel.get_ylim()) < 0:
        panel.axhline(0, color=style.BASELINE, linewidth=0.8, zorder=1)
    panel.set_xlabel(findings.plain(meta["along"]))
    panel.locator_params(axis="y", nbins=5)
    panel.yaxis.set_major_formatter(plain_number)
    if log and len(xs):
        at = _ticks(xs)
        panel.set_xticks(at, [short(10**x) for x in at])
    else:
        panel.xaxis.set_major_formatter(lambda value, _: short(value))


def legend(part, markers: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the names of several classes below the panels of a part of a figure."""
    if len(markers) < 2:
        return
    panel = part.axes[0]
    handles = [panel.plot([], [], lw=1.3, ms=4, **marker)[0] for marker in markers.values()]
    longest = max(map(len, markers))
    part.legend(
        handles, [style.wrapped(findings.plain(name), 40) for name in markers],
        loc="outside lower center", ncols=2 if longest < 18 else 1, frameon=False, fontsize=7,
    )  # fmt: skip


def short(value: float) -> str:
    """Return a number of an axis: 1k, 30k, 560M, 0.35."""
    for size, prefix in _PREFIXES:
        if abs(value) >= size:
            return f"{value / size:.3g}{prefix}".replace("-", numbers.MINUS)
    return f"{value:.3g}".replace("-", numbers.MINUS)


def plain_number(value: float, _: Any = None) -> str:
    """Return a number at a tick, with a true minus."""
    return f"{0.0 if abs(value) < 1e-12 else value:.6g}".replace("-", numbers.MINUS)


def _line(panel, x, y, row: pd.Series, colour: str, order: int) -> None:
    ends = np.array([x.min(), x.max()])
    middle, level = x.mean(), y.mean()
    grid = np.linspace(x.min(), x.max(), 41)
    lower, upper = (level + row[bound] * (grid - middle) for bound in ("low", "high"))
    low, high = np.minimum(lower, upper), np.maximum(lower, upper)
    panel.fill_between(grid, low, high, color=colour, alpha=0.16, linewidth=0)
    style_of = ["-", (0, (5, 2)), (0, (2, 1.5)), "-."][order % 4]
    panel.plot(ends, level + row["estimate"] * (ends - middle), color=colour, ls=style_of, lw=1.4)


def _said(meta: Mapping[str, Any], row: pd.Series) -> str:
    digits = findings.digits(meta, row)
    thing = "slope" if findings.what(meta) == SLOPE else "rank correlation"
    estimate = numbers.points(row["estimate"], digits)
    return f"{thing} {estimate} (95%: {numbers.interval(row['low'], row['high'], digits)})"


def _wide(x: pd.Series) -> bool:
    return len(x) > 0 and float(x.min()) > 0 and float(x.max() / x.min()) > WIDE


def _ticks(xs: np.ndarray) -> list[float]:
    """Return the places of the ticks of a logarithmic axis: decades, or 1, 2 and 5 of each."""
    low, high = xs.min() - 1e-9, xs.max() + 1e-9
    for steps in ((1,), (1, 3), (1, 2, 5), tuple(range(1, 10))):
        decades = range(int(np.floor(low)), int(np.ceil(high)) + 1)
        places = [decade + float(np.log10(step)) for decade in decades for step in steps]
        inside = [place for place in places if low <= place <= high]
        if len(inside) >= 3:
            return inside
    return sorted({float(xs.min()), float(xs.max())})
