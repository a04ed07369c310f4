"""Alignment by layer: before any intermediate task, and after each."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from xstilts.analysis.plots import style
from xstilts.experiment.config import NONE
from xstilts.metrics.alignment import BETTER, LOWER

COLUMNS = 4
BEFORE: dict[str, Any] = {"color": "black", "linestyle": (0, (4, 2)), "marker": "|"}


def draw(layers: pd.DataFrame, title: str) -> Figure:
    """Draw a panel per measure, in it a line per intermediate over the layers; `none` is dashed.

    Args:
        layers: of one model and set, see `analysis.alignment.by_layer`.
        title: of the figure.
    """
    if layers.empty:
        return style.message_figure(f"{title}: nothing is measured.")
    measures = [name for name in BETTER if name in set(layers["measure"])]
    names = list(dict.fromkeys(layers["intermediate"]))
    markers = style.markers(name for name in names if name != NONE)
    if NONE in names:
        markers = {NONE: BEFORE, **markers}
    columns = min(COLUMNS, len(measures))
    rows = -(-len(measures) // columns)
    figure = style.new_figure(max(4.0, 2.1 * columns), 0.9 + 1.75 * rows)
    panels: list[Any] = list(figure.subplots(rows, columns, squeeze=False).flat)
    for panel, measure in zip(panels, measures, strict=False):
        part = layers[layers["measure"] == measure]
        for name, line in part.groupby("intermediate", sort=False):
            line = line.sort_values("layer")
            panel.plot(line["layer"], line["value"], lw=1.1, ms=3.5, **markers[name])
        lower = " (lower is better)" if BETTER[measure] == LOWER else ""
        panel.set_title(f"{measure}{lower}", loc="left")
        panel.set_xlabel("layer")
        panel.xaxis.get_major_locator().set_params(integer=True)
    for panel in panels[len(measures) :]:
        panel.set_visible(False)
    figure.suptitle(title, size=9)
    handles = {name: Line2D([], [], lw=1.1, ms=3.5, **look) for name, look in markers.items()}
    figure.legend(
        list(handles.values()),
        list(handles),
        loc="outside lower center",
        ncols=min(6, len(handles)),
        frameon=False,
    )
    return figure
