"""Dot plot: the difference to the row `none` by language, with its interval."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from xstilts.analysis.plots import style

MAX_COLUMNS = 6  # beside each other; more go below


def draw(deltas: pd.DataFrame, title: str) -> Figure:
    """Draw a column per intermediate and a row per language, the largest mean gain on top.

    All columns are on one scale. Those beside each other share one set of axes, shifted for each
    column: a grid has hundreds of them, and axes for each would take minutes.

    Args:
        deltas: rows of `significance.deltas` of one model and target.
    """
    rows = deltas[deltas["language"] != ""]
    if rows.empty:
        return style.message_figure(
            f"{title}: no difference to show, a score or the row none is missing."
        )
    intermediates = list(dict.fromkeys(rows["intermediate"]))
    order = rows.groupby("language")["delta"].mean().sort_values().index
    low, high = min(0.0, rows["low"].min()), max(0.0, rows["high"].max())
    lines = [intermediates[i : i + MAX_COLUMNS] for i in range(0, len(intermediates), MAX_COLUMNS)]
    width, height = 0.8 + 1.35 * len(lines[0]), 0.6 + 0.19 * len(order)
    inches = 0.7 + height * len(lines)
    figure = style.new_figure(max(width, 4.2), inches, constrained=False)
    left, right, bottom, top = 0.5 / max(width, 4.2), 0.98, 0.62 / inches, 1 - 0.25 / inches
    figure.subplots_adjust(left, bottom, right, top, hspace=0.55 / (height - 0.5))
    for axes, line in zip(figure.subplots(len(lines), 1, squeeze=False)[:, 0], lines, strict=True):
        _columns(axes, rows, line, list(order), (low, high), len(lines[0]))
    statistic, over = rows["statistic"].iloc[0], rows["over"].iloc[0]
    note = (
        f"difference to none, points ({statistic}); 95% interval over {over}\nfilled: without zero"
    )
    figure.text(0.5, 0.08 / inches, note, ha="center", va="bottom")
    figure.text(0.5, 1 - 0.05 / inches, title, ha="center", va="top", size=9, weight="bold")
    return figure


def _columns(axes, rows, line, order, limits, columns) -> None:
    """Draw a line of columns, on axes that have room for `columns`."""
    low, high = limits
    step = max(1.0, high - low) * 1.25
    tick = _tick(max(1.0, high, -low))
    ticks: dict[float, str] = {}
    for i, name in enumerate(line):
        part, zero = rows[rows["intermediate"] == name], i * step
        y = part["language"].map(order.index)
        excludes_zero = (part["low"] > 0) | (part["high"] < 0)
        axes.vlines(zero, -0.6, len(order) - 0.4, style.BASELINE, linewidth=0.8)
        axes.hlines(y, zero + part["low"], zero + part["high"], style.COLOURS[0], linewidth=1.2)
        fill = np.where(excludes_zero, style.COLOURS[0], "white")
        axes.scatter(zero + part["delta"], y, 18, fill, edgecolors=style.COLOURS[0], zorder=3)
        middle = zero + (low + high) / 2
        axes.text(middle, len(order) - 0.3, name, ha="center", va="bottom", weight="bold")
        labels = {-tick: f"-{tick:g}", 0.0: "0", tick: f"+{tick:g}"}
        ticks |= {zero + x: label for x, label in labels.items() if low <= x <= high}
    axes.set_yticks(range(len(order)), order)
    axes.set_ylim(-0.8, len(order) + 0.4)
    axes.set_xlim(low - 0.1 * step, high + (columns - 1) * step + 0.05 * step)
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _tick(limit: float) -> float:
    """Return the largest round number up to `limit`."""
    return max(t * 10**k for k in range(-1, 3) for t in (1, 2, 5) if t * 10**k <= limit)
