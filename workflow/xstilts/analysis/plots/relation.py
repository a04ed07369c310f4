"""A relation: the points at the layer that says most, and the correlation at every layer."""

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from xstilts.analysis import numbers
from xstilts.analysis.answers import findings, relation_text
from xstilts.analysis.answers.files import CORRELATION, PARTIAL, WITHIN
from xstilts.analysis.plots import style
from xstilts.analysis.plots.along import LABELLED, plain_number

# Inches.
WIDTH, POINTS, LAYERS, LINE = 3.4, 2.5, 1.7, 0.115
NAMES = {CORRELATION: "all", WITHIN: "within families", PARTIAL: "taken out"}

Meta = Mapping[str, Any]


def draw(meta: Meta, table: pd.DataFrame, points: pd.DataFrame) -> Figure:
    """Draw a column for each class: its points at the layer that says most over all, and where
    there are several layers the correlation at each, what is claimed filled.

    Args: see `files.Answer`.
    """
    table = table[table["without"] == ""]
    classes, several = list(dict.fromkeys(table["class"])), table["layer"].nunique() > 1
    notes = textwrap.wrap(
        "; ".join(_notes(meta, table, several)), int(WIDTH * len(classes) / 0.056)
    )
    heights = [POINTS, *([LAYERS] if several else []), 0.08 + LINE * len(notes)]
    figure = style.new_figure(WIDTH * len(classes), sum(heights))
    below: Any = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    best = relation_text.strongest(table)
    for panel, name in zip(
        below[0].subplots(1, len(classes), squeeze=False)[0], classes, strict=True
    ):
        over = best[(best["class"] == name) & (best["kind"] == CORRELATION)].iloc[0]
        _points(panel, meta, points, over, len(classes) > 1)
    if several:
        panels = below[1].subplots(1, len(classes), squeeze=False, sharey=True)[0]
        for panel, name in zip(panels, classes, strict=True):
            _layers(panel, table[(table["class"] == name) & table["tested"].astype(bool)])
    below[-1].text(0.02, 0.98, "\n".join(notes), size=6.5, va="top", color=style.BASELINE)
    return figure


def _points(panel, meta: Meta, points: pd.DataFrame, over: Mapping[str, Any], named: bool) -> None:
    known = points[(points["class"] == over["class"]) & (points["layer"] == over["layer"])]
    for family, marker in style.markers(sorted(set(known["family"]))).items():
        part = known[known["family"] == family]
        x, y, colour = part["x"], part["estimate"], marker["color"]
        panel.vlines(x, part["low"], part["high"], colour, linewidth=0.7, alpha=0.6)
        panel.hlines(y, part["x low"], part["x high"], colour, linewidth=0.7, alpha=0.6)
        label = findings.plain(family) if family else None
        panel.scatter(x, y, 14, zorder=3, label=label, **marker)
    if len(known) <= LABELLED:
        for row in known.to_dict("records"):
            place = row["x"], row["estimate"]
            text = findings.plain(row["label"])
            panel.annotate(text, place, (3, 3), textcoords="offset points", size=6)
    if any(known["family"]):
        panel.legend(frameon=False, fontsize=6, handletextpad=0.2)
    start = f"{findings.plain(over['class'])}: " if named else ""
    interval = numbers.interval(over["low"], over["high"], 2)
    said = f"{start}layer {over['layer']}, {numbers.points(over['estimate'], 2)} (95%: {interval})"
    panel.set_title(textwrap.fill(said, 52), loc="left", size=8)
    panel.set_xlabel(_axis(meta))
    panel.set_ylabel(f"{meta['value']}, points")
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_formatter(plain_number)
    panel.locator_params(nbins=5)


def _axis(meta: Meta) -> str:
    measure = findings.measure(meta)
    return measure if meta["value"] == "score" else f"change in {measure}"


def _layers(panel, rows: pd.DataFrame) -> None:
    """Draw the correlation by layer, one line for each kind."""
    layers = list(dict.fromkeys(rows["layer"]))
    kinds = style.markers([kind for kind in NAMES if kind in set(rows["kind"])])
    for i, (kind, marker) in enumerate(kinds.items()):
        part = rows[rows["kind"] == kind]
        x = np.array([layers.index(layer) for layer in part["layer"]])
        x = x + 0.15 * (i - (len(kinds) - 1) / 2)
        colour = marker["color"]
        panel.vlines(x, part["low"], part["high"], colour, linewidth=0.7, alpha=0.6)
        fill = [colour if claimed else "white" for claimed in part["agrees"].astype(bool)]
        panel.scatter(
            x, part["estimate"], 14, fill, edgecolors=colour, marker=marker["marker"], zorder=3,
            label=NAMES[kind],
        )  # fmt: skip
    panel.axhline(0, color=style.BASELINE, linewidth=0.8, zorder=1)
    step = -(-len(layers) // 13)
    panel.set_xticks(range(0, len(layers), step), [findings.plain(x) for x in layers[::step]])
    panel.set_ylim(-1.05, 1.05)
    panel.set_xlabel("layer")
    panel.set_ylabel("rank correlation")
    panel.yaxis.set_major_formatter(plain_number)
    if len(kinds) > 1:
        panel.legend(frameon=False, fontsize=6, handletextpad=0.2)


def _notes(meta: Meta, table: pd.DataFrame, several: bool) -> list[str]:
    """Return what is said below the figure."""
    found = [f"lines: 95% intervals over {' or '.join(dict.fromkeys(table['noise']))}"]
    if several:
        found.append("filled: told apart from zero, and from chance at any layer")
    return [*found, f"a point is a {meta['relation']['across']}"]
