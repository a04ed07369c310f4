"""Dot plot: the difference to the row `none` by language, with its interval."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from xstilts.analysis import languages
from xstilts.analysis.plots import style

MAX_COLUMNS = 6  # beside each other; more go below
LETTERS = 18  # of a column's name on a line
WIDTH, ROW_HEIGHT, LETTER = 1.35, 0.19, 0.075  # inches: of a column, a language, a letter


def draw(deltas: pd.DataFrame, title: str, missing: list[str] | None = None) -> Figure:
    """Draw a column per intermediate and a row per language.

    All columns are on one scale. Those beside each other share one set of axes, shifted for each
    column: a grid has hundreds of them, and axes for each would take minutes.

    Args:
        deltas: rows of `significance.deltas` of one model and target.
        title: of the figure.
        missing: languages that have no difference to show, for the note.
    """
    rows = deltas[deltas["language"] != ""]
    if rows.empty:
        return style.message_figure(
            f"{title}: no difference to show, a score or the row none is missing."
        )
    intermediates = list(dict.fromkeys(rows["intermediate"]))
    order = languages.ordered(rows["language"])[::-1]  # from the bottom of the axes
    values = rows[["delta", "low", "high"]]
    limits = min(-1.0, float(values.min().min())), max(1.0, float(values.max().max()))
    lines = [intermediates[i : i + MAX_COLUMNS] for i in range(0, len(intermediates), MAX_COLUMNS)]
    notes = _notes(rows, missing or [])
    heading = max(style.wrapped(name, LETTERS).count("\n") for name in intermediates) + 1
    margin = 0.25 + LETTER * max(map(len, order))
    width = max(margin + 0.1 + WIDTH * len(lines[0]), 4.6)
    height = 0.55 + 0.14 * heading + ROW_HEIGHT * len(order)
    below = 0.4 + 0.14 * len(notes)
    inches = 0.35 + below + height * len(lines)
    figure = style.new_figure(width, inches, constrained=False)
    figure.subplots_adjust(
        margin / width, below / inches, 0.98, 1 - (0.35 + 0.14 * heading) / inches,
        hspace=(0.55 + 0.14 * heading) / (height - 0.55 - 0.14 * heading),
    )  # fmt: skip
    for axes, line in zip(figure.subplots(len(lines), 1, squeeze=False)[:, 0], lines, strict=True):
        _columns(axes, rows, line, order, limits, len(lines[0]))
    figure.text(0.5, 0.06 / inches, "\n".join(notes), ha="center", va="bottom")
    figure.text(0.5, 1 - 0.05 / inches, title, ha="center", va="top", size=9, weight="bold")
    return figure


def _notes(rows: pd.DataFrame, missing: list[str]) -> list[str]:
    """Return the lines below the figure."""
    over = " or ".join(dict.fromkeys(rows["over"]))
    return [
        f"difference to none, points ({rows['statistic'].iloc[0]})",
        f"line: 95% interval over {over}",
        "filled: the interval leaves out zero",
        *([f"missing: {', '.join(missing)}"] if missing else []),
    ]


def _columns(axes, rows, line, order, limits, columns) -> None:
    """Draw a line of columns, on axes that have room for `columns`."""
    low, high = limits
    step = (high - low) * 1.25
    tick = _tick(max(min(high, -low), max(high, -low) / 3))
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
        heading = style.wrapped(name, LETTERS)
        axes.text(middle, len(order) - 0.3, heading, ha="center", va="bottom", weight="bold")
        labels = {-tick: f"\N{MINUS SIGN}{tick:g}", 0.0: "0", tick: f"+{tick:g}"}
        ticks |= {zero + x: label for x, label in labels.items() if low <= x <= high}
    axes.set_yticks(range(len(order)), order)
    axes.set_ylim(-0.8, len(order) - 0.2)
    axes.set_xlim(low - 0.1 * step, high + (columns - 1) * step + 0.05 * step)
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _tick(limit: float) -> float:
    """Return the largest round number up to `limit`."""
    return max(t * 10**k for k in range(-1, 3) for t in (1, 2, 5) if t * 10**k <= limit)
